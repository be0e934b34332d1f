"""Observers of `ganforge.train`: a line of progress, and warnings of what goes wrong."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping

from ganforge.diagnosis.findings import Finding
from ganforge.engine.observers import Observer, SessionFacts
from ganforge.terminal import SafeStream

_SHOWN = ("loss/discriminator", "loss/generator")


class ProgressLine(Observer):
    """One line on standard error that is written over: the step, and the losses."""

    def __init__(self) -> None:
        self._num_steps = 0
        self._width = 0

    def started(self, facts: SessionFacts) -> None:
        self._num_steps = facts.num_steps
        _write(f"{facts.run}: {facts.data}, on {facts.device}\n")

    def metrics(self, values: Mapping[str, float]) -> None:
        shown = [f"{name} {values[name]:.4g}" for name in _SHOWN if name in values]
        if shown:  # a line of an evaluation has others
            line = "  ".join([f"step {values['step']:,.0f}/{self._num_steps:,}", *shown])
            _write(f"\r{line:<{self._width}}")
            self._width = len(line)

    def ended(self, state: str) -> None:
        _write(f"  {state}\n")


def _write(text: str) -> None:
    # What a program has put in its place may break; the run is worth more than a line.
    SafeStream(sys.stderr, "standard error").write(text)


class FindingWarnings(Observer):
    """Findings of the diagnosis as Python's warnings."""

    def found(self, finding: Finding) -> None:
        warnings.warn(finding.sentence, stacklevel=2)
