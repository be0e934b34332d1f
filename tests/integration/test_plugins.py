"""Third-party components under the engine: a good one trains, a bad one is named."""

from __future__ import annotations

import json

import numpy
import pytest

from .conftest import TINY

GENERATOR = """
from dataclasses import dataclass
from ganforge import GeneratorSpec, hookimpl, option

@dataclass(frozen=True, kw_only=True)
class Options:
    depth: int = option(1, help="hidden layers", minimum=0)

@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="stranger", summary="A generator from outside", build="ganforge_stranger:build",
        options=Options, discriminator="mlp",
    )

def build(problem, options):
    import math
    from torch import nn
    width = problem.input_shape[0]
    hidden = [layer for _ in range(options.depth) for layer in (nn.Linear(width, width), nn.ReLU())]
    return nn.Sequential(
        *hidden, nn.Linear(width, math.prod(problem.sample_shape)), nn.Tanh(),
        nn.Unflatten(1, problem.sample_shape),
    )
"""


def test_one_file_and_one_entry_point_add_a_generator_that_trains(ganforge, fake_plugin, tmp_path):
    fake_plugin("ganforge-stranger", GENERATOR, version="2.5")
    arguments = ["--image-size", "8", "--batch-size", "8", "--steps", "3", "--device", "cpu"]
    answer = ganforge(
        "train",
        "--generator",
        "stranger",
        "--set",
        "generator.depth=2",
        *arguments,
        "--out",
        "run",
    )
    assert (answer.code, answer.err) == (0, "")
    assert 'name = "ganforge-stranger/stranger"' in (tmp_path / "run/config.toml").read_text()
    assert ganforge("sample", "run", "--num", "4").code == 0
    listing = json.loads(ganforge("list-plugins", "--json").out)
    (record,) = [r for r in listing if r["package"] == "ganforge-stranger"]
    assert (record["version"], record["status"]) == ("2.5", "active")
    assert record["components"][0]["name"] == "stranger"


def test_a_generator_whose_plugin_is_gone_says_what_to_install(ganforge, fake_plugin, monkeypatch):
    site = fake_plugin("ganforge-stranger", GENERATOR, version="2.5")
    arguments = ["--image-size", "8", "--batch-size", "8", "--steps", "2", "--device", "cpu"]
    ganforge("train", "--generator", "stranger", *arguments, "--out", "run")
    import sys

    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(site)])
    answer = ganforge("sample", "run")
    assert answer.code == 1
    assert "pip install 'ganforge-stranger==2.5'" in answer.err


LOSS = """
from ganforge import LossSpec, hookimpl

@hookimpl
def ganforge_losses():
    yield LossSpec(name="odd", summary="An odd loss", build="ganforge_odd:build")

def build(problem, options):
    import torch
    from ganforge import ScoreLoss

    class Odd(ScoreLoss):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

        def discriminator(self, real_scores, fake_scores):
            self.calls += 1
            {body}
            return fake_scores.mean() - real_scores.mean()

        def generator(self, fake_scores):
            return -fake_scores.mean()

    return Odd()
"""


def odd_loss(body: str) -> str:
    return LOSS.replace("{body}", body)


def test_a_loss_that_becomes_nan_stops_the_run_with_everything_named(
    ganforge, fake_plugin, tmp_path
):
    fake_plugin(
        "ganforge-odd", odd_loss("if self.calls == 17: return fake_scores.mean() * float('nan')")
    )
    answer = ganforge(
        "train",
        *TINY,
        "--loss",
        "odd",
        "--steps",
        "30",
        "--out",
        "run",
        "--set",
        "output.checkpoint_every=5",
    )
    assert answer.code == 1
    text = answer.text
    assert "the loss 'ganforge-odd/odd' of ganforge-odd 1.0 became NaN or infinite" in text
    assert "the discriminator's update of step 17" in text
    assert "run/checkpoints/step-00000015.safetensors" in text
    assert json.loads((tmp_path / "run/status.json").read_text())["state"] == "failed"


