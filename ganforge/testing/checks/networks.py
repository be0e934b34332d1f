"""What generators and discriminators share: a network that can be trained, copied and saved."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ganforge.engine.step import encode
from ganforge.errors import CheckpointError, listed
from ganforge.plugin.specs import DiscriminatorSpec, GeneratorSpec
from ganforge.printable import described
from ganforge.problem import Problem
from ganforge.storage import tensor_file
from ganforge.testing.fixtures.building import (
    NUM_CLASSES,
    arguments,
    build_network,
    conditional_network,
    first_network,
    forward,
    networks,
    real_batch,
    seeded,
)
from ganforge.testing.framework import Check, CheckFailure, Subject

NUM_SAMPLES = 7
KINDS = (GeneratorSpec.kind, DiscriminatorSpec.kind)


def check_same_seed(subject: Subject) -> None:
    problem, one = first_network(subject)
    other = build_network(subject, problem)
    different = _different(one, other)
    if different:
        raise CheckFailure(
            "two networks built under one seed to be equal to the bit",
            came=f"a difference in {different[0]}",
            mend="draw the first weights from torch's global generator, which the engine seeds",
        )


def check_other_seed(subject: Subject) -> None:
    problem, one = first_network(subject)
    if not _different(one, build_network(subject, problem, seed=1)):
        raise CheckFailure(
            "networks built under two seeds to differ",
            came="the same weights",
            mend="seed nothing in the builder: the seed of the run is to decide",
        )


def check_registered(subject: Subject) -> None:
    _, network = first_network(subject)
    for place, found in _unregistered(network):
        raise CheckFailure(
            "every tensor and module of the network to be registered",
            came=f"{place}, a {type(found).__name__} that no .to() moves and no checkpoint saves",
            mend="use register_buffer, nn.Parameter, nn.ModuleList or nn.ModuleDict",
        )


def check_gradients(subject: Subject) -> None:
    for problem, network in networks(subject):
        given = arguments(subject, problem, NUM_SAMPLES)
        output = forward(network, given)
        total = _weighted(output)
        if isinstance(subject.spec, GeneratorSpec) and subject.spec.encodes:
            with seeded():
                total = total + _weighted(encode(network, real_batch(problem, NUM_SAMPLES)))
        if not total.requires_grad:
            raise CheckFailure(
                "an output that depends on the network's weights",
                came="one without a gradient",
                mend="detach nothing, and enter no torch.no_grad()",
            )
        _backward(total, network)
        for name, parameter in network.named_parameters():
            _check_gradient(name, parameter, problem)


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


def check_memory_formats(subject: Subject) -> None:
    for problem, network in networks(subject):
        given = arguments(subject, problem, NUM_SAMPLES)
        plain = tuple(it.contiguous() for it in given)
        with torch.no_grad():
            network.eval()
            one, other = forward(network, given), forward(network, plain)
        if one.shape != other.shape or not _close(one, other):
            raise CheckFailure(
                "the same output for images in channels-last memory and for contiguous ones",
                came=f"a difference for samples {list(problem.sample_shape)}",
                mend="use flatten, reshape and permute rather than view and strides",
            )


def check_arguments_unchanged(subject: Subject) -> None:
    problem, network = first_network(subject)
    given = arguments(subject, problem, NUM_SAMPLES)
    before = [it.clone() for it in given]
    with seeded():
        network(*given)
    if not all(map(torch.equal, given, before)):
        raise CheckFailure(
            "what is given to forward to stay as it is",
            came="another value after the pass",
            mend="begin with an operation that is not in place (inplace=False in a first layer)",
        )


def check_parameters_at_first_forward(subject: Subject) -> None:
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


def check_deep_copy(subject: Subject) -> None:
    problem, network = first_network(subject)
    given = arguments(subject, problem, NUM_SAMPLES)
    _backward(_weighted(forward(network, given)), network)
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


def check_saved_state(subject: Subject) -> None:
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


def check_autocast(subject: Subject) -> None:
    problem, network = first_network(subject)
    with torch.autocast("cpu", torch.bfloat16):
        output = forward(network, arguments(subject, problem, NUM_SAMPLES))
    _backward(_weighted(output.float()), network)
    gradients = [it.grad for it in network.parameters() if it.grad is not None]
    if not all(bool(it.isfinite().all()) for it in [output, *gradients]):
        raise CheckFailure(
            "finite output and gradients under bfloat16 autocast",
            came="infinite ones or NaN",
            mend="make the operation that overflows in float32",
        )


def check_labels_count(subject: Subject) -> None:
    problem, network = conditional_network(subject)
    values, labels = arguments(subject, problem, NUM_SAMPLES)
    with torch.no_grad():
        network.eval()
        one = forward(network, (values, labels))
        other = forward(network, (values, (labels + 1) % NUM_CLASSES))
    if torch.equal(one, other):
        raise CheckFailure(
            "another output for other labels",
            came="the same one",
            mend="let the label enter the network, or declare labels='none'",
        )


def check_labels_refused(subject: Subject) -> None:
    problem, network = conditional_network(subject)
    values, labels = arguments(subject, problem, NUM_SAMPLES)
    for wrong in (NUM_CLASSES, -1):
        try:
            with torch.no_grad():
                forward(network.eval(), (values, torch.full_like(labels, wrong)))
        except Exception:
            continue
        raise CheckFailure(
            f"an error for the label {wrong} where there are {NUM_CLASSES} classes",
            came="an output",
            mend="look the label up with nn.Embedding, or raise IndexError",
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


def _weighted(output: Tensor) -> Tensor:
    """A scalar whose gradient is another one at each number of the output."""
    weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(2))
    return (output * weights).sum()


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


CHECKS: tuple[Check, ...] = tuple(
    Check(name=name, contract=contract, run=run, kinds=KINDS)
    for name, contract, run in (
        (
            "one-seed-builds-one-network",
            "two builds under one seed are equal to the bit",
            check_same_seed,
        ),
        (
            "another-seed-builds-another-network",
            "the seed of the run decides the first weights",
            check_other_seed,
        ),
        (
            "tensors-are-registered",
            "every tensor and layer is moved and saved with the network",
            check_registered,
        ),
        (
            "every-parameter-gets-a-gradient",
            "every parameter gets a finite gradient that is somewhere not zero",
            check_gradients,
        ),
        (
            "memory-format-changes-nothing",
            "images in channels-last memory give what contiguous ones give",
            check_memory_formats,
        ),
        (
            "arguments-are-not-changed",
            "forward leaves what it is given as it is",
            check_arguments_unchanged,
        ),
        (
            "no-parameter-appears-at-first-forward",
            "the network is complete when it is built",
            check_parameters_at_first_forward,
        ),
        (
            "can-be-copied-after-a-pass",
            "a deep copy after a pass gives the same output",
            check_deep_copy,
        ),
        (
            "state-survives-safetensors",
            "a network with the saved state gives the same output",
            check_saved_state,
        ),
        (
            "finite-under-bfloat16-autocast",
            "output and gradients are finite under bfloat16 autocast",
            check_autocast,
        ),
        (
            "labels-count",
            "other labels give another output",
            check_labels_count,
        ),
        (
            "labels-out-of-range-are-refused",
            "a label that is no class is an error",
            check_labels_refused,
        ),
    )
)
