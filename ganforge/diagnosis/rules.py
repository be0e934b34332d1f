"""Rules of the diagnosis: what the numbers of a run must be for something to be named.

Each is a pure function of the columns up to now. None hangs on the scale of a loss or of the data:
numbers are held against the run's own beginning, or against the same number of real samples.
`docs/is-it-going-well.md` says how the bounds were chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .findings import Columns, Finding, last, last_step, recent

LINES = 6  # of metrics in a row that must agree; one bad line is an accident
MEASUREMENTS = 4  # of generated samples in a row that must agree

MOST_GROWTH = 100.0  # of weights; the healthy runs of the tests stay under 10
MOST_LOSS = 1000.0  # times what a loss, or a gap of scores, was at the beginning
BEGINNING = 5  # lines that are the beginning

TOLD_APART = 0.99  # of pairs of a real and a generated sample
LITTLE_GRADIENT = 0.05  # of that at the beginning
FEW_SATURATED = 0.5  # more values at the end of their range than in the data

COLLAPSED = 0.25  # of the diversity of real samples
DIVERSE = 0.5  # of it, from where on less is a fall
PATIENCE = 10  # measurements in which a generator may find its way up

COPIES = 0.5  # of the distance between neighbours in the training data


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Rule for one finding: the quantities that it needs, which runs have them, and the check."""

    name: str
    needs: tuple[str, ...]
    measured: str
    check: Callable[[Columns], Finding | None]


def divergence(columns: Columns) -> Finding | None:
    """Weights that have grown a hundredfold, or a loss a thousandfold and does not come back."""
    for side in ("discriminator", "generator"):
        growth = last(columns, f"weight_growth/{side}")
        if growth is not None and growth > MOST_GROWTH:
            return _finding(
                "divergence",
                columns,
                f"the weights of the {side} are {growth:.3g} times as large as at the start",
                {f"weight_growth/{side}": growth},
            )
    side = "discriminator" if "loss/discriminator" in columns else "generator"
    losses = columns[f"loss/{side}"].values
    sizes = [("loss", [abs(losses[it]) for it in _ends(len(losses))])]
    if "score/real" in columns and "score/fake" in columns:
        real, fake = columns["score/real"].values, columns["score/fake"].values
        gaps = [abs(real[it] - fake[it]) for it in _ends(min(len(real), len(fake)))]
        sizes.append(("gap between the scores", gaps))
    for what, values in sizes:
        first, now = values[:BEGINNING], values[BEGINNING:]
        # 1 is the margin of scores; those of a critic go with the scale of the data.
        scale = max(1.0, last(columns, "diversity/real") or 0.0, *first)
        if len(now) == LINES and min(now) > MOST_LOSS * scale:
            text = f"the {side}'s {what} is {now[-1]:.3g}, and was {first[0]:.3g} at the beginning"
            return _finding("divergence", columns, text, {what: now[-1]})
    return None


def _ends(num: int) -> list[int]:
    """The places of the first and the last of `num` lines: a long run costs what a short one does.

    A rule is asked after every line, so one that goes through all of them would take the square.
    """
    return [*range(min(BEGINNING, num)), *range(max(BEGINNING, num - LINES), num)]


def discriminator_won(columns: Columns) -> Finding | None:
    """Every pair is told apart, and nothing is left to learn: D's own gradient is gone."""
    ranking = recent(columns, "ranking", LINES)
    gradient = recent(columns, "relative_gradient/discriminator", LINES)
    if not ranking or not gradient:
        return None
    if min(ranking) < TOLD_APART or max(gradient) > LITTLE_GRADIENT:
        return None
    text = (
        f"it tells {ranking[-1]:.1%} of all pairs of a real and a generated sample apart, and its "
        f"gradient is {gradient[-1]:.2g} times what it began with"
    )
    numbers = {"ranking": ranking[-1], "relative_gradient/discriminator": gradient[-1]}
    return _finding("discriminator-won", columns, text, numbers)


