"""Checks of generators and discriminators: a network can be trained, copied and saved."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ganforge.contracts import Inputs
from ganforge.errors import CheckpointError, listed
from ganforge.plugin.specs import DiscriminatorSpec, GeneratorSpec, NetworkSpec
from ganforge.printable import described
from ganforge.problem import Problem
from ganforge.storage import tensor_file
from ganforge.testing.checks.told_networks import CHECKS as TOLD
from ganforge.testing.fixtures.building import (
    arguments,
    build_network,
    call,
    first_network,
    forward,
    networks,
    one_tensor,
    real_batch,
    seeded,
    weighted,
)
from ganforge.testing.framework import Check, Subject, check_of
from ganforge.testing.framework import OldFailure as CheckFailure

NUM_SAMPLES = 7
ENCODE = "encode"


def check_same_seed(subject: Subject[NetworkSpec]) -> None:
    problem, one = first_network(subject)
    other = build_network(subject, problem)
    different = _different(one, other)
    if different:
        raise CheckFailure(
            "two networks built under one seed to be equal to the bit",
            came=f"a difference in {different[0]}",
            mend="draw the first weights from torch's global generator, which the engine seeds",
        )


def check_other_seed(subject: Subject[NetworkSpec]) -> None:
    problem, one = first_network(subject)
    if not _different(one, build_network(subject, problem, seed=1)):
        raise CheckFailure(
            "networks built under two seeds to differ",
            came="the same weights",
            mend="seed nothing in the builder: the seed of the run is to decide",
        )


def check_registered(subject: Subject[NetworkSpec]) -> None:
    _, network = first_network(subject)
    for place, found in _unregistered(network):
        raise CheckFailure(
            "every tensor and module of the network to be registered",
            came=f"{place}, a {type(found).__name__} that no .to() moves and no checkpoint saves",
            mend="use register_buffer, nn.Parameter, nn.ModuleList or nn.ModuleDict",
        )


def check_gradients(subject: Subject[NetworkSpec]) -> None:
    for problem, network in networks(subject):
        total = _everything(subject, problem, network)
        if not total.requires_grad:
            raise CheckFailure(
                "an output that depends on the network's weights",
                came="one without a gradient",
                mend="detach nothing, and enter no torch.no_grad()",
            )
        _backward(total, network)
        for name, parameter in network.named_parameters():
            if parameter.grad is None and _methods(subject) - {ENCODE}:
                continue  # it may be for a game that calls such a method
            _check_gradient(name, parameter, problem)


def _methods(subject: Subject[NetworkSpec]) -> set[str]:
    return {*subject.spec.methods} if isinstance(subject.spec, GeneratorSpec) else set()


def _everything(subject: Subject[NetworkSpec], problem: Problem, network: nn.Module) -> Tensor:
    """A scalar of all that the network gives: its output, its trace, and codes."""
    given = arguments(subject, problem, NUM_SAMPLES)
    if subject.spec.gives:
        output, trace = call(network, given, "trace")
        named = [trace[name] for name in subject.spec.gives]
        parts = [it for found in named for it in ([found] if isinstance(found, Tensor) else found)]
    else:
        output, parts = call(network, given), []
    total = weighted(one_tensor(output))
    if ENCODE in _methods(subject):
        samples = real_batch(problem, NUM_SAMPLES).samples
        parts.append(call(network, Inputs(samples, **given.others), ENCODE))
    for part in parts:
        total = total + weighted(part.float())
    return total


def _check_gradient(name: str, parameter: nn.Parameter, problem: Problem) -> None:
    if not parameter.requires_grad:
        return
    gradient = parameter.grad
    if gradient is None or not gradient.any() or not gradient.isfinite().all():
        came = "none" if gradient is None else "zero everywhere"
        if gradient is not None and gradient.any():
            came = "not finite"
        raise CheckFailure(
            f"a finite gradient for {name}, somewhere not zero",
            came=f"one that is {came}, for samples {list(problem.sample_shape)}",
            mend="use every parameter in forward, and build none that this run does not need",
        )


def check_memory_formats(subject: Subject[NetworkSpec]) -> None:
    for problem, network in networks(subject):
        given = arguments(subject, problem, NUM_SAMPLES)
        told = {keyword: it.contiguous() for keyword, it in given.others.items()}
        plain = Inputs(given.values.contiguous(), **told)
        with torch.no_grad():
            network.eval()
            one, other = forward(network, given), forward(network, plain)
        if one.shape != other.shape or not _close(one, other):
            raise CheckFailure(
                "the same output for images in channels-last memory and for contiguous ones",
                came=f"a difference for samples {list(problem.sample_shape)}",
                mend="use flatten, reshape and permute rather than view and strides",
            )


def check_arguments_unchanged(subject: Subject[NetworkSpec]) -> None:
    problem, network = first_network(subject)
    given = arguments(subject, problem, NUM_SAMPLES)
    tensors = [given.values, *given.others.values()]
    before = [it.clone() for it in tensors]
    with seeded():
        network(given.values, **given.others)
    if not all(map(torch.equal, tensors, before)):
        raise CheckFailure(
            "what is given to forward to stay as it is",
            came="another value after the pass",
            mend="begin with an operation that is not in place (inplace=False in a first layer)",
        )


def check_parameters_at_first_forward(subject: Subject[NetworkSpec]) -> None:
    problem, network = first_network(subject)
    lazy = [name for name, parameter in network.named_parameters() if is_lazy(parameter)]
    before = set(network.state_dict())
    if not lazy:
        forward(network, arguments(subject, problem, NUM_SAMPLES))
    new = [*lazy, *sorted(before ^ set(network.state_dict()))]
    if new:
        raise CheckFailure(
            "a network that is complete when it is built",
            came=f"{listed(new[:3])} at the first forward",
            mend="build every layer in __init__, where the problem gives all shapes",
        )


def check_deep_copy(subject: Subject[NetworkSpec]) -> None:
    problem, network = first_network(subject)
    given = arguments(subject, problem, NUM_SAMPLES)
    _backward(weighted(forward(network, given)), network)
    try:
        other = copy.deepcopy(network)
    except Exception as error:
        raise CheckFailure(
            "a network that can be copied after a pass, as the average of the weights is",
            came=described(error),
            mend="keep no tensor of a pass on the network, or detach it",
        ) from error
    with torch.no_grad():
        equal = torch.equal(forward(network.eval(), given), forward(other.eval(), given))
    if not equal:
        raise CheckFailure(
            "a copy that gives the same output",
            came="another one",
            mend="keep what decides the output in parameters, buffers and plain attributes",
        )


def check_saved_state(subject: Subject[NetworkSpec]) -> None:
    problem, network = first_network(subject)
    given = arguments(subject, problem, NUM_SAMPLES)
    forward(network, given)  # in training mode: buffers have something to hold
    other = build_network(subject, problem, seed=1)
    forward(other, given)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.safetensors"
        try:
            tensor_file.write(file, "check", network.state_dict(), {})
            tensors, _ = tensor_file.read(file, "check")
            other.load_state_dict(tensors)
        except (CheckpointError, RuntimeError, ValueError) as error:
            raise CheckFailure(
                "a state that a safetensors file can hold",
                came=described(error),
                mend="keep tensors alone in the state, each under the same name in every build",
            ) from error
    with torch.no_grad():
        one, two = forward(network.eval(), given), forward(other.eval(), given)
    if not _close(one, two):
        raise CheckFailure(
            "the same output from a network with the saved state",
            came="another one",
            mend="register what decides the output as a parameter or a persistent buffer",
        )


def check_autocast(subject: Subject[NetworkSpec]) -> None:
    problem, network = first_network(subject)
    with torch.autocast("cpu", torch.bfloat16):
        output = forward(network, arguments(subject, problem, NUM_SAMPLES))
    _backward(weighted(output.float()), network)
    gradients = [it.grad for it in network.parameters() if it.grad is not None]
    if not all(bool(it.isfinite().all()) for it in [output, *gradients]):
        raise CheckFailure(
            "finite output and gradients under bfloat16 autocast",
            came="infinite ones or NaN",
            mend="make the operation that overflows in float32",
        )


def _different(one: nn.Module, other: nn.Module) -> list[str]:
    """The names of the parameters and buffers in which two networks differ."""
    first, second = one.state_dict(), other.state_dict()
    names = [name for name in first if name not in second or not _equal(first[name], second[name])]
    return [*names, *(name for name in second if name not in first)]


def _equal(one: Any, other: Any) -> bool:
    return torch.equal(one, other) if isinstance(one, Tensor) else bool(one == other)


def _close(one: Tensor, other: Tensor) -> bool:
    """Equal but for the order in which kernels add."""
    return torch.allclose(one, other, rtol=1e-4, atol=1e-5)


def _backward(total: Tensor, network: nn.Module) -> None:
    network.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]


def _unregistered(network: nn.Module) -> Iterator[tuple[str, object]]:
    """Tensors and modules that are plain attributes, alone or in a list, by their place."""
    for prefix, module in network.named_modules():
        for name, value in vars(module).items():
            if name in ("_parameters", "_buffers", "_modules"):
                continue
            place = f"{prefix}.{name}" if prefix else name
            values = value.values() if isinstance(value, dict) else value
            several = values if isinstance(value, dict | list | tuple) else [value]
            for found in several:
                if isinstance(found, Tensor | nn.Module):
                    yield place, found


_check = check_of(GeneratorSpec.kind, DiscriminatorSpec.kind)


CHECKS: tuple[Check, ...] = (
    _check(
        "one-seed-builds-one-network",
        "two builds under one seed are equal to the bit",
        check_same_seed,
    ),
    _check(
        "another-seed-builds-another-network",
        "the seed of the run decides the first weights",
        check_other_seed,
    ),
    _check(
        "tensors-are-registered",
        "every tensor and layer is moved and saved with the network",
        check_registered,
    ),
    _check(
        "every-parameter-gets-a-gradient",
        "every parameter gets a finite gradient that is somewhere not zero",
        check_gradients,
    ),
    _check(
        "memory-format-changes-nothing",
        "images in channels-last memory give what contiguous ones give",
        check_memory_formats,
    ),
    _check(
        "arguments-are-not-changed",
        "forward leaves what it is given as it is",
        check_arguments_unchanged,
    ),
    _check(
        "no-parameter-appears-at-first-forward",
        "the network is complete when it is built",
        check_parameters_at_first_forward,
    ),
    _check(
        "can-be-copied-after-a-pass",
        "a deep copy after a pass gives the same output",
        check_deep_copy,
    ),
    _check(
        "state-survives-safetensors",
        "a network with the saved state gives the same output",
        check_saved_state,
    ),
    _check(
        "finite-under-bfloat16-autocast",
        "output and gradients are finite under bfloat16 autocast",
        check_autocast,
    ),
    *TOLD,
)
