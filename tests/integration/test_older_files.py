"""Runs and generators of older releases: they load, go on, and are sampled from, as if nothing was.

The files in `tests/data/written-by-*` were made on one machine with one thread, by each release
with `scripts/keep_release.py`. The last bits of a result depend on the machine's vector
instructions, so values are compared up to rounding.
"""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from ganforge.storage import tensor_file
from tests.conftest import Command

DATA = Path(__file__).parents[1] / "data"
RUNS = sorted(path.parent.relative_to(DATA) for path in DATA.glob("written-by-*/*/run"))

#: that something is of another version is to be said, and is what these files are for
pytestmark = [
    pytest.mark.filterwarnings(r"default:.* was made with ganforge \S+ is installed"),
    pytest.mark.filterwarnings("default:the run was trained with torch "),
    pytest.mark.filterwarnings("default:the run is of another length now"),
]

#: what rounding amounts to after a few steps of an optimizer
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=RUNS, ids=str)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA / request.param / "run", tmp_path / request.param))


def expected(run: Path, name: str) -> Path:
    return DATA / run.parent.name / run.name / "expected" / name


def assert_close(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        torch.testing.assert_close(ours[name], tensor, **CLOSE, msg=lambda it, n=name: f"{n}: {it}")


def test_a_run_goes_on_to_the_weights_that_it_would_have_had(run: Path, cli: Command) -> None:
    answer = cli("train", "--resume", run, "--steps", 8, "--device", "cpu")
    assert answer.code == 0, answer.err
    for kind, ours, theirs in (
        ("checkpoint", run / "checkpoints" / "step-00000008.safetensors", "step-00000008"),
        ("generator", run / "generator.safetensors", "generator"),
    ):
        found, document = tensor_file.read(ours, kind)
        wanted, before = tensor_file.read(expected(run, f"{theirs}.safetensors"), kind)
        assert_close(found, wanted)
        if kind == "checkpoint":
            assert document["telemetry_counts"] == before["telemetry_counts"]
            assert document["step"] == before["step"] == 8


def test_the_metrics_of_a_run_go_on(run: Path, cli: Command) -> None:
    assert cli("train", "--resume", run, "--steps", 8, "--device", "cpu").code == 0
    ours, theirs = (
        [json.loads(line) for line in path.read_text().splitlines()]
        for path in (run / "metrics.jsonl", expected(run, "metrics.jsonl"))
    )
    # There is more in a line than in those that 0.1 wrote, and nothing less.
    assert [line["step"] for line in ours] == [line["step"] for line in theirs]
    assert all({*before} <= {*line} for line, before in zip(ours, theirs, strict=True))
    assert any("cpu_seconds" in line for line in ours)
    for line, before in zip(ours, theirs, strict=True):
        for key, value in before.items():
            # Scores were those of the last part of a batch, and are those of the whole.
            in_parts = run.parts[-2:] == ("written-by-0.1", "rmsprop") and key.startswith("score/")
            if key not in ("seconds", "images_per_second") and not in_parts:
                assert line[key] == pytest.approx(value, rel=1e-4, abs=1e-5), key


def test_a_generator_is_sampled_from(run: Path, cli: Command) -> None:
    answer = cli(
        "sample", run, "--num", 5, "--seed", 3, "--device", "cpu", "--out", run / "samples.npz"
    )
    assert answer.code == 0, answer.err
    with np.load(run / "samples.npz") as ours, np.load(expected(run, "samples-step-4.npz")) as was:
        assert sorted(ours.files) == sorted(was.files)
        for name in was.files:
            np.testing.assert_allclose(ours[name], was[name], **CLOSE, err_msg=name)
            assert ours[name].dtype == was[name].dtype


def test_a_stored_configuration_begins_a_new_run(run: Path, cli: Command, tmp_path: Path) -> None:
    answer = cli("train", "--config", run / "config.toml", "--dry-run")
    assert answer.code == 0, answer.err
    again = tmp_path / "again.toml"
    again.write_text(answer.out)
    assert cli("train", "--config", again, "--dry-run").out == answer.out


def test_a_run_without_an_option_that_came_later_is_what_it_was(
    cli: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    options = ["--set", "generator.width=2", "--set", "generator.conditioning=latents"]
    small = ["--image-size", "8", "--batch-size", "4", "--device", "cpu"]
    assert cli("train", "--conditional", *options, *small, "--steps", 2, "--out", run).code == 0
    samples = tmp_path / "samples.npz"
    assert cli("sample", run, "--num", 5, "--out", samples, "--device", "cpu").code == 0
    as_if_before(run)
    later = tmp_path / "later.npz"
    assert cli("sample", run, "--num", 5, "--out", later, "--device", "cpu").code == 0
    assert np.array_equal(np.load(samples)["samples"], np.load(later)["samples"])
    answer = cli("train", "--resume", run, "--steps", 4, "--device", "cpu")
    assert answer.code == 0, answer.err
    assert 'conditioning = "latents"' in (run / "config.toml").read_text()
    # Of a file that no run has written, what is not there is today's.
    assert 'conditioning = "normalisation"' in cli("train", "--conditional", "--dry-run").out


def test_a_release_keeps_its_own_runs_in_the_same_form(tmp_path: Path) -> None:
    script = runpy.run_path(str(DATA.parents[1] / "scripts" / "keep_release.py"))
    script["keep"](tmp_path / "written-by-now", ["mlp-ring"])
    kept = tmp_path / "written-by-now" / "mlp-ring"
    reference = DATA / "written-by-0.1" / "mlp-ring"
    names = {path.relative_to(kept) for path in kept.rglob("*") if path.is_file()}
    before = {path.relative_to(reference) for path in reference.rglob("*") if path.is_file()}
    assert names == before | {Path("run/data.json")}
    status = json.loads((kept / "run" / "status.json").read_text())
    assert (status["state"], status["step"], status["host"]) == ("interrupted", 4, "localhost")
    (session,) = json.loads((kept / "run" / "environment.json").read_text())["sessions"]
    assert {"command", "git"}.isdisjoint(session)
    assert {*script["RUNS"]} == {path.name for path in reference.parent.iterdir() if path.is_dir()}


def as_if_before(run: Path) -> None:
    """Take the option from a run's files, as if it had been stored before there was one."""
    config = run / "config.toml"
    lines = config.read_text().splitlines(keepends=True)
    config.write_text("".join(line for line in lines if not line.startswith("conditioning")))
    path = run / "generator.safetensors"
    tensors, document = tensor_file.read(path, "generator")
    del document["generator"]["options"]["conditioning"]
    path.unlink()
    tensor_file.write(path, document.pop("kind"), tensors, document)
