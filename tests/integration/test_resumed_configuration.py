"""A run that goes on has the configuration of its checkpoint, but for what may change or must."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ganforge as library
from ganforge.storage import tensor_file
from ganforge.storage.run_directory import RunDirectory
from tests.conftest import Command

from .conftest import TINY

STEADY = ("--learning-rate", "0.001")  # a rate that falls would be stretched by a longer run


@pytest.fixture
def run(ganforge: Command, tmp_path: Path) -> Path:
    assert ganforge("train", *TINY, *STEADY, "--steps", "4", "--out", "run").code == 0
    return tmp_path / "run"


def files(run: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def edit(run: Path, *replacements: tuple[str, str]) -> None:
    text = (run / "config.toml").read_text()
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after)
    (run / "config.toml").write_text(text)


def sessions(run: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((run / "environment.json").read_text())["sessions"]
    return found


def weights(run: Path, step: int) -> dict[str, Any]:
    return tensor_file.read(RunDirectory(run).checkpoint(step), "checkpoint")[0]


def test_edits_of_what_cannot_change_are_refused_with_old_and_new_and_nothing_is_touched(
    ganforge: Command, run: Path
) -> None:
    edit(
        run,
        ("seed = 0", "seed = 5"),
        ("batch_size = 8", "batch_size = 4"),
        ("betas = [0.0, 0.99]", "betas = [0.5, 0.9]"),
        ("gamma = 0.3", "gamma = 0.1"),
    )
    before = files(run)
    answer = ganforge("train", "--resume", "run", "--steps", "6")
    assert answer.code == 2
    assert "things are wrong with the configuration" in answer.text
    for change in (
        "training.seed: 0 -> 5 cannot change when resuming",
        "training.batch_size: 8 -> 4 cannot change when resuming",
        "generator_optimizer.betas: [0.0, 0.99] -> [0.5, 0.9] cannot change when resuming",
        "loss.r1.gamma: 0.3 -> 0.1 cannot change when resuming",
    ):
        assert change in answer.text
    assert "run/config.toml:" in answer.text  # with the line
    assert "run/config.toml was edited since the checkpoint of step 4 was written" in answer.text
    assert files(run) == before


def test_an_edit_of_what_may_change_is_a_change_of_the_session(
    ganforge: Command, run: Path
) -> None:
    edit(run, ("log_every = 25", "log_every = 2"), ("steps = 4", "steps = 6"))
    answer = ganforge("train", "--resume", "run")
    assert (answer.code, answer.err) == (0, "")
    assert "output.log_every: 25 -> 2" in answer.out
    assert sessions(run)[-1]["changes"] == {
        "output.log_every": {"from": 25, "to": 2},
        "training.steps": {"from": 4, "to": 6},
    }
    assert RunDirectory(run).checkpoint(6).is_file()


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("hidden = [16]", "hidden = [32]", "generator.hidden: [16] -> [32]"),
        ("size = 8", "size = 16", "dataset.size: 8 -> 16"),
        (
            'activation = "relu"',
            'activation = "leaky-relu"',
            "generator.activation: relu -> leaky-relu",
        ),
    ],
)
def test_a_checkpoint_of_another_model_is_refused_before_anything_is_loaded(
    ganforge: Command, run: Path, before: str, after: str, shown: str
) -> None:
    edit(run, (before, after))
    untouched = files(run)
    answer = ganforge("train", "--resume", "run", "--steps", "6")
    assert answer.code == 1
    assert "step-00000004.safetensors is of another model than run/config.toml says" in answer.text
    assert shown in answer.text
    assert "remove run/config.toml, and resuming writes it again" in answer.text
    assert files(run) == untouched


def test_of_many_mismatches_the_first_five_are_listed(ganforge: Command, run: Path) -> None:
    other = ganforge("train", "--recipe", "grid", "--dry-run").out
    (run / "config.toml").write_text(other)
    answer = ganforge("train", "--resume", "run")
    assert answer.code == 1
    listing = answer.text.partition("nothing was loaded: ")[2].partition(". The checkpoint")[0]
    assert listing.count("; ") == 4
    assert ", and " in listing
    assert listing.endswith("more")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: "oops[\n" + text, "config.toml: is not TOML"),
        (lambda text: text.replace("seed = 0", 'seed = "x"'), "seed"),
        (lambda text: text.replace('name = "mlp"', 'name = "mpl"', 1), "called 'mpl'"),
    ],
)
def test_a_damaged_configuration_says_that_the_checkpoint_has_it(
    ganforge: Command, run: Path, spoil: Callable[[str], str], message: str
) -> None:
    file = run / "config.toml"
    text = file.read_text()
    file.write_text(spoil(text))
    answer = ganforge("train", "--resume", "run")
    assert answer.code == 2
    assert message in answer.text
    assert "remove run/config.toml, and resuming writes it again from that" in answer.text
    file.unlink()
    again = ganforge("train", "--resume", "run")
    assert again.code == 0
    assert "run/config.toml was not there, and is written as the checkpoint has it" in again.text
    assert file.read_text() == text


def test_a_run_without_its_configuration_can_be_overridden(ganforge: Command, run: Path) -> None:
    file = run / "config.toml"
    file.unlink()
    again = ganforge("train", "--resume", "run", "--override", "training.seed=3", "--steps", "6")
    assert again.code == 0, again.text
    assert "seed = 3" in file.read_text()
    assert "training.seed: 0 -> 3 (--override)" in again.out


def test_flags_that_cannot_change_what_is_trained_name_what_can(
    ganforge: Command, run: Path
) -> None:
    seed = ganforge("train", "--resume", "run", "--seed", "3")
    assert seed.code == 2
    assert "training.seed: 0 -> 3 cannot change when resuming" in seed.text
    assert "--override training.seed=3 changes it all the same" in seed.text
    model = ganforge("train", "--resume", "run", "--override", "generator.hidden=[32]")
    assert model.code == 2
    assert "No --override changes generator.hidden" in model.text
    assert "begins from them with --init run" in model.text


def test_what_is_overridden_is_printed_recorded_and_believed_from_then_on(
    ganforge: Command, run: Path
) -> None:
    overrides = {
        "training.seed": 7,
        "training.batch_size": 4,
        "generator_optimizer.betas": [0.5, 0.9],
        "loss.r1.gamma": 0.1,
    }
    flags = [it for key, value in overrides.items() for it in ("--override", f"{key}={value}")]
    answer = ganforge("train", "--resume", "run", "--steps", "6", *flags)
    assert (answer.code, answer.err) == (0, "")
    assert "training.seed: 0 -> 7 (--override)" in answer.out
    changes = sessions(run)[-1]["changes"]
    for key, value in overrides.items():
        assert changes[key]["to"] == value
        assert changes[key]["override"] is True
    assert "override" not in changes["training.steps"]
    again = ganforge("train", "--resume", "run", "--steps", "8")
    assert (again.code, again.err) == (0, "")
    assert sessions(run)[-1]["changes"] == {"training.steps": {"from": 6, "to": 8}}
    assert library.open_run("run").settings["training.seed"] == 7


def test_a_run_with_another_seed_draws_otherwise_and_the_same_each_time(
    ganforge: Command, run: Path, tmp_path: Path
) -> None:
    for name in ("one", "two", "plain"):
        shutil.copytree(run, tmp_path / name)
    seed = ("--override", "training.seed=7")
    for name, flags in (("one", seed), ("two", seed), ("plain", ())):
        assert ganforge("train", "--resume", name, "--steps", "6", *flags).code == 0
    one, two, plain = (weights(tmp_path / name, 6) for name in ("one", "two", "plain"))
    assert all(one[name].equal(two[name]) for name in one)
    assert not all(one[name].equal(plain[name]) for name in one)


def test_an_override_that_was_killed_before_a_step_is_not_lost(
    ganforge: Command, run: Path
) -> None:
    """The checkpoint is written first: neither it nor config.toml is then an edit of a person."""
    before = (run / "config.toml").read_text()
    assert ganforge("train", "--resume", "run", "--override", "training.seed=7").code == 0
    after = (run / "config.toml").read_text()
    assert after != before
    (run / "config.toml").write_text(before)  # as a session leaves it that is killed between
    answer = ganforge("train", "--resume", "run", "--steps", "5")
    assert (answer.code, answer.err) == (0, "")
    assert library.open_run("run").settings["training.seed"] == 7


def test_an_override_holds_where_the_newest_checkpoint_is_damaged(
    ganforge: Command, run: Path
) -> None:
    flags = ("--steps", "6", "--override", "training.seed=7")
    assert ganforge("train", "--resume", "run", *flags).code == 0
    path = RunDirectory(run).checkpoint(6)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    damaged = ganforge("train", "--resume", "run")
    assert damaged.code == 0
    assert "it is set aside" in damaged.text
    assert ganforge("train", "--resume", "run").code == 0


def test_another_optimizer_begins_anew(ganforge: Command, run: Path) -> None:
    flags = ("--override", "generator_optimizer.name=sgd", "--steps", "5")
    answer = ganforge("train", "--resume", "run", *flags)
    assert (answer.code, answer.err) == (0, "")
    names = weights(run, 5)
    assert not [it for it in names if it.startswith("optimizer/generator") and "exp_avg" in it]
    assert [it for it in names if it.startswith("optimizer/discriminator") and "exp_avg" in it]


def test_an_option_that_changes_the_tensors_of_a_run_is_refused_with_nothing_changed(
    ganforge: Command, run: Path
) -> None:
    before = files(run)
    answer = ganforge("train", "--resume", "run", "--override", "sampler.size=5", "--steps", "5")
    assert answer.code == 1
    assert "does not fit the networks of this run, and nothing was loaded" in answer.text
    assert files(run) == before


def test_a_run_cannot_become_shorter_than_it_is(ganforge: Command, run: Path) -> None:
    before = files(run)
    answer = ganforge("train", "--resume", "run", "--steps", "3")
    assert answer.code == 2
    assert "training.steps: the run has been trained for 4 steps, and cannot end after 3" in (
        answer.text
    )
    epochs = ganforge(
        "train", "--resume", "run", "--epochs", "1", "--override", "training.batch_size=1797"
    )
    assert epochs.code == 2
    assert "training.epochs: the run has been trained for 4 steps, and cannot end after 1" in (
        epochs.text
    )
    assert files(run) == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--override", "training.seed=1"), "--override belongs to --resume"),
        (("--allow-nonfinite",), "--allow-versions and --allow-nonfinite belong to --resume"),
        (("--overwrite",), "--overwrite replaces a run in the directory of --out"),
        (("--resume", "run", "--overwrite"), "leave out --out, --overwrite, --config and --recipe"),
        (("--resume", "run", "--override", "seed"), "--override seed: must look like"),
        (("--resume", "run", "--override", "training.sede=1"), "did you mean 'seed'"),
    ],
)
def test_flags_that_say_nothing_here_are_an_error(
    ganforge: Command, run: Path, flags: tuple[str, ...], message: str
) -> None:
    answer = ganforge("train", *flags)
    assert answer.code == 2
    assert message in answer.text


def test_a_longer_run_under_the_usual_rate_is_said_to_be_another(ganforge: Command) -> None:
    ganforge("train", *TINY, "--steps", "8", "--out", "run")
    answer = ganforge("train", "--resume", "run", "--steps", "16")
    assert answer.code == 0
    assert (
        "so is the schedule of generator_optimizer.learning_rate and "
        "discriminator_optimizer.learning_rate, which is counted in shares of the run: what comes "
        "of it is not what a run of 16 steps from the start would be" in answer.text
    )


def test_a_longer_run_whose_rate_has_not_begun_to_fall_is_one_of_that_length(
    ganforge: Command, tmp_path: Path
) -> None:
    """The usual rate falls over the second half."""
    saving = ("--checkpoint-every", "4", "--set", "output.log_every=4")
    ganforge("train", *TINY, *saving, "--steps", "8", "--out", "part")
    RunDirectory(tmp_path / "part").checkpoint(8).unlink()
    answer = ganforge("train", "--resume", "part", "--steps", "16")
    assert (answer.code, answer.err) == (0, "")
    ganforge("train", *TINY, *saving, "--steps", "16", "--out", "whole")
    left, right = weights(tmp_path / "part", 16), weights(tmp_path / "whole", 16)
    assert all(left[name].equal(right[name]) for name in right)


@pytest.mark.filterwarnings("error")
def test_a_program_overrides_and_overwrites_too(ganforge: Command, run: Path) -> None:
    library.train(resume="run", steps=5, override={"training": {"seed": 7}})
    assert sessions(run)[-1]["changes"]["training.seed"] == {"from": 0, "to": 7, "override": True}
    with pytest.raises(library.UsageError, match="override= and allow= belong to resume="):
        library.train(override={"training": {"seed": 7}})
    with pytest.raises(
        library.UsageError, match="allow= takes versions and nonfinite, and not nonfinit"
    ):
        library.train(resume="run", allow=["nonfinit"])  # type: ignore[list-item]
    with pytest.raises(library.UsageError, match="overwrite= replaces a run in the directory of"):
        library.train(overwrite=True)
