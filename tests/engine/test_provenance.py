"""What made a file is written in it, and told where it is not here or not the same."""

from __future__ import annotations

import json
import shutil
import sys
import warnings
from pathlib import Path

import pytest

from ganforge.engine.circumstances import other_circumstances
from ganforge.errors import CheckpointError
from ganforge.plugin.discovery import discover
from ganforge.plugin.requirements import installation
from ganforge.plugin.specs import GeneratorSpec
from ganforge.storage import tensor_file
from ganforge.storage.provenance import major_version, record, restore, selections
from tests.conftest import Answer, Command, FakePlugin

SOURCE = """
from dataclasses import dataclass
from ganforge import CallbackSpec, GeneratorSpec, LossSpec, MetricSpec, hookimpl, option

@dataclass(frozen=True, kw_only=True)
class Options:
    width: int = option(5, help="hidden units", minimum=1)

@hookimpl
def ganforge_generators():
    yield GeneratorSpec(name="stranger", summary="s", build="ganforge_stranger:generator",
                        options=Options, discriminator="mlp")

@hookimpl
def ganforge_losses():
    yield LossSpec(name="odd", summary="s", build="ganforge_stranger:loss")

@hookimpl
def ganforge_metrics():
    yield MetricSpec(name="size", summary="s", build="ganforge_stranger:metric")

@hookimpl
def ganforge_callbacks():
    yield CallbackSpec(name="mute", summary="s", build="ganforge_stranger:callback")

def generator(problem, options):
    from math import prod
    from torch import nn
    return nn.Sequential(
        nn.Linear(problem.input_shape[0], options.width),
        nn.Linear(options.width, prod(problem.sample_shape)),
        nn.Unflatten(1, problem.sample_shape),
    )

def loss(problem, options):
    from ganforge import ScoreLoss
    class Odd(ScoreLoss):
        def discriminator(self, real_scores, fake_scores):
            return fake_scores.mean() - real_scores.mean()
        def generator(self, fake_scores):
            return -fake_scores.mean()
    return Odd()

def metric(problem, options):
    from ganforge import Metric
    class Size(Metric):
        def measure(self, evaluation):
            return {"size": float(evaluation.fake.abs().mean())}
    return Size()

def callback(problem, options):
    from ganforge import Callback
    return Callback()
"""
TRAIN = (
    *("train", "--generator=stranger", "--loss=odd", "--metric=size", "--logger=mute"),
    *("--image-size=8", "--latent-size=4", "--batch-size=8", "--steps=2", "--device=cpu"),
    # One that falls would say of every longer run that it is another one.
    "--learning-rate=0.001",
    *("--set=output.grid_samples=4", "--set=evaluation.num_samples=8"),
)


@pytest.fixture
def ganforge(cli: Command) -> Command:
    """The fixture `cli`, with warnings shown as people see them."""

    def run(*arguments: object) -> Answer:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            return cli(*arguments)

    return run


@pytest.fixture
def reinstall(fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch):
    """Install the plugin anew, in another version or with other source; None removes it."""
    sites: list[Path] = []

    def install(version: str | None = "2.5", source: str = SOURCE) -> None:
        for site in sites:
            shutil.rmtree(site)
            monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(site)])
        sites.clear()
        sys.modules.pop("ganforge_stranger", None)
        if version is not None:
            sites.append(fake_plugin("ganforge-stranger", source, version=version))

    install()
    return install


@pytest.fixture
def trained(ganforge: Command, reinstall) -> Path:
    answer = ganforge(*TRAIN, "--out=run")
    assert (answer.code, answer.err) == (0, "")
    return Path("run").resolve()


def resumed(ganforge: Command, *arguments: str) -> Answer:
    return ganforge("train", "--resume", "run", "--steps", "3", *arguments)


def test_a_checkpoint_names_every_component_its_package_and_its_version(trained: Path) -> None:
    path = trained / "checkpoints/step-00000002.safetensors"
    _, document = tensor_file.read(path, "checkpoint")
    stored = document["components"]
    version = discover(third_party=False).registry.find("sampler", "normal").plugin.version
    assert {place: (it["name"], it["package"], it["version"]) for place, it in stored.items()} == {
        "generator": ("ganforge-stranger/stranger", "ganforge-stranger", "2.5"),
        "discriminator": ("ganforge/mlp", "ganforge", version),
        "game": ("ganforge/adversarial", "ganforge", version),
        "sampler": ("ganforge/normal", "ganforge", version),
        "dataset": ("ganforge/digits", "ganforge", version),
        "generator_optimizer": ("ganforge/adam", "ganforge", version),
        "discriminator_optimizer": ("ganforge/adam", "ganforge", version),
        "loss.ganforge-stranger/odd": ("ganforge-stranger/odd", "ganforge-stranger", "2.5"),
        "metric.ganforge-stranger/size": ("ganforge-stranger/size", "ganforge-stranger", "2.5"),
        "callback.ganforge-stranger/mute": ("ganforge-stranger/mute", "ganforge-stranger", "2.5"),
    }
    assert stored["generator"]["options"] == {"width": 5}


