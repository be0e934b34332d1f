"""`ganforge sweep --search`: trials in a space of settings, chosen by those before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ganforge.config.run_config import RunConfig
from ganforge.errors import UsageError, listed
from ganforge.plugin.discovery import Discovery
from ganforge.plugin.measure_specs import Direction
from ganforge.printable import printable
from ganforge.runs.measures import chosen_series, directions, short
from ganforge.sweeps.folder import SweepFolder
from ganforge.sweeps.plan import Plan, PlannedRun, resolved, unambiguous
from ganforge.sweeps.search import MakeRuns, Search, check_installed
from ganforge.sweeps.space import Dimension, dimension

from .console import warn_of_failures
from .sweeping import (
    How,
    chosen_folder,
    exit_code,
    introduction,
    print_end,
    print_table,
    train_all,
)
from .swept_flags import axes_of, forms, resolver

SEED_AXES = ("seed", "training.seed")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Search as it is asked for: the space, the trials, and the metric that is to be best."""

    space: tuple[str, ...]
    trials: int | None
    objective: str | None

    @property
    def flags(self) -> list[str]:
        """Those of its flags that were given."""
        given = {"--search": self.space, "--trials": self.trials, "--objective": self.objective}
        return [flag for flag, value in given.items() if value]

    def require_all(self) -> None:
        """Raise UsageError where one is missing."""
        missing = sorted({"--search", "--trials", "--objective"} - {*self.flags})
        if missing:
            raise UsageError(
                f"a search needs {listed(missing)} too: --search generator.width=16..64 --trials "
                "20 --objective fid"
            )


def arguments_of_search(folder: SweepFolder) -> list[str] | None:
    """The arguments of a search that has begun in a folder; None where it holds a grid."""
    found = folder.read().get("arguments")
    return [*map(str, found)] if isinstance(found, list) else None


def search(
    wanted: Wanted,
    given: Mapping[str, Any],
    discovery: Discovery,
    how: How,
    *,
    name: str | None = None,
    folder: SweepFolder | None = None,
    arguments: Sequence[str] = (),
    dry_run: bool,
) -> int:
    """Make the trials of a search that are to be made yet, and print what came out best."""
    wanted.require_all()
    assert wanted.trials is not None
    check_installed()
    space = [dimension(text, forms()) for text in wanted.space]
    plan, make_runs = _plan(wanted, given, discovery, space)
    objective, better = _objective(wanted, plan.configs[0], discovery)
    more: dict[str, Any] | None = None
    if folder is None:
        config = given["config"]
        text = Path(config[0]).read_text(encoding="utf-8") if config else ""
        same = {"kind": "search", "space": [*wanted.space], "objective": objective, "file": text}
        same["settings"] = plan.configs[0].to_toml()
        folder = chosen_folder(plan, name, same, named_after="search")
        more = {**same, "trials": wanted.trials, "arguments": [*arguments]}
    if dry_run:
        click.echo(introduction(plan, folder, how.share(plan)))
        for axis in space:
            click.echo(f"  {printable(axis.name)}: {' to '.join(map(str, axis.ends))}")
        return 0
    warn_of_failures(discovery)
    plan.check_available()
    made: list[Search] = []

    def make_supply() -> Search:
        assert folder is not None
        assert wanted.trials is not None
        made.append(
            Search(
                folder,
                space,
                make_runs,
                trials=wanted.trials,
                objective=objective,
                better=better,
                seed=plan.configs[0].training.seed,
            )
        )
        return made[0]

    outcome = train_all(plan, folder, how, more=more, make_supply=make_supply)
    (searched,) = made
    if outcome.stopped is None:
        print_table(searched.runs, folder, directions(discovery.registry), [objective])
    if (best := searched.best) is not None:
        number, value = best
        values = next(it.values for it in searched.runs if it.name.startswith(_trial(number)))
        settings = ", ".join(f"{key} {it}" for key, it in values.items() if key != "seed")
        click.echo(f"Best: {_trial(number)}, {short(objective)} {value:.4g}, with {settings}")
    print_end(plan, folder, outcome, "ganforge sweep")
    return exit_code(outcome)


def _trial(number: int) -> str:
    return f"trial-{number:03d}"


def _plan(
    wanted: Wanted, given: Mapping[str, Any], discovery: Discovery, space: Sequence[Dimension]
) -> tuple[Plan, MakeRuns]:
    """The maker of a trial's runs, and examples of them, for what is wrong to be told now."""
    axes, file = axes_of(given)
    resolve = resolver(given, file, discovery.registry)
    seeds = next((it for it in axes if it.name in SEED_AXES), None)
    fixed: list[str] = []
    for axis in axes:
        if axis is not seeds and len(axis.values) > 1:
            raise UsageError(
                f"{axis.name} has several values; a search tries them as --search "
                f"{axis.name}={','.join(value.text for value in axis.values)}"
            )
        if any(axis.name == it.name for it in space):
            raise UsageError(f"{axis.name} is both searched and given")
        if axis is not seeds:
            fixed += axis.values[0].arguments
    of_seeds = [(it.text, it.arguments) for it in seeds.values] if seeds else [("", ())]
    labels = unambiguous([it.name for it in space])

    def make_runs(number: int, params: Mapping[str, Any]) -> list[PlannedRun]:
        return [run for run, _ in _runs(number, params)]

    def _runs(number: int, params: Mapping[str, Any]) -> list[tuple[PlannedRun, RunConfig]]:
        chosen = {it.name: it.value(params[it.name]) for it in space}
        found = []
        for seed, arguments in of_seeds:
            values = {labels[key]: value.text for key, value in chosen.items()}
            values |= {"seed": seed} if seed else {}
            flags = [*fixed, *(it for value in chosen.values() for it in value.arguments)]
            config = resolved(resolve, [*flags, *arguments], values)
            name = _trial(number) + (f"_seed-{seed}" if len(of_seeds) > 1 else "")
            found.append((PlannedRun(name=name, values=values, config=config.to_toml()), config))
        return found

    first = {it.name: it.ends[0] for it in space}
    corners = [first, *({**first, it.name: end} for it in space for end in it.ends[1:])]
    examples = [config for corner in corners for _, config in _runs(0, corner)]
    assert wanted.trials is not None
    total = wanted.trials * len(of_seeds)
    return Plan(axes={}, runs=(), configs=tuple(examples), total=total), make_runs


def _objective(wanted: Wanted, config: RunConfig, discovery: Discovery) -> tuple[str, Direction]:
    """The series that is to be best, and its direction. Raises UsageError."""
    assert wanted.objective is not None
    known = []
    for metric in config.metrics:
        base = f"metric/{metric.config_name}"
        alone = set(metric.spec.better) == {metric.component.name}
        known += [base if alone else f"{base}/{number}" for number in metric.spec.better]
    if not known:
        raise UsageError("nothing is measured that could be best; name a metric with --metric")
    found = chosen_series(known, wanted.objective)
    if len(found) > 1:
        raise UsageError(
            f"--objective {printable(wanted.objective, 60)} is several numbers: "
            f"{listed([short(it) for it in found])}; name one"
        )
    better = directions(discovery.registry)(found[0])
    assert better is not None
    return found[0], better
