"""Metrics, sample grids and the configuration for MLflow, in a local database unless it is told."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ganforge import Callback, Problem

from . import MLflowOptions
from .drawn import as_image
from .remembered import recall, remember

TRACKER = "mlflow"
MOST_AT_ONCE = 100  # parameters that a store takes in one call
LONGEST = 500  # letters of a parameter's value that every store takes
STATES = {"finished": "FINISHED", "failed": "FAILED"}


class MLflow(Callback):
    """Logs to `mlflow/mlflow.db` in the run directory, or to the store that the user names."""

    def __init__(self, problem: Problem, options: MLflowOptions) -> None:
        self._options = options
        self._client: Any = None
        self._number = ""
        self._store = ""

    def started(self, run_directory: Path, step: int, config: Mapping[str, Any]) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        # It tells of every table that it creates.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        folder = run_directory.resolve() / "mlflow"
        own = self._options.store or os.environ.get("MLFLOW_TRACKING_URI")
        if own is None:
            folder.mkdir(exist_ok=True)
        self._store = own or f"sqlite:///{folder / 'mlflow.db'}"
        self._client = MlflowClient(self._store)
        known = recall(run_directory, TRACKER) if step else None
        if known is not None:
            try:
                self._client.update_run(known, status="RUNNING")
            except MlflowException:  # another store, or the run was removed there
                known = None
        pictures = None if own else (folder / "artifacts").as_uri()
        self._number = known or self._create(run_directory, pictures)
        remember(run_directory, TRACKER, self._number)
        self._set_parameters(config)

    def _create(self, run_directory: Path, artifacts: str | None) -> str:
        """The number of a new run in the project."""
        project = self._options.project
        experiment = self._client.get_experiment_by_name(project)
        if experiment is None:
            number = self._client.create_experiment(project, artifact_location=artifacts)
        else:
            number = experiment.experiment_id
        name = self._options.run_name or run_directory.resolve().name
        return str(self._client.create_run(number, run_name=name).info.run_id)

    def _set_parameters(self, config: Mapping[str, Any]) -> None:
        """Log the configuration, but for what is there: a parameter cannot change."""
        from mlflow.entities import Param

        there = self._client.get_run(self._number).data.params
        new = [
            Param(_allowed(key), json.dumps(value)[:LONGEST])
            for key, value in config.items()
            if _allowed(key) not in there
        ]
        for start in range(0, len(new), MOST_AT_ONCE):
            self._log(params=new[start : start + MOST_AT_ONCE])

    def _log(self, **entries: Sequence[Any]) -> None:
        self._client.log_batch(self._number, **entries)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._log(
            metrics=[
                Metric(_allowed(name), value, now, step)
                for name, value in values.items()
                if name != "step"
            ]
        )

    def found(self, step: int, name: str, text: str) -> None:
        self._client.set_tag(self._number, f"found.{name}", text)

    def picture(self, step: int, picture: Tensor) -> None:
        self._client.log_image(self._number, as_image(picture), key="samples", step=step)

    def ended(self, state: str) -> None:
        if self._client is None:
            return
        client, self._client = self._client, None
        client.set_tag(self._number, "state", state)
        client.set_terminated(self._number, status=STATES.get(state, "KILLED"))

    def next_command(self) -> str | None:
        if not self._store.startswith(("sqlite:", "file:")):
            return None
        return f"mlflow ui --backend-store-uri {shlex.quote(self._store)}"


def _allowed(name: str) -> str:
    """A name with the letters that MLflow allows."""
    return re.sub(r"[^\w\-. :/]", "_", name)