def test_an_exported_generator_names_what_it_takes_to_sample(trained: Path) -> None:
    _, document = tensor_file.read(trained / "generator.safetensors", "generator")
    assert document["generator"] == {
        "name": "ganforge-stranger/stranger",
        "package": "ganforge-stranger",
        "version": "2.5",
        "options": {"width": 5},
    }
    assert document["sampler"]["name"] == "ganforge/normal"
    assert document["sampler"]["options"] == {"size": 4}


def test_a_run_directory_names_the_versions_of_each_session(trained: Path) -> None:
    (session,) = json.loads((trained / "environment.json").read_text())["sessions"]
    assert session["plugins"]["ganforge-stranger/stranger"] == "2.5"
    assert session["plugins"]["ganforge-stranger/mute"] == "2.5"


@pytest.mark.usefixtures("trained")
def test_sampling_without_the_plugin_says_what_to_install(ganforge: Command, reinstall) -> None:
    reinstall(None)
    for path in ("run", "run/generator.safetensors"):
        answer = ganforge("sample", path)
        assert answer.code == 1
        assert (
            "run/generator.safetensors needs the generator 'ganforge-stranger/stranger' of "
            "ganforge-stranger 2.5: pip install 'ganforge-stranger==2.5' (there is no generator"
        ) in answer.text


@pytest.mark.usefixtures("trained")
def test_resuming_without_the_plugin_says_what_to_install(ganforge: Command, reinstall) -> None:
    reinstall(None)
    answer = resumed(ganforge)
    assert answer.code == 1
    assert answer.text == (
        "Error: run was made with ganforge-stranger 2.5 (pip install 'ganforge-stranger==2.5'), "
        "which is not installed here"
    )


@pytest.mark.usefixtures("trained")
def test_a_plugin_that_is_broken_is_not_to_be_installed_but_mended(
    ganforge: Command, reinstall
) -> None:
    reinstall("2.5", "import no_such_package")
    answer = resumed(ganforge)
    assert answer.code == 2
    assert "it needs the module 'no_such_package', which is not installed" in answer.text
    assert "pip install 'ganforge-stranger" not in answer.text


@pytest.mark.usefixtures("trained")
def test_another_version_is_a_warning(ganforge: Command, reinstall) -> None:
    reinstall("2.6")
    warning = "was made with ganforge-stranger 2.5; 2.6 is installed"
    sampled = ganforge("sample", "run", "--num", "2")
    assert sampled.code == 0
    assert f"Warning: run/generator.safetensors {warning}" in sampled.text
    again = resumed(ganforge)
    assert again.code == 0
    assert f"Warning: run {warning}" in again.text


@pytest.mark.usefixtures("trained")
def test_the_same_version_is_no_warning_and_neither_is_what_is_new(ganforge: Command) -> None:
    assert ganforge("sample", "run", "--num", "2").err == ""
    assert resumed(ganforge).err == ""
    added = ganforge("train", "--resume", "run", "--steps", "4", "--logger", "csv")
    assert (added.code, added.err) == (0, "")


WIDER = SOURCE.replace("nn.Linear(problem.input_shape[0], options.width),", "") + (
    "\n_generator = generator\n"
    "def generator(problem, options):\n"
    "    from torch import nn\n"
    "    (latents,) = problem.input_shape\n"
    "    layers = [nn.Linear(latents, 7), nn.Linear(7, options.width)]\n"
    "    return nn.Sequential(*layers, *_generator(problem, options))\n"
)


@pytest.mark.usefixtures("trained")
def test_state_that_does_not_fit_names_the_first_entry_that_differs(
    ganforge: Command, reinstall
) -> None:
    reinstall("3.0", WIDER)
    sampled = ganforge("sample", "run")
    assert sampled.code == 1
    assert "was made with ganforge-stranger 2.5; 3.0 is installed" in sampled.text
    first = "and nothing was loaded: generator/0.weight is [5, 4] and should be [7, 4]"
    assert first in sampled.text
    again = resumed(ganforge, "--allow-versions")
    assert again.code == 1
    assert first in again.text
    assert "run was made with ganforge-stranger 2.5; 3.0 is installed" in again.text


