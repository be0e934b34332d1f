"""Training from Python is what the command line does, and leaves the program as it was."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import get_type_hints

import numpy
import pytest
import torch

import ganforge
from ganforge.cli import main
from ganforge.config.arguments import Settings
from ganforge.config.run_config import ALL_SECTIONS
from ganforge.config.shortcuts import SHORTCUTS

from .conftest import TINY, Train


def weights(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


def assert_same_weights(one: Path, other: Path) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_from_python_is_the_run_of_the_command_line(
    train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    result = train(dataset="ring", loss=["hinge", "r1"], steps=4, out="ours")
    assert capsys.readouterr() == ("", "")
    config = result.run.path / "config.toml"
    assert main(["train", "--config", str(config), "--out", "theirs"]) == 0
    assert (Path("theirs") / "config.toml").read_text() == config.read_text()
    assert_same_weights(
        result.run.path / "generator.safetensors", Path("theirs/generator.safetensors")
    )


def test_the_result_is_the_run_and_how_it_ended(train: Train) -> None:
    result = train(dataset="ring", steps=4, out="run")
    assert (result.state, result.step, result.num_steps, result.images) == ("finished", 4, 4, 32)
    assert result.run.path == Path("run")
    assert result.run.status.state == "finished"
    assert result.run.metrics["loss/generator"].steps == [2, 4]
    assert result.generator(device="cpu").sample(3).shape == (3, 2)


def test_a_run_without_a_name_gets_the_next_one(train: Train) -> None:
    assert train(dataset="ring", steps=1).run.path == Path("runs/00001-mlp-nonsat-ring")
    assert train(recipe="ring", steps=1).run.path == Path("runs/00002-ring")


@pytest.mark.parametrize(
    "loss",
    [
        ["hinge", {"name": "r1", "gamma": 3.0, "every": 2}],
        {"hinge": {}, "r1": {"gamma": 3, "every": 2}},
        {"hinge": None, "r1": {"gamma": numpy.float64(3.0), "every": numpy.int64(2)}},
    ],
    ids=["names and tables", "tables by name", "numbers of NumPy"],
)
def test_components_are_given_by_name_or_with_options(train: Train, loss: object) -> None:
    run = train(dataset="ring", loss=loss, steps=1).run
    assert run.components("loss") == ("hinge", "r1")
    assert (run.settings["loss.r1.gamma"], run.settings["loss.r1.every"]) == (3.0, 2)


def test_settings_stand_over_the_configuration_and_that_over_the_recipe(train: Train) -> None:
    config = {"training": {"batch_size": 6, "seed": 3}, "dataset": {"name": "ring", "std": 0.5}}
    run = train(
        config,
        recipe="ring",
        batch_size=None,
        learning_rate=None,
        training={"seed": 4},
        generator_optimizer={"learning_rate": ganforge.Schedule(from_=1e-3, to=0.0)},
        steps=1,
    ).run
    assert run.settings["training.batch_size"] == 6
    assert run.settings["training.seed"] == 4
    assert run.settings["dataset.std"] == 0.5
    assert run.settings["generator_optimizer.learning_rate"] == {"from": 0.001, "to": 0.0}


def test_a_configuration_is_a_file_too(train: Train) -> None:
    Path("run.toml").write_text('[dataset]\nname = "ring"\n[training]\nsteps = 2\n')
    assert train("run.toml").step == 2
    assert train(Path("run.toml"), steps=1).step == 1


def test_every_setting_is_an_argument_with_a_type() -> None:
    assert get_type_hints(Settings).keys() == {*ALL_SECTIONS, *SHORTCUTS} - {"dataset"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"generatr": "mlp"},
            "generatr=: there is no setting 'generatr'; did you mean 'generator'?",
        ),
        ({"generator": "mpl"}, "generator=: there is no generator called 'mpl'"),
        ({"generator": {"widht": 3}}, "generator=: generator.widht of the generator 'dcgan'"),
        ({"training": 100}, "training=: must be a dictionary, not 100"),
        ({"training": {"steps": "many"}}, "training=: training.steps: expected an integer"),
        ({"generator": 3}, "generator=: must be a name, or a dictionary with one, not 3"),
        ({"loss": 3}, "loss=: must be names, or a dictionary of options by name, not 3"),
        ({"loss": {"r1": 10}}, "loss=: 'r1' must have a dictionary of options, not 10"),
        ({"steps": print}, "steps=: there is no setting like <built-in function print>"),
        ({"dataset": "rign"}, "dataset=: there is no dataset called 'rign'"),
        ({"dataset": 3}, "int is no data: give a tensor"),
        ({"config": {"trainin": {}}}, "config['trainin']: there is no setting 'trainin'"),
        ({"config": "absent.toml"}, "absent.toml: cannot be read"),
        ({"recipe": "rign"}, "there is no recipe called 'rign'"),
        ({"resume": "absent"}, "there is no run in absent"),
        ({"resume": "absent", "out": "new"}, "leave out out=, overwrite= and recipe="),
        ({"callbacks": [3]}, "callbacks= takes objects"),
        ({"callbacks": [ganforge.Callback]}, "callbacks= takes objects"),
    ],
)
def test_what_is_wrong_is_one_error_and_nothing_is_written(
    settings: dict[str, object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ganforge.UsageError) as caught:
        ganforge.train(**settings)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_several_mistakes_are_told_at_once(train: Train) -> None:
    with pytest.raises(ganforge.ConfigError) as caught:
        train(dataset="ring", loss="hinge", training={"seed": -1}, ema={"half_lif": 3})
    assert len(caught.value.complaints) == 2


def test_a_resumed_run_equals_one_that_was_never_stopped(
    train: Train, images: torch.Tensor
) -> None:
    data = ganforge.dataset(images, torch.arange(40) % 2)
    whole = train(dataset=data, steps=6, out="whole")
    train(dataset=data, steps=6, out="parts", output={"checkpoint_every": 1}, stop=stop_after(3))
    parts = train(resume="parts", dataset=ganforge.dataset(images, torch.arange(40) % 2))
    assert (parts.state, parts.step) == ("finished", 6)
    assert_same_weights(
        whole.run.path / "generator.safetensors", parts.run.path / "generator.safetensors"
    )


def stop_after(steps: int):
    """A request to stop once so many steps were begun."""
    asked = iter(range(1000))
    return lambda: next(asked) >= steps


def test_a_program_can_stop_a_run(train: Train) -> None:
    result = train(dataset="ring", steps=50, stop=stop_after(3), out="run")
    assert (result.state, result.step) == ("interrupted", 3)
    assert result.run.status.state == "interrupted"
    assert train(resume=result.run, steps=5).step == 5


def test_ctrl_c_saves_and_returns(train: Train) -> None:
    def interrupt(step: int, values: object) -> None:
        if step == 4:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    result = train(dataset="ring", steps=50, callbacks=[interrupt])
    assert (result.state, result.step) == ("interrupted", 4)
    assert [step for step, _ in result.run.checkpoints] == [4]
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_before_the_first_step_is_a_keyboard_interrupt(
    train: Train, images: torch.Tensor
) -> None:
    class Interrupted(ganforge.InMemoryDataset):
        def describe(self) -> str:
            signal.raise_signal(signal.SIGINT)
            return ""

    with pytest.raises(KeyboardInterrupt):
        train(dataset=Interrupted(images), steps=5)


TERMINATED = """
import os, signal, sys
import ganforge
ganforge.train(
    dataset="ring", generator="mlp", steps=10**6, batch_size=4, device="cpu", out="run",
    output={"log_every": 2},
    callbacks=[lambda step, values: os.kill(os.getpid(), signal.SIGTERM)],
)
print("not reached")
"""


def test_termination_saves_and_then_terminates(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", TERMINATED],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (answer.returncode, answer.stdout) == (-signal.SIGTERM, "")
    run = ganforge.open_run(tmp_path / "run")
    assert (run.status.state, [step for step, _ in run.checkpoints]) == ("terminated", [2])


def test_a_thread_can_train(train: Train) -> None:
    results: list[ganforge.TrainingResult] = []
    thread = threading.Thread(target=lambda: results.append(train(dataset="ring", steps=3)))
    thread.start()
    thread.join(60)
    assert [it.step for it in results] == [3]


def test_the_program_is_left_as_it_was(train: Train) -> None:
    torch.manual_seed(1)
    random.seed(1)
    numpy.random.seed(1)
    torch.set_default_dtype(torch.float64)
    threads, environment = torch.get_num_threads(), dict(os.environ)
    try:
        before = torch.get_rng_state(), random.getstate(), numpy.random.get_state()[1].tolist()
        with torch.no_grad():
            result = train(dataset="ring", steps=3)
            samples = result.generator(device="cpu").sample(5)
            assert not torch.is_grad_enabled()
        after = torch.get_rng_state(), random.getstate(), numpy.random.get_state()[1].tolist()
        assert torch.equal(before[0], after[0])
        assert before[1:] == after[1:]
        assert torch.get_default_dtype() == torch.float64
        assert samples.dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)
    assert (torch.get_num_threads(), dict(os.environ)) == (threads, environment)
    with torch.device("meta"):
        other = train(dataset="ring", steps=3)
    assert_same_weights(
        result.run.path / "generator.safetensors", other.run.path / "generator.safetensors"
    )


def test_a_failure_leaves_the_program_as_it_was_too(train: Train) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    with pytest.raises(ganforge.NonFiniteError):
        train(
            dataset="ring",
            steps=30,
            loss="lsgan",
            learning_rate=None,
            generator_optimizer={"name": "sgd", "learning_rate": 1e30},
            discriminator_optimizer={"name": "sgd", "learning_rate": 1e30},
        )
    assert torch.equal(before, torch.get_rng_state())


def test_callbacks_are_told_of_a_run(train: Train) -> None:
    told: list[object] = []

    class Told(ganforge.Callback):
        def started(self, run_directory, step, config):
            told.append((run_directory.name, step, config["training.steps"]))

        def metrics(self, step, values):
            told.append((step, values["step"]))

        def picture(self, step, picture):
            told.append(("picture", step, picture.dtype))

        def saved(self, step, checkpoint):
            told.append(checkpoint.name)

        def ended(self, state):
            told.append(state)

    train(dataset="ring", steps=2, out="run", callbacks=[Told()])
    assert told == [
        ("run", 0, 2),
        ("picture", 0, torch.uint8),
        (2, 2),
        ("picture", 2, torch.uint8),
        "step-00000002.safetensors",
        "finished",
    ]


def test_a_callback_that_fails_is_a_warning_and_is_left_out(train: Train) -> None:
    steps = []

    def broken(step, values):
        steps.append(step)
        raise ValueError("no")

    with pytest.warns(UserWarning, match="the callback 'broken' failed: ValueError: no; training"):
        assert train(dataset="ring", steps=6, callbacks=[broken]).step == 6
    assert steps == [2]


def test_progress_is_a_line_on_standard_error(
    train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    train(dataset="ring", steps=4, out="run", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("run: endless samples of a mixture")
    assert "\rstep 4/4  loss/discriminator " in err
    assert err.endswith("  finished\n")


def test_a_plugin_that_fails_is_a_warning(train: Train, fake_plugin) -> None:
    fake_plugin("ganforge-broken", "raise RuntimeError('no')")
    with pytest.warns(UserWarning, match="'ganforge-broken' of ganforge-broken 1.0 failed to load"):
        train(dataset="ring", steps=1)


def test_the_command_line_cannot_go_on_with_data_of_python_and_says_what_can(
    train: Train, images: torch.Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    train(dataset=ganforge.dataset(images), steps=1, out="run")
    before = Path("run/config.toml").read_bytes(), Path("run/status.json").read_bytes()
    assert main(["train", "--resume", "run", "--steps", "3"]) == 2
    error = capsys.readouterr().err
    assert "came from a Python program" in error
    assert "ganforge.train(resume=RUN, dataset=DATA)" in error
    with pytest.raises(ganforge.DataError, match="came from a Python program"):
        train(resume="run", steps=3)
    assert (Path("run/config.toml").read_bytes(), Path("run/status.json").read_bytes()) == before


@pytest.mark.parametrize("change", ["a pixel", "a sample less", "another class"])
def test_other_data_is_noticed_when_a_run_goes_on(
    train: Train, images: torch.Tensor, change: str
) -> None:
    labels = torch.arange(40) % 2
    train(dataset=ganforge.dataset(images, labels, classes=["a", "b"]), steps=1, out="run")
    other, classes = images.clone(), ["a", "b"]
    if change == "a pixel":
        other[7, 0, 0, 0] ^= 1
    elif change == "a sample less":
        other, labels = other[:-1], labels[:-1]
    else:
        classes = ["a", "c"]
    with pytest.raises(
        ganforge.DataError, match="run was trained on other data than what dataset="
    ):
        train(resume="run", dataset=ganforge.dataset(other, labels, classes=classes), steps=2)


def test_a_run_of_other_data_cannot_go_on_with_data_of_python(
    train: Train, images: torch.Tensor
) -> None:
    train(dataset="digits", conditional=False, image_size=8, steps=1, out="run")
    with pytest.raises(ganforge.ConfigError, match=r"dataset\.name: digits -> python"):
        train(resume="run", dataset=images, steps=2)


def test_mistakes_are_told_without_torch() -> None:
    code = (
        "import sys, ganforge\n"
        "for it in ({'generatr': 1}, {'generator': 'dcgn'}, {'steps': 0}, {'resume': 'no'}):\n"
        "    try: ganforge.train(**it)\n"
        "    except ganforge.UsageError as error: print(type(error).__name__)\n"
        "try: ganforge.open_run('absent')\n"
        "except ganforge.UsageError: print('torch' in sys.modules)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert answer.stdout.split() == [
        "ConfigError",
        "ConfigError",
        "ConfigError",
        "UsageError",
        "False",
    ]


def test_the_session_is_recorded_as_any_other(train: Train) -> None:
    result = train(dataset="ring", steps=1, out="run")
    train(resume=result.run, steps=2)
    (first, second) = json.loads(Path("run/environment.json").read_text())["sessions"]
    assert first["plugins"]["ganforge/ring"] == ganforge.__version__
    assert second["changes"] == {"training.steps": {"from": 1, "to": 2}}


def test_what_goes_wrong_is_a_warning_while_it_does(train: Train) -> None:
    with (
        pytest.warns(UserWarning, match=r"divergence, step \d+: the weights of the"),
        pytest.raises(ganforge.DivergenceError, match="the run has diverged"),
    ):
        train(dataset="ring", steps=60, learning_rate=1000.0)


def test_warnings_of_a_run_are_warnings(train: Train) -> None:
    train(dataset="ring", steps=2, out="run", learning_rate=ganforge.Schedule(from_=1e-3, to=0.0))
    with pytest.warns(UserWarning, match="the run is of another length now"):
        train(resume="run", steps=4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(dataset="ring", steps=2, **{k: TINY[k] for k in ("output",)})
