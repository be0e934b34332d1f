"""The mathematics of the systems in `architectures.py`, where it can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ganforge import Problem
from ganforge.engine.trainer import Trainer
from ganforge.plugin.discovery import discover
from tests.systems.architectures import SYSTEMS
from tests.systems.harness import System, Workshop

Prepare = Callable[[System], Workshop]


@pytest.fixture
def prepared(workshop: Prepare) -> Callable[[str], Workshop]:
    return lambda name: workshop(SYSTEMS[name])


def built(kind: str, name: str, problem: Problem, **options: Any) -> nn.Module:
    """A component of the plugin that is installed."""
    component = discover().registry.find(kind, name)
    torch.manual_seed(0)
    return component.build(problem, component.spec.options(**options))


def networks(trainer: Trainer) -> tuple[nn.Module, nn.Module, nn.Module]:
    """The generator, the discriminator and the average."""
    sides = trainer.assembly.training.sides
    assert sides.discriminator is not None
    assert sides.ema is not None
    return sides.generator.network, sides.discriminator.network, sides.ema.module


# StyleGAN2


def test_no_truncation_is_all_and_truncation_0_is_the_picture_of_the_mean(
    prepared: Callable[[str], Workshop],
):
    workshop = prepared("StyleGAN2")
    trained = workshop.train("run")
    _, _, average = networks(trained)
    arrays = {}
    for truncation in ("", "1", "0"):
        told = ["--truncation", truncation] if truncation else []
        answer = workshop.cli(
            "sample", trained.run.path, "--device", "cpu", "--num", 3, "--out", "a.npz", *told
        )
        assert answer.code == 0, answer.err
        with np.load("a.npz") as found:
            arrays[truncation] = torch.from_numpy(found["samples"])
    assert torch.equal(arrays[""], arrays["1"])
    assert not torch.equal(arrays["1"][0], arrays["1"][1])
    with torch.inference_mode():
        styles = average.mean_style.expand(1, average.num_styles, -1)
        mean = average.eval().synthesis(styles).clamp(-1, 1)
    assert torch.allclose(arrays["0"], mean.expand(3, -1, -1, -1), atol=1e-6)


def stylegan2(**options: Any) -> nn.Module:
    problem = Problem(sample_shape=(1, 8, 8), input_shape=(6,))
    small = {"maximum": 4, "style_size": 5, "mapping_layers": 2}
    return built("generator", "stylegan2", problem, **(small | options))


def test_the_mean_of_w_follows_what_is_mapped_in_training_alone(
    prepared: Callable[[str], Workshop],
):
    prepared("StyleGAN2")
    network, latents = stylegan2(mean_decay=0.9), torch.randn(4, 6)
    expected = 0.1 * network.mapping(latents).mean(0)
    network(latents)
    assert torch.allclose(network.mean_style, expected)
    network.eval()(latents)
    assert torch.allclose(network.mean_style, expected)


def test_mixed_styles_are_one_latents_first_and_anothers_from_some_layer_on(
    prepared: Callable[[str], Workshop],
):
    prepared("StyleGAN2")
    ones, twos = torch.ones(200, 4, 5), torch.full((200, 5), 2.0)
    always = stylegan2(mixing=1.0).mixed(ones, twos)
    assert set(map(tuple, always[:, :, 0].tolist())) == {
        (1.0, 2.0, 2.0, 2.0),
        (1.0, 1.0, 2.0, 2.0),
        (1.0, 1.0, 1.0, 2.0),
    }
    assert torch.equal(always, always[:, :, :1].expand(-1, -1, 5))
    half = stylegan2(mixing=0.5).mixed(ones, twos)
    assert 60 < int((half == 1).all(2).all(1).sum()) < 140


def test_noise_counts_as_its_strength_is_learnt(prepared: Callable[[str], Workshop]):
    prepared("StyleGAN2")
    network, latents = stylegan2(mixing=0.0), torch.randn(2, 6)
    strengths = [layer.strength for layer in network.layers]
    assert [it.item() for it in strengths] == [0.0, 0.0, 0.0]
    assert torch.equal(network(latents), network(latents))
    network(latents).square().sum().backward()
    assert all(it.grad != 0 for it in strengths)
    with torch.no_grad():
        strengths[0].fill_(1.0)
    assert not torch.equal(network(latents), network(latents))
    network.eval()
    assert torch.equal(network(latents), network(latents))


def test_path_lengths_of_a_linear_synthesis(prepared: Callable[[str], Workshop]):
    """Of images A w the length |A^T y| / √(H W) is that of the noise, mapped back."""
    prepared("StyleGAN2")
    problem = Problem(sample_shape=(1, 2, 3), input_shape=(4,))
    loss = built("loss", "path-length", problem, gamma=3.0, decay=0.9)
    loss.mean.fill_(0.5)
    matrix, styles = torch.randn(6, 4), torch.randn(5, 2, 4, requires_grad=True)
    noted: dict[str, torch.Tensor] = {}
    # The two layers of a sample count 1 and 2 times.
    images = (styles[:, 0] + 2 * styles[:, 1]) @ matrix.T
    step: Any = SimpleNamespace(
        fake=images.view(5, 1, 2, 3),
        trace={"generated.styles": styles}.get,
        progress=SimpleNamespace(value=float),
        note=noted.__setitem__,
    )
    torch.manual_seed(3)
    value = loss.generator_loss(step)
    torch.manual_seed(3)
    noise = torch.randn(5, 1, 2, 3).view(5, 6)
    lengths = ((noise @ matrix).square().sum(1) / 6 * (1 + 4) / 2).sqrt()
    assert torch.allclose(noted["lengths"], lengths)
    assert torch.allclose(value, 3 * (lengths - 0.5).square().mean())
    loss.observe(SimpleNamespace(noted=noted))
    assert torch.allclose(loss.mean, 0.9 * torch.tensor(0.5) + 0.1 * lengths.mean())
    loss.observe(SimpleNamespace(noted={}))
    assert torch.allclose(loss.mean, 0.9 * torch.tensor(0.5) + 0.1 * lengths.mean())
