"""Rules of the files of tensors in a run: checkpoints, the generator, and the best one."""

from __future__ import annotations

from collections.abc import Mapping

from ganforge.errors import NewerFormatError, listed
from ganforge.printable import printable, size_in_words
from ganforge.storage.paths import quoted_from_home
from ganforge.storage.verification import NotFinite, Verified

from .findings import Fact, Findings, Trouble
from .subject import Stored, Subject

#: what is gathered for the next line of metrics, or learnt from the data before training
_NOT_JUDGED = ("telemetry/", "fit/")
_OPTIMIZER = "optimizer/"


def checkpoints(subject: Subject) -> Findings:
    """Every checkpoint: its checksums, its numbers, and whether it is what its name says."""
    found, newest = subject.checkpoints, subject.newest
    sound = [it for it in found if it.verified is not None]
    if sound:
        size = size_in_words(sum(it.verified.size for it in sound if it.verified))
        steps = listed([f"{it.step:,}" for it in sound[:5]])
        more = f" and {len(sound) - 5} more" if len(sound) > 5 else ""
        text = f"sound: step{'s' if len(sound) > 1 else ''} {steps}{more}, {size}"
        yield Fact(subject="checkpoints", text=text)
    elif not found:
        yield Fact(subject="checkpoints", text="none yet")
    for it in found:
        if it.error is not None:
            # Where none is left, what can be done is said once.
            remedy = _remedy(subject, it, newest) if newest or it is found[0] else ""
            yield Trouble(name="damaged-checkpoint", text=str(it.error), remedy=remedy)
    for it in sound:
        assert it.verified is not None
        yield from not_finite(it.verified, quoted_from_home(it.path), _without(subject, it))
        step = it.verified.document.get("step")
        if step != it.step:
            yield Trouble(
                name="checkpoint-of-another-step",
                text=f"{printable(it.path)} is of step {printable(step)}, and not of the one that "
                "it is named after",
                remedy="give it the name of its step, or remove it: "
                + subject.command("rm", it.path),
            )


def _remedy(subject: Subject, damaged: Stored, newest: Stored | None) -> str:
    if isinstance(damaged.error, NewerFormatError):
        return "`python -m pip install --upgrade ganforge`"
    if newest is None:
        sampled = subject.generator is not None and subject.generator.verified is not None
        kept = f"{printable(subject.run.generator)} is sound and can be sampled from; " * sampled
        again = subject.command("ganforge train --config", subject.run.config)
        return f"{kept}no checkpoint is left to go on from; {again} trains it again"
    if newest.step > damaged.step:
        return f"step {newest.step:,} is sound and newer: {subject.command('rm', damaged.path)}"
    return f"{subject.resume} sets it aside and goes on from step {newest.step:,}"


def _without(subject: Subject, spoilt: Stored) -> str:
    """The remedy for a checkpoint whose numbers are not finite."""
    older = [
        it
        for it in subject.checkpoints
        if it.step < spoilt.step and it.verified and not _spoilt(it.verified)
    ]
    if not older:
        again = subject.command("ganforge train --config", subject.run.config)
        return f"no older checkpoint is better; {again} trains it again"
    aside = subject.command("rm", spoilt.path)
    return f"go on from step {older[0].step:,}, which is finite: {aside}, then {subject.resume}"


def _spoilt(verified: Verified) -> dict[str, NotFinite]:
    """The tensors with numbers that should be finite, and are not.

    What is measured or given is not judged. A tensor that no optimizer moves may hold infinity, as
    a mask does.
    """
    moved = {
        name.split("/", 2)[-1].rpartition("/")[0]
        for name in verified.checksums
        if name.startswith(_OPTIMIZER)
    }
    return {
        name: numbers
        for name, numbers in verified.not_finite.items()
        if not name.startswith(_NOT_JUDGED)
        and (numbers.nan or not moved or {name, name.partition("/")[2]} & moved)
    }


