"""Loggers: metrics as a CSV file, and runs with pictures for TensorBoard and other trackers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ganforge import CallbackSpec, hookimpl, option

from .availability import needs


@dataclass(frozen=True, kw_only=True)
class TensorBoardOptions:
    directory: str | None = option(
        None, help="folder that gets a folder per run; tensorboard in the run where unset"
    )


@dataclass(frozen=True, kw_only=True)
class TrackerOptions:
    project: str = option("ganforge", help="project that the run is part of")
    run_name: str | None = option(
        None, help="name of the run there; that of its directory where unset"
    )


@dataclass(frozen=True, kw_only=True)
class TrackioOptions(TrackerOptions):
    space: str | None = option(
        None, help="Hugging Face Space to log to; unset: TRACKIO_SPACE_ID, else this machine alone"
    )


@dataclass(frozen=True, kw_only=True)
class WandBOptions(TrackerOptions):
    mode: Literal["auto", "offline", "online", "disabled"] = option(
        "auto", help="where runs go; auto: as WANDB_MODE says, else offline"
    )
    entity: str | None = option(None, help="user or team that the project belongs to")


@dataclass(frozen=True, kw_only=True)
class MLflowOptions(TrackerOptions):
    store: str | None = option(
        None,
        help="where runs go, an address; unset: MLFLOW_TRACKING_URI, else mlflow in the run",
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
        check_available=needs("tensorboard"),
    )
    yield CallbackSpec(
        name="trackio",
        summary="Logs metrics, sample grids and the configuration with Trackio, on this machine",
        build="ganforge_loggers.trackio_run:Trackio",
        options=TrackioOptions,
        check_available=needs("trackio"),
    )
    yield CallbackSpec(
        name="wandb",
        summary="Logs metrics, sample grids and the configuration with Weights & Biases, offline",
        build="ganforge_loggers.wandb_run:WandB",
        options=WandBOptions,
        check_available=needs("wandb"),
    )
    yield CallbackSpec(
        name="mlflow",
        summary="Logs metrics, sample grids and the configuration with MLflow, in a local store",
        build="ganforge_loggers.mlflow_run:MLflow",
        options=MLflowOptions,
        check_available=needs("mlflow"),
    )
