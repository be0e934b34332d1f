"""Checks of a generator: shape, dtype and range of its samples, and their independence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, islice

import torch

from ganforge.contracts import Inputs
from ganforge.plugin.specs import GeneratorSpec
from ganforge.testing.fixtures.building import BATCH_SIZES, real_batch
from ganforge.testing.fixtures.built_networks import NUM_SAMPLES, Built, networks
from ganforge.testing.fixtures.conduct import near
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

FAR = 100.0  # what latents are multiplied by, to go where training may
NUM_RANGES = 5  # of the first weights, and of the last two parameters far to either side
NEAR_BOTH_ENDS = 0.9  # of 1


@check(
    "samples have the shape of the problem, for every declared size and any batch",
    GeneratorSpec,
    fix="take the shape from problem.sample_shape, or declare in the spec which shapes it makes",
)
def samples_have_the_declared_shape(subject: Subject[GeneratorSpec]) -> None:
    for built in networks(subject):
        for training, n in ((True, NUM_SAMPLES), *((False, it) for it in BATCH_SIZES)):
            built.network.train(training)
            with torch.no_grad():
                got = list(built.output(built.given(n)).shape)
            wanted = [n, *built.problem.sample_shape]
            require(got == wanted, f"{got}", expected=f"samples {wanted}")


@check("samples are float32", GeneratorSpec, fix="keep the dtype of the weights to the end")
def samples_are_float32(subject: Subject[GeneratorSpec]) -> None:
    for built in networks(subject):
        dtype = built.evaluated().dtype
        require(dtype == torch.float32, f"{dtype} for {built.shown}")


@check(
    "images lie in [-1, 1], whatever the latents and the weights are",
    GeneratorSpec,
    fix="end with nn.Tanh()",
)
def images_lie_in_range(subject: Subject[GeneratorSpec]) -> None:
    for built in _of_images(subject):
        for lowest, highest in islice(_ranges(built), NUM_RANGES):
            inside = lowest >= -1 and highest <= 1  # NaN is outside too
            require(inside, f"values from {lowest:.3g} to {highest:.3g}")


@check(
    "images can be as dark and as bright as [-1, 1] allows",
    GeneratorSpec,
    fix="end with nn.Tanh(), once, and not with what lies in [0, 1]",
)
def images_use_the_whole_range(subject: Subject[GeneratorSpec]) -> None:
    for built in _of_images(subject):
        least, most = math.inf, -math.inf
        for lowest, highest in _ranges(built):
            least, most = min(least, lowest), max(most, highest)
            if min(-least, most) >= NEAR_BOTH_ENDS:
                break
        else:
            got = f"values from {least:.3g} to {most:.3g} alone, whatever the weights are"
            raise CheckFailure(got)


def _of_images(subject: Subject[GeneratorSpec]) -> Iterator[Built]:
    """The networks whose samples are brought to [-1, 1]; others have the range of their data."""
    return (it for it in networks(subject) if it.problem.sample.scaled)


def _ranges(built: Built) -> Iterator[tuple[float, float]]:
    """The least and the largest number of samples, each time of other weights."""
    given = built.given()
    far = FAR * given.values if given.values.dim() == 2 else given.values.sign()
    for _ in chain([None], built.with_far_weights()):
        samples = built.evaluated(Inputs(far, **given.others))
        yield float(samples.min()), float(samples.max())


@check("other inputs give other samples", GeneratorSpec, fix="let the inputs reach the output")
def samples_are_not_constant(subject: Subject[GeneratorSpec]) -> None:
    for built in networks(subject):
        samples = built.disturbed().evaluated()
        constant = torch.equal(samples, samples[:1].expand_as(samples))
        require(not constant, f"one {NUM_SAMPLES} times, for {built.shown}")


@check(
    "in evaluation mode a sample does not depend on the others in its batch",
    GeneratorSpec,
    fix="use no statistics of the batch in evaluation mode (nn.BatchNorm keeps its own)",
)
def evaluation_is_independent_of_batch_mates(subject: Subject[GeneratorSpec]) -> None:
    for built in networks(subject, few=True):
        given = built.disturbed().given()
        together, alone = built.evaluated(given)[:1], built.evaluated(given[:1])
        require(near(together, alone), f"a difference of {(together - alone).abs().max():.3g}")


@check(
    "`encode` gives codes of which `forward` makes samples",
    GeneratorSpec,
    fix="take the shape of codes from problem.input_shape, and give encode the conditions of "
    "forward; or leave it out of `methods`",
)
def codes_have_the_shape_of_inputs(subject: Subject[GeneratorSpec]) -> None:
    if "encode" not in subject.spec.methods:
        raise NotApplicable("it declares no encoder")
    for built in networks(subject):
        built.network.eval()
        for n in BATCH_SIZES:
            real = real_batch(built.problem, n).samples
            told = built.given(n).others
            with torch.no_grad():
                codes = built.call(Inputs(real, **told), "encode")
                wanted = [n, *built.problem.input_shape]
                require(
                    list(codes.shape) == wanted, f"{list(codes.shape)}", expected=f"codes {wanted}"
                )
                samples = built.output(Inputs(codes, **told))
            require(samples.shape == real.shape, f"samples {list(samples.shape)}")