@pytest.mark.usefixtures("trained")
def test_another_major_version_is_refused_unless_it_is_allowed_on_record(
    ganforge: Command, reinstall
) -> None:
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    reinstall("3.0")
    refused = resumed(ganforge)
    assert refused.code == 1
    assert (
        "run was trained with another major version of ganforge-stranger 2.5 -> 3.0, and nothing "
        "was loaded. `pip install 'ganforge-stranger==2.5'` brings back" in refused.text
    )
    assert {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()} == before
    allowed = resumed(ganforge, "--allow-versions")
    assert allowed.code == 0
    assert "ganforge-stranger 2.5; 3.0 is installed, which is another major" in allowed.text
    sessions = json.loads(Path("run/environment.json").read_text())["sessions"]
    assert sessions[-1]["allowed"] == ["versions"]
    assert sessions[-1]["plugins"]["ganforge-stranger/stranger"] == "3.0"
    again = ganforge("train", "--resume", "run", "--steps", "4")
    assert (again.code, again.err) == (0, "")  # its checkpoint is of 3.0 now


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ("1.2", "1.9.3", True),
        ("1.0", "2.0", False),
        ("2.0", "1.9", False),
        ("0.1.0", "0.2.0", True),
        ("1!1.0", "1.1", True),
        ("2.0rc1", "2.0", True),
        ("unknown", "unknown", True),
        ("unknown", "1.0", False),
        ("10.0", "1.0", False),
    ],
)
def test_the_major_version_is_the_first_number(before: str, now: str, same: bool) -> None:
    assert (major_version(before) == major_version(now)) is same


def test_other_threads_and_another_torch_are_said() -> None:
    now = {"device": "cpu (2 threads)", "threads": 2, "torch": "2.9.0"}
    before = {"device": "cpu (1 thread)", "threads": 1, "torch": "2.8.0"}
    threads, torch = other_circumstances([{}, before], now)
    assert threads == (
        "the run was trained on 1 thread so far, and goes on on 2 threads: sums are added in "
        "another order, so its last bits differ from those of a run that was never stopped; "
        "OMP_NUM_THREADS=1 keeps them"
    )
    assert torch.startswith("the run was trained with torch 2.8.0 so far, and goes on with 2.9.0")
    assert [*other_circumstances([now], now)] == []
    on_gpu = {**before, "device": "cuda:0 (some card)", "torch": "2.9.0"}
    assert [*other_circumstances([on_gpu], now)] == []
    for damaged in ([], [None], [{"threads": "many", "torch": 3}], ["sessions"]):
        assert [*other_circumstances(damaged, now)] == []


@pytest.mark.usefixtures("trained")
def test_options_that_the_other_version_does_not_have_are_an_error(
    ganforge: Command, reinstall
) -> None:
    reinstall("3.0", SOURCE.replace("width", "hidden"))
    answer = ganforge("sample", "run")
    assert answer.code == 1
    assert (
        "was made with ganforge-stranger 2.5, whose generator 'ganforge-stranger/stranger' had "
        "other options than ganforge-stranger 3.0 has: unknown option 'width'"
    ) in answer.text


def test_a_record_leads_back_to_the_component_and_its_options(make_config, registry) -> None:
    falling = "generator_optimizer.learning_rate={from=1e-3,to=0,until_images=800,shape='cosine'}"
    config = make_config("generator.name=mlp", "generator.hidden=[3,4]", falling)
    for selection in selections(config).values():
        stored = json.loads(json.dumps(record(selection)))
        restored = restore(selection.component.kind, stored, registry, "here")
        assert restored.component is selection.component
        assert restored.options == selection.options


def test_a_file_cannot_put_a_command_into_the_advice(registry) -> None:
    stored = {"name": "x/y", "package": "x'; rm -rf '", "version": "1\x1b[2J"}
    with pytest.raises(CheckpointError) as caught:
        restore(GeneratorSpec, stored, registry, "here")
    assert "pip install" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("package", "version", "command"),
    [
        ("ganforge-x", "1.0rc1", "pip install 'ganforge-x==1.0rc1'"),
        ("a.b_c", "1!2.0+local", "pip install 'a.b_c==1!2.0+local'"),
        ("unknown package", "1", ""),
        ("-e", "1", ""),
        ("x", "unknown", ""),
        ("x", "1' --index-url 'http://evil", ""),
    ],
)
def test_a_command_holds_a_name_and_a_version_or_is_not_given(
    package: str, version: str, command: str
) -> None:
    assert installation(package, version) == command
