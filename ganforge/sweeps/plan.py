"""The plan of a sweep: all of its runs, resolved, before the first one starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ganforge.config.run_config import RunConfig
from ganforge.errors import ConfigError, GanforgeError, UsageError
from ganforge.sweeps.axes import Axis, combinations, run_name

#: the configuration that arguments of `train` amount to
Resolve = Callable[[Sequence[str]], RunConfig]


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run of a sweep: its name, the values that tell it from the others, and all settings."""

    name: str
    values: Mapping[str, str]
    config: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The axes that vary, by name with their values, and the runs.

    A search knows their number alone, `total`, and `configs` are examples.
    """

    axes: Mapping[str, tuple[str, ...]]
    runs: tuple[PlannedRun, ...]
    configs: tuple[RunConfig, ...] = ()
    total: int | None = None

    @property
    def num_runs(self) -> int:
        return len(self.runs) if self.total is None else self.total

    def check_available(self) -> None:
        """Raise DataError where what a run needs is not there; each component is asked once."""
        asked = set()
        for config in self.configs:
            for selection in config.selections:
                key = repr((selection.config_name, selection.component.kind, selection.options))
                if key not in asked:
                    asked.add(key)
                    selection.check_available()


def plan_grid(axes: Sequence[Axis], resolve: Resolve) -> Plan:
    """Every combination of the axes. Raises UsageError; ConfigError names the run that is wrong."""
    varying = [axis for axis in axes if len(axis.values) > 1]
    labels = unambiguous([axis.name for axis in varying])
    runs: list[PlannedRun] = []
    configs = []
    names: set[str] = set()
    for combination in combinations(axes):
        values = {labels[axis.name]: combination[axis.name].text for axis in varying}
        arguments = [it for value in combination.values() for it in value.arguments]
        config = resolved(resolve, arguments, values)
        name = run_name(values, names)
        names.add(name)
        configs.append(config)
        runs.append(PlannedRun(name=name, values=values, config=config.to_toml()))
    return Plan(
        axes={labels[it.name]: tuple(value.text for value in it.values) for it in varying},
        runs=tuple(runs),
        configs=tuple(configs),
    )


def resolved(resolve: Resolve, arguments: Sequence[str], values: Mapping[str, str]) -> RunConfig:
    """The configuration of one run; an error says which run it would have been."""
    try:
        return resolve(arguments)
    except ConfigError:
        raise  # it names flag and value, or file and line
    except GanforgeError as error:
        named = ", ".join(f"{key} {value}" for key, value in values.items())
        if not named:
            raise
        raise UsageError(f"the run with {named}: {error}") from error


def unambiguous(names: Sequence[str]) -> dict[str, str]:
    """A short label for each axis: the last part of its name, where no other one ends so."""
    short = {name: name.removesuffix(".name").rpartition(".")[2] for name in names}
    return {
        name: label if [*short.values()].count(label) == 1 else name
        for name, label in short.items()
    }
