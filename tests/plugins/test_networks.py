"""What every bundled network keeps to, and the perceptrons and the DCGAN by themselves."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import ganforge_conditional
import ganforge_dcgan
import ganforge_mlp
from ganforge import Field, Problem
from ganforge.nn import ToImage
from ganforge_autoencoder import AdversarialOptions, AutoencoderOptions
from ganforge_autoencoder import networks as autoencoder
from ganforge_conditional import discriminator as conditional_d
from ganforge_conditional import generator as conditional_g
from ganforge_dcgan import networks as dcgan
from ganforge_mlp import networks as mlp

MLPG, MLPD = ganforge_mlp.GeneratorOptions, ganforge_mlp.DiscriminatorOptions
DCGANG, DCGAND = ganforge_dcgan.GeneratorOptions, ganforge_dcgan.DiscriminatorOptions
ConditionalG = ganforge_conditional.GeneratorOptions
ConditionalD = ganforge_conditional.DiscriminatorOptions

CLASSES = 3
SMALL = [(1, 8, 12), (3, 28, 28)]
ODD = [(3, 8, 8), (1, 11, 9)]
DCGAN_SIZES = [(1, 32, 32), (3, 64, 64), (1, 28, 28), (3, 8, 8), (1, 33, 18)]
VECTORS = [(2,), (7,)]
OTHER_KINDS = [
    Field(kind="sequence", shape=(2, 9), range=(-1.0, 1.0)),
    Field(kind="points", shape=(4, 3)),
    Field(kind="video", shape=(1, 3, 4, 4), dtype="uint8"),
]


def problem(*shape: int, latents: int = 5, classes: int | None = None) -> Problem:
    return Problem(sample_shape=shape, input_shape=(latents,), num_classes=classes)


class CodesToCodes(autoencoder.AdversarialAutoencoder):
    """Both ways through the adversarial autoencoder, as one function of the codes."""

    def forward(self, inputs: Tensor, *, label: Tensor | None = None) -> Tensor:
        return self.encode(super().forward(inputs, label=label), label=label)


class Case(NamedTuple):
    """A network with its options, a sample, and the keywords of what it is told."""

    network: type[nn.Module]
    options: object
    sample: Field
    takes_samples: bool
    told: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.sample.known_shape

    def build(self, seed: int = 0) -> nn.Module:
        torch.manual_seed(seed)
        problem = Problem(
            sample=self.sample,
            input_shape=self.shape if self.network is autoencoder.Autoencoder else (5,),
            conditions={name: self.condition(name) for name in self.told},
        )
        return self.network(problem, self.options).to(memory_format=torch.channels_last)

    def condition(self, name: str) -> Field:
        if name == "label":
            return Field(kind="category", classes=tuple(map(str, range(CLASSES))))
        if name == "image":
            return Field(kind="image", shape=(2, *self.shape[1:]))
        return Field(kind="vector", shape=(6,))

    def arguments(self, n: int) -> tuple[Tensor, dict[str, Tensor]]:
        """What the network takes, in its memory format, and conditions; a label of every class."""
        given = laid_out(torch.randn(n, *(self.shape if self.takes_samples else (5,))))
        return given, {name: self.value(name, n) for name in self.told}

    def value(self, name: str, n: int) -> Tensor:
        if name == "label":
            return torch.arange(n) % CLASSES
        return laid_out(torch.randn(n, *self.condition(name).known_shape))

    def __str__(self) -> str:
        sides = "x".join(map(str, self.shape))
        told = "+".join(self.told) or "untold"
        return f"{self.network.__module__}.{self.network.__name__}-{sides}-{told}"


def laid_out(tensor: Tensor) -> Tensor:
    """A batch in the memory format of the networks."""
    if tensor.dim() == 4:
        return tensor.contiguous(memory_format=torch.channels_last)
    return tensor


def cases(
    network: type[nn.Module],
    shapes: list[tuple[int, ...]] | list[Field],
    *options: object,
    takes_samples: bool,
    told: tuple[tuple[str, ...], ...] = ((), ("label",)),
) -> list[Case]:
    samples = [it if isinstance(it, Field) else Field.of_shape(it) for it in shapes]
    return [Case(network, *rest) for rest in product(options, samples, [takes_samples], told)]


GENERATORS = [
    *cases(mlp.Generator, [*SMALL, *VECTORS], MLPG(hidden=(7, 9)), takes_samples=False),
    *cases(mlp.Generator, VECTORS, MLPG(scale=9.0, activation="leaky-relu"), takes_samples=False),
    *cases(
        mlp.Generator,
        OTHER_KINDS,
        MLPG(hidden=(7,)),
        takes_samples=False,
        told=((), ("vector",), ("label", "vector")),
    ),
    *cases(
        dcgan.Generator,
        DCGAN_SIZES,
        DCGANG(width=4),
        DCGANG(width=4, conditioning="latents"),
        takes_samples=False,
    ),
    *cases(
        conditional_g.Generator,
        SMALL,
        ConditionalG(),
        ConditionalG(label_encoding="dense"),
        takes_samples=False,
        told=(("label",),),
    ),
    *cases(
        autoencoder.Autoencoder,
        [*SMALL, *ODD],
        AutoencoderOptions(widths=(4, 8, 16)),
        AutoencoderOptions(widths=(4, 8, 16), bottleneck=5),
        AutoencoderOptions(widths=(4, 8, 16), skip_connections=True, dropout=0.5),
        takes_samples=True,
        told=((),),
    ),
    *cases(
        CodesToCodes, [*SMALL, *ODD], AdversarialOptions(widths=(4, 8, 16)), takes_samples=False
    ),
]
DISCRIMINATORS = [
    *cases(
        mlp.Discriminator,
        [*SMALL, *VECTORS],
        MLPD(),
        MLPD(hidden=()),
        MLPD(scale=9.0, activation="relu"),
        MLPD(hidden=(7,), fourier_features=5),
        takes_samples=True,
    ),
    *cases(
        mlp.Discriminator,
        OTHER_KINDS,
        MLPD(hidden=(7,)),
        takes_samples=True,
        told=((), ("vector",), ("label", "vector")),
    ),
    *cases(
        dcgan.Discriminator,
        DCGAN_SIZES,
        DCGAND(width=4),
        DCGAND(width=4, normalisation="none"),
        takes_samples=True,
        told=((), ("label",), ("image",), ("label", "image")),
    ),
    *cases(
        conditional_d.Discriminator,
        [*SMALL, *ODD],
        ConditionalD(),
        ConditionalD(joining="concatenation"),
        takes_samples=True,
        told=(("label",),),
    ),
]
EVERY = [*GENERATORS, *DISCRIMINATORS]
CONDITIONAL = [(case, name) for case in EVERY for name in case.told]


@pytest.mark.parametrize("case", EVERY, ids=str)
@pytest.mark.parametrize("n", [1, 7])
def test_a_network_trains_at_any_batch_size(case, n):
    """Every parameter has a gradient, what is given stays as it is, and all of it is finite."""
    network, (given, told) = case.build(), case.arguments(n)
    before = [tensor.clone() for tensor in (given, *told.values())]
    output = network(given, **told)
    assert output.dtype == torch.float32
    assert len(output) == n
    (output * torch.randn_like(output)).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
    assert all(map(torch.equal, (given, *told.values()), before))


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_network_is_finite_in_bfloat16(case):
    network, (given, told) = case.build(), case.arguments(7)
    with torch.autocast("cpu", torch.bfloat16):
        output = network(given, **told)
    output.float().square().mean().backward()
    assert output.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_network_that_has_been_used_can_be_copied_and_saved(case, tmp_path):
    network, (given, told) = case.build(), case.arguments(7)
    names = list(network.state_dict())
    network(given, **told)
    assert list(network.state_dict()) == names
    expected = network.eval()(given, **told)
    assert torch.equal(copy.deepcopy(network)(given, **told), expected)
    # save_file refuses tensors that share memory.
    file = tmp_path / "network.safetensors"
    save_file({name: it.contiguous() for name, it in network.state_dict().items()}, file)
    other = case.build(seed=1).eval()
    assert not torch.equal(other(given, **told), expected)
    other.load_state_dict(load_file(file))
    torch.testing.assert_close(other(given, **told), expected)


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_network_follows_the_seed_and_draws_nothing_in_evaluation(case):
    first, second = case.build(), case.build()
    assert all(map(torch.equal, first.parameters(), second.parameters()))
    given, told = case.arguments(2)
    state = torch.get_rng_state()
    first.eval()(given, **told)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("case", "name"), CONDITIONAL, ids=str)
def test_what_a_network_is_told_counts(case, name):
    network = case.build().eval()
    given, told = case.arguments(1)
    other = torch.tensor([1]) if name == "label" else told[name] + 1
    first, second = network(given, **told), network(given, **{**told, name: other})
    # The first weights of some make next to nothing of their input, whatever they are told.
    assert (first - second).abs().max() > 1e-4 * first.abs().max()


@pytest.mark.parametrize("case", DISCRIMINATORS, ids=str)
def test_scores_can_be_differentiated_twice(case):
    """A penalty on the gradient of the scores has a gradient itself."""
    network = case.build()
    samples, told = case.arguments(2)
    samples.requires_grad_()
    (gradient,) = torch.autograd.grad(network(samples, **told).sum(), samples, create_graph=True)
    assert gradient.shape == samples.shape
    weights = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    penalties = torch.autograd.grad(gradient.square().sum(), weights, allow_unused=True)
    assert any(it is not None and it.any() for it in penalties)


@pytest.mark.parametrize(
    ("sides", "coarsest"),
    [
        ((8, 8), (4, 4)),
        ((16, 16), (4, 4)),
        ((28, 28), (4, 4)),
        ((32, 32), (4, 4)),
        ((64, 64), (4, 4)),
        ((128, 128), (4, 4)),
        ((33, 48), (3, 3)),
        ((9, 64), (1, 4)),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_dcgan_makes_and_scores_images_of_every_size(sides, coarsest, channels):
    shape = (channels, *sides)
    generator = dcgan.Generator(problem(*shape), DCGANG(width=2))
    discriminator = dcgan.Discriminator(problem(*shape), DCGAND(width=2))
    images = generator(torch.randn(3, 5))
    assert images.shape == (3, *shape)
    assert images.abs().max() <= 1
    assert discriminator(images).shape == (3,)
    strided = [layer for layer in discriminator.layers if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in strided] == [2 * 2**n for n in range(len(strided))]
    assert generator.grid == coarsest
    assert discriminator.layers(images).shape == (3, 2 ** len(strided), *coarsest)


def test_a_label_is_no_part_of_what_the_first_layer_of_dcgan_normalises():
    torch.manual_seed(0)
    generator = dcgan.Generator(problem(1, 16, 16, classes=CLASSES), DCGANG(width=4))
    with torch.no_grad():  # what training would do that has no use for the latents
        generator.project.weight.mul_(0.3)
        generator.layers[0].gain.weight.fill_(1.0)
    labels = torch.arange(300) % CLASSES
    seen = generator.layers[0](
        generator.project(torch.randn(300, 5)).unflatten(1, (*generator.grid, -1)).movedim(3, 1),
        labels,
    )
    for number in range(CLASSES):
        assert seen[labels == number].var(0).mean().item() == pytest.approx(1.0, abs=0.15)


def test_dcgan_can_join_a_vector_per_class_to_the_latents():
    torch.manual_seed(0)
    options = DCGANG(width=2, conditioning="latents")
    generator = dcgan.Generator(problem(1, 32, 32, classes=CLASSES), options)
    assert generator.embedding.weight.shape == (CLASSES, 5)
    assert generator.project.in_features == 10
    assert {type(it) for it in generator.layers} >= {nn.BatchNorm2d}


def test_dcgan_is_initialised_as_in_the_paper():
    torch.manual_seed(0)
    generator = dcgan.Generator(problem(1, 32, 32, latents=100), DCGANG())
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
    network = dcgan.Discriminator(problem(3, 64, 64), DCGAND(normalisation="batch"))
    kinds = [type(layer).__name__ for layer in network.layers[:4]]
    assert kinds == ["Conv2d", "LeakyReLU", "Conv2d", "BatchNorm2d"]


def test_without_normalisation_the_dcgan_scores_are_independent_and_the_layers_biased():
    options = DCGAND(width=4, normalisation="none")
    network = dcgan.Discriminator(problem(1, 32, 32), options)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.layers)
    assert all(layer.bias is not None for layer in network.layers if isinstance(layer, nn.Conv2d))
    images = torch.randn(4, 1, 32, 32)
    torch.testing.assert_close(network(images)[:1], network(images[:1]))
    (spec,) = ganforge_dcgan.ganforge_discriminators()
    assert spec.batch_independent(options)
    assert not spec.batch_independent(DCGAND(normalisation="batch"))


def test_classes_leave_the_draws_of_the_unconditional_dcgan_discriminator_alone():
    networks = []
    for classes in (None, CLASSES):
        torch.manual_seed(0)
        networks.append(dcgan.Discriminator(problem(1, 32, 32, classes=classes), DCGAND(width=4)))
    plain, conditional = (network.state_dict() for network in networks)
    assert set(conditional) - set(plain) == {"embedding.weight"}
    assert all(torch.equal(plain[name], conditional[name]) for name in plain)


def test_the_dcgan_projects_the_label_on_the_features_summed_over_the_grid():
    torch.manual_seed(0)
    network = dcgan.Discriminator(problem(3, 32, 32, classes=CLASSES), DCGAND(width=16)).eval()
    assert network.embedding.weight.std().item() == pytest.approx(0.02, rel=0.2)
    images, labels = torch.randn(4, 3, 32, 32), torch.tensor([2, 0, 2, 1])
    features = network.layers(images)
    plain = network.score(features.permute(0, 2, 3, 1).flatten(1)).squeeze(1)
    pooled = torch.einsum("bfhw,bf->b", features, network.embedding.weight[labels])
    torch.testing.assert_close(network(images, label=labels), plain + pooled)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_layer_before_the_image_is_a_transposed_convolution(channels):
    generator = dcgan.Generator(problem(channels, 32, 32), DCGANG(width=2))
    before = generator.layers[-2]
    assert type(before) is ToImage
    assert (before.out_channels, before.stride, before.padding) == (channels, (2, 2), (1, 1))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 4, 6), (2,)])
def test_mlp_makes_and_scores_images_and_vectors(shape):
    options = MLPG(hidden=(7, 9))
    generator = mlp.Generator(problem(*shape), options)
    discriminator = mlp.Discriminator(problem(*shape), MLPD())
    samples = generator(100 * torch.randn(4, 5))
    assert samples.shape == (4, *shape)
    assert (samples.abs().max() <= 1) == (len(shape) == 3)
    assert discriminator(samples).shape == (4,)
    sizes = [layer.out_features for layer in generator.layers if isinstance(layer, nn.Linear)]
    assert sizes[:2] == [7, 9]


@pytest.mark.parametrize("sample", OTHER_KINDS, ids=lambda sample: sample.kind)
def test_the_mlp_keeps_to_the_range_of_what_has_one(sample):
    generator = mlp.Generator(Problem(sample=sample, input_shape=(5,)), MLPG())
    samples = generator(1000 * torch.randn(4, 5))
    assert samples.shape == (4, *sample.known_shape)
    assert (samples.abs().max() <= 1) == (sample.kind != "points")


def test_the_mlp_keeps_the_names_of_its_parameters():
    options = MLPD(hidden=(4,))
    plain = mlp.Discriminator(problem(2), options).state_dict()
    assert list(plain) == ["layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"]
    conditional = mlp.Discriminator(problem(2, classes=CLASSES), options).state_dict()
    assert set(conditional) - set(plain) == {"embedding.weight"}


def test_fourier_features_are_sines_of_fixed_projections():
    torch.manual_seed(0)
    options = MLPD(hidden=(8,), scale=2.0, fourier_features=300, fourier_bandwidth=7.0)
    network = mlp.Discriminator(problem(3), options)
    assert {"fourier.projections"} == network.state_dict().keys() - dict(network.named_parameters())
    projections = network.state_dict()["fourier.projections"]
    assert projections.std().item() == pytest.approx(7.0, rel=0.1)
    assert network.layers[0].in_features == 3 + 2 * 300
    samples = torch.rand(4, 3)
    phases = 2 * samples @ projections
    seen = torch.cat([2 * samples, phases.sin(), phases.cos()], 1)
    torch.testing.assert_close(network(samples), network.layers(seen).squeeze(1))


def test_the_mlp_projects_the_label_on_the_last_hidden_features():
    torch.manual_seed(0)
    network = mlp.Discriminator(problem(2, classes=CLASSES), MLPD(hidden=(8, 4)))
    assert network.embedding.weight.shape == (CLASSES, 4)
    assert network.embedding.weight.abs().max() <= 0.5
    samples, labels = torch.randn(4, 2), torch.tensor([2, 0, 2, 1])
    hidden = network.layers[:-1](samples)
    weights = network.layers[-1].weight + network.embedding.weight[labels]
    expected = (weights * hidden).sum(1) + network.layers[-1].bias
    torch.testing.assert_close(network(samples, label=labels), expected)


def test_the_mlp_generator_hears_the_label_as_loudly_as_the_latents():
    torch.manual_seed(0)
    network = mlp.Generator(problem(2, latents=64, classes=100), MLPG(hidden=(4,)))
    assert network.embedding.weight.shape == (100, 64)
    assert network.embedding.weight.std().item() == pytest.approx(1.0, abs=0.05)
    assert network.layers[0].in_features == 128


def scaled(
    kind: Callable[..., nn.Module], options: Callable[..., object], scale: float
) -> nn.Module:
    torch.manual_seed(0)
    return kind(problem(2), options(scale=scale))


def test_the_scale_is_inside_the_mlp_networks():
    latents, samples = torch.randn(6, 5), torch.randn(6, 2)
    plain, divided = (scaled(mlp.Generator, MLPG, it) for it in (1.0, 8.0))
    torch.testing.assert_close(divided(latents), plain(latents) / 8)
    plain, multiplied = (scaled(mlp.Discriminator, MLPD, it) for it in (1.0, 8.0))
    torch.testing.assert_close(multiplied(samples), plain(samples * 8))


def test_a_scale_beside_tanh_is_refused():
    options = MLPG(scale=8.0)
    with pytest.raises(ValueError, match="scale is 8, and the output is tanh"):
        mlp.Generator(problem(1, 8, 8), options)
    with pytest.raises(ValueError, match="scale is 8, and the output is tanh"):
        mlp.Generator(problem(2), MLPG(scale=8.0, output="tanh"))
    linear = MLPG(scale=8.0, output="linear")
    assert mlp.Generator(problem(1, 8, 8), linear)(torch.randn(2, 5)).shape == (2, 1, 8, 8)
