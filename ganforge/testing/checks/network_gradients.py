"""Checks of the gradients of a network: what the output depends on, and what training sees of it.

Parameters are moved a little before: where a gate or a last layer starts at 0, what is behind it
has no gradient at first, and is trained all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from ganforge.contracts import Inputs
from ganforge.plugin.fields import SAMPLE
from ganforge.plugin.specs import GeneratorSpec, NetworkSpec
from ganforge.testing.fixtures.building import one_tensor, real_batch, weighted
from ganforge.testing.fixtures.built_networks import NUM_SAMPLES, Built, networks
from ganforge.testing.fixtures.partners import methods_of
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

ENCODE = "encode"
FEW = 2  # samples, for as many passes as there are parameters
STEP = 1e-7  # of a difference quotient, as a share of what is moved
NEGLIGIBLE = 1e-4  # change of the output, as a share of it, for a change of a parameter by itself
TOLERANCE = 0.05  # of a slope


@check(
    "every parameter gets a finite gradient that is somewhere not zero",
    NetworkSpec,
    fix="use every parameter in forward, and build none that this run does not need",
)
def every_parameter_gets_a_gradient(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject):
        network = built.disturbed().network
        left = {name: it for name, it in network.named_parameters() if it.requires_grad}
        got = ""
        for _ in built.at_stages() if left else ():
            total = _everything(built)
            require(total.requires_grad, "an output that depends on no weight")
            found = torch.autograd.grad(total, [*left.values()], allow_unused=True)
            gradients = dict(zip(left, found, strict=True))
            for name, gradient in gradients.items():
                if gradient is not None and gradient.any():
                    require(bool(gradient.isfinite().all()), f"one for {name} that is not finite")
                    del left[name]
            if methods_of(subject) - {ENCODE}:  # a game that calls one may train the others
                left = {name: it for name, it in left.items() if gradients[name] is not None}
            if not left:
                break
            name = next(iter(left))
            came = "none" if gradients[name] is None else "one that is zero everywhere"
            got = f"{came} for {name}, for {built.shown}"
        require(not left, got)


@check(
    "every number of a latent or a vector reaches the output, and every channel of an image",
    NetworkSpec,
    fix="let the whole input enter the network, and detach no part of it",
)
def every_part_of_the_input_counts(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject):
        built.disturbed().network.eval()
        leaves = _floats(built)
        output = weighted(built.output(_with(built, leaves)))
        if not output.requires_grad:
            continue  # another check's finding
        found = torch.autograd.grad(output, [*leaves.values()], allow_unused=True)
        for (name, leaf), gradient in zip(leaves.items(), found, strict=True):
            shown = name or ("the inputs" if built.makes_samples else "the samples")
            felt = (torch.zeros_like(leaf) if gradient is None else gradient) != 0
            for axis, share in _needed(built, name).items():
                others = [it for it in range(felt.dim()) if it != axis]
                silent = (~felt.any(dim=others)).nonzero().flatten().tolist()
                where = f"{silent[:5]} of axis {axis} of {shown} {list(leaf.shape)}"
                size = leaf.shape[axis]
                require(size - len(silent) >= share * size, f"no gradient for {where}")


@check(
    "the gradient of the output is its slope: nothing on the way is detached",
    NetworkSpec,
    fix="use no detach(), .data or no_grad() between what enters and what leaves the network",
)
def gradients_are_slopes(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject, few=True):
        built.disturbed().network.eval()
        with _double():
            exact = built.copied()
            exact.network.double()
            try:
                outputs = list(_outputs(exact, _floats(exact, FEW)))
            except CheckFailure as error:
                raise NotApplicable(f"it cannot compute in float64: {error.got}") from error
            for number in range(len(outputs)):
                _compare_slopes(exact, number)


def _compare_slopes(built: Built, number: int) -> None:
    """Require slopes that are difference quotients, of output `number` by each parameter and input.

    Of what is moved, parts without any gradient are left out: other checks tell of these. Where the
    output stands still and has a gradient all the same, that is an estimate of its own kind.
    """
    leaves = _floats(built, FEW)
    parameters = {name: it for name, it in built.network.named_parameters() if it.requires_grad}
    moved: dict[str, Any] = {
        **{name or "the input": it for name, it in leaves.items()},
        **parameters,
    }
    output = _outputs(built, leaves)[number]
    if not output.requires_grad:
        return
    gradients = torch.autograd.grad(output, [*moved.values()], allow_unused=True)
    generator = torch.Generator().manual_seed(5)
    for (name, leaf), gradient in zip(moved.items(), gradients, strict=True):
        if gradient is None or not gradient.any():
            continue
        direction = torch.randn(leaf.shape, generator=generator, dtype=leaf.dtype)
        direction *= leaf.detach().square().mean().sqrt() * (gradient != 0)
        slope = float((gradient * direction).sum())
        with torch.no_grad():
            leaf.add_(direction, alpha=STEP)
            above = float(_outputs(built, leaves)[number])
            leaf.sub_(direction, alpha=2 * STEP)
            below = float(_outputs(built, leaves)[number])
            leaf.add_(direction, alpha=STEP)
        quotient = (above - below) / (2 * STEP)
        least = NEGLIGIBLE * (abs(float(output.detach())) + 1)
        apart = abs(slope - quotient) > TOLERANCE * max(abs(slope), abs(quotient)) + least
        if apart and abs(quotient) > least:
            of = f" of output {number}" if number else ""
            raise CheckFailure(f"{slope:.4g} in place of {quotient:.4g}{of} along {name}")


def _everything(built: Built) -> Tensor:
    """A scalar of all that the network gives: its output, its trace, and codes."""
    given = built.given()
    parts: list[Tensor] = []
    if built.subject.spec.gives:
        output, trace = built.call(given, "trace")
        for name in built.subject.spec.gives:
            parts += [trace[name]] if isinstance(trace[name], Tensor) else trace[name]
    else:
        output = built.call(given)
    if ENCODE in methods_of(built.subject):
        samples = real_batch(built.problem, NUM_SAMPLES).samples
        parts.append(built.call(Inputs(samples, **given.others), ENCODE))
    return weighted(one_tensor(output)) + sum(weighted(part.float()) for part in parts)


def _outputs(built: Built, leaves: Mapping[str, Tensor]) -> list[Tensor]:
    """A scalar of the output, or of each in a list of scores."""
    found = built.call(_with(built, leaves))
    return [weighted(it) for it in (found if isinstance(found, list) else [found])]


def _floats(built: Built, n: int = NUM_SAMPLES) -> dict[str, Tensor]:
    """The arguments that can have a gradient, by keyword; "" for what it is fed or judges."""
    given = built.given(n)
    named = {"": given.values, **given.others}
    floats = {name: it for name, it in named.items() if it.is_floating_point()}
    return {name: it.to(torch.get_default_dtype()).requires_grad_() for name, it in floats.items()}


def _with(built: Built, leaves: Mapping[str, Tensor]) -> Inputs:
    return Inputs(
        leaves[""],
        **{**built.given(len(leaves[""])).others, **{k: v for k, v in leaves.items() if k}},
    )


def _needed(built: Built, name: str) -> dict[int, float]:
    """The axes of an argument along which values are to count, and the share of them that is.

    Of samples that are judged at least half along every side: the edge of one may be cut off.
    """
    spec, sample = built.subject.spec, built.problem.sample
    kind = name or (spec.inputs if isinstance(spec, GeneratorSpec) else sample.kind)
    kind = sample.kind if kind == SAMPLE else kind
    if kind == "points":
        return {2: 1.0}
    judged = not name and not built.makes_samples and kind != "vector"
    sides = range(2, len(sample.known_shape) + 1) if judged else ()
    return {1: 1.0, **dict.fromkeys(sides, 0.5)}


@contextmanager
def _double() -> Iterator[None]:
    """Tensors that are made without a type are float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
