"""`ganforge evaluate`: what is compared with what, what is printed, what is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganforge
from ganforge.runs.run import Run

QUICK = ("--features", "identity", "--metric", "fid")


def printed(cli, *arguments):
    answer = cli("evaluate", *arguments)
    assert answer.code == 0, answer.err
    return answer.out


def as_json(cli, *arguments):
    return json.loads(printed(cli, *arguments, "--json"))


def scores_of(found):
    return {it["name"]: it for it in found["scores"]}


def test_each_score_stands_beside_its_floor_and_says_what_it_is_of(cli, run):
    out = printed(cli, run, "--num", 300)
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line}
    name, score, floor, better, features = rows["fid"]
    assert (name, better, features) == ("fid", "lower", "classifier")
    assert 0 < float(floor) < float(score)
    assert f"samples   300 of {run} (seed 0)" in out
    assert "real      300 of digits, held out of training" in out
    assert "training samples against held-out ones, 300 against 300" in out
    # What compares with the samples that were trained on has a floor of its own.
    halves = "one half of the held-out samples against the other, 269 against 269 (memorisation)"
    assert halves in out
    assert "features  classifier: trained on the data's own labels; accuracy 9" in out
    assert "left out  mae, " in out


def test_a_metric_that_is_not_for_so_few_samples_is_left_out_unless_it_is_named(cli, run):
    found = as_json(cli, run, "--num", 10)
    assert found["failed"] == {}
    assert "'memorisation' needs 20 samples of each kind" in found["left_out"]["memorisation"]
    answer = cli("evaluate", run, "--num", 10, "--metric", "memorisation")
    assert answer.code == 2
    assert "'memorisation' needs 20 samples of each kind" in answer.err


def test_the_same_scores_as_json_and_in_the_run(cli, run):
    found = as_json(cli, run, "--num", 200, *QUICK, "--seed", 3)
    assert (found["split"], found["num"], found["num_real"]) == ("held-out", 200, 200)
    assert found["seed"] == 3
    (score,) = found["scores"]
    assert (score["name"], score["features"], score["better"]) == ("fid", "identity", "lower")
    assert score["floor"]["num"] == score["floor"]["num_real"] == 200
    (kept,) = Run(run).evaluations
    assert kept == {**found, "source": run.name}  # which others may read
    printed(cli, run, "--num", 200, *QUICK)
    assert len(Run(run).evaluations) == 2


def test_another_seed_is_another_score_and_the_same_one_the_same(cli, run):
    first, again, other = (
        scores_of(as_json(cli, run, "--num", 200, *QUICK, "--seed", seed))["fid"]
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first["value"] != other["value"]
    assert first["floor"] == other["floor"]


def test_training_samples_can_be_what_is_compared_with(cli, run):
    found = as_json(cli, run, "--num", 200, *QUICK, "--split", "training")
    assert found["split"] == "training"
    compared = scores_of(found)["fid"]["floor"]["compared"]
    assert compared == "held-out samples against training ones"


def test_samples_in_a_file_have_the_scores_of_their_generator(cli, run, tmp_path):
    out = tmp_path / "samples.npz"
    assert cli("sample", run, "--num", 200, "--out", out).code == 0
    own = scores_of(as_json(cli, run, "--num", 200, *QUICK, "--split", "training"))["fid"]
    generator = as_json(
        *(cli, run / "generator.safetensors", "--dataset", "digits"), "--num", 200, *QUICK
    )
    arrays = as_json(cli, out, "--dataset", "digits", "--num", 200, *QUICK)
    assert (generator["split"], arrays["split"]) == ("training", "training")
    assert arrays["seed"] is None
    found = [scores_of(it)["fid"]["value"] for it in (generator, arrays)]
    assert found[0] == pytest.approx(found[1], rel=1e-4)
    assert own["value"] == pytest.approx(found[0], rel=0.1)  # other real samples


def test_a_folder_of_samples_is_read_as_a_data_set_reads_it(cli, run, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    assert cli("sample", run, "--num", 40, "--out", folder).code == 0
    assert len([*folder.glob("*.png")]) == 40
    found = as_json(
        *(cli, folder, "--dataset", "digits", "--set", "dataset.size=8", "--metric", "fid"),
        *("--features", "identity"),
    )
    assert (found["num"], found["num_real"]) == (40, 1797)


def test_images_of_another_size_are_scaled_to_that_of_the_data(cli, tmp_path):
    (tmp_path / "pictures").mkdir()
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{number}.png")
    found = as_json(
        *(cli, tmp_path / "pictures", "--dataset", "digits", "--set", "dataset.size=16", *QUICK),
        *("--num", 50),
    )
    assert found["num"] == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent"], "there is nothing in absent: name a run directory"),
        (["RUN", "--metric", "fdi"], "there is no metric called 'fdi'; did you mean 'fid'?"),
        (["RUN", "--features", "idntity"], "feature extractor called 'idntity'; did you mean"),
        (["RUN", "--metric", "modes"], "handles vectors only"),
        (["RUN", "--metric", "label-agreement"], "reads the labels that fakes are made for"),
        (["RUN", "--metric", "moments", "--features", "random"], "handles vectors only"),
        (["RUN", "--best"], "has kept no best generator: evaluation.best names the metric"),
        (["RUN/generator.safetensors"], "--dataset NAME|PATH does"),
        (["RUN", "--dataset", "ring"], "gives samples of 2 here, and"),
        (["RUN", "--set", "generator.hidden=[3]"], "says nothing of an evaluation"),
        (["RUN", "--set", "metric.kdi.subsets=3"], "'kdi' is not measured here; did you mean"),
        (["RUN", "--set", "metric.kid.subset=3"], "did you mean 'subsets'"),
        (["RUN", "--set", "features.random.size=3"], "not part of this evaluation; add it with"),
        (["RUN", *QUICK, "--set", "metric.kid.subsets=3"], "not part of this evaluation"),
        (["RUN", "--features", "inception"], "needs"),
        (["RUN/config.toml", "--dataset", "digits"], "is not a ganforge generator"),
    ],
)
def test_a_mistake_is_told_in_a_line(cli, run, arguments, message):
    answer = cli("evaluate", *(it.replace("RUN", str(run)) for it in arguments))
    assert answer.code in (1, 2)
    assert message in answer.text
    assert "Traceback" not in answer.err
    assert not (run / "evaluations.jsonl").exists()


def test_held_out_samples_that_are_not_there_are_an_error(cli, run):
    answer = cli(
        *("evaluate", run / "generator.safetensors", "--dataset", "digits"), "--split", "held-out"
    )
    assert answer.code == 2
    assert "--split held-out: nothing is held out of training here" in answer.text


def test_an_array_of_another_shape_is_an_error(cli, tmp_path):
    file = tmp_path / "samples.npz"
    np.savez(file, samples=np.zeros((5, 3, 8, 8), dtype=np.float32))
    answer = cli("evaluate", file, "--dataset", "digits")
    assert (answer.code, "of 1 x 8 x 8 here" in answer.text) == (2, True)
    np.savez(file, other=np.zeros(3))
    assert "has no array 'samples'" in cli("evaluate", file, "--dataset", "digits").text
    file.write_bytes(b"no archive")
    assert "is not an .npz file" in cli("evaluate", file, "--dataset", "digits").text


def test_from_python_it_is_a_function(run):
    seen = []

    def told(what, done, total):
        seen.append((what, done, total))

    settings = {"metric.kid.subsets": 5}
    found = ganforge.evaluate(
        run, metric="kid", features="identity", num=100, settings=settings, progress=told
    )
    assert [it.name for it in found.scores] == ["kid/mean", "kid/std"]
    assert found["kid/mean"] == found.scores[0].value
    assert found.scores[0].floor is not None
    with pytest.raises(KeyError):
        found["fid"]
    assert ("identity of generated samples", 100, 100) in seen
    with pytest.raises(ganforge.GanforgeError, match="split= is 'held-out' or 'training'"):
        ganforge.evaluate(run, split="test")
    with pytest.raises(ganforge.GanforgeError, match=r"settings\['metric.kid.subset'\]"):
        ganforge.evaluate(run, metric="kid", settings={"metric.kid.subset": 5})


def test_data_of_a_program_are_what_samples_are_compared_with(run, tmp_path):
    samples = np.random.default_rng(0).random((50, 1, 8, 8), dtype=np.float32) * 2 - 1
    np.savez(tmp_path / "samples.npz", samples=samples)
    found = ganforge.evaluate(
        tmp_path / "samples.npz", dataset=samples, metric="fid", features="identity"
    )
    assert found["fid"] == pytest.approx(0, abs=1e-3)


def test_killed_it_goes_on_with_what_it_had(run, tmp_path):
    """SIGKILL in the middle of extracting; the second run reads no chunk anew, and agrees."""
    line = ["evaluate", str(run), "--num", "20000", "--seed", "9", "--json", *QUICK]
    code = "import sys; from ganforge.cli import main; sys.exit(main(sys.argv[1:]))"

    def start(cache: Path) -> subprocess.Popen[str]:
        environ = {**os.environ, "GANFORGE_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", code, *line]
        return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)

    first = start(tmp_path / "killed")
    deadline = time.monotonic() + 100
    while len(kept := [*(tmp_path / "killed").rglob("[0-9a-f]*.safetensors")]) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    before = {it: it.stat().st_mtime_ns for it in kept}
    again, _ = start(tmp_path / "killed").communicate()
    assert {it: it.stat().st_mtime_ns for it in kept} == before
    straight, _ = start(tmp_path / "straight").communicate()
    assert json.loads(again)["scores"] == json.loads(straight)["scores"]
