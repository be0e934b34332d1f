"""What the components compute, in numbers."""

from __future__ import annotations

from typing import Any

import ganforge_example
import pytest
import torch
from ganforge_example.losses import RelativisticAverage
from ganforge_example.networks import Discriminator, Generator, pyramid
from ganforge_example.samplers import GaussianMixture
from torch.nn.functional import logsigmoid

from ganforge import Problem, Step

PROBLEM = Problem(sample_shape=(3, 16, 16), input_shape=(5,), num_classes=4)


class Scored(Step):
    """A step whose scores are given."""

    real_scores = torch.tensor([2.0, -1.0, 0.5])
    fake_scores = torch.tensor([0.0, 1.5, -3.0])

    def __init__(self) -> None:
        """Nothing was drawn, for the loss reads nothing else."""


def test_the_loss_is_that_of_the_paper() -> None:
    step, loss = Scored(), RelativisticAverage()
    real = step.real_scores - step.fake_scores.mean()
    fake = step.fake_scores - step.real_scores.mean()
    # sigmoid(real) is D̄(x), and 1 - sigmoid(fake) is sigmoid(-fake)
    expected = -(logsigmoid(real).mean() + logsigmoid(-fake).mean())
    assert loss.discriminator_loss(step).item() == pytest.approx(expected.item(), rel=1e-6)
    expected = -(logsigmoid(fake).mean() + logsigmoid(-real).mean())
    assert loss.generator_loss(step).item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_latents_have_the_modes_of_the_options() -> None:
    options = ganforge_example.SamplerOptions(size=3, num_modes=5, radius=40.0)
    sampler = GaussianMixture(PROBLEM, options)
    latents = sampler.latents(20_000, torch.Generator().manual_seed(0))
    modes = torch.tensor([[40, 0, 0], [-40, 0, 0], [0, 40, 0], [0, -40, 0], [0, 0, 40.0]])
    nearest = torch.cdist(latents, modes).argmin(1)
    assert nearest.bincount(minlength=5).tolist() == pytest.approx([4000] * 5, rel=0.05)
    for number, mode in enumerate(modes):
        members = latents[nearest == number]
        assert members.mean(0) == pytest.approx(mode, abs=0.1)
        assert members.std(0) == pytest.approx(torch.ones(3), abs=0.05)


def test_more_modes_than_half_axes_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"num_modes = 7 is more than 2 x size = 6"):
        ganforge_example.SamplerOptions(size=3, num_modes=7)


def test_the_widths_double_up_to_the_limit() -> None:
    assert pyramid(8, 6, 100) == [6, 12]
    assert pyramid(64, 32, 256) == [32, 64, 128, 256, 256]


def test_spectral_norm_bounds_every_layer_of_the_discriminator() -> None:
    torch.manual_seed(0)
    options = ganforge_example.DiscriminatorOptions(width=8, spectral_norm=True)
    network = Discriminator(PROBLEM, options)
    samples, labels = torch.randn(4, 3, 16, 16), torch.arange(4)
    for _ in range(50):  # each forward in training is one iteration towards the singular value
        network(samples, label=labels)
    network.eval()
    weights: list[Any] = [it.weight for it in network.modules() if hasattr(it, "parametrizations")]
    assert len(weights) == 3 * 3 + 2
    for weight in weights:
        largest = torch.linalg.matrix_norm(weight.flatten(1), 2).item()
        assert largest == pytest.approx(1.0, abs=0.02)


def test_the_class_changes_the_image_and_the_score() -> None:
    torch.manual_seed(0)
    generator = Generator(PROBLEM, ganforge_example.GeneratorOptions(width=8))
    critic = Discriminator(PROBLEM, ganforge_example.DiscriminatorOptions(width=8))
    latents, labels = torch.randn(2, 5).repeat(2, 1), torch.tensor([0, 1, 2, 3])
    images = generator.eval()(latents, label=labels)
    assert images.shape == (4, 3, 16, 16)
    assert (images[:2] - images[2:]).abs().max() > 0.001
    same = images[:1].expand(4, -1, -1, -1)
    assert critic(same, label=labels).unique().numel() == 4
