"""A run that is read from Python."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy
import pytest

import ganforge

from .conftest import Train


def test_a_run_has_its_settings_metrics_checkpoints_and_pictures(train: Train) -> None:
    train(dataset="ring", steps=6, out="run")
    run = ganforge.open_run("run")
    assert (run.name, run.path) == ("run", Path("run"))
    assert run.settings["training.steps"] == 6
    assert run.components("loss")[0] == "nonsat"
    steps, values = run.column("loss/generator")
    assert (steps.dtype, values.dtype) == (numpy.int64, numpy.float64)
    assert steps.tolist() == [2, 4, 6]
    assert values.tolist() == run.metrics["loss/generator"].values
    assert [step for step, _ in run.checkpoints] == [6]
    assert [step for step, _ in run.grids] == [0, 6]
    assert run.load(device="cpu").sample(2).shape == (2, 2)


def test_what_a_run_does_not_have_is_an_error(train: Train) -> None:
    run = train(dataset="ring", steps=2).run
    with pytest.raises(
        ganforge.UsageError, match="no metric 'loss/generatr'; did you mean 'loss/gen"
    ):
        run.column("loss/generatr")
    with pytest.raises(ganforge.UsageError, match="has no checkpoint of step 7; it has 2"):
        run.load(7)
    with pytest.raises(ganforge.UsageError, match="there is no run in absent"):
        ganforge.open_run("absent")


def test_a_frame_has_a_row_for_each_step(train: Train) -> None:
    run = train(dataset="ring", steps=4, metric="modes", evaluation={"every": 3}).run
    pandas = pytest.importorskip("pandas")
    frame = run.frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.index.tolist() == [2, 3, 4]
    assert frame["loss/generator"].isna().tolist() == [False, True, False]


def test_without_pandas_there_is_one_clear_error(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(dataset="ring", steps=2).run
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ganforge.UsageError, match="pandas is not installed"):
        run.frame()
