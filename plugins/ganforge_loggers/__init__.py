"""Loggers: the metrics of a run as a CSV file, and metrics and pictures for TensorBoard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ganforge import CallbackSpec, hookimpl, option

from .availability import check_tensorboard


@dataclass(frozen=True, kw_only=True)
class TensorBoardOptions:
    directory: str | None = option(
        None, help="folder that gets a folder per run; tensorboard in the run where unset"
    )


@hookimpl
def ganforge_callbacks() -> Iterable[CallbackSpec]:
    yield CallbackSpec(
        name="csv",
        summary="Writes metrics.csv in the run directory, one row per line of metrics.jsonl",
        build="ganforge_loggers.table:CSV",
    )
    yield CallbackSpec(
        name="tensorboard",
        summary="Writes metrics, sample grids and the configuration as TensorBoard events",
        build="ganforge_loggers.events:TensorBoard",
        options=TensorBoardOptions,
        check_available=check_tensorboard,
    )
