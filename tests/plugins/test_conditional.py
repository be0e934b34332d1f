"""The conditional networks: what the label reaches, and the layers against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganforge import Problem
from ganforge.nn import PatchesToImage, ToImage
from ganforge_conditional import DiscriminatorOptions, GeneratorOptions, ganforge_discriminators
from ganforge_conditional.discriminator import Discriminator
from ganforge_conditional.generator import Generator
from ganforge_conditional.labels import dense_labels

CLASSES = 5


def problem(*shape: int) -> Problem:
    return Problem(sample_shape=shape, input_shape=(6,), num_classes=CLASSES)


@pytest.mark.parametrize("encoding", ["embedding", "dense"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 8, 12), (4, 20, 16)])
def test_the_generator_makes_images_of_every_multiple_of_four(encoding, shape):
    options = GeneratorOptions(width=2, label_encoding=encoding, label_size=4)
    images = Generator(problem(*shape), options)(torch.randn(3, 6), label=torch.tensor([0, 4, 2]))
    assert images.shape == (3, *shape)
    assert images.abs().max() <= 1


@pytest.mark.parametrize("encoding", ["embedding", "dense"])
def test_the_label_changes_the_image(encoding):
    options = GeneratorOptions(width=2, label_encoding=encoding)
    generator = Generator(problem(1, 8, 8), options).eval()
    images = generator(torch.randn(1, 6).expand(CLASSES, 6), label=torch.arange(CLASSES))
    distances = torch.cdist(images.flatten(1), images.flatten(1))
    assert (distances + torch.eye(CLASSES) > 1e-3).all()


def test_dense_labels_go_through_layers_of_half_the_size_and_the_size():
    generator = Generator(problem(1, 8, 8), GeneratorOptions(label_encoding="dense"))
    layers = [layer for layer in generator.encode_label if isinstance(layer, nn.Linear)]
    sizes = [(layer.in_features, layer.out_features) for layer in layers]
    assert sizes == [(CLASSES, 32), (32, 64)]


@pytest.mark.parametrize(("channels", "layer"), [(1, PatchesToImage), (3, ToImage)])
def test_the_layer_before_the_image_is_the_quick_one_for_its_channels(channels, layer):
    generator = Generator(problem(channels, 8, 12), GeneratorOptions())
    assert type(generator.layers[-2]) is layer


@pytest.mark.parametrize("joining", ["projection", "concatenation"])
@pytest.mark.parametrize("normalisation", ["none", "batch"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 9, 14)])
def test_the_discriminator_scores_images_of_any_size(joining, normalisation, shape):
    options = DiscriminatorOptions(
        widths=(2, 3), hidden=4, joining=joining, normalisation=normalisation
    )
    scores = Discriminator(problem(*shape), options)(
        torch.randn(3, *shape), label=torch.tensor([0, 4, 2])
    )
    assert scores.shape == (3,)


def test_a_side_is_halved_upwards():
    network = Discriminator(problem(1, 28, 28), DiscriminatorOptions())
    sides, features = [], torch.randn(1, 1, 28, 28)
    for layer in network.layers:
        features = layer(features)
        if isinstance(layer, nn.Conv2d):
            sides.append(tuple(features.shape[1:]))
    assert sides == [(32, 14, 14), (64, 7, 7), (96, 4, 4)]


@pytest.mark.parametrize("joining", ["projection", "concatenation"])
def test_the_label_changes_the_score(joining):
    network = Discriminator(problem(1, 8, 8), DiscriminatorOptions(joining=joining))
    images = torch.randn(1, 1, 8, 8).expand(CLASSES, 1, 8, 8)
    scores = network(images, label=torch.arange(CLASSES))
    assert len(set(scores.tolist())) == CLASSES


def test_the_projection_is_an_inner_product_with_the_vector_of_the_class():
    torch.manual_seed(0)
    network = Discriminator(problem(1, 8, 8), DiscriminatorOptions())
    images, labels = torch.randn(4, 1, 8, 8), torch.tensor([3, 0, 3, 1])
    features = network.layers(images).permute(0, 2, 3, 1).flatten(1)
    hidden = network.score.dense(features)
    weights = network.score.linear.weight + network.score.embedding.weight[labels]
    expected = torch.einsum("bf,bf->b", weights, hidden) + network.score.linear.bias
    torch.testing.assert_close(network(images, label=labels), expected)


def test_the_concatenation_is_a_dense_layer_on_both_joined():
    torch.manual_seed(0)
    network = Discriminator(problem(1, 8, 8), DiscriminatorOptions(joining="concatenation"))
    head, images, labels = network.score, torch.randn(4, 1, 8, 8), torch.tensor([3, 0, 3, 1])
    features = network.layers(images).permute(0, 2, 3, 1).flatten(1)
    joined = torch.cat([features, head.encode_label(labels)], 1)
    weight = torch.cat([head.dense_image.weight, head.dense_label.weight], 1)
    hidden = nn.functional.leaky_relu(joined @ weight.T + head.dense_image.bias, 0.2)
    torch.testing.assert_close(network(images, label=labels), head.linear(hidden).squeeze(1))


def test_dense_labels_start_as_large_as_normalised_features():
    torch.manual_seed(0)
    features = dense_labels(10, 64)(torch.arange(10))
    assert features.shape == (10, 64)
    assert 0.5 < features.square().mean().sqrt().item() < 2.0


def test_the_first_convolution_is_never_normalised_and_a_norm_replaces_the_bias():
    network = Discriminator(problem(1, 28, 28), DiscriminatorOptions(normalisation="batch"))
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == ["Conv2d", "LeakyReLU", *["Conv2d", "BatchNorm2d", "LeakyReLU"] * 2]
    biased = [layer.bias is not None for layer in network.layers if isinstance(layer, nn.Conv2d)]
    assert biased == [True, False, False]


def test_scores_are_independent_of_the_batch_as_declared():
    (spec,) = ganforge_discriminators()
    assert spec.batch_independent(DiscriminatorOptions())
    assert not spec.batch_independent(DiscriminatorOptions(normalisation="batch"))
    network = Discriminator(problem(1, 8, 8), DiscriminatorOptions())
    images, labels = torch.randn(6, 1, 8, 8), torch.arange(6) % CLASSES
    together, alone = network(images, label=labels), network(images[:1], label=labels[:1])
    torch.testing.assert_close(together[:1], alone)


def test_at_least_one_convolution_is_needed():
    with pytest.raises(ValueError, match="widths is empty"):
        DiscriminatorOptions(widths=())
