"""The bundled networks: shapes, initialisation, and the rewritten layers against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import ganforge_dcgan
import ganforge_mlp
from ganforge import Problem
from ganforge_dcgan import networks as dcgan
from ganforge_dcgan.image_layers import ToImage
from ganforge_mlp import networks as mlp


def problem(*shape: int, latents: int = 5) -> Problem:
    return Problem(sample_shape=shape, input_shape=(latents,))


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_dcgan_makes_and_scores_images_of_every_size(size, channels):
    shape = (channels, size, size)
    generator = dcgan.Generator(problem(*shape), ganforge_dcgan.GeneratorOptions(width=2))
    discriminator = dcgan.Discriminator(
        problem(*shape), ganforge_dcgan.DiscriminatorOptions(width=2)
    )
    images = generator(torch.randn(3, 5))
    assert images.shape == (3, *shape)
    assert images.abs().max() <= 1
    assert discriminator(images).shape == (3,)
    strided = [layer for layer in discriminator.layers if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in strided] == [2 * 2**n for n in range(len(strided))]
    assert size // 2 ** len(strided) == 4


def test_dcgan_is_initialised_as_in_the_paper():
    torch.manual_seed(0)
    generator = dcgan.Generator(problem(1, 32, 32, latents=100), ganforge_dcgan.GeneratorOptions())
    assert generator.project.weight.std().item() == pytest.approx(0.02, rel=0.05)
    for layer in generator.layers:
        if isinstance(layer, nn.ConvTranspose2d):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
            assert layer.bias is None or (layer.bias == 0).all()
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.weight.mean().item() == pytest.approx(1.0, abs=0.02)
            assert 0.005 < layer.weight.std().item() < 0.04
            assert (layer.bias == 0).all()


def test_the_first_layer_of_the_dcgan_discriminator_is_not_normalised():
    network = dcgan.Discriminator(problem(3, 64, 64), ganforge_dcgan.DiscriminatorOptions())
    kinds = [type(layer).__name__ for layer in network.layers[:4]]
    assert kinds == ["Conv2d", "LeakyReLU", "Conv2d", "BatchNorm2d"]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_layer_before_the_image_is_the_convolution_that_it_derives_from(channels):
    """Values, gradients, and the gradient of a gradient, in float64."""
    torch.manual_seed(0)
    layer = ToImage(6, channels).double().to(memory_format=torch.channels_last)
    features = torch.randn(2, 6, 8, 8, dtype=torch.float64)
    results = []
    for forward in (layer.forward, lambda x: nn.ConvTranspose2d.forward(layer, x)):
        inputs = features.clone().requires_grad_()
        output = forward(inputs)
        (gradient,) = torch.autograd.grad(output.square().sum(), inputs, create_graph=True)
        second = torch.autograd.grad(gradient.square().sum(), [inputs, layer.weight, layer.bias])
        results.append((output, gradient, *second))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 4, 6), (2,)])
def test_mlp_makes_and_scores_images_and_vectors(shape):
    options = ganforge_mlp.GeneratorOptions(hidden=(7, 9))
    generator = mlp.Generator(problem(*shape), options)
    discriminator = mlp.Discriminator(problem(*shape), ganforge_mlp.DiscriminatorOptions())
    samples = generator(100 * torch.randn(4, 5))
    assert samples.shape == (4, *shape)
    assert (samples.abs().max() <= 1) == (len(shape) == 3)
    assert discriminator(samples).shape == (4,)
    sizes = [layer.out_features for layer in generator.layers if isinstance(layer, nn.Linear)]
    assert sizes[:2] == [7, 9]