def not_finite(verified: Verified, shown: str, remedy: str) -> Findings:
    """Weights that are NaN or infinite, under checksums that match."""
    if found := _spoilt(verified):
        name, numbers = next(iter(found.items()))
        others = len(found) - 1
        more = f" and {others} other tensor{'s' if others > 1 else ''}" if others else ""
        yield Trouble(
            name="weights-that-are-not-finite",
            text=f"{shown} holds numbers that are NaN or infinite: "
            f"{numbers.nan + numbers.infinite:,} in {printable(name)}{more}",
            remedy=remedy,
        )


def generator(subject: Subject) -> Findings:
    """The generator's file: there, sound, and that of the newest checkpoint."""
    found, newest = subject.generator, subject.newest
    again = f"{subject.resume} writes it again from the checkpoint"
    if found is None:
        if newest is not None and not subject.in_use:
            yield Trouble(
                name="generator-that-is-missing",
                severity="warning",
                text=f"there are checkpoints, and no {printable(subject.run.generator)}",
                remedy=again,
            )
        return
    if found.verified is None:
        yield Trouble(name="damaged-generator", text=str(found.error), remedy=again)
        return
    yield from not_finite(found.verified, quoted_from_home(found.path), again)
    twins = [it for it in subject.checkpoints if _is_of(found.verified, it)]
    if newest is None or newest in twins:
        of = f", that of step {newest.step:,}" if newest else ""
        yield Fact(subject="generator", text=f"sound{of}")
        return
    if subject.in_use:  # it is written after its checkpoint
        yield Fact(subject="generator", text="sound")
        return
    what = f"that of step {twins[0].step:,}" if twins else "not of any checkpoint that is there"
    yield Trouble(
        name="stale-generator",
        severity="warning",
        text=f"{printable(found.path)} is {what}; the newest sound checkpoint is that of step "
        f"{newest.step:,}",
        remedy=again,
    )


def _is_of(generator: Verified, checkpoint: Stored) -> bool:
    """True where a generator's weights are those in a checkpoint, by their checksums."""
    if checkpoint.verified is None:
        return False
    own, theirs = generator.checksums, checkpoint.verified.checksums
    # The average is what is sampled from, where one is kept.
    averaged = any(name.startswith("ema/") for name in theirs)
    for prefix in ("ema/", "generator/") if averaged else ("generator/",):
        if _below("generator/", own).items() <= _below(prefix, theirs).items():
            return True
    return False


def _below(prefix: str, checksums: Mapping[str, int]) -> dict[str, int]:
    return {n.removeprefix(prefix): c for n, c in checksums.items() if n.startswith(prefix)}


def best(subject: Subject) -> Findings:
    """The best generator, where the checkpoint says that there is one."""
    found = subject.best
    said = subject.document.get("best")
    step = said.get("step") if isinstance(said, Mapping) else None
    kept = subject.run.checkpoint(step) if type(step) is int else None
    from_checkpoint = (
        f"{subject.command('ganforge sample', kept)} draws from the same weights"
        if kept is not None and kept.exists()
        else "it is kept again when the metric is better once more"
    )
    if found is None:
        if kept is not None and not subject.in_use:
            yield Trouble(
                name="best-that-is-missing",
                text=f"the best generator was that of step {step:,}, and there is no "
                f"{printable(subject.run.best)}",
                remedy=from_checkpoint,
            )
        return
    if found.verified is None:
        remedy = f"{subject.command('rm', found.path)}; {from_checkpoint}"
        yield Trouble(name="damaged-best", text=str(found.error), remedy=remedy)
        return
    yield from not_finite(found.verified, quoted_from_home(found.path), from_checkpoint)
    own = found.verified.document.get("best")
    own_step = own.get("step") if isinstance(own, Mapping) else None
    if type(own_step) is int:
        yield Fact(subject="best", text=f"sound, that of step {own_step:,}")
    if kept is not None and own_step != step and not subject.in_use:
        yield Trouble(
            name="stale-best",
            severity="warning",
            text=f"{printable(found.path)} is that of step {printable(own_step)}, and the newest "
            f"checkpoint says that step {step:,} was the best",
            remedy=from_checkpoint,
        )
