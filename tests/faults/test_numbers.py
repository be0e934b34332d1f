"""A loss that gives NaN at a step: named with its term, before any update, and never saved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ganforge.storage import tensor_file
from tests.conftest import Command, FakePlugin

from .conftest import T

PLUGIN = """
from ganforge import LossSpec, hookimpl


@hookimpl
def ganforge_losses():
    for name in ("loss", "gradient"):
        yield LossSpec(name=f"bad-{name}", summary="s", build=f"ganforge_bad:{name}")
    yield LossSpec(name="bad-penalty", summary="s", build="ganforge_bad:penalty",
                   trains=("discriminator",))


def build(kind):
    import torch
    from ganforge import Loss

    class Bad(Loss):
        def __init__(self):
            super().__init__()
            self.register_buffer("steps", torch.zeros(()))

        def worse(self, value):
            # Updates, of one side or of both.
            if self.steps != (16 if kind == "penalty" else 32):
                return value
            if kind == "loss":
                return value * float("nan")
            if kind == "penalty":
                return value * float("inf")
            return value + (value - value.detach()).abs().sqrt()  # 0, with a slope of inf * 0

        def discriminator_loss(self, step):
            return self.worse(step.fake_scores.mean() - step.real_scores.mean())

        def generator_loss(self, step):
            return -step.fake_scores.mean()

        def observe(self, observed):
            self.steps += 1

    return Bad()


def loss(problem, options):
    return build("loss")


def gradient(problem, options):
    return build("gradient")


def penalty(problem, options):
    found = build("penalty")
    found.generator_loss = lambda step: None
    return found
"""


@pytest.mark.parametrize(
    "losses", [("bad-loss",), ("bad-gradient",), ("nonsat", "bad-penalty")], ids=lambda it: it[-1]
)
def test_the_step_and_the_term_are_named_and_what_is_saved_is_finite(
    cli: Command, fake_plugin: FakePlugin, losses: tuple[str, ...]
) -> None:
    fake_plugin("ganforge-bad", PLUGIN)
    chosen = [word for name in losses for word in ("--loss", name)]
    answer = cli(*T, *chosen, "--no-companions", "--out", "run")
    assert answer.code == 1
    assert "step 17" in answer.text
    assert f"'{losses[-1]}'" in answer.text or losses[-1] in answer.text
    assert "the last good checkpoint is run/checkpoints/step-00000015.safetensors" in answer.text
    tensors, _ = tensor_file.read(Path("run/checkpoints/step-00000015.safetensors"), "checkpoint")
    assert all(torch.isfinite(it).all() for it in tensors.values() if it.is_floating_point())
    status = json.loads(Path("run/status.json").read_text())
    assert (status["state"], status["step"]) == ("failed", 16)
