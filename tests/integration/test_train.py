"""`ganforge train` and `ganforge sample`, typed as a user would."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy
import pytest
import safetensors.torch
import torch
from PIL import Image

from .conftest import TINY


def metrics(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def load(path: str) -> numpy.ndarray:
    with numpy.load(path, allow_pickle=False) as arrays:
        return arrays["samples"]


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_a_new_run_explains_itself(ganforge, tmp_path):
    answer = ganforge("train", *TINY, "--steps", "60", "--seed", "7")
    assert (answer.code, answer.err) == (0, "")
    run = tmp_path / "runs" / "00001-mlp-nonsat-digits"
    assert "step 25/60 (41 %)  0:0" in answer.out
    assert "D(real)" in answer.out
    assert "images/s" in answer.out
    assert "1,797 samples in 10 classes: 0 (178), 1 (182)" in answer.out
    assert "ganforge sample runs/00001-mlp-nonsat-digits\n" in answer.out
    assert "ganforge train --resume runs/00001-mlp-nonsat-digits --steps 120" in answer.out
    assert sorted(path.name for path in run.iterdir()) == [
        "checkpoints",
        "config.toml",
        "data.json",
        "environment.json",
        "generator.safetensors",
        "metrics.jsonl",
        "metrics.png",
        "samples",
        "status.json",
    ]
    assert sorted(path.name for path in (run / "samples").iterdir()) == [
        "00000000.png",
        "00000060.png",
        "real.png",
    ]
    assert size(run / "samples/00000060.png") == (22, 22)
    assert [line["step"] for line in metrics(run)] == [25, 50, 60]
    assert {"loss/discriminator", "loss/generator", "score/real", "score/fake"} <= metrics(run)[
        0
    ].keys()
    status = json.loads((run / "status.json").read_text())
    assert (status["state"], status["step"]) == ("finished", 60)
    (session,) = json.loads((run / "environment.json").read_text())["sessions"]
    assert session["torch"] == torch.__version__
    assert session["plugins"]["ganforge/mlp"]
    assert session["command"] == ["ganforge", "train", *TINY, "--steps", "60", "--seed", "7"]
    age = datetime.now(UTC) - datetime.fromisoformat(session["started"])
    assert timedelta(0) <= age < timedelta(minutes=10)
    assert "git" not in session


def test_its_configuration_trains_the_same_run_again(ganforge, tmp_path):
    ganforge("train", *TINY, "--steps", "8", "--out", "one")
    assert ganforge("train", "--config", "one/config.toml", "--out", "two").code == 0
    left = safetensors.torch.load_file(tmp_path / "one/generator.safetensors")
    right = safetensors.torch.load_file(tmp_path / "two/generator.safetensors")
    assert all(torch.equal(left[name], right[name]) for name in left)
    ganforge("train", "--config", "one/config.toml", "--out", "three", "--seed", "1")
    other = safetensors.torch.load_file(tmp_path / "three/generator.safetensors")
    assert not all(torch.equal(left[name], other[name]) for name in left)


def test_epochs_are_passes_over_the_set(ganforge, tmp_path):
    ganforge("train", *TINY, "--epochs", "2", "--batch-size", "300", "--out", "run")
    assert metrics(tmp_path / "run")[-1]["step"] == 12  # 2 * 1,797 / 300, rounded up


def test_a_second_run_in_a_directory_is_refused_and_the_first_untouched(ganforge, tmp_path):
    ganforge("train", *TINY, "--steps", "2", "--out", "run")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    answer = ganforge("train", *TINY, "--steps", "2", "--out", "run")
    assert answer.code == 2
    assert "holds a run already" in answer.err
    assert "--resume run" in answer.err
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before


def test_a_finished_run_goes_on_with_more_steps(ganforge, tmp_path):
    steady = ("--learning-rate", "0.001")  # the usual rate falls, and a longer run stretches it
    ganforge("train", *TINY, *steady, "--steps", "4", "--out", "part")
    answer = ganforge("train", "--resume", "part", "--steps", "8")
    assert answer.code == 0
    assert "after step 4 of 8" in answer.out
    ganforge("train", *TINY, *steady, "--steps", "8", "--out", "whole")
    for name in ("generator.safetensors", "checkpoints/step-00000008.safetensors"):
        left = safetensors.torch.load_file(tmp_path / "part" / name)
        right = safetensors.torch.load_file(tmp_path / "whole" / name)
        same = [key for key in left if not key.startswith("telemetry/")]
        assert all(torch.equal(left[key], right[key]) for key in same)
    sessions = json.loads((tmp_path / "part/environment.json").read_text())["sessions"]
    assert [s["changes"] for s in sessions] == [{}, {"training.steps": {"from": 4, "to": 8}}]
    again = ganforge("train", "--resume", "part")
    assert again.code == 0
    assert "Done: 8 steps" in again.out


def test_a_resumed_run_cannot_become_another(ganforge):
    ganforge("train", *TINY, "--steps", "2", "--out", "run")
    answer = ganforge(
        "train", "--resume", "run", "--set", "generator.hidden=[32]", "--batch-size", "4"
    )
    assert answer.code == 2
    assert "generator.hidden: [16] -> [32]" in answer.err
    assert "training.batch_size: 8 -> 4" in answer.err


def test_a_folder_of_images_is_enough(ganforge, tmp_path):
    for name, level in (("dark", 40), ("light", 220)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(6):
            picture = Image.new("RGB", (20 + number, 30), (level, level, number))
            picture.save(tmp_path / "pictures" / name / f"{number}.png")
    (tmp_path / "pictures" / "dark" / "broken.png").write_text("no picture")
    answer = ganforge("train", *TINY, "--dataset", "pictures", "--steps", "3", "--out", "run")
    assert answer.code == 0
    assert "12 samples in 2 classes: dark (6), light (6)" in answer.out
    assert "broken.png" in answer.err
    assert answer.err.startswith("Warning: ")
    with Image.open(tmp_path / "run/samples/real.png") as picture:
        assert picture.mode == "RGB"


def test_an_empty_folder_is_an_error_and_leaves_nothing_behind(ganforge, tmp_path):
    (tmp_path / "empty").mkdir()
    answer = ganforge("train", *TINY, "--dataset", "./empty", "--out", "run")
    assert answer.code == 2
    assert "empty" in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is here")
def test_cuda_that_is_absent_is_an_error_and_leaves_nothing_behind(ganforge, tmp_path):
    answer = ganforge("train", *TINY, "--device", "cuda", "--out", "run")
    assert answer.code == 2
    assert "the device 'cuda' is not there: this machine has cpu" in answer.err
    assert not (tmp_path / "run").exists()


@pytest.fixture
def trained(ganforge, tmp_path):
    assert ganforge("train", *TINY, "--steps", "3", "--out", "run").code == 0
    return tmp_path / "run"


def test_samples_as_a_grid_a_folder_and_an_array(ganforge, trained, tmp_path):
    assert ganforge("sample", trained, "--num", "9").code == 0
    assert size(trained / "samples.png") == (32, 32)
    assert ganforge("sample", trained, "--num", "5", "--out", "folder").code == 0
    pictures = sorted((tmp_path / "folder").iterdir())
    assert [path.name for path in pictures] == [f"{n:05d}.png" for n in range(5)]
    assert ganforge("sample", trained, "--num", "100", "--out", "a.npz").code == 0
    with numpy.load("a.npz", allow_pickle=False) as arrays:
        assert arrays.files == ["samples"]
        samples = arrays["samples"]
    assert (samples.dtype, samples.shape) == (numpy.float32, (100, 1, 8, 8))
    assert samples.min() >= -1
    assert samples.max() <= 1
    with Image.open(pictures[3]) as picture:
        levels = numpy.asarray(picture)
    assert numpy.abs(levels / 127.5 - 1 - samples[3, 0]).max() <= 1 / 255 + 1e-6


def test_fewer_samples_are_the_first_of_more_and_seeds_differ(ganforge, trained):
    arrays = {}
    for name, num, seed in (("a", 70, 3), ("b", 7, 3), ("c", 7, 4)):
        ganforge("sample", trained, "--num", num, "--seed", seed, "--out", f"{name}.npz")
        arrays[name] = load(f"{name}.npz")
    assert numpy.array_equal(arrays["a"][:7], arrays["b"])
    assert not numpy.array_equal(arrays["b"], arrays["c"])


def test_a_lone_generator_is_enough(ganforge, trained, tmp_path):
    lone = tmp_path / "elsewhere.safetensors"
    lone.write_bytes((trained / "generator.safetensors").read_bytes())
    ganforge("sample", trained, "--num", "4", "--out", "a.npz")
    ganforge("sample", lone, "--num", "4", "--out", "b.npz")
    assert numpy.array_equal(load("a.npz"), load("b.npz"))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["absent"], 2, "absent is neither a run directory nor a generator.safetensors"),
        (["run", "--out", "x.jpg"], 2, "written as .png, .npz, .tiff or files in a directory"),
        (["run", "--out", "no/where.png"], 2, "the directory no does not exist"),
        (["run", "--num", "0"], 2, "0 is not in the range"),
        (["run/checkpoints/step-00000003.safetensors"], 1, "is a ganforge checkpoint, not a"),
        (["run/samples/real.png"], 1, "is not a ganforge generator"),
    ],
)
def test_what_cannot_be_sampled_is_explained(ganforge, trained, arguments, code, message):
    answer = ganforge("sample", *arguments)
    assert answer.code == code
    assert message in answer.text
    assert "Traceback" not in answer.err


def test_a_truncated_checkpoint_is_an_error_of_its_own_kind(ganforge, trained):
    path = trained / "checkpoints" / "step-00000003.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    answer = ganforge("train", "--resume", trained, "--steps", "6")
    assert answer.code == 1
    assert "step-00000003.safetensors is truncated or damaged" in answer.err
    assert "Traceback" not in answer.err


def test_unwritable_pictures_do_not_end_a_run(ganforge, tmp_path, monkeypatch):
    from ganforge.engine import reports

    def refuse(path, chunks):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(reports, "write_atomically", refuse)
    answer = ganforge("train", *TINY, "--steps", "3", "--out", "run")
    assert answer.code == 0
    assert answer.err.count("training goes on without sample grids") == 1
    assert (tmp_path / "run" / "generator.safetensors").exists()


def test_a_run_directory_that_disappears_is_noticed(ganforge, tmp_path, monkeypatch):
    import shutil

    from ganforge.engine.trainer import Trainer

    step = Trainer.train_step

    def remove_after_two(self):
        step(self)
        if self.step == 2:
            shutil.rmtree(self.run.path)

    monkeypatch.setattr(Trainer, "train_step", remove_after_two)
    answer = ganforge("train", *TINY, "--steps", "4", "--out", "run")
    assert answer.code == 1
    assert "removed or moved" in answer.err
    assert not (tmp_path / "run").exists()


def test_two_processes_cannot_share_a_run(ganforge, trained):
    from ganforge.storage.run_directory import Lock, RunDirectory

    with Lock(RunDirectory(trained)):
        answer = ganforge("train", "--resume", trained, "--steps", "6")
    assert answer.code == 1
    assert "another process is training in" in answer.err


def test_a_picture_that_vanishes_is_named_where_the_step_needs_it(ganforge, tmp_path, monkeypatch):
    from ganforge.engine.trainer import Trainer

    (tmp_path / "pictures").mkdir()
    for number in range(8):
        Image.new("L", (8, 8), 20 * number).save(tmp_path / "pictures" / f"{number}.png")
    step = Trainer.train_step

    def lose_one(self):
        step(self)
        (tmp_path / "pictures" / "5.png").unlink(missing_ok=True)

    monkeypatch.setattr(Trainer, "train_step", lose_one)
    answer = ganforge(
        *("train", *TINY, "--dataset", "pictures", "--steps", "30", "--out", "run"),
        *("--set", "dataset.memory_limit=0", "--set", "execution.num_workers=2"),
    )
    assert answer.code == 1
    (error,) = [line for line in answer.err.splitlines() if line.startswith("Error")]
    assert "5.png' in 'pictures' can no longer be read" in error
    assert "Traceback" not in error


def test_running_out_of_memory_suggests_smaller_parts(ganforge, monkeypatch):
    from ganforge.engine.trainer import Trainer

    def fail(self):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Trainer, "train_step", fail)
    answer = ganforge("train", *TINY, "--steps", "3", "--out", "run")
    assert answer.code == 1
    assert "out of memory in step 1 (" in answer.err
    assert "Batches of 8 in one" in answer.text
    assert "num_accumulation_steps" in answer.err


def test_a_signal_that_does_not_exist_is_an_error_before_anything_is_made(
    ganforge, tmp_path, monkeypatch
):
    monkeypatch.setenv("GANFORGE_PREEMPT_SIGNAL", "NONSENSE")
    answer = ganforge("train", *TINY, "--out", "run")
    assert answer.code == 2
    assert "NONSENSE is not the name of a signal" in answer.err
    assert not (tmp_path / "run").exists()
