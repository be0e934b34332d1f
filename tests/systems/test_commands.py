"""Every command works on a run of a plugin from outside, without a line for it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch
from safetensors.torch import load_file

import ganforge
from ganforge.storage.run_directory import RunDirectory
from tests.conftest import Answer
from tests.systems import architectures, conditions, kinds_of_data, regularisation
from tests.systems.harness import NUM_STEPS, System, Workshop

SYSTEMS: dict[str, System] = {
    **architectures.SYSTEMS,
    **conditions.SYSTEMS,
    **kinds_of_data.SYSTEMS,
    **regularisation.SYSTEMS,
}


#: one of each kind of data, of conditions and of games; the others are for those who have time
USUAL = (
    *("SAGAN", "ACGAN", "VQGAN", "CycleGAN", "SRGAN", "forty attributes", "WaveGAN", "3D-GAN"),
    *("r-GAN", "thirteen bands", "CTGAN", "Gumbel-softmax text"),
)


def test_the_usual_ones_are_systems() -> None:
    assert {*USUAL} < {*SYSTEMS}


@pytest.mark.parametrize(
    "name", [it if it in USUAL else pytest.param(it, marks=pytest.mark.slow) for it in SYSTEMS]
)
def test_a_run_of_a_system_is_measured_shown_compared_and_exported_as_it_is(
    workshop: Callable[[System], Workshop], name: str
) -> None:
    place = workshop(SYSTEMS[name])
    run = place.train("run").run
    is_evaluated(place, run)
    is_shown(place, run)
    is_opened_from_python(run)
    is_exported(place, run)


def is_evaluated(place: Workshop, run: RunDirectory) -> None:
    found = json.loads(done(place.cli("evaluate", run.path, "--num", 32, "--json")))
    assert found["failed"] == {}
    assert len(found["scores"]) >= 3
    assert {it["features"] for it in found["scores"]} - {None} <= {*found["extractors"]}
    assert 0 < found["num"] <= 32
    assert run.evaluations.read_text().count("\n") == 1
    # The same again, of what was kept.
    again = json.loads(done(place.cli("evaluate", run.path, "--num", 32, "--json")))
    assert again["scores"] == found["scores"]


def is_shown(place: Workshop, run: RunDirectory) -> None:
    """As a report, a diagnosis, a line of the table of runs, and beside another run."""
    done(place.cli("report", run.path, "--out", place.folder / "report.html"))
    page = (place.folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 1
    assert "data:image/png" in page
    diagnosis = json.loads(done(place.cli("diagnose", run.path, "--json")))
    assert diagnosis["step"] == NUM_STEPS
    place.train("another", "training.seed=1")
    listed = json.loads(done(place.cli("runs", "list", place.folder / "runs", "--json")))
    assert {it["name"]: it["state"] for it in listed["runs"]}.keys() == {"run", "another"}
    assert {it["step"] for it in listed["runs"]} == {NUM_STEPS}
    compared = done(place.cli("compare", place.folder / "runs", "--format", "json"))
    (group,) = json.loads(compared)["groups"]
    assert [it["seed"] for it in group["runs"]] == [1, 0]


def is_opened_from_python(run: RunDirectory) -> None:
    """Sampled from, of latents or inputs of one's own, a checkpoint as the generator's file."""
    opened = ganforge.open_run(run.path)
    assert opened.checkpoints[0][0] == NUM_STEPS
    generator = ganforge.load(opened, device="cpu")
    told = {
        name: 0 if field.kind == "category" else torch.zeros(field.known_shape)
        for name, field in generator.problem.conditions.items()
    }
    inputs = torch.zeros(3, *generator.problem.input_shape)
    samples = generator.sample(inputs=inputs, conditions=told)
    assert samples.shape == (3, *generator.problem.sample_shape)
    assert samples.isfinite().all()
    stored = opened.load(NUM_STEPS, device="cpu")
    assert torch.equal(stored.sample(inputs=inputs, conditions=told), samples)
    if generator.takes_latents:
        drawn = generator.sample(3, seed=1, conditions=told)
        assert torch.equal(torch.cat([*generator.stream(3, seed=1, conditions=told)]), drawn)


def is_exported(place: Workshop, run: RunDirectory) -> None:
    out = place.folder / "exported"
    done(place.cli("export", run.path, "--format", "safetensors", "--out", out))
    (weights,) = out.glob("*.safetensors")
    assert all(it.isfinite().all() for it in load_file(weights).values() if it.is_floating_point())
    assert {it.dtype for it in load_file(weights).values()} & {torch.float32}


def done(answer: Answer) -> str:
    assert answer.code == 0, answer.err
    return answer.out
