"""One training step: Algorithm 1 of Goodfellow et al., 2014 (arXiv:1406.2661).

Notation: G generator, D discriminator, x real samples, z generator inputs.

The gradient of an update is asked for one side's parameters only: the other needs no flags switched
and computes no weight gradients. Losses and norms stay on the device; nothing here waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import torch
from torch import Tensor, nn

from ganforge.config.settings import TrainingSettings
from ganforge.contracts import Draw, Game, Observed, Progress, Step, Update, mean_score
from ganforge.contracts.step import Keywords
from ganforge.device.randomness import Randomness
from ganforge.errors import PluginError, listed
from ganforge.plugin.specs import Side as SideName
from ganforge.printable import described

from .augmenting import Augmenting
from .feed import Feed
from .finite import FiniteGuard, total_norm
from .objective import Objective, ObjectiveTerm, last_layer
from .schedules import Schedules
from .sides import Side, Sides
from .untrained import Untrained

#: what games and augmentations draw from, by the name that 0.1 gave it, whose runs go on
STREAM = "instance-noise"

#: what an update leaves for the log, by name: scalars on the device, detached, or numbers
Metrics = dict[str, Tensor | float]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Everything that an update of a side works on, besides what it is made of."""

    settings: TrainingSettings
    sides: Sides
    game: Game
    objective: Objective
    augmenting: Augmenting
    schedules: Schedules
    guard: FiniteGuard
    randomness: Randomness
    num_steps: int
    keywords: Mapping[SideName, Keywords]
    parts: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def progress(self, step: int) -> Progress:
        """The progress after `step` steps."""
        return Progress(step=step, num_steps=self.num_steps, images=step * self.settings.batch_size)

    @cached_property
    def untrained(self) -> Untrained:
        """The search for parameters that nothing trains."""
        return Untrained(self.sides, self.objective)

    @cached_property
    def last_layer(self) -> nn.Parameter | None:
        """The weight that balanced terms are compared at."""
        balanced = any(it.selection.settings.balance for it in self.objective.terms)
        return last_layer(self.sides.generator.network) if balanced else None


@dataclass(frozen=True, kw_only=True)
class Training(Setup):
    """Everything that a training step works on."""

    feed: Feed


def train_step(run: Training, step: int, *, ranked: bool = False) -> Iterator[Metrics]:
    """Algorithm 1: k updates of D, each on its own x and z, then one of G; and G's average.

    In a step that is `ranked` the metrics say how well D's scores tell real from fake.
    """
    settings, progress = run.settings, run.progress(step)
    k = settings.num_discriminator_steps
    run.randomness.reseed_globals(step)
    run.schedules.set(progress)
    x, draws = None, None
    for side, number in _turns(run, step):
        if side == "discriminator":
            x = run.feed.real(step * k + number)
            keep = settings.reuse_fakes and number == k - 1
            draws = run.feed.draws(x, step, number, keep=keep)
        elif draws is None or not settings.reuse_fakes:
            if x is None:  # D has not moved in this step
                x = run.feed.real(step * k if run.sides.discriminator else step)
            draws = run.feed.draws(x, step, k + number)
        yield update(run, side, draws, progress, number, ranked=ranked)
    if run.sides.ema is not None:
        run.sides.ema.update(batch_size=settings.batch_size, progress=run.progress(step + 1))


def real_batches(run: Setup, step: int) -> range:
    """The numbers of the batches of real samples that a step takes."""
    if run.sides.discriminator is None:
        return range(step, step + 1)
    k = run.settings.num_discriminator_steps
    used = k if run.objective.due("discriminator", step) else 1
    return range(step * k, step * k + used)


def _turns(run: Setup, step: int) -> list[tuple[SideName, int]]:
    """The sides that move in a step, in order; one whose terms all rest does not move."""
    settings = run.settings
    counts: dict[SideName, int] = {
        "discriminator": settings.num_discriminator_steps,
        "generator": settings.num_generator_steps,
    }
    if run.sides.discriminator is None:
        counts["discriminator"] = 0
    elif step < settings.discriminator_warmup:
        counts["generator"] = 0
    order: list[SideName] = ["discriminator", "generator"]
    if settings.first == "generator":
        order.reverse()
    return [
        (side, number)
        for side in order
        if run.objective.due(side, step)
        for number in range(counts[side])
    ]


