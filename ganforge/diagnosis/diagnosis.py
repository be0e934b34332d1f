"""`Diagnosis`: the rules over a run's lines of metrics, as they come or all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ganforge.runs.run import Series

from .findings import Columns, Finding, lines
from .rules import RULES, Rule

DIVERGENCE = "divergence"


class Diagnosis:
    """Findings of what goes wrong in a run, each once. They are a function of the lines alone.

    So a run that goes on is shown the lines that it has, and says what it would have said.
    """

    def __init__(self) -> None:
        self._columns: dict[str, Series] = {}
        self.findings: list[Finding] = []

    def observe(self, line: Mapping[str, float]) -> list[Finding]:
        """Take in a line of metrics, and return what it adds to the findings."""
        if "loss/generator" not in line:
            return []  # what was evaluated is not what a step has left
        for name, value in _with_ratios(line, self._columns).items():
            if name != "step":
                series = self._columns.setdefault(name, Series())
                series.steps.append(int(line["step"]))
                series.values.append(value)
        added: list[Finding] = []
        said = {finding.name for finding in self.findings}
        for rule in RULES:
            if rule.name in said or DIVERGENCE in said:
                continue
            finding = rule.check(self._columns)
            if finding is not None:
                added.append(finding)
                said.add(rule.name)
        self.findings += added
        return added

    @property
    def diverged(self) -> Finding | None:
        """The finding of divergence, where there is one and the run has not come back since."""
        rule = next(rule for rule in RULES if rule.name == DIVERGENCE)
        said = any(finding.name == DIVERGENCE for finding in self.findings)
        return rule.check(self._columns) if said else None

    @property
    def untold(self) -> list[tuple[Rule, list[str]]]:
        """The rules that nothing can be said by, with the quantities that are absent."""
        found = []
        for rule in RULES:
            absent = [name for name in rule.needs if name not in self._columns]
            if absent:
                found.append((rule, absent))
        return found


def diagnose(metrics: Columns | Iterable[Mapping[str, float]]) -> Diagnosis:
    """The diagnosis of a run from its metrics: columns by name, or lines in their order."""
    diagnosis = Diagnosis()
    for line in lines(metrics) if isinstance(metrics, Mapping) else metrics:
        diagnosis.observe(line)
    return diagnosis


def _with_ratios(line: Mapping[str, float], columns: Columns) -> dict[str, float]:
    """A line of a run that did not log its gradients relative to the beginning, with them.

    There the first line is the beginning.
    """
    found = dict(line)
    for side in ("generator", "discriminator"):
        norm, ratio = f"gradient_norm/{side}", f"relative_gradient/{side}"
        if norm in line and ratio not in line:
            first = columns[norm].values[0] if norm in columns else line[norm]
            found[ratio] = line[norm] / first if first > 0 else 1.0
    return found
