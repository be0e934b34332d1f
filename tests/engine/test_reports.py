"""What a run tells its callbacks, and that none of them can end it."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from ganforge import Callback
from ganforge.config.layers import Layer, Names, from_settings
from ganforge.config.resolve import resolve
from ganforge.engine.signals import StopRequest
from ganforge.plugin.discovery import discover

from .conftest import TINY, trainer_in

CALLBACKS = """
from ganforge import CallbackSpec, hookimpl

@hookimpl
def ganforge_callbacks():
    for name in ("listener", "grumbler"):
        yield CallbackSpec(name=name, summary="A test's", build=f"ganforge_told:{name}")

TOLD = []

def listener(problem, options):
    from ganforge import Callback, Field

    class Listener(Callback):
        def started(self, run_directory, step, config):
            TOLD.append(("started", step, config["training.batch_size"]))
        def metrics(self, step, values):
            TOLD.append(("metrics", step, "loss/generator" in values))
        def picture(self, step, picture):
            TOLD.append(("picture", step, str(picture.dtype), picture.dim()))
        def saved(self, step, checkpoint):
            TOLD.append(("saved", step, checkpoint.is_file()))
        def ended(self, state):
            TOLD.append(("ended", state))
    return Listener()

def grumbler(problem, options):
    from ganforge import Callback, Field

    class Grumbler(Callback):
        def metrics(self, step, values):
            TOLD.append(("grumbler", step))
            raise RuntimeError("no \\x1b[2J room")
    return Grumbler()
"""


@pytest.fixture
def told(fake_plugin, tmp_path):
    """A trainer with callbacks, and what they have been told."""
    fake_plugin("ganforge-told", CALLBACKS)
    registry = discover().registry

    def make(*names, settings=()):
        layers = [from_settings([*TINY, *settings]), Layer(tables={"callback": Names(names)})]
        trainer = trainer_in(tmp_path / "run", resolve(layers, registry))
        import ganforge_told

        return trainer, ganforge_told.TOLD

    return make


def test_a_callback_is_told_everything_in_order(told):
    settings = ("output.log_every=3", "output.sample_every=6", "output.checkpoint_every=6")
    trainer, heard = told("listener", settings=settings)
    trainer.train()
    assert heard == [
        ("started", 0, 8),
        ("picture", 0, "torch.uint8", 3),
        ("metrics", 3, True),
        ("metrics", 6, True),
        ("picture", 6, "torch.uint8", 3),
        ("saved", 6, True),
        ("ended", "finished"),
    ]


def test_a_session_that_is_interrupted_says_how_it_ended(told):
    trainer, heard = told("listener")
    trainer.train(StopRequest(lambda: "interrupted" if trainer.step == 2 else None))
    assert heard[-2:] == [("saved", 2, True), ("ended", "interrupted")]
    heard.clear()
    trainer, heard = told("listener")
    trainer.resume()
    trainer.train()
    assert heard[0] == ("started", 2, 8)


def test_a_callback_that_fails_is_a_warning_and_is_left_out(told):
    trainer, heard = told("grumbler", "listener", settings=("output.log_every=2",))
    with pytest.warns(UserWarning, match="'grumbler' of ganforge-told 1.0 failed: RuntimeError"):
        assert trainer.train() == "finished"
    assert [it for it in heard if it[0] == "grumbler"] == [("grumbler", 2)]
    assert [it[1] for it in heard if it[0] == "metrics"] == [2, 4, 6]
    assert trainer.step == 6


FORMAT = """
from dataclasses import dataclass
from ganforge import DatasetSpec, Field, FormatSpec, hookimpl, option

@dataclass(frozen=True, kw_only=True)
class Options:
    shown: str = option(help="name of the format")

@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="striped", summary="s", build="ganforge_shown:dark", options=Options,
        fields=lambda options: {"sample": Field(
            kind="image", shape=(1, 8, 8), dtype="uint8", format=options.shown)},
    )

def dark(problem, options):
    import torch
    from ganforge import InMemoryDataset
    return InMemoryDataset(torch.zeros(20, 1, 8, 8, dtype=torch.uint8))

@hookimpl
def ganforge_formats():
    for name in ("stripes", "fragile"):
        yield FormatSpec(name=name, summary="s", build=f"ganforge_shown:{name}", kinds=("image",))