def test_the_state_of_a_loss_is_resumed(ganforge, fake_plugin, tmp_path):
    import safetensors.torch

    fake_plugin("ganforge-odd", odd_loss("pass"))
    ganforge("train", *TINY, "--loss", "odd", "--steps", "3", "--out", "run")
    ganforge("train", "--resume", "run", "--steps", "5")
    tensors = safetensors.torch.load_file(tmp_path / "run/checkpoints/step-00000005.safetensors")
    assert tensors["loss/ganforge-odd/odd/calls"].item() == 5


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "return None",
            "must return a scalar tensor for the discriminator, not None; its spec says that it "
            "trains the discriminator",
        ),
        ("return real_scores", "must return a scalar tensor for the discriminator, not [8]"),
        ("return 'x'", "must return a scalar tensor for the discriminator, not 'x'"),
        ("return fake_scores.mean().detach()", "does not depend on its weights"),
        (
            "raise ValueError('oh no')",
            "the loss 'odd' of ganforge-odd 1.0 failed in the discriminator's update of step 1: "
            "ValueError: oh no",
        ),
    ],
)
def test_a_loss_that_breaks_its_contract_is_named(ganforge, fake_plugin, body, message):
    fake_plugin("ganforge-odd", odd_loss(body))
    answer = ganforge("train", *TINY, "--loss", "odd", "--steps", "2", "--out", "run")
    assert answer.code == 1
    assert message in answer.text
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise RuntimeError('no weights')", "could not be built: RuntimeError: no weights"),
        ("return 3", "must build a torch.nn.Module, not int"),
        ("return nn.Flatten()", "has no parameters to train"),
        ("return nn.Linear(4, 7)", "must give samples of shape [B, 1, 8, 8], float32, not"),
        ("return nn.Linear(5, 64)", "fails on a batch of two: RuntimeError"),
    ],
)
def test_a_generator_that_breaks_its_contract_is_named_before_training(
    ganforge, fake_plugin, tmp_path, body, message
):
    head = GENERATOR[: GENERATOR.index("def build")]
    source = f"{head}\ndef build(problem, options):\n    from torch import nn\n    {body}\n"
    fake_plugin("ganforge-stranger", source)
    answer = ganforge(
        "train",
        "--generator",
        "stranger",
        "--image-size",
        "8",
        "--latent-size",
        "4",
        "--device",
        "cpu",
        "--out",
        "run",
    )
    assert answer.code == 1
    assert message in answer.text
    assert "ganforge-stranger 1.0" in answer.err or "network Flatten" in answer.err
    assert not (tmp_path / "run").exists()


CONDITIONAL = """
from ganforge import DiscriminatorSpec, GeneratorSpec, hookimpl

@hookimpl
def ganforge_generators():
    yield GeneratorSpec(name="labelled", summary="s", build="ganforge_labelled:Generator",
                        discriminator="labelled", conditions=("label",))

@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(name="labelled", summary="s", conditions=("label",),
                            build="ganforge_labelled:Discriminator")

def __getattr__(name):
    import torch
    from torch import nn

    class Generator(nn.Module):
        def __init__(self, problem, options):
            super().__init__()
            assert problem.num_classes == 10
            self.classes = nn.Embedding(10, 4)
            self.linear = nn.Linear(8, 64)
        def forward(self, inputs, *, label):
            joined = torch.cat([inputs, self.classes(label)], 1)
            return self.linear(joined).tanh().view(-1, 1, 8, 8)

    class Discriminator(nn.Module):
        def __init__(self, problem, options):
            super().__init__()
            self.linear = nn.Linear(64, 10)
        def forward(self, samples, *, label):
            return self.linear(samples.flatten(1)).gather(1, label[:, None])[:, 0]

    try:
        return {"Generator": Generator, "Discriminator": Discriminator}[name]
    except KeyError:
        raise AttributeError(name) from None
"""


def test_a_conditional_run_gets_labels_and_samples_with_them(ganforge, fake_plugin):
    fake_plugin("ganforge-labelled", CONDITIONAL)
    answer = ganforge(
        "train",
        "--generator",
        "labelled",
        "--conditional",
        "--image-size",
        "8",
        "--latent-size",
        "4",
        "--steps",
        "3",
        "--device",
        "cpu",
        "--out",
        "run",
    )
    assert (answer.code, answer.err) == (0, "")
    assert ganforge("sample", "run", "--num", "100", "--out", "a.npz").code == 0
    with numpy.load("a.npz") as arrays:
        assert arrays["samples"].shape == (100, 1, 8, 8)
        assert sorted(set(arrays["labels"].tolist())) == list(range(10))


VECTORS = """
from ganforge import DatasetSpec, Field, hookimpl

@hookimpl
def ganforge_datasets():
    yield DatasetSpec(name="line", summary="Points on a line", build="ganforge_line:build",
                      fields=lambda options: {"sample": Field(kind="vector", shape=(2,))})

def build(problem, options):
    import torch
    from ganforge import Batch, EndlessDataset

    class Line(EndlessDataset):
        def draw(self, n, generator):
            x = torch.rand(n, 1, generator=generator, device=generator.device)
            return Batch(torch.cat([x, 2 * x], 1))

    return Line()
"""


def test_vectors_from_an_endless_set_train_an_mlp(ganforge, fake_plugin, tmp_path):
    fake_plugin("ganforge-line", VECTORS)
    base = ["train", "--generator", "mlp", "--dataset", "line", "--device", "cpu"]
    answer = ganforge(*base, "--steps", "3", "--out", "run")
    assert (answer.code, answer.err) == (0, "")
    pictures = sorted(path.name for path in (tmp_path / "run/samples").iterdir())
    assert pictures == ["00000000.png", "00000003.png", "real.png"]
    assert "  ganforge sample run\n" in answer.out
    assert ganforge("sample", "run", "--num", "5", "--out", "a.npz").code == 0
    assert numpy.load("a.npz")["samples"].shape == (5, 2)
    assert ganforge("sample", "run", "--num", "5").code == 0
    assert (tmp_path / "run/samples.png").stat().st_size > 1000
    epochs = ganforge(*base, "--epochs", "1", "--out", "other")
    assert epochs.code == 2
    assert "an endless data set has no epochs" in epochs.err
    dcgan = ganforge("train", "--dataset", "line", "--out", "other")
    assert dcgan.code == 2
    assert "handles images only, not vectors" in dcgan.err
