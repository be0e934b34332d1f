"""Display of training for a person: live in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ganforge.config.toml import shown
from ganforge.diagnosis.findings import Finding
from ganforge.engine.observers import Observer, SessionFacts
from ganforge.engine.session import Result
from ganforge.errors import listed
from ganforge.plugin.options import describe
from ganforge.printable import printable
from ganforge.storage.paths import quoted
from ganforge.storage.run_directory import RunDirectory

from .preview import preview

if TYPE_CHECKING:
    from torch import Tensor

    from .live import LiveLines

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
    """One line a log step, an evaluation and a grid."""

    def __init__(self) -> None:
        self.run: RunDirectory | None = None
        self.unit = ""
        self.first_step = self.num_steps = 0

    def started(self, facts: SessionFacts) -> None:
        self.run, self.unit = facts.run, printable(facts.unit, 20)
        self.first_step, self.num_steps = facts.first_step, facts.num_steps
        for name, text in _introduction(facts):
            print_row(name, text)

    def metrics(self, values: Mapping[str, float]) -> None:
        step = int(values["step"])
        parts = [self._place(step), *measured(values)]
        if "images_per_second" in values:  # no evaluation
            passed = values["seconds"]
            left = passed / max(1, step - self.first_step) * (self.num_steps - step)
            parts[1:1] = [f"{duration(passed)} elapsed", f"{duration(left)} left"]
            parts.append(rate(values, self.unit))
        self.line("  ".join(parts))

    def picture(self, step: int, picture: Tensor) -> None:
        if (path := self._grid(step)) is not None:
            self.line(f"{self._place(step)}  grid {path}")

    def _place(self, step: int) -> str:
        return f"step {step:,}/{self.num_steps:,} ({100 * step // self.num_steps} %)"

    def _grid(self, step: int) -> str | None:
        """The path of the grid of this step, if it could be written."""
        if self.run is None or not self.run.sample_grid(step).is_file():
            return None
        return printable(self.run.sample_grid(step))

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
        measured = [it for it in (run.metrics, run.curves) if it.is_file()]
        if measured:
            print_row("metrics", ", ".join(printable(it) for it in measured))
        typed = quoted(run.path)
        resume = f"ganforge train --resume {typed}"
        shown = [f"ganforge sample {typed}", f"ganforge report {typed}"]
        if result.state == "finished":
            commands = [*shown, f"{resume} --steps {2 * result.num_steps}"]
        else:
            commands = [resume, *shown]
        print_line("Next:")
        for command in (*commands, *result.next_commands):
            print_line(f"  {command}")


class LiveDisplay(PlainDisplay):
    """A few lines that are kept up to date: a bar with what is left, losses, the newest grid."""

    def __init__(self) -> None:
        super().__init__()
        self._live: LiveLines | None = None
        self._preview = "never"
        self._side: int | None = None

    def started(self, facts: SessionFacts) -> None:
        from .live import LiveLines

        super().started(facts)
        self._preview, self._side = facts.config.output.preview, facts.side
        self._live = LiveLines(facts.first_step, facts.num_steps)
        self._live.start()

    def step(self, step: int) -> None:
        if self._live is not None:
            self._live.at(step)

    def metrics(self, values: Mapping[str, float]) -> None:
        if self._live is None:
            return
        if "images_per_second" in values:
            self._live.show(rate=rate(values, self.unit), measured=measured(values))
        else:  # an evaluation, which stays on the screen
            super().metrics(values)

    def picture(self, step: int, picture: Tensor) -> None:
        if self._live is None or self.run is None or (path := self._grid(step)) is None:
            return
        self._live.show(grid=path)
        if self._preview == "grids" and step < self.num_steps:
            self._live.aside(preview(self.run.sample_grid(step), self._side))

    def summary(self, run: RunDirectory, result: Result) -> None:
        grids = sorted(run.samples.glob("[0-9]*.png"))
        if self._preview != "never" and grids:
            sys.stdout.write(preview(grids[-1], self._side))
        super().summary(run, result)

    def line(self, text: str) -> None:
        if self._live is not None:
            self._live.console.print(text, soft_wrap=True)

    def stopped(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def print_line(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def print_row(name: str, text: str) -> None:
    print_line(f"  {name:<14}{text}")


def duration(seconds: float) -> str:
    """`2:05`, or `1:02:05` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def rate(values: Mapping[str, float], unit: str) -> str:
    """`25,112 points/s`, from a line of metrics."""
    return f"{values['images_per_second']:,.0f} {unit}/s"


def measured(values: Mapping[str, float]) -> list[str]:
    """Losses and scores of a log line, the most telling first, or the metrics of an evaluation."""
    shown = [f"{heading} {_number(values[key])}" for key, heading in SHOWN.items() if key in values]
    for key, value in values.items():
        if key.startswith("metric/"):
            shown.append(f"{printable(key.removeprefix('metric/'), 60)} {value:.4g}")
    return shown


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1e5 else f"{value:.3e}"


def _introduction(facts: SessionFacts) -> list[tuple[str, str]]:
    config = facts.config
    rows = [("generator", _network(config.generator, facts.generator_parameters))]
    if config.discriminator is not None:
        rows.append(
            ("discriminator", _network(config.discriminator, facts.discriminator_parameters))
        )
    losses = " + ".join(term.component.name for term in config.losses)
    if config.companions:
        losses += f" ({listed(config.companions)} by default; --no-companions for none)"
    shape = facts.sample
    rows.append(("loss", losses))
    if config.usual_labels:
        rows.append(("labels", "told to both networks by default; --no-conditional for none"))
    rows += [
        ("data", printable(f"{config.dataset.component.name}, {shape}: {facts.data}", 2000)),
        *([("left out", printable(facts.left_out, 2000))] if facts.left_out else []),
        ("device", printable(facts.device)),
        ("run", str(facts.run)),
    ]
    if facts.first_step:
        rows.append(("resumed", f"after step {facts.first_step:,} of {facts.num_steps:,}"))
    for key, change in facts.changes.items():
        was, now = (shown(change[it]) for it in ("from", "to"))
        how = " (--override)" if change.get("override") else ""
        rows.append(("changed", f"{key}: {was} -> {now}{how}"))
    return rows


def _network(selection: Any, parameters: int) -> str:
    options = ", ".join(
        f"{field.name} {getattr(selection.options, field.name)}"
        for field in describe(type(selection.options))
    )
    inside = f" ({options})" if options else ""
    return printable(f"{selection.component.name}{inside}, {parameters:,} parameters")


def _verdict(run: RunDirectory, result: Result) -> str:
    if result.state == "finished":
        return f"Done: {result.step:,} steps in {duration(result.seconds)}. Everything is in {run}"
    return (
        f"Stopped after step {result.step:,} of {result.num_steps:,}; a checkpoint is written. "
        f"Everything is in {run}"
    )
