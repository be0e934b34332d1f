"""Spectral normalisation: singular values, when the vectors move, and what a network keeps."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils import parametrizations

from ganforge.nn import Projection, SpectralNorm, ToImage, spectral_norm

LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (partial(nn.Linear, 6, 4), (2, 6)),
    "conv1d": (partial(nn.Conv1d, 3, 4, 3), (2, 3, 5)),
    "conv2d": (partial(nn.Conv2d, 3, 4, 3), (2, 3, 5, 5)),
    "conv3d": (partial(nn.Conv3d, 2, 4, 2), (2, 2, 3, 3, 3)),
    "grouped": (partial(nn.Conv2d, 4, 6, 3, groups=2), (2, 4, 5, 5)),
    "transposed1d": (partial(nn.ConvTranspose1d, 3, 4, 4, stride=2), (2, 3, 5)),
    "transposed2d": (partial(nn.ConvTranspose2d, 3, 4, 4, stride=2), (2, 3, 4, 4)),
    "transposed3d": (partial(nn.ConvTranspose3d, 2, 3, 2), (2, 2, 2, 2, 2)),
    "image": (partial(ToImage, 3, 1), (2, 3, 4, 4)),
    "embedding": (partial(nn.Embedding, 5, 3), (2,)),
}
EVERY = pytest.mark.parametrize(("build", "shape"), LAYERS.values(), ids=LAYERS)


def inputs_of(layer: nn.Module, shape: tuple[int, ...]) -> Tensor:
    inner = layer.module if isinstance(layer, SpectralNorm) else layer
    return torch.arange(shape[0]) if isinstance(inner, nn.Embedding) else torch.randn(shape)


def vectors_of(layer: SpectralNorm) -> list[Tensor]:
    return [layer.u.clone(), layer.v.clone()]


def moved(layer: SpectralNorm, before: list[Tensor]) -> list[bool]:
    return [not torch.equal(a, b) for a, b in zip(before, vectors_of(layer), strict=True)]


@EVERY
def test_the_largest_singular_value_becomes_one_and_the_output_is_that_of_torch(build, shape):
    torch.manual_seed(0)
    layer = build()
    theirs = parametrizations.spectral_norm(copy.deepcopy(layer))
    ours = SpectralNorm(layer)
    inputs = inputs_of(layer, shape)
    for _ in range(100):
        ours(inputs)
        theirs(inputs)
    transposed = isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d)
    matrix = (ours.weight.transpose(0, 1) if transposed else ours.weight).flatten(1)
    assert torch.linalg.matrix_norm(matrix, 2).item() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(ours.eval()(inputs), theirs.eval()(inputs), rtol=1e-4, atol=1e-5)


def test_a_pass_in_training_is_one_round_of_algorithm_1():
    torch.manual_seed(0)
    layer = SpectralNorm(nn.Linear(5, 3))
    matrix = torch.randn(3, 5)
    with torch.no_grad():
        layer.module.weight.copy_(matrix)
        layer.u.copy_(normalize(torch.randn(3), dim=0))
    v = normalize(matrix.T @ layer.u, dim=0)
    u = normalize(matrix @ v, dim=0)
    inputs = torch.randn(2, 5)
    outputs = layer(inputs)
    torch.testing.assert_close(layer.u, u)
    torch.testing.assert_close(layer.v, v)
    expected = inputs @ (matrix / (u @ matrix @ v)).T + layer.module.bias
    torch.testing.assert_close(outputs, expected)


def test_more_iterations_get_nearer_in_one_pass():
    torch.manual_seed(0)
    layer = nn.Linear(30, 30)
    for iterations, tolerance in ((1, 0.3), (200, 1e-4)):
        wrapped = SpectralNorm(layer, iterations=iterations)
        wrapped.v.copy_(normalize(torch.randn(30), dim=0))
        wrapped.u.copy_(normalize(torch.randn(30), dim=0))
        wrapped(torch.randn(1, 30))
        assert torch.linalg.matrix_norm(wrapped.weight, 2).item() == pytest.approx(1, abs=tolerance)


@pytest.mark.parametrize("state", ["evaluation", "no_grad", "inference_mode", "frozen"])
@EVERY
def test_the_vectors_are_at_rest_but_in_training(build, shape, state):
    torch.manual_seed(0)
    layer = SpectralNorm(build())
    inputs = inputs_of(layer, shape)
    nn.init.normal_(layer.module.weight)
    before = vectors_of(layer)
    if state == "evaluation":
        layer.eval()
        outputs = layer(inputs), layer(inputs)
    elif state == "frozen":
        layer.requires_grad_(False)
        outputs = layer(inputs), layer(inputs)
    else:
        with torch.no_grad() if state == "no_grad" else torch.inference_mode():
            outputs = layer(inputs), layer(inputs)
    assert torch.equal(*outputs)
    assert moved(layer, before) == [False, False]
    layer.train().requires_grad_(True)(inputs)
    # Of a weight of one row u is 1 or -1, once and for all.
    assert moved(layer, before) == [len(layer.u) > 1, True]


def test_the_first_estimate_is_a_useful_one():
    torch.manual_seed(0)
    layer = SpectralNorm(nn.Linear(64, 64)).eval()
    assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1, abs=0.05)


def test_vectors_of_other_weights_give_no_negative_and_no_tiny_singular_value():
    """As after `network.apply(initialise)`, before the first pass in training."""
    for seed in range(20):
        torch.manual_seed(seed)
        layer = SpectralNorm(nn.Linear(64, 64)).eval()
        nn.init.normal_(layer.module.weight, 0.0, 0.02)
        scale = (layer.weight / layer.module.weight)[0, 0].item()
        largest = torch.linalg.matrix_norm(layer.module.weight, 2).item()
        assert 1 / largest <= scale < 4 / largest


def test_a_weight_of_zero_stays_zero():
    layer = nn.Linear(3, 2, bias=False)
    nn.init.zeros_(layer.weight)
    outputs = SpectralNorm(layer)(torch.randn(4, 3))
    assert torch.equal(outputs, torch.zeros(4, 2))


def test_two_passes_may_precede_one_backward_pass():
    torch.manual_seed(0)
    layer = SpectralNorm(nn.Linear(4, 3)).double()
    inputs = torch.randn(2, 5, 4, dtype=torch.float64)
    separate = copy.deepcopy(layer)
    for values in inputs:
        separate(values).square().sum().backward()
    total = sum(layer(values).square().sum() for values in inputs)
    total.backward()
    torch.testing.assert_close(layer.module.weight.grad, separate.module.weight.grad)


@settings(deadline=None, max_examples=25)
@given(rows=st.integers(1, 6), columns=st.integers(1, 6), seed=st.integers(0, 1000))
def test_the_gradient_is_that_of_the_paper(rows, columns, seed):
    """Section 3: (G - <G, W'> u vᵀ) / σ, with G the gradient by the normalised weight W'."""
    torch.manual_seed(seed)
    layer = SpectralNorm(nn.Linear(columns, rows, bias=False)).double()
    inputs = torch.randn(3, columns, dtype=torch.float64)
    weights = torch.randn(3, rows, dtype=torch.float64)
    (layer(inputs) * weights).sum().backward()
    weight = layer.module.weight.detach()
    sigma = layer.u @ weight @ layer.v
    by_normalised = weights.T @ inputs
    share = (by_normalised * weight / sigma).sum()
    expected = (by_normalised - share * torch.outer(layer.u, layer.v)) / sigma
    torch.testing.assert_close(layer.module.weight.grad, expected)


def test_a_gradient_penalty_reaches_the_weight():
    torch.manual_seed(0)
    critic = nn.Sequential(
        spectral_norm(nn.Linear(3, 4)), nn.Softplus(), spectral_norm(nn.Linear(4, 1))
    )
    samples = torch.randn(5, 3, requires_grad=True)
    (gradients,) = torch.autograd.grad(critic(samples).sum(), samples, create_graph=True)
    critic(torch.randn(5, 3))  # another pass moves the vectors in between
    gradients.square().sum().backward()
    for layer in (critic[0], critic[2]):
        assert layer.module.weight.grad.abs().max() > 1e-4


def test_the_singular_value_is_in_float32_under_autocast():
    torch.manual_seed(0)
    layer = SpectralNorm(nn.Linear(64, 64))
    expected = copy.deepcopy(layer)
    expected(torch.randn(2, 64))
    with torch.autocast("cpu", torch.bfloat16):
        outputs = layer(torch.randn(2, 64))
        weight = layer.weight
    assert outputs.dtype == torch.bfloat16
    assert weight.dtype == torch.float32
    assert torch.equal(weight, expected.weight)
    assert torch.equal(layer.u, expected.u)


def test_an_average_of_weights_leaves_the_vectors_out():
    assert SpectralNorm(nn.Linear(2, 2)).averaged_buffers == ()


def test_a_network_has_its_layers_wrapped_where_they_are():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3),
        nn.BatchNorm2d(2),
        nn.ModuleDict({"score": nn.Linear(2, 1), "classes": Projection(2, 3)}),
        nn.ModuleList([nn.Embedding(3, 2), nn.PReLU(), Projection(2)]),
    )
    assert spectral_norm(network, iterations=2) is network
    wrapped = [name for name, it in network.named_modules() if isinstance(it, SpectralNorm)]
    assert wrapped == ["0", "2.score", "2.classes"]
    assert network[0].iterations == 2
    assert [name for name in network.state_dict() if name.startswith("2.classes")] == [
        "2.classes.u",
        "2.classes.v",
        "2.classes.module.weight",
    ]


def test_what_is_normalised_already_stays_as_it_is():
    layer = spectral_norm(nn.Linear(2, 2))
    network = nn.Sequential(layer, nn.Linear(2, 1))
    assert spectral_norm(layer) is layer
    spectral_norm(spectral_norm(network))
    assert network[0] is layer
    assert isinstance(network[1].module, nn.Linear)


def test_a_layer_in_two_places_stays_one_layer():
    shared = nn.Linear(3, 3)
    network = spectral_norm(nn.Sequential(shared, nn.Sequential(nn.ReLU(), shared), shared))
    assert network[0] is network[1][1] is network[2]
    assert network[0].module is shared


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.BatchNorm2d(3), r"BatchNorm2d has \[3\]"),
        (nn.ReLU(), "ReLU has none"),
        (nn.Sequential(nn.ReLU()), "Sequential has none"),
        (Projection(3), "Projection has none"),
    ],
)
def test_nothing_to_normalise_is_an_error(module, message):
    with pytest.raises(ValueError, match=message):
        spectral_norm(module)


def test_no_iteration_is_an_error():
    with pytest.raises(ValueError, match="iterations must be at least 1, not 0"):
        SpectralNorm(nn.Linear(2, 2), iterations=0)


def test_the_arguments_of_a_layer_reach_it():
    layer = SpectralNorm(nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)).eval()
    features = torch.randn(1, 2, 4, 4)
    assert layer(features, output_size=[8, 8]).shape == (1, 3, 8, 8)
    projection = SpectralNorm(Projection(4, 3)).eval()
    h, labels = torch.randn(2, 4), torch.tensor([2, 1])
    torch.testing.assert_close(projection(h, labels), (projection.weight[labels] * h).sum(1))
