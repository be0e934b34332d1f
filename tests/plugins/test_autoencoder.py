"""The autoencoders: the shape comes back exactly, and what passes through the code."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ganforge import Problem
from ganforge.nn import PatchesToImage, ToImage
from ganforge_autoencoder import AdversarialOptions, AutoencoderOptions, ganforge_generators
from ganforge_autoencoder.convolutions import Decoder, Encoder, grids
from ganforge_autoencoder.networks import AdversarialAutoencoder, Autoencoder


def images_problem(*shape: int, inputs: tuple[int, ...] | None = None) -> Problem:
    return Problem(sample_shape=shape, input_shape=inputs or shape)


def codes_problem(*shape: int, classes: int | None = None) -> Problem:
    return Problem(sample_shape=shape, input_shape=(6,), num_classes=classes)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(8, 40),
    width=st.integers(8, 40),
    channels=st.sampled_from([1, 3]),
    depth=st.integers(1, 3),
    skips=st.booleans(),
    bottleneck=st.none() | st.integers(1, 5),
)
def test_an_image_comes_back_in_its_own_shape(height, width, channels, depth, skips, bottleneck):
    options = AutoencoderOptions(
        widths=(2, 3, 4)[:depth],
        skip_connections=skips and bottleneck is None,
        bottleneck=bottleneck,
    )
    shape = (channels, height, width)
    images = Autoencoder(images_problem(*shape), options)(torch.randn(2, *shape))
    assert images.shape == (2, *shape)
    assert images.abs().max() <= 1


def test_sides_are_halved_upwards_and_the_way_back_passes_the_same_ones():
    assert grids((28, 9), 3) == [(28, 9), (14, 5), (7, 3), (4, 2)]
    encoded = Encoder(1, (28, 28), (2, 3, 4))(torch.randn(1, 1, 28, 28))
    assert [tuple(it.shape[1:]) for it in encoded] == [(2, 14, 14), (3, 7, 7), (4, 4, 4)]
    grid, back = encoded[-1], []
    for stage in Decoder(1, (28, 28), (2, 3, 4)).stages:
        grid = stage(grid)
        back.append(tuple(grid.shape[1:]))
    assert back == [(3, 7, 7), (2, 14, 14), (1, 28, 28)]


def test_more_halvings_than_the_image_has_are_refused():
    with pytest.raises(ValueError, match="8 x 8 can be halved 3 times, and widths has 4 numbers"):
        Autoencoder(images_problem(1, 8, 8), AutoencoderOptions(widths=(2, 2, 2, 2)))


@pytest.mark.parametrize("sides", [(8, 12), (9, 12), (9, 13)])
@pytest.mark.parametrize(("channels", "layer"), [(1, PatchesToImage), (3, ToImage)])
def test_the_layer_before_the_image_is_the_quick_one_for_its_channels(sides, channels, layer):
    before = Decoder(channels, sides, (6,)).stages[0][0]
    assert type(before) is layer
    assert before(torch.randn(2, 6, *grids(sides, 1)[1])).shape == (2, channels, *sides)


def test_a_bottleneck_is_a_vector_that_the_whole_image_passes():
    options = AutoencoderOptions(widths=(2, 3), bottleneck=7)
    network = Autoencoder(images_problem(1, 9, 12), options).eval()
    seen = []
    network.bottleneck[0].register_forward_hook(lambda *call: seen.append(call[-1].shape))
    images = network(torch.randn(5, 1, 9, 12))
    assert seen == [(5, 7)]
    assert images.shape == (5, 1, 9, 12)


def test_skip_connections_lead_past_the_code():
    """With the code set to zero a U-Net still sees its input, and the plain network does not."""
    images = torch.randn(2, 1, 16, 16)
    for skips in (False, True):
        options = AutoencoderOptions(widths=(2, 3), skip_connections=skips)
        network = Autoencoder(images_problem(1, 16, 16), options).eval()
        network.bottleneck.register_forward_hook(lambda *call: torch.zeros_like(call[-1]))
        first, second = network(images)
        assert torch.equal(first, second) != skips


def test_a_bottleneck_beside_skip_connections_is_refused():
    with pytest.raises(ValueError, match="lead past a bottleneck"):
        AutoencoderOptions(bottleneck=3, skip_connections=True)


@pytest.mark.parametrize("options", [AutoencoderOptions, AdversarialOptions])
def test_at_least_one_convolution_is_needed(options):
    with pytest.raises(ValueError, match="widths is empty"):
        options(widths=())


def test_dropout_acts_in_the_decoder_and_in_training_alone():
    options = AutoencoderOptions(widths=(2, 3, 4), dropout=0.5)
    network = Autoencoder(images_problem(1, 16, 16), options)
    rates = [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)]
    assert rates == [0.5, 0.5]
    images = torch.randn(2, 1, 16, 16)
    assert not torch.equal(network(images), network(images))
    network.eval()
    assert torch.equal(network(images), network(images))


def test_inputs_may_have_other_channels_than_samples_but_no_other_sides():
    options = AutoencoderOptions(widths=(2,))
    network = Autoencoder(images_problem(3, 8, 8, inputs=(1, 8, 8)), options)
    assert network(torch.randn(2, 1, 8, 8)).shape == (2, 3, 8, 8)
    with pytest.raises(ValueError, match="1 x 16 x 8 do not have the sides of the samples, 8 x 8"):
        Autoencoder(images_problem(1, 8, 8, inputs=(1, 16, 8)), options)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 11, 8)])
def test_the_adversarial_autoencoder_decodes_and_encodes(shape):
    network = AdversarialAutoencoder(codes_problem(*shape), AdversarialOptions(widths=(2, 3)))
    images = network(torch.randn(4, 6))
    assert images.shape == (4, *shape)
    assert images.abs().max() <= 1
    assert network.encode(images).shape == (4, 6)


def test_the_decoder_hears_the_label_and_the_encoder_does_not():
    problem = codes_problem(1, 8, 8, classes=3)
    network = AdversarialAutoencoder(problem, AdversarialOptions(widths=(2, 3))).eval()
    codes = torch.randn(1, 6).expand(3, 6)
    first, second, third = network(codes, label=torch.tensor([0, 1, 1]))
    assert not torch.equal(first, second)
    assert torch.equal(second, third)
    images = torch.randn(3, 1, 8, 8)
    labels = torch.tensor([2, 0, 1])
    assert torch.equal(network.encode(images, label=labels), network.encode(images))


def test_codes_reconstruct_what_was_encoded_after_a_little_training():
    """Two images, told apart through two numbers each."""
    torch.manual_seed(0)
    problem = Problem(sample_shape=(1, 8, 8), input_shape=(2,))
    network = AdversarialAutoencoder(problem, AdversarialOptions(widths=(8, 16)))
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    images = torch.where(torch.rand(2, 1, 8, 8) > 0.5, 1.0, -1.0)
    for _ in range(60):
        optimizer.zero_grad()
        error = (network(network.encode(images)) - images).abs().mean()
        error.backward()
        optimizer.step()
    assert error.item() < 0.1


def test_what_the_specs_say():
    plain, adversarial = ganforge_generators()
    assert (plain.inputs, plain.sampler, plain.discriminator) == ("image", "reconstruct", None)
    assert (plain.methods, plain.conditions, plain.game) == ((), (), "adversarial")
    assert (adversarial.inputs, adversarial.sampler) == ("latents", "normal")
    assert (adversarial.discriminator, adversarial.game) == ("mlp", "autoencoder")
    assert (adversarial.methods, adversarial.conditions) == (("encode",), ("label",))