def update(
    run: Setup,
    side: SideName,
    draws: Sequence[Draw],
    progress: Progress,
    number: int,
    *,
    ranked: bool = False,
) -> Metrics:
    """One optimizer step of one side, on gradients summed over the parts of the batch."""
    trained, step = run.sides[side], progress.step
    due = run.objective.due(side, step)
    for parameter in trained.parameters:
        parameter.grad = None
    sums = Sums(len(draws), keep=ranked)
    observing = _observing(run, side)
    for part, draw in enumerate(draws):
        total, values = loss(run, side, draw, progress, sums, number=number, part=part)
        if len(draws) > 1:  # a small operation costs as much as a small layer
            total = total / len(draws)
        if not total.requires_grad:
            raise _independent(side, values)
        _backward(run, side, total, values)
        sums.add(values, total)
    norm = _gradient_norm(trained, side, due)
    if side in run.untrained.pending:
        run.untrained.look(side, due)
    run.guard.judge(side, step, sums.values, norm)
    trained.optimizer.step()
    with torch.no_grad():
        if side == "discriminator" and run.objective.constraints:
            run.objective.constrain(trained.network)
        if observing:
            observe(run, side, progress, sums)
    metrics: Metrics = {f"loss/{side}/{name}": value for name, value in sums.values.items()}
    metrics[f"loss/{side}"] = sums.total
    metrics[f"gradient_norm/{side}"] = norm
    if side == "discriminator":
        metrics |= sums.scores()
        metrics |= sums.ranking() if ranked else {}
        metrics |= run.augmenting.metrics()
    return metrics