def vanishing_gradient(columns: Columns) -> Finding | None:
    """G's gradient is gone though D still tells, or G's outputs are stuck at their ends.

    Where D no longer tells real from fake a small gradient is what convergence looks like.
    """
    gradient = recent(columns, "relative_gradient/generator", LINES)
    if not gradient or max(gradient) > LITTLE_GRADIENT:
        return None
    ranking = recent(columns, "ranking", LINES)
    excess = (last(columns, "saturated/generated") or 0.0) - (
        last(columns, "saturated/real") or 0.0
    )
    if ranking and min(ranking) >= TOLD_APART:
        why = f"while the discriminator tells {ranking[-1]:.1%} of all pairs apart"
        numbers = {"ranking": ranking[-1]}
    elif excess > FEW_SATURATED:
        saturated = last(columns, "saturated/generated") or 0.0
        why = f"and {saturated:.0%} of the values in its samples are stuck at the ends of the range"
        numbers = {"saturated/generated": saturated}
    else:
        return None
    text = f"the generator's gradient is {gradient[-1]:.2g} times what it began with, {why}"
    numbers = {"relative_gradient/generator": gradient[-1], **numbers}
    return _finding("vanishing-gradient", columns, text, numbers)


def collapse(columns: Columns) -> Finding | None:
    """Samples that hardly differ from each other, where real ones do."""
    return _collapsed(columns, "diversity", "collapse", "samples")


def collapse_within_classes(columns: Columns) -> Finding | None:
    """Samples of one class that hardly differ, where real ones of a class do."""
    if collapse(columns) is not None:
        return None
    name = "diversity_within_classes"
    return _collapsed(columns, name, "collapse-within-classes", "samples of one class")


def _collapsed(columns: Columns, name: str, finding: str, what: str) -> Finding | None:
    generated, real = f"{name}/generated", last(columns, f"{name}/real")
    values = columns[generated].values if generated in columns else []
    if not real or len(values) < MEASUREMENTS:
        return None
    if max(values[-MEASUREMENTS:]) > COLLAPSED * real:
        return None  # before all values are looked at, which takes longer with each line
    fallen = max(values) > DIVERSE * real
    # One that has never had diversity may be slow: it is let alone for a while, and as it rises.
    rising = max(values[-MEASUREMENTS:]) > max(values[:-MEASUREMENTS], default=0.0)
    if not fallen and (rising or len(values) <= PATIENCE):
        return None
    fell = f", after {max(values):.3g} before" if fallen else ""
    text = f"the generator's {what} differ by {values[-1]:.3g}{fell}, real ones by {real:.3g}"
    return _finding(finding, columns, text, {generated: values[-1], f"{name}/real": real})


def memorisation(columns: Columns) -> Finding | None:
    """Samples much nearer to training samples than these are to each other."""
    nearest, real = recent(columns, "nearest/generated", 2), last(columns, "nearest/real")
    diversity, real_diversity = (
        last(columns, "diversity/generated"),
        last(columns, "diversity/real"),
    )
    if not nearest or not real or not real_diversity or diversity is None:
        return None
    if max(nearest) > COPIES * real or diversity < DIVERSE * real_diversity:
        return None
    text = (
        f"half of the samples are within {nearest[-1]:.3g} of a training sample, while half of the "
        f"training samples are more than {real:.3g} from the nearest other one"
    )
    return _finding(
        "memorisation", columns, text, {"nearest/generated": nearest[-1], "nearest/real": real}
    )


def _finding(name: str, columns: Columns, text: str, numbers: dict[str, float]) -> Finding:
    return Finding(name=name, step=last_step(columns), text=text, numbers=numbers)


_SINCE = "in runs of this version and later"
_JUDGED = "in runs whose discriminator gives scores"

#: in the order in which they are said; a run that has diverged has no other fault
RULES = (
    Rule(name="divergence", needs=("loss/generator",), measured="always", check=divergence),
    Rule(
        name="discriminator-won",
        needs=("ranking", "relative_gradient/discriminator"),
        measured=f"{_JUDGED}, {_SINCE}",
        check=discriminator_won,
    ),
    Rule(
        name="vanishing-gradient",
        needs=("relative_gradient/generator", "ranking"),
        measured=f"{_JUDGED}, {_SINCE}",
        check=vanishing_gradient,
    ),
    Rule(
        name="collapse",
        needs=("diversity/generated", "diversity/real"),
        measured=_SINCE,
        check=collapse,
    ),
    Rule(
        name="collapse-within-classes",
        needs=("diversity_within_classes/generated", "diversity_within_classes/real"),
        measured="in runs whose generator is told a label",
        check=collapse_within_classes,
    ),
    Rule(
        name="memorisation",
        needs=("nearest/generated", "nearest/real"),
        measured="where at most 1,024 samples are trained on",
        check=memorisation,
    ),
)
