"""`metrics.png` of a run: at the rate of its grids, the same after a resume, never in the way."""

from __future__ import annotations

import pytest

from ganforge.config.layers import from_settings
from ganforge.config.resolve import resolve
from ganforge.engine.curves import CurvesFile
from ganforge.engine.signals import StopRequest
from ganforge.storage.run_directory import RunDirectory

from .conftest import TINY, trainer_in

SETTINGS = ("output.log_every=1", "output.sample_every=2", "output.checkpoint_every=3")


@pytest.fixture
def config(bundled):
    return resolve([from_settings([*TINY, *SETTINGS])], bundled)


def test_curves_are_drawn_with_the_grids_and_at_the_end(config, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "ganforge.engine.curves.draw_curves",
        lambda panels, title: drawn.append(title) or b"picture",
    )
    monkeypatch.setattr("ganforge.engine.curves.MOST_SHARE", 1e9)  # however long a step takes
    trainer = trainer_in(tmp_path / "run", config)
    trainer.train(StopRequest(lambda: "interrupted" if trainer.step == 5 else None))
    assert drawn == [f"run   step {step} of 6" for step in (2, 4, 5)]
    assert trainer.run.curves.read_bytes() == b"picture"


def test_a_resumed_run_has_the_curves_of_one_that_was_never_stopped(config, tmp_path):
    whole = trainer_in(tmp_path / "a" / "run", config)
    whole.train()
    stopped = trainer_in(tmp_path / "b" / "run", config)
    stopped.train(StopRequest(lambda: "interrupted" if stopped.step == 3 else None))
    with stopped.run.metrics.open("a") as file:  # of a step that was lost
        file.write('{"step": 5, "loss/generator": 1000.0}\n')
    resumed = trainer_in(tmp_path / "b" / "run", config)
    resumed.resume()
    resumed.train()
    # The gradients and losses are equal to the bit; so is the picture.
    assert resumed.run.curves.read_bytes() == whole.run.curves.read_bytes()


def test_curves_that_cannot_be_drawn_are_one_warning(config, tmp_path, monkeypatch):
    def broken(*arguments):
        raise RuntimeError("no \x1b[2J font")

    monkeypatch.setattr("ganforge.engine.curves.draw_curves", broken)
    trainer = trainer_in(tmp_path / "run", config)
    with pytest.warns(UserWarning, match=r"metrics.png cannot be written \(RuntimeError: no") as w:
        assert trainer.train() == "finished"
    assert len(w) == 1
    assert "\x1b" not in str(w[0].message)
    assert not trainer.run.curves.exists()


def test_drawing_takes_a_hundredth_of_the_time_at_most(config, tmp_path, monkeypatch):
    clock = [1000.0]
    drawn = []

    def draw(panels, title):
        clock[0] += 0.5
        drawn.append(title.split()[2])
        return b"picture"

    monkeypatch.setattr("ganforge.engine.curves.time.perf_counter", lambda: clock[0])
    monkeypatch.setattr("ganforge.engine.curves.draw_curves", draw)
    curves = CurvesFile(RunDirectory(tmp_path), 1000)
    for step in range(1, 201):
        clock[0] += 1.0
        curves.metrics({"step": step, "loss/generator": 1.0})
        curves.draw()
    assert drawn == ["1", "51", "101", "151"]
    curves.ended("finished")
    assert drawn[-1] == "200"
