"""Checks of a generator: shape, dtype and range of its samples, and their independence."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganforge.contracts import Inputs
from ganforge.plugin.specs import GeneratorSpec
from ganforge.printable import described
from ganforge.problem import Problem
from ganforge.testing.fixtures.building import (
    BATCH_SIZES,
    arguments,
    call,
    first_network,
    forward,
    networks,
    real_batch,
)
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

NUM_SAMPLES = 7
FAR = 100.0  # what latents and the last weights are multiplied by, to go where training may
TOLERANCE = 1e-4  # of sums that are made in another order


@check(
    "samples have the shape of the problem, for every declared size and any batch",
    GeneratorSpec,
    fix="take the shape from problem.sample_shape, or declare in the spec which shapes it makes",
)
def samples_have_the_declared_shape(subject: Subject[GeneratorSpec]) -> None:
    for problem, network in networks(subject):
        for training, n in ((True, NUM_SAMPLES), *((False, it) for it in BATCH_SIZES)):
            got = list(_samples(subject, problem, network.train(training), n).shape)
            wanted = [n, *problem.sample_shape]
            require(got == wanted, f"{got}", expected=f"samples {wanted}")


@check("samples are float32", GeneratorSpec, fix="keep the dtype of the weights to the end")
def samples_are_float32(subject: Subject[GeneratorSpec]) -> None:
    for problem, network in networks(subject):
        dtype = _samples(subject, problem, network, NUM_SAMPLES).dtype
        require(dtype == torch.float32, f"{dtype} for samples {list(problem.sample_shape)}")


@check(
    "images lie in [-1, 1], whatever the latents and the weights are",
    GeneratorSpec,
    fix="end with nn.Tanh()",
)
def images_lie_in_range(subject: Subject[GeneratorSpec]) -> None:
    for problem, network in networks(subject):
        if not problem.sample.scaled:
            continue  # it has the range of its data
        given = arguments(subject, problem, NUM_SAMPLES)
        extreme = FAR * given.values if given.values.dim() == 2 else given.values.sign()
        network.eval()
        for training in (False, True):
            if training:
                _enlarge(network)
            with torch.no_grad():
                samples = forward(network, Inputs(extreme, **given.others))
            inside = bool((samples.abs() <= 1).all())  # NaN is outside too
            require(inside, f"values from {samples.min():.3g} to {samples.max():.3g}")


@check("other inputs give other samples", GeneratorSpec, fix="let the inputs reach the output")
def samples_are_not_constant(subject: Subject[GeneratorSpec]) -> None:
    for problem, network in networks(subject):
        samples = _samples(subject, problem, network.eval(), NUM_SAMPLES)
        constant = torch.equal(samples, samples[:1].expand_as(samples))
        require(not constant, f"one {NUM_SAMPLES} times, for samples {list(problem.sample_shape)}")


@check(
    "in evaluation mode a sample does not depend on the others in its batch",
    GeneratorSpec,
    fix="use no statistics of the batch in evaluation mode (nn.BatchNorm keeps its own)",
)
def evaluation_is_independent_of_batch_mates(subject: Subject[GeneratorSpec]) -> None:
    problem, network = first_network(subject)
    given = arguments(subject, problem, NUM_SAMPLES)
    network.eval()
    with torch.no_grad():
        together, alone = forward(network, given)[:1], forward(network, given[:1])
    same = torch.allclose(together, alone, rtol=TOLERANCE, atol=TOLERANCE)
    require(same, f"a difference of {(together - alone).abs().max():.3g}")


@check(
    "`encode` gives codes of which `forward` makes samples",
    GeneratorSpec,
    fix="take the shape of codes from problem.input_shape, and give encode the conditions of "
    "forward; or leave it out of `methods`",
)
def codes_have_the_shape_of_inputs(subject: Subject[GeneratorSpec]) -> None:
    if "encode" not in subject.spec.methods:
        raise NotApplicable("it declares no encoder")
    for problem, network in networks(subject):
        for n in BATCH_SIZES:
            real = real_batch(problem, n).samples
            told = arguments(subject, problem, n).others
            try:
                with torch.no_grad():
                    codes = call(network.eval(), Inputs(real, **told), "encode")
                    samples = forward(network, Inputs(codes, **told))
            except Exception as error:
                raise CheckFailure(described(error)) from error
            wanted = [n, *problem.input_shape]
            fitting = list(codes.shape) == wanted and samples.shape == real.shape
            require(fitting, f"{list(codes.shape)}", expected=f"codes {wanted}")


def _samples(
    subject: Subject[GeneratorSpec], problem: Problem, network: nn.Module, n: int
) -> Tensor:
    with torch.no_grad():
        return forward(network, arguments(subject, problem, n))


def _enlarge(network: nn.Module) -> None:
    """Large last weights, such as training may arrive at."""
    weights = [it for it in network.parameters() if it.dim() > 1]
    with torch.no_grad():
        for weight in weights[-1:]:
            weight.mul_(FAR)
