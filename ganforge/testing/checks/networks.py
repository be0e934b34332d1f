"""Checks of generators and discriminators: a network can be built, trained, copied and saved."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ganforge.contracts import Inputs
from ganforge.errors import CheckpointError, listed
from ganforge.plugin.specs import NetworkSpec
from ganforge.printable import described
from ganforge.storage import tensor_file
from ganforge.testing.fixtures.building import seeded, weighted
from ganforge.testing.fixtures.built_networks import build_again, networks
from ganforge.testing.fixtures.conduct import left_unchanged, near
from ganforge.testing.fixtures.other_device import META, OnOneDevice
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require


@check(
    "two networks built under one seed are equal to the bit",
    NetworkSpec,
    fix="draw the first weights from torch's global generator, which the engine seeds",
)
def one_seed_builds_one_network(subject: Subject[NetworkSpec]) -> None:
    for one in networks(subject, few=True):
        other = build_again(one)
        different = _different(one.network, other.network)
        require(not different, f"a difference in {listed(different[:3])}")


@check(
    "the seed of the run decides the first weights",
    NetworkSpec,
    fix="seed nothing in the builder",
)
def another_seed_builds_another_network(subject: Subject[NetworkSpec]) -> None:
    for one in networks(subject, few=True):
        other = build_again(one, seed=1)
        require(bool(_different(one.network, other.network)), "the same weights under another seed")
        # Where the builder seeds the global generator, its state then is the same under any seed.
        states = []
        for seed in (0, 1):
            with seeded(seed):
                subject.component.build(one.problem, subject.options)
                states.append(torch.get_rng_state())
        require(not torch.equal(*states), "a builder that seeds torch's generator anew")


@check(
    "two networks that are built share no parameter",
    NetworkSpec,
    fix="make every layer in __init__, none in the body of a class or a module",
)
def two_networks_share_nothing(subject: Subject[NetworkSpec]) -> None:
    one = next(networks(subject))
    other = build_again(one)
    ours = {it.data_ptr() for it in one.network.parameters() if it.numel()}
    shared = [name for name, it in other.network.named_parameters() if it.data_ptr() in ours]
    require(not shared, f"{listed(shared[:3])} in both")


@check(
    "every tensor and layer is registered, so that it is moved and saved with the network",
    NetworkSpec,
    fix="use register_buffer, nn.Parameter, nn.ModuleList or nn.ModuleDict",
)
def tensors_are_registered(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject, few=True):
        for place, found in unregistered(built.network):
            raise CheckFailure(f"{place} with a {type(found).__name__} that is not")


@check(
    "parameters and buffers of floating point are float32",
    NetworkSpec,
    fix="make them with dtype=torch.float32; not every device has float64",
)
def numbers_of_the_state_are_float32(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject, few=True):
        for name, tensor in built.network.state_dict().items():
            if isinstance(tensor, Tensor) and tensor.is_floating_point():
                require(tensor.dtype == torch.float32, f"{name} of {tensor.dtype}")


@check(
    "images in channels-last memory give what contiguous ones give",
    NetworkSpec,
    fix="use flatten, reshape and permute rather than view and strides",
)
def memory_format_changes_nothing(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject):
        given = built.given()
        told = {keyword: it.contiguous() for keyword, it in given.others.items()}
        plain = Inputs(given.values.contiguous(), **told)
        one, other = built.evaluated(given), built.evaluated(plain)
        require(one.shape == other.shape and near(one, other), f"a difference for {built.shown}")


@check(
    "a pass leaves what it is given as it is",
    NetworkSpec,
    fix="begin with an operation that is not in place (inplace=False in a first layer)",
)
def arguments_are_not_changed(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject, few=True):
        given = built.given()
        with left_unchanged(values=given.values, **given.others), seeded():
            built.apply(given)


@check(
    "what is made in a pass lies on the device of the weights",
    NetworkSpec,
    fix="give device=inputs.device to what makes a tensor, or make it in __init__ as a buffer",
)
def tensors_are_made_on_the_right_device(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject, few=True):
        if any(unregistered(built.network)):
            raise NotApplicable("it has tensors that are not registered, and stay where they are")
        given, elsewhere = built.given(), built.copied()
        told = {keyword: it.to(META) for keyword, it in given.others.items()}
        elsewhere.network.to(META)
        for training in (True, False):
            elsewhere.network.train(training)
            with OnOneDevice():
                elsewhere.call(Inputs(given.values.to(META), **told))


@check(
    "a pass changes no parameter and no mode of a layer, and in evaluation no buffer either",
    NetworkSpec,
    fix="change weights in no forward, call train() and eval() nowhere, and move buffers where "
    "self.training",
)
def passes_change_no_weights(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject, few=True):
        for training in (True, False):
            network = built.network.train(training)
            modes = {name: it.training for name, it in network.named_modules()}
            kept: dict[str, Tensor] = {**dict(network.named_parameters())}
            if not training:
                kept |= dict(network.named_buffers())
            before = {name: it.detach().clone() for name, it in kept.items()}
            built.output()
            moved = [name for name, it in kept.items() if not torch.equal(it, before[name])]
            moved += [it for it, module in network.named_modules() if module.training != modes[it]]
            mode = "training" if training else "evaluation"
            require(not moved, f"a change of {listed(moved[:3])} by a pass in {mode}")


@check(
    "the network is complete when it is built",
    NetworkSpec,
    fix="build every layer in __init__, where the problem gives all shapes",
)
def no_parameter_appears_at_first_forward(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject, few=True):
        network = built.network
        lazy = [name for name, parameter in network.named_parameters() if is_lazy(parameter)]
        before = set(network.state_dict())
        if not lazy:
            built.output()
        new = [*lazy, *sorted(before ^ set(network.state_dict()))]
        require(not new, f"{listed(new[:3])} at the first forward")


@check(
    "a deep copy after a pass gives the same output, as the average of the weights is to",
    NetworkSpec,
    fix="keep no tensor of a pass on the network, or detach it",
)
def can_be_copied_after_a_pass(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject, few=True):
        weighted(built.output()).backward()  # type: ignore[no-untyped-call]
        try:
            other = built.copied()
        except Exception as error:
            raise CheckFailure(described(error)) from error
        same = torch.equal(built.evaluated(), other.evaluated())
        require(same, "another output of the copy")


@check(
    "a network with the saved state gives the same output",
    NetworkSpec,
    fix="register what decides the output as a parameter or a persistent buffer, tensors alone, "
    "each under the same name in every build",
)
def state_survives_safetensors(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject, few=True):
        other = build_again(built, seed=1)
        for it in (built, other):
            it.output()  # in training mode: buffers have something to hold
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "network.safetensors"
            try:
                tensor_file.write(file, "check", built.network.state_dict(), {})
                tensors, _ = tensor_file.read(file, "check")
                other.network.load_state_dict(tensors)
            except (CheckpointError, RuntimeError, ValueError) as error:
                raise CheckFailure(described(error)) from error
        require(near(built.evaluated(), other.evaluated()), "another output")


@check(
    "output and gradients are finite under bfloat16 autocast",
    NetworkSpec,
    fix="make the operation that overflows in float32",
)
def finite_under_bfloat16_autocast(subject: Subject[NetworkSpec]) -> None:
    for built in networks(subject, few=True):
        with torch.autocast("cpu", torch.bfloat16), _skipped_without_kernels():
            output = built.output()
        weighted(output.float()).backward()  # type: ignore[no-untyped-call]
        gradients = [it.grad for it in built.network.parameters() if it.grad is not None]
        finite = all(bool(it.isfinite().all()) for it in [output, *gradients])
        require(finite, "infinite numbers or NaN")


@contextmanager
def _skipped_without_kernels() -> Iterator[None]:
    """A layer that this processor cannot compute in bfloat16, an LSTM for one, is not to blame."""
    try:
        yield
    except CheckFailure as failure:
        if "could not create a primitive" in str(failure.__cause__):  # as oneDNN says it
            raise NotApplicable("this processor has no bfloat16 for one of its layers") from failure
        raise


def unregistered(network: nn.Module) -> Iterator[tuple[str, object]]:
    """Tensors and modules in plain attributes and containers alone, by their place."""
    registered = {*map(id, network.modules()), *map(id, network.parameters())}
    registered |= {*map(id, network.buffers())}
    for prefix, module in network.named_modules():
        for name, value in vars(module).items():
            if name not in ("_parameters", "_buffers", "_modules"):
                place = f"{prefix}.{name}" if prefix else name
                yield from ((place, it) for it in _held(value) if id(it) not in registered)


def _held(value: object) -> Iterator[object]:
    if isinstance(value, Tensor | nn.Module):
        yield value
    elif isinstance(value, Mapping | list | tuple | set):
        for it in value.values() if isinstance(value, Mapping) else value:
            yield from _held(it)


def _different(one: nn.Module, other: nn.Module) -> list[str]:
    """The names of the parameters and buffers in which two networks differ."""
    first, second = one.state_dict(), other.state_dict()
    names = [name for name in first if name not in second or not _equal(first[name], second[name])]
    return [*names, *(name for name in second if name not in first)]


def _equal(one: Any, other: Any) -> bool:
    return torch.equal(one, other) if isinstance(one, Tensor) else bool(one == other)
