"""Observers of `ganforge.train`: a line of progress, and warnings of what goes wrong."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping

from ganforge.diagnosis.findings import Finding
from ganforge.engine.observers import Observer, SessionFacts

_SHOWN = ("loss/discriminator", "loss/generator")


class ProgressLine(Observer):
    """One line on standard error that is written over: the step, and the losses."""

    def __init__(self) -> None:
        self._num_steps = 0
        self._width = 0

    def started(self, facts: SessionFacts) -> None:
        self._num_steps = facts.num_steps
        sys.stderr.write(f"{facts.run}: {facts.data}, on {facts.device}\n")

    def metrics(self, values: Mapping[str, float]) -> None:
        shown = [f"{name} {values[name]:.4g}" for name in _SHOWN if name in values]
        if shown:  # a line of an evaluation has others
            line = "  ".join([f"step {values['step']:,.0f}/{self._num_steps:,}", *shown])
            sys.stderr.write(f"\r{line:<{self._width}}")
            sys.stderr.flush()
            self._width = len(line)

    def ended(self, state: str) -> None:
        sys.stderr.write(f"  {state}\n")


class FindingWarnings(Observer):
    """Findings of the diagnosis as Python's warnings."""

    def found(self, finding: Finding) -> None:
        warnings.warn(finding.sentence, stacklevel=2)
