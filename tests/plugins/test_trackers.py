"""The trackers, with their real packages where these are installed, and without where not."""

from __future__ import annotations

import json
import sqlite3

import pytest
import torch

import ganforge_loggers
from ganforge import DataError, Problem
from ganforge_loggers import MLflowOptions, TrackioOptions, WandBOptions
from ganforge_loggers.availability import needs
from ganforge_loggers.remembered import recall, remember

PROBLEM = Problem(sample_shape=(1, 8, 8), input_shape=(4,))
CONFIG = {"training.steps": 20, "generator.hidden": [16], "loss.r1.gamma": {"from": 2.0}}
TRACKERS = ("tensorboard", "trackio", "wandb", "mlflow")

#: what other packages deprecate is theirs
theirs = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A run directory, away from the tracker's settings of whoever runs the tests."""
    names = ("WANDB_MODE", "MLFLOW_TRACKING_URI", "TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    for name in ("WANDB_ERROR_REPORTING", "MLFLOW_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, {"W": "false"}.get(name[0], "true"))
    run = tmp_path / "00001-run"
    run.mkdir()
    return run


def tell(callback, run, step=0):
    """Tell a callback of a session of ten steps, with a picture of each depth and a finding."""
    callback.started(run, step, CONFIG)
    callback.metrics(step + 5, {"step": step + 5, "images": 40, "loss/generator": 0.5})
    callback.metrics(step + 5, {"step": step + 5, "metric/fid@inception": 7.0})
    for channels in (1, 3):
        callback.picture(step + 10, torch.zeros(8, 6, channels, dtype=torch.uint8))
    callback.metrics(step + 10, {"step": step + 10, "images": 80, "loss/generator": 0.25})
    callback.found(step + 10, "collapse", "the samples are alike")
    callback.ended("finished")


@pytest.mark.parametrize("tracker", TRACKERS)
def test_an_absent_package_is_one_error_that_names_the_extra(tracker, monkeypatch):
    monkeypatch.setattr("ganforge_loggers.availability.find_spec", lambda name: None)
    specs = {spec.name: spec for spec in ganforge_loggers.ganforge_callbacks()}
    with pytest.raises(DataError) as error:
        specs[tracker].check_available(specs[tracker].options())
    assert str(error.value) == (
        f"the callback '{tracker}' needs the package of that name: "
        f'pip install "ganforge[{tracker}]"'
    )


def test_a_package_that_is_there_is_no_error():
    needs("json")(None)


def test_what_a_tracker_calls_a_run_is_kept_beside_what_others_call_it(tmp_path):
    assert recall(tmp_path, "wandb") is None
    remember(tmp_path, "wandb", "a1")
    remember(tmp_path, "mlflow", "b2")
    remember(tmp_path, "wandb", "c3")
    assert (recall(tmp_path, "wandb"), recall(tmp_path, "mlflow")) == ("c3", "b2")
    assert [path.name for path in tmp_path.iterdir()] == ["trackers.json"]
    (tmp_path / "trackers.json").write_text("[1")
    assert recall(tmp_path, "wandb") is None


@theirs
def test_mlflow_keeps_metrics_pictures_parameters_and_state_in_one_run(place):
    pytest.importorskip("mlflow", reason="mlflow is an extra")
    pytest.importorskip("alembic", reason="mlflow without its database")
    from mlflow import MlflowClient

    from ganforge_loggers.mlflow_run import MLflow

    callback = MLflow(PROBLEM, MLflowOptions(project="mine"))
    tell(callback, place)
    store = f"sqlite:///{place / 'mlflow' / 'mlflow.db'}"
    assert callback.next_command() == f"mlflow ui --backend-store-uri {store}"
    tell(MLflow(PROBLEM, MLflowOptions(project="mine")), place, step=10)
    client = MlflowClient(store)
    (run,) = client.search_runs([client.get_experiment_by_name("mine").experiment_id])
    assert (run.info.run_name, run.info.status) == ("00001-run", "FINISHED")
    assert run.data.tags["state"] == "finished"
    assert run.data.tags["found.collapse"] == "the samples are alike"
    assert run.data.params["generator.hidden"] == "[16]"
    history = client.get_metric_history(run.info.run_id, "loss/generator")
    assert [(it.step, it.value) for it in history] == [(5, 0.5), (10, 0.25), (15, 0.5), (20, 0.25)]
    assert run.data.metrics["metric/fid_inception"] == 7.0
    assert [*(place / "mlflow" / "artifacts").rglob("*.png")]


@theirs
def test_wandb_stays_offline_and_a_resumed_run_has_the_number_of_the_first(place):
    pytest.importorskip("wandb", reason="wandb is an extra")
    from ganforge_loggers.wandb_run import WandB

    callback = WandB(PROBLEM, WandBOptions(project="mine"))
    tell(callback, place)
    number = recall(place, "wandb")
    assert callback.next_command() == f"wandb sync {place}/wandb/offline-run-*-{number}"
    tell(WandB(PROBLEM, WandBOptions(project="mine")), place, step=10)
    assert recall(place, "wandb") == number
    sessions = sorted((place / "wandb").glob(f"offline-run-*-{number}"))
    assert sessions
    for session in sessions:
        (log,) = session.glob("*.wandb")
        assert b"loss/generator" in log.read_bytes()
        assert b"the samples are alike" in log.read_bytes()
        assert [*session.rglob("media/images/*.png")]


@theirs
def test_trackio_logs_to_its_folder_alone_and_goes_on_in_one_run(place, tmp_path, monkeypatch):
    trackio = pytest.importorskip("trackio", reason="trackio is an extra")
    from ganforge_loggers.trackio_run import Trackio

    folder = tmp_path / "trackio"
    for module in ("utils", "sqlite_storage", "media.utils", "media.media", "media.image"):
        name = f"trackio.{module}.TRACKIO_DIR"
        monkeypatch.setattr(name, folder, raising=False)
        monkeypatch.setattr(name.replace("TRACKIO_DIR", "MEDIA_DIR"), folder / "m", raising=False)
    callback = Trackio(PROBLEM, TrackioOptions(project="mine"))
    tell(callback, place)
    assert callback.next_command() == "trackio show --project mine"
    tell(Trackio(PROBLEM, TrackioOptions(project="mine")), place, step=10)
    (run,) = trackio.Api().runs("mine")
    assert run.name == recall(place, "trackio")
    (database,) = folder.rglob("mine.db")
    with sqlite3.connect(database) as connection:
        rows = connection.execute("select step, metrics from metrics order by step").fetchall()
    losses = [(step, json.loads(it).get("loss/generator")) for step, it in rows]
    wanted = [(5, 0.5), (10, 0.25), (15, 0.5), (20, 0.25)]
    assert [it for it in losses if it[1] is not None] == wanted
    assert any(json.loads(it).get("state") == "finished" for _, it in rows)
    assert any("samples" in json.loads(it) for _, it in rows)
