"""Measurements of a run: the metrics of training, evaluations after it, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ganforge.config.run_config import RunConfig
from ganforge.diagnosis.advice import advised
from ganforge.diagnosis.diagnosis import diagnose
from ganforge.plugin.registry import Registry
from ganforge.runs.measures import Directions, Measured, best_or_last, measures_of, short
from ganforge.runs.run import Run

from .markup import table, text


def findings(run: Run, config: RunConfig | None, registry: Registry) -> str:
    """Tell what goes wrong and what to try, or that nothing was found where there was data."""
    if not run.metrics:
        return ""
    found = diagnose(run.metrics).findings
    if not found:
        return "<p>The diagnosis found nothing that goes wrong.</p>"
    told = found if config is None else [advised(it, config, registry) for it in found]
    return "".join(f'<p class="finding">{text(it.sentence, 2000)}</p>' for it in told)


def metrics(run: Run, better: Directions) -> str:
    """The last value of every metric of training, and the best of those that have a direction."""
    rows, any_best = [], False
    for name in measures_of(run):
        series, direction = run.metrics[name], better(name)
        best = "" if direction is None else _at(best_or_last(name, series, direction))
        any_best = any_best or bool(best)
        label = f"<bdi>{text(short(name))}</bdi>"
        rows.append([label, _at(best_or_last(name, series, None)), best, _WORDS.get(direction, "")])
    columns = 4 if any_best else 2
    header = ("metric", "last", "best", "")[:columns]
    return table(header, [row[:columns] for row in rows], "Metrics") if rows else ""


def _at(measured: Measured) -> str:
    step = f'<small class="faint">step {measured.step:,}</small>'
    return f"<b>{measured.value:.4g}</b> {step}"


_WORDS: Mapping[object, str] = {"lower": "lower is better", "higher": "higher is better"}


def evaluations(run: Run) -> str:
    """The last evaluation by each set of conditions; lines that are damaged are left out."""
    found = {
        tuple(str(it.get(key)) for key in ("dataset", "split", "num", "num_real", "truncation")): it
        for it in _read(run.directory.evaluations)
    }
    return "".join(_evaluation(it) for it in found.values())


def _read(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and isinstance(found.get("scores"), list):
            yield found


def _evaluation(record: Mapping[str, Any]) -> str:
    rows = [
        [
            f"<bdi>{text(score.get('name', ''), 80)}</bdi>",
            f"<b>{_number(score.get('value'))}</b>",
            _floor(score.get("floor")),
            text(score.get("features") or "", 60),
            _WORDS.get(str(score.get("better")), ""),
        ]
        for score in record["scores"]
        if isinstance(score, dict)
    ]
    said = " ".join(
        f"{what} {record[it]}" for it, what in _SAID.items() if record.get(it) is not None
    )
    header = ("measure", "value", "real against real", "features", "")
    return f"<p>{text(said)}</p>{table(header, rows, 'Evaluation')}" if rows else ""


_SAID = {
    "num": "samples:",
    "seed": "of seed",
    "truncation": "with truncation",
    "num_real": "against real ones:",
    "dataset": "of",
    "split": "split:",
}


def _floor(floor: object) -> str:
    if isinstance(floor, dict):
        floor = floor.get("value", floor.get("mean"))
    return _number(floor) if floor is not None else ""


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else text(value, 40)
