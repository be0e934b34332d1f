"""A run that 0.1 began goes on, and its generator is sampled from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

RUN = Path(__file__).parents[1] / "data" / "run-0.1"


@pytest.fixture
def run(tmp_path):
    """A copy of a run that was stopped after step 3 of 6."""
    shutil.copytree(RUN, tmp_path / "run")
    return tmp_path / "run"


def test_a_run_of_0_1_goes_on(ganforge, run):
    answer = ganforge("train", "--resume", run)
    assert (answer.code, answer.err) == (0, "")
    assert "Done: 6 steps" in answer.out
    before, after = (
        load_file(run / "checkpoints" / f"step-{step:08d}.safetensors") for step in (3, 6)
    )
    weights = [name for name in after if not name.startswith("telemetry/")]
    assert set(weights) <= set(before)
    moments = [name for name in weights if name.endswith("/exp_avg")]
    assert len(moments) == 4
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [4, 6]


def test_a_generator_of_0_1_is_sampled_from(ganforge, run):
    answer = ganforge("sample", run, "--num", "4")
    assert (answer.code, answer.err) == (0, "")
    assert (run / "samples.png").is_file()


def test_a_run_that_becomes_longer_names_the_schedules_that_it_stretches(ganforge, run):
    longer = ganforge("train", "--resume", run, "--steps", "8")
    assert longer.code == 0
    assert longer.text == (
        "Warning: the run is of another length now, and so is the schedule of "
        "generator_optimizer.learning_rate and discriminator_optimizer.learning_rate, which is "
        "counted in shares of the run: what comes of it is not what a run of 8 steps from the "
        "start would be. A constant, or a schedule that is counted in images, stays as it is"
    )
    other = ganforge("train", "--resume", run, "--steps", "9", "--learning-rate", "1e-4")
    assert (other.code, other.err) == (0, "")
