"""`metrics.png` of a run: at the rate of its grids, the same after a resume, never in the way."""

from __future__ import annotations

import pytest

from ganforge.config.layers import from_settings
from ganforge.config.resolve import resolve

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
    trainer = trainer_in(tmp_path / "run", config)
    trainer.train(lambda: "interrupted" if trainer.step == 5 else None)
    assert drawn == [f"run   step {step} of 6" for step in (2, 4, 5)]
    assert trainer.run.curves.read_bytes() == b"picture"


def test_a_resumed_run_has_the_curves_of_one_that_was_never_stopped(config, tmp_path):
    whole = trainer_in(tmp_path / "a" / "run", config)
    whole.train()
    stopped = trainer_in(tmp_path / "b" / "run", config)
    stopped.train(lambda: "interrupted" if stopped.step == 3 else None)
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
