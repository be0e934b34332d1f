"""Display of training for a person: live in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ganforge.diagnosis.findings import Finding
from ganforge.engine.observers import Observer, SessionFacts
from ganforge.engine.session import Result
from ganforge.plugin.options import describe
from ganforge.printable import printable
from ganforge.storage.run_directory import RunDirectory

from .console import stdout

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: metric -> its heading
SHOWN = {
    "loss/discriminator": "loss D",
    "loss/generator": "loss G",
    "score/real": "D(real)",
    "score/fake": "D(fake)",
}


def choose_display() -> PlainDisplay:
    """The live display where standard output is a terminal."""
    return LiveDisplay() if sys.stdout.isatty() else PlainDisplay()


class PlainDisplay(Observer):
    """One line a log step."""

    def __init__(self) -> None:
        self.num_steps = 0

    def started(self, facts: SessionFacts) -> None:
        self.num_steps = facts.num_steps
        for name, text in _introduction(facts):
            print_row(name, text)

    def metrics(self, values: Mapping[str, float]) -> None:
        self.line(f"step {values['step']:,.0f}/{self.num_steps:,}  {_measured(values)}")

    def found(self, finding: Finding) -> None:
        self.line(f"Warning: {finding.sentence}")

    def line(self, text: str) -> None:
        """A line that stays."""
        print_line(text)

    def ended(self, state: str) -> None:
        self.stopped()

    def stopped(self) -> None:
        """Nothing to clear."""

    def summary(self, run: RunDirectory, result: Result) -> None:
        """Print where the run's files are, and the commands to type next."""
        print_line(_verdict(run, result))
        grids = sorted(run.samples.glob("[0-9]*.png"))
        if grids:
            print_row("samples", printable(grids[-1]))
        if run.generator.is_file():
            print_row("generator", printable(run.generator))
        print_row("metrics", printable(run.metrics))
        sample = f"ganforge sample {run}"
        print_line("Next:")
        if result.state == "finished":
            print_line(f"  {sample}")
            print_line(f"  ganforge train --resume {run} --steps {2 * result.num_steps}")
        else:
            print_line(f"  ganforge train --resume {run}")
            print_line(f"  {sample}")


class LiveDisplay(PlainDisplay):
    """A bar with speed, remaining time, losses and scores."""

    def __init__(self) -> None:
        super().__init__()
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def started(self, facts: SessionFacts) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        super().started(facts)
        self._progress = Progress(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[metrics]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=stdout(),
            expand=True,
        )
        self._task = self._progress.add_task(
            "", total=facts.num_steps, completed=facts.first_step, rate="", metrics=""
        )
        self._progress.start()

    def step(self, step: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=step)

    def metrics(self, values: Mapping[str, float]) -> None:
        if self._progress is None or self._task is None:
            return
        if "images_per_second" not in values:  # an evaluation
            super().metrics(values)
            return
        shown = "  ".join(f"{SHOWN[k]} {values[k]:.2f}" for k in SHOWN if k in values)
        rate = f"{values['images_per_second']:,.0f} images/s"
        self._progress.update(self._task, metrics=shown, rate=rate)

    def line(self, text: str) -> None:
        if self._progress is not None:
            self._progress.console.print(text, soft_wrap=True)

    def stopped(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def print_line(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def print_row(name: str, text: str) -> None:
    print_line(f"  {name:<14}{text}")


def _measured(values: Mapping[str, float]) -> str:
    """Losses, scores and speed of a log line, or the metrics of an evaluation."""
    shown = [f"{heading} {values[key]:.3f}" for key, heading in SHOWN.items() if key in values]
    for key, value in values.items():
        if key.startswith("metric/"):
            shown.append(f"{printable(key.removeprefix('metric/'), 60)} {value:.4g}")
    if "images_per_second" in values:
        shown.append(f"{values['images_per_second']:,.0f} images/s")
    return "  ".join(shown)


def _introduction(facts: SessionFacts) -> list[tuple[str, str]]:
    config = facts.config
    rows = [("generator", _network(config.generator, facts.generator_parameters))]
    if config.discriminator is not None:
        rows.append(
            ("discriminator", _network(config.discriminator, facts.discriminator_parameters))
        )
    losses = " + ".join(term.component.name for term in config.losses)
    shape = facts.sample
    rows += [
        ("loss", losses),
        ("data", printable(f"{config.dataset.component.name}, {shape}: {facts.data}", 2000)),
        ("device", printable(facts.device)),
        ("run", str(facts.run)),
    ]
    if facts.first_step:
        rows.append(("resumed", f"after step {facts.first_step:,} of {facts.num_steps:,}"))
    return rows


def _network(selection: Any, parameters: int) -> str:
    options = ", ".join(
        f"{field.name} {getattr(selection.options, field.name)}"
        for field in describe(type(selection.options))
    )
    inside = f" ({options})" if options else ""
    return printable(f"{selection.component.name}{inside}, {parameters:,} parameters")


def _verdict(run: RunDirectory, result: Result) -> str:
    minutes, seconds = divmod(round(result.seconds), 60)
    if result.state == "finished":
        return f"Done: {result.step:,} steps in {minutes}:{seconds:02d}. Everything is in {run}"
    return (
        f"Stopped after step {result.step:,} of {result.num_steps:,}; a checkpoint is written. "
        f"Everything is in {run}"
    )