SHOWN = []

def stripes(problem, options):
    import torch
    from ganforge import Format

    class Stripes(Format):
        num_pictured = 5
        shows_real = True

        def picture(self, drawn):
            real = None if drawn.real is None else len(drawn.real)
            SHOWN.append((len(drawn.samples), drawn.generated, real, drawn.samples.device.type))
            return torch.full((3, 40, 3), 9, dtype=torch.uint8)

    return Stripes(problem)

def fragile(problem, options):
    built = stripes(problem, options)
    draw = built.picture

    def picture(drawn):
        if len(SHOWN) == 2:
            raise RuntimeError("no \\x1b[2J paper")
        return draw(drawn)

    built.picture = picture
    return built
"""


@pytest.fixture
def shown(fake_plugin, tmp_path):
    """A trainer whose samples name a format of another package, and what that was shown."""
    fake_plugin("ganforge-shown", FORMAT)
    registry = discover().registry

    def make(name, *settings):
        # Only a picture of five samples would fit: nothing else is said.
        tiny = [it for it in TINY if not it.startswith(("output.grid_samples", "dataset"))]
        tiny += ["dataset.name=striped", f"dataset.shown={name}"]
        layers = [from_settings([*tiny, "output.sample_every=2", *settings])]
        trainer = trainer_in(tmp_path / "run", resolve(layers, registry))
        import ganforge_shown

        return trainer, ganforge_shown.SHOWN

    return make


def test_a_format_of_another_package_makes_the_pictures_of_a_run(shown):
    trainer, seen = shown("stripes")
    trainer.train()
    assert seen == [(5, False, None, "cpu"), *[(5, True, 5, "cpu")] * 4]
    with Image.open(trainer.run.sample_grid(6)) as picture:
        assert picture.size == (40, 3)
    assert "[format" not in trainer.run.config.read_text()


def test_a_format_shows_as_many_as_are_asked_for(shown):
    trainer, seen = shown("stripes", "output.grid_samples=3")
    trainer.train()
    assert seen[1] == (3, True, 3, "cpu")


def test_a_format_that_fails_is_a_warning_and_is_left_out(shown):
    trainer, seen = shown("fragile")
    message = r"^the format 'fragile' of ganforge-shown 1.0 failed: RuntimeError: no \[2J paper; "
    with pytest.warns(UserWarning, match=message + "training goes on without pictures$") as caught:
        assert trainer.train() == "finished"
    assert len(caught) == 1
    assert len(seen) == 2
    pictures = sorted(path.name for path in trainer.run.samples.iterdir())
    assert pictures == ["00000000.png", "real.png"]
    assert trainer.run.generator.is_file()


def test_every_method_of_a_callback_may_be_left_as_it_is(tmp_path):
    callback = Callback()
    callback.started(tmp_path, 0, {})
    callback.metrics(1, {})
    callback.picture(1, torch.zeros(2, 2, 1, dtype=torch.uint8))
    callback.saved(1, tmp_path)
    callback.ended("finished")
    assert list(tmp_path.iterdir()) == []


def test_the_grid_of_a_conditional_run_has_a_row_for_each_class(make_trainer):
    trainer = make_trainer("training.conditional=true", "output.grid_samples=30")
    trainer.train()
    with Image.open(trainer.run.sample_grid(6)) as sheet:
        wide, high = sheet.size
    # Ten rows of three 8-pixel samples, beside the names of the classes.
    assert high >= 10 * 10
    assert wide > 3 * 10


def test_metrics_and_callbacks_may_change_when_a_run_is_resumed(cli, tmp_path):
    run = tmp_path / "run"
    # A run that is made longer warns of a rate that falls.
    tiny = [*(f"--set={setting}" for setting in TINY), "--learning-rate", "1e-3"]
    assert cli("train", *tiny, "--out", run, "--logger", "csv").code == 0
    answer = cli("train", "--resume", run, "--steps", 8, "--logger", "tensorboard")
    assert answer.code == 0
    assert '"callback"' in (run / "environment.json").read_text()
    text = (run / "config.toml").read_text()
    assert "[callback.tensorboard]" in text
    assert "[callback.csv]" not in text
    refused = cli("train", "--resume", run, "--steps", 9, "--loss", "bce")
    assert refused.code == 2
    assert "cannot change when resuming" in refused.text
