"""Settings in which runs differ, and groups of runs that differ in their seed alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ganforge.config.toml import inline
from ganforge.plugin.specs import TABLES
from ganforge.printable import printable
from ganforge.runs.run import Run

SEED = "training.seed"

#: sections that say what is written down, and change nothing of what is learnt
_WATCHING = ("output.", "callback.")

#: what makes no other run: the seed, and which metrics are measured; how they are does
_NO_DIFFERENCE = (SEED, "metric")

#: stands for the value of a setting that a run does not have
ABSENT = None

Settings = Mapping[str, object]


def settings_of(run: Run) -> dict[str, object]:
    """The settings of a run by key, and the components of each table.

    `loss` is `"nonsat + r1"`. What is written down, and how often, is left out.
    """
    found: dict[str, object] = {
        kind: " + ".join(run.components(kind)) for kind in TABLES if f"{kind}." not in _WATCHING
    }
    found |= {key: it for key, it in run.settings.items() if not key.startswith(_WATCHING)}
    return found


def differing(runs: Sequence[Settings]) -> list[str]:
    """The keys in which runs differ, but for the seed, in the order of the configuration.

    A metric that only some of them have makes no difference; that it is measured otherwise does.

    An option of a component is compared among the runs that have this component: that a
    perceptron has no `generator.width` follows from `generator.name`.
    """
    found = []
    for key in dict.fromkeys(key for run in runs for key in run):
        if key in _NO_DIFFERENCE:
            continue
        holders = [run for run in runs if key in run]
        alike = [run for run in runs if any(_same_component(key, run, it) for it in holders)]
        if len({repr(run.get(key, ABSENT)) for run in alike}) > 1:
            found.append(key)
    return found


def merged(runs: Sequence[Settings], keys: Sequence[str]) -> dict[str, str]:
    """A heading for each key; keys of one last part and the same values are one column.

    `--learning-rate` sets that of both optimizers, which differ from run to run together.
    """
    kept: dict[tuple[str, str], str] = {}
    for key in keys:
        last = key.removesuffix(".name").rpartition(".")[2]
        kept.setdefault((last, repr([run.get(key, ABSENT) for run in runs])), key)
    return headings([*kept.values()])


def _same_component(key: str, run: Settings, holder: Settings) -> bool:
    """True where an option that `holder` has is one of a component that `run` has too."""
    section, _, rest = key.partition(".")
    if section in TABLES:
        name = rest.rpartition(".")[0]
        return not rest or name in str(run.get(section, "")).split(" + ")
    place = f"{section}.name"
    return place == key or run.get(place, ABSENT) == holder.get(place, ABSENT)


def grouped(runs: Sequence[Settings], keys: Iterable[str]) -> list[list[int]]:
    """The positions of runs that agree in all of `keys`, group by group, in their order."""
    keys = [*keys]
    groups: dict[str, list[int]] = {}
    for position, run in enumerate(runs):
        groups.setdefault(repr([run.get(key, ABSENT) for key in keys]), []).append(position)
    return [*groups.values()]


def headings(keys: Sequence[str]) -> dict[str, str]:
    """A short name for each key: its last part, where no other key of them ends so.

    The name of a component is called after its section: `generator`.
    """
    found = {}
    for key in keys:
        base = key.removesuffix(".name")
        last = base.rpartition(".")[2]
        alone = sum(it.removesuffix(".name").rpartition(".")[2] == last for it in keys) == 1
        found[key] = printable(last if alone else base, 60)
    return found


def shown(value: object) -> str:
    """A value of the configuration as a person reads it: TOML, and strings without quotes."""
    if value is ABSENT:
        return "-"
    return printable(value if isinstance(value, str) else inline(value), 60)
