"""How checks build a component: the problems that it declares, the seed, and what it is fed.

Sizes are a choice of what a spec declares: the smallest, a second one, one that is not square where
that is allowed, and 1 and 3 channels. The first problem is the cheapest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import islice, product
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.config import Selection
from ganforge.contracts import Batch, Inputs
from ganforge.engine.execution import Execution
from ganforge.engine.randomness import Randomness
from ganforge.errors import DataError, GanforgeError
from ganforge.problem import Problem
from ganforge.shapes import ImageShapes
from ganforge.specs import (
    DatasetSpec,
    GeneratorSpec,
    LossSpec,
    NetworkSpec,
    SamplerSpec,
    SampleSpec,
)

from .framework import CheckFailure, NotApplicable, Subject

NUM_CLASSES = 3
LATENT_SIZE = 6
BATCH_SIZES = (1, 7)
USUAL_SIDE = 8  # the smallest that is like an image
SECOND_SIDE = 11  # odd, for components that take it
MAX_SIDE = 4096  # no longer side is looked for
VECTORS = ((2,), (7,))
CPU = torch.device("cpu")


def problems(subject: Subject) -> list[Problem]:
    """The problems to build the component for, the cheapest first, those with classes last.

    Raises NotApplicable for a kind that is not built, or for options that are missing.
    """
    shapes, spec = sample_shapes(subject), subject.spec
    labels = "none"
    if isinstance(spec, NetworkSpec):
        labels = spec.labels
    elif isinstance(spec, SamplerSpec):
        labels = "required" if spec.needs_labels else "optional"
    elif isinstance(spec, LossSpec):
        labels = "required" if spec.needs_labels else "none"
    plain = [] if labels == "required" else list(product(shapes, [None]))
    conditional = [] if labels == "none" else list(product(shapes, [NUM_CLASSES]))
    if plain and conditional:
        # What classes change has little to do with sizes.
        firsts = [next(it for it in shapes if len(it) == rank) for rank in _ranks(shapes)]
        conditional = list(product(firsts, [NUM_CLASSES]))
    return [
        Problem(
            sample_shape=shape, input_shape=_input_shape(subject, shape), num_classes=num_classes
        )
        for shape, num_classes in [*plain, *conditional]
    ]


def _ranks(shapes: list[tuple[int, ...]]) -> list[int]:
    """The numbers of dimensions that occur, in order: 3 for images, 1 for vectors."""
    return list(dict.fromkeys(map(len, shapes)))


def sample_shapes(subject: Subject) -> list[tuple[int, ...]]:
    """The sample shapes that stand for those that the component declares."""
    spec = subject.spec
    if isinstance(spec, DatasetSpec):
        return [
            subject.component.shape("sample shape", spec.sample_shape, subject.options),
        ]
    if isinstance(spec, SampleSpec):
        images = [] if spec.images is None else image_shapes(spec.images)
        found = [*images, *(VECTORS if spec.vectors else ())]
        if not found:
            raise CheckFailure(
                "a component that handles some samples",
                came="images=None and vectors=False, or image shapes that no image has",
                mend="declare in its spec what it handles",
            )
        return found
    if isinstance(spec, SamplerSpec) and spec.inputs == "images":
        return image_shapes(ImageShapes(minimum=8))
    return [(1, 8, 8), (2,)]


def image_shapes(declared: ImageShapes) -> list[tuple[int, ...]]:
    """Up to four shapes `(C, H, W)` that stand for those declared.

    The first is the smallest, or a usual one where the smallest has hardly a pixel.
    """
    channels = [it for it in (1, 3) if declared.channels is None or it in declared.channels]
    channels = channels or list(declared.channels or ())
    if not channels:
        return []
    few, many = channels[0], channels[-1]
    fitting = _sides(declared, few)
    sides = list(islice(fitting, 1))
    if not sides:
        return []
    smallest = sides[0]
    larger = next((it for it in fitting if it >= SECOND_SIDE), None)
    if larger is None:  # they end before it
        larger = max(_sides(declared, few))
    found = [(few, smallest, smallest), (many, smallest, smallest), (many, larger, larger)]
    if declared.refusal((few, smallest, larger)) is None:
        found.append((few, smallest, larger))
    if smallest < USUAL_SIDE:
        found.insert(0, (many, larger, larger))
    return list(dict.fromkeys(found))


def _sides(declared: ImageShapes, channels: int) -> Iterator[int]:
    """The sides of the square images that are declared, in order."""
    longest = min(MAX_SIDE, declared.maximum or MAX_SIDE)
    for side in range(declared.minimum, longest + 1):
        if declared.refusal((channels, side, side)) is None:
            yield side


def _input_shape(subject: Subject, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
    spec = subject.spec
    if isinstance(spec, SamplerSpec):
        return subject.component.shape(
            "input shape", spec.input_shape, subject.options, sample_shape
        )
    if isinstance(spec, GeneratorSpec) and spec.inputs == "images":
        return sample_shape
    return (LATENT_SIZE,)


def seeded(seed: int = 0) -> AbstractContextManager[None]:
    """Seeded global random generators, whose state before is restored, as around a builder."""
    return Randomness(seed, CPU).building("check")


def build(subject: Subject, problem: Problem, seed: int = 0) -> Any:
    """What the component's builder gives, called as a run would call it.

    Raises NotApplicable where that cannot be done: one check, `can-be-built`, has that for its
    contract, and the others have nothing to look at.
    """
    try:
        return attempt_to_build(subject, problem, seed)
    except DataError as error:
        raise NotApplicable(f"what it needs is not here: {error}") from error
    except GanforgeError as error:
        raise NotApplicable(f"it cannot be built: {error}") from error


def attempt_to_build(subject: Subject, problem: Problem, seed: int = 0) -> Any:
    """What the component's builder gives.

    Raises DataError where what it needs is not here, UsageError where its options do not fit the
    problem, and PluginError for whatever else the builder raises.
    """
    component = subject.component
    selection = Selection(component=component, options=subject.options)
    selection.check_available()
    with Randomness(seed, CPU).building(f"{component.kind}/{component.name}"):
        return component.build(problem, selection.options)


def build_network(subject: Subject, problem: Problem, seed: int = 0) -> nn.Module:
    """A network in training mode, its weights in the memory format that a run has by default."""
    network = build(subject, problem, seed)
    if not isinstance(network, nn.Module):
        raise NotApplicable("it builds no torch.nn.Module")
    return Execution(device=CPU).place(network).train()


def networks(subject: Subject, seed: int = 0) -> Iterator[tuple[Problem, nn.Module]]:
    """A network for each problem; those that it cannot be built for are left out."""
    refusal: NotApplicable | None = None
    num_built = 0
    for problem in problems(subject):
        try:
            network = build_network(subject, problem, seed)
        except NotApplicable as reason:
            refusal = reason
            continue
        num_built += 1
        yield problem, network
    if refusal is not None and not num_built:
        raise refusal


def first_network(subject: Subject, seed: int = 0) -> tuple[Problem, nn.Module]:
    """The network of the cheapest problem that it can be built for."""
    return next(networks(subject, seed))


def conditional_network(subject: Subject) -> tuple[Problem, nn.Module]:
    """A network of a run with classes. Raises NotApplicable for one that takes none."""
    pair = next(_conditional(subject), None)
    if pair is None:
        raise NotApplicable("it takes no labels")
    return pair


def _conditional(subject: Subject) -> Iterator[tuple[Problem, nn.Module]]:
    for problem in problems(subject):
        if problem.num_classes is not None:
            try:
                yield problem, build_network(subject, problem)
            except NotApplicable:
                continue


def real_batch(problem: Problem, n: int, seed: int = 0) -> Batch:
    """`n` samples `[n, *sample_shape]`, uniform in [-1, 1], with labels that name every class."""
    return Batch(_uniform(problem.sample_shape, n, seed), _labels(problem, n))


def generator_inputs(problem: Problem, n: int, seed: int = 0) -> Inputs:
    """`n` latents from N(0, 1), or images in [-1, 1], with labels that name every class."""
    if len(problem.input_shape) == 3:
        return Inputs(_uniform(problem.input_shape, n, seed), _labels(problem, n))
    generator = torch.Generator().manual_seed(seed)
    latents = torch.randn(n, *problem.input_shape, generator=generator)
    return Inputs(latents, _labels(problem, n))


def arguments(subject: Subject, problem: Problem, n: int, seed: int = 0) -> tuple[Tensor, ...]:
    """What a network is called with: inputs or samples, and labels where there are classes."""
    values, labels = (
        generator_inputs(problem, n, seed)
        if isinstance(subject.spec, GeneratorSpec)
        else real_batch(problem, n, seed)
    )
    return (values,) if labels is None else (values, labels)


def forward(network: nn.Module, given: tuple[Tensor, ...], seed: int = 0) -> Tensor:
    """What the network makes of its arguments; what it draws, such as dropout, follows the seed.

    It is given copies, so that one that writes into them is told by the check for that alone.
    """
    with seeded(seed):
        output = network(*(it.clone() for it in given))
    if not isinstance(output, Tensor):
        raise CheckFailure(
            "a tensor", came=type(output).__name__, mend="let forward() return one tensor"
        )
    return output


def _uniform(shape: tuple[int, ...], n: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    samples = torch.rand(n, *shape, generator=generator) * 2 - 1
    return Execution(device=CPU).arrange(samples)


def _labels(problem: Problem, n: int) -> Tensor | None:
    return None if problem.num_classes is None else torch.arange(n) % problem.num_classes