def loss(
    run: Setup,
    side: SideName,
    draw: Draw,
    progress: Progress,
    sums: Sums,
    *,
    number: int = 0,
    part: int = 0,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The objective of a side for one part of a batch, and the values of the terms that are due.

    What is to be observed of it is gathered in `sums`.
    """
    due, observing = run.objective.due(side, progress.step), _observing(run, side)
    steps = run.game.steps(_update(run, side, due, progress, number, part, draw.keep), draw)
    values: dict[str, Tensor] = {}
    for one in steps:
        for term in due:
            value = term.value(side, one)
            values[term.name] = values[term.name] + value if term.name in values else value
            if observing:
                sums.add_notes(term.name, one)
    if side == "discriminator" or observing:
        sums.add_scores(steps, keep=observing or sums.keep)
    sums.num_samples += len(draw.inputs)
    return run.objective.total(values, progress, run.last_layer), values


def _observing(run: Setup, side: SideName) -> bool:
    """True where a term or an augmentation has state that moves with the updates of a side."""
    return run.objective.observes(side) or (side == "discriminator" and run.augmenting.observes)


def observe(run: Setup, side: SideName, progress: Progress, sums: Sums) -> None:
    """Let what adapts move its state, after an update and without gradient."""
    observed = sums.observed(side, progress)
    run.objective.observe(observed, sums.noted())
    run.augmenting.observe(observed)


def _update(
    run: Setup,
    side: SideName,
    due: Sequence[ObjectiveTerm],
    progress: Progress,
    number: int,
    part: int,
    keep: bool,
) -> Update:
    """The state that the steps of an update share."""
    discriminator = run.sides.discriminator
    turn = number if side == "discriminator" else run.settings.num_discriminator_steps + number
    # What is kept for the generator's update must hold what is read there, too.
    read = (*due, *run.objective.due("generator", progress.step)) if keep else due
    twice = any("discriminator" in term.selection.spec.double_backward for term in due)
    return Update(
        side=side,
        generator=run.sides.generator.network,
        discriminator=None if discriminator is None else discriminator.network,
        progress=progress,
        make_random=partial(run.randomness.generator, STREAM, progress.step, turn, part),
        joint=run.settings.joint_batch,
        differentiable=side == "discriminator" and twice,
        traced=run.objective.traced(read),
        generator_keywords=run.keywords["generator"],
        discriminator_keywords=run.keywords["discriminator"],
        parts=run.parts,
        augment=run.augmenting.transformation(progress),
    )


def _backward(run: Setup, side: SideName, total: Tensor, values: Iterable[str]) -> None:
    """The gradient of a loss with respect to the parameters of its side alone."""
    try:
        total.backward(inputs=run.sides[side].parameters)  # type: ignore[no-untyped-call]
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        names = listed([repr(name) for name in values])
        compiled = any(it.network._compiled_call_impl for it in run.sides.by_name.values())
        hint = (
            "; networks are compiled, and torch.compile cannot differentiate twice: a term or a "
            "network that does so says it in its spec (double_backward, differentiates_itself)"
        )
        raise PluginError(
            f"the backward pass of the {side}'s loss {names} failed: {described(error)}"
            f"{hint if compiled else ''}"
        ) from error


class Sums:
    """Sums of values and scores over the parts of an update; `keep` keeps the scores whole."""

    def __init__(self, num_parts: int, *, keep: bool = False) -> None:
        self.keep = keep
        self.values: dict[str, Tensor] = {}
        self.num_samples = 0
        self._total: list[Tensor] = []
        self._num_parts = num_parts
        self._scores: dict[str, list[Tensor]] = {"real": [], "fake": []}
        self._kept: dict[str, list[Tensor]] = {"real": [], "fake": []}
        self._notes: dict[str, dict[str, list[Tensor]]] = {}

    def add(self, values: dict[str, Tensor], total: Tensor) -> None:
        for name, value in values.items():
            share = value.detach() if self._num_parts == 1 else value.detach() / self._num_parts
            self.values[name] = self.values[name] + share if name in self.values else share
        self._total.append(total.detach())

    def add_scores(self, steps: Iterable[Step], *, keep: bool) -> None:
        """Take in the scores of the steps, whole where something observes them."""
        for step in steps:
            for kind, scores in read_scores(step):
                self._scores[kind].append(mean_score(scores))
                if keep:
                    listed = [scores] if isinstance(scores, Tensor) else scores
                    self._kept[kind] += [element.flatten() for element in listed]

    def add_notes(self, term: str, step: Step) -> None:
        """Take in the values that a term has left in a step for its `observe`."""
        for name, value in step.take_notes().items():
            self._notes.setdefault(term, {}).setdefault(name, []).append(value)

    def noted(self) -> dict[str, dict[str, Tensor]]:
        """The values that terms have left, over all parts, by term and name."""
        return {
            term: {name: torch.cat(found) for name, found in notes.items()}
            for term, notes in self._notes.items()
        }

    @property
    def total(self) -> Tensor:
        return self._total[0] if len(self._total) == 1 else torch.stack(self._total).sum()

    def scores(self) -> Metrics:
        """The mean scores that some term has read."""
        return {
            f"score/{kind}": means[0] if len(means) == 1 else torch.stack(means).mean()
            for kind, means in self._scores.items()
            if means
        }

    def ranking(self) -> Metrics:
        """The share of pairs in which the real sample has the higher score, of scores kept whole.

        0.5 where scores tell nothing, 1 where they tell every pair apart, whatever their scale.
        """
        if not all(self._kept.values()):
            return {}
        real, fake = (torch.cat(self._kept[kind]).float() for kind in ("real", "fake"))
        ordered = fake.sort().values
        below = torch.searchsorted(ordered, real) + torch.searchsorted(ordered, real, right=True)
        return {"ranking": below.float().mean() / (2 * len(fake))}

    def observed(self, side: SideName, progress: Progress) -> Observed:
        kept = {k: torch.cat(found) if found else None for k, found in self._kept.items()}
        return Observed(
            side=side,
            progress=progress,
            batch_size=self.num_samples,
            real_scores=kept["real"],
            fake_scores=kept["fake"],
        )


def read_scores(step: Step) -> Iterator[tuple[str, Tensor | list[Tensor]]]:
    """The scores of a step that some term has read, detached."""
    for kind in ("real", "fake"):
        if f"_scored_{kind}" in step.__dict__:
            scores = step.real_scores if kind == "real" else step.fake_scores
            if isinstance(scores, Tensor):
                yield kind, scores.detach()
            else:
                yield kind, [element.detach() for element in scores]


def _gradient_norm(trained: Side, side: SideName, due: Sequence[ObjectiveTerm]) -> Tensor | float:
    """The norm of a side's gradient. Raises PluginError where there is none."""
    gradients = [p.grad for p in trained.parameters if p.grad is not None]
    if not gradients:  # it depends on some weights, and on none of this side's
        raise _independent(side, [term.name for term in due])
    return total_norm(gradients)


def _independent(side: SideName, values: Iterable[str]) -> PluginError:
    names = listed([repr(name) for name in values])
    return PluginError(f"the {side}'s loss {names} does not depend on its weights")
