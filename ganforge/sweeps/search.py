"""A search through a space of settings with optuna: trials that learn from those before.

What is known of the trials is a journal in the folder of the sweep, so that a search goes on where
it was left. The sampler of each trial is seeded by its number: one run at a time, the same search
makes the same trials.
"""

from __future__ import annotations

import statistics
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ganforge.errors import GanforgeError, UsageError
from ganforge.plugin.measure_specs import Direction
from ganforge.sweeps.folder import SweepFolder
from ganforge.sweeps.plan import PlannedRun
from ganforge.sweeps.runner import Progress
from ganforge.sweeps.space import Dimension, Range

JOURNAL = "search.journal"

#: the runs of a trial, one for each seed, by its number and its value of each dimension
MakeRuns = Callable[[int, Mapping[str, Any]], Sequence[PlannedRun]]


class Search:
    """A supply of runs: those of unfinished trials first, then those of new ones."""

    def __init__(
        self,
        folder: SweepFolder,
        space: Sequence[Dimension],
        make_runs: MakeRuns,
        *,
        trials: int,
        objective: str,
        better: Direction,
        seed: int,
    ) -> None:
        self._folder = folder
        self._make_runs = make_runs
        self._num_trials = trials
        self._objective = objective
        self._seed = seed
        self._distributions = {it.name: _distribution(it) for it in space}
        self._study = _study(folder, better)
        self._queue: deque[str] = deque()
        self._open: dict[int, dict[str, Progress | None]] = {}
        self._trial_of: dict[str, int] = {}
        self.runs: list[PlannedRun] = []
        for trial in self._study.get_trials(deepcopy=False):
            runs = self._plan(trial.number, trial.params)
            if not trial.state.is_finished():
                self._enqueue(trial.number, runs)

    @property
    def exhausted(self) -> bool:
        return not self._queue and len(self._study.get_trials(deepcopy=False)) >= self._num_trials

    def next(self) -> str | None:
        while not self._queue and not self.exhausted:
            self._ask()
        return self._queue.popleft() if self._queue else None

    def ended(self, name: str, progress: Progress) -> None:
        number = self._trial_of[name]
        members = self._open[number]
        members[name] = progress
        if None in members.values() or "left" in members.values():
            return
        del self._open[number]
        values = [self._value(member) for member in members]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            self._study.tell(number, statistics.fmean(known))
        else:
            self._tell_failure(number)

    @property
    def best(self) -> tuple[int, float] | None:
        """Number and value of the best trial so far."""
        finished = [it for it in self._study.get_trials(deepcopy=False) if it.value is not None]
        if not finished:
            return None
        trial = self._study.best_trial
        return trial.number, float(trial.value)

    def _ask(self) -> None:
        number = len(self._study.get_trials(deepcopy=False))
        self._study.sampler = _sampler(self._seed + number)
        trial = self._study.ask(self._distributions)
        try:
            runs = self._plan(trial.number, trial.params)
        except GanforgeError as error:
            # A corner of the space that no run can have; the others can.
            warnings.warn(f"trial {trial.number} is no run: {error}", stacklevel=2)
            self._tell_failure(trial.number)
            return
        for run in runs:
            self._folder.write_config(run)
        self._enqueue(trial.number, runs)

    def _plan(self, number: int, params: Mapping[str, Any]) -> Sequence[PlannedRun]:
        runs = self._make_runs(number, params)
        self.runs += runs
        return runs

    def _enqueue(self, number: int, runs: Sequence[PlannedRun]) -> None:
        for run in runs:
            self._folder.write_config(run)
            self._trial_of[run.name] = number
        self._open[number] = dict.fromkeys((run.name for run in runs), None)
        self._queue.extend(run.name for run in runs)

    def _value(self, name: str) -> float | None:
        """The last value of the objective in a run."""
        run = self._folder.open_run(name)
        if run is None:
            return None
        # The only number of a metric that bears its name is called after it alone.
        again = f"{self._objective}/{self._objective.rpartition('/')[2]}"
        series = run.metrics.get(self._objective) or run.metrics.get(again)
        return series.values[-1] if series else None

    def _tell_failure(self, number: int) -> None:
        from optuna.trial import TrialState

        self._study.tell(number, state=TrialState.FAIL)


def _optuna() -> Any:
    """The package. Raises UsageError where it is absent."""
    try:
        import optuna
    except ImportError as error:
        raise UsageError(
            "--search needs the package optuna: pip install 'ganforge[search]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def check_installed() -> None:
    """Raise UsageError where optuna is absent."""
    _optuna()


def _study(folder: SweepFolder, better: Direction) -> Any:
    optuna = _optuna()
    from optuna.storages.journal import JournalFileBackend

    backend = JournalFileBackend(str(folder.path / JOURNAL))
    return optuna.create_study(
        storage=optuna.storages.JournalStorage(backend),
        study_name="sweep",
        direction={"lower": "minimize", "higher": "maximize"}[better],
        load_if_exists=True,
    )


def _sampler(seed: int) -> Any:
    """Bergstra et al., 2011, "Algorithms for hyper-parameter optimization": TPE."""
    return _optuna().samplers.TPESampler(seed=seed)


def _distribution(dimension: Dimension) -> Any:
    distributions = _optuna().distributions
    if not isinstance(dimension, Range):
        return distributions.CategoricalDistribution(dimension.ends)
    if dimension.whole:
        return distributions.IntDistribution(
            int(dimension.low), int(dimension.high), log=dimension.log
        )
    return distributions.FloatDistribution(dimension.low, dimension.high, log=dimension.log)
