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
from ganforge.testing.framework import Check, CheckFailure, NotApplicable, Subject, check_of

NUM_SAMPLES = 7
FAR = 100.0  # what latents and the last weights are multiplied by, to go where training may
TOLERANCE = 1e-4  # of sums that are made in another order


def check_shape(subject: Subject[GeneratorSpec]) -> None:
    for problem, network in networks(subject):
        for training, n in ((True, NUM_SAMPLES), *((False, it) for it in BATCH_SIZES)):
            samples = _samples(subject, problem, network.train(training), n)
            if tuple(samples.shape) != (n, *problem.sample_shape):
                raise CheckFailure(
                    f"samples {[n, *problem.sample_shape]}",
                    came=f"{list(samples.shape)}",
                    mend="take the shape from problem.sample_shape, or declare in the spec which "
                    "shapes it makes",
                )


def check_dtype(subject: Subject[GeneratorSpec]) -> None:
    for problem, network in networks(subject):
        samples = _samples(subject, problem, network, NUM_SAMPLES)
        if samples.dtype != torch.float32:
            raise CheckFailure(
                "samples of float32",
                came=f"{samples.dtype} for samples {list(problem.sample_shape)}",
                mend="keep the dtype of the weights to the end",
            )


def check_range(subject: Subject[GeneratorSpec]) -> None:
    for problem, network in networks(subject):
        if not problem.sample.scaled:
            continue  # it has the range of its data
        given = arguments(subject, problem, NUM_SAMPLES)
        values = given.values
        extreme = FAR * values if values.dim() == 2 else values.sign()
        network.eval()
        for training in (False, True):
            if training:
                _enlarge(network)
            with torch.no_grad():
                samples = forward(network, Inputs(extreme, **given.others))
            if not bool((samples.abs() <= 1).all()):  # NaN is outside too
                raise CheckFailure(
                    "images in [-1, 1], whatever the latents and the weights are",
                    came=f"values from {samples.min():.3g} to {samples.max():.3g}",
                    mend="end with nn.Tanh()",
                )


def check_not_constant(subject: Subject[GeneratorSpec]) -> None:
    for problem, network in networks(subject):
        samples = _samples(subject, problem, network.eval(), NUM_SAMPLES)
        if torch.equal(samples, samples[:1].expand_as(samples)):
            raise CheckFailure(
                "other samples for other inputs",
                came=f"the same one {NUM_SAMPLES} times, for samples {list(problem.sample_shape)}",
                mend="let the inputs reach the output",
            )


def check_batch_mates(subject: Subject[GeneratorSpec]) -> None:
    problem, network = first_network(subject)
    given = arguments(subject, problem, NUM_SAMPLES)
    network.eval()
    with torch.no_grad():
        together, alone = forward(network, given), forward(network, given[:1])
    if not torch.allclose(together[:1], alone, rtol=TOLERANCE, atol=TOLERANCE):
        raise CheckFailure(
            "the same sample of an input, alone and in a batch, in evaluation mode",
            came=f"a difference of {(together[:1] - alone).abs().max():.3g}",
            mend="use no statistics of the batch in evaluation mode (nn.BatchNorm keeps its own)",
        )


def check_codes(subject: Subject[GeneratorSpec]) -> None:
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
                raise CheckFailure(
                    "encode(samples) to give codes that forward makes samples of",
                    came=described(error),
                    mend="define encode with the conditions of forward, or leave it out of "
                    "`methods`",
                ) from error
            if codes.shape != (n, *problem.input_shape) or samples.shape != real.shape:
                raise CheckFailure(
                    f"codes {[n, *problem.input_shape]}",
                    came=str(list(codes.shape)),
                    mend="take the shape of codes from problem.input_shape",
                )


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


_check = check_of(GeneratorSpec.kind)


CHECKS: tuple[Check, ...] = (
    _check(
        "samples-have-the-declared-shape",
        "samples have the shape of the problem, for every declared size and any batch",
        check_shape,
    ),
    _check("samples-are-float32", "samples are float32", check_dtype),
    _check("images-lie-in-range", "images lie in [-1, 1]", check_range),
    _check("samples-are-not-constant", "other inputs give other samples", check_not_constant),
    _check(
        "evaluation-is-independent-of-batch-mates",
        "in evaluation mode a sample does not depend on the others in its batch",
        check_batch_mates,
    ),
    _check(
        "codes-have-the-shape-of-inputs",
        "`encode` gives codes of which `forward` makes samples",
        check_codes,
    ),
)
