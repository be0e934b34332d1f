"""Checks of global state that a component must leave alone: random generators, torch's settings."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy
import torch

from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.specs import KINDS, SPECS, NetworkSpec, RecipeSpec
from ganforge.testing.fixtures.building import arguments, build, first_network
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.framework import Check, Subject
from ganforge.testing.framework import OldFailure as CheckFailure

BUILT = tuple(kind for kind in KINDS if kind != RecipeSpec.kind)


def check_random_state(subject: Subject[ComponentSpec]) -> None:
    changed = _changed(subject, _RANDOM_STATE)
    if changed:
        raise CheckFailure(
            "the global random generators as they were, after building and a pass in evaluation",
            came=f"a change of {' and '.join(changed)}",
            mend="draw in training mode alone, and seed nothing: the engine does",
        )


def check_torch_settings(subject: Subject[ComponentSpec]) -> None:
    changed = _changed(subject, _TORCH_SETTINGS)
    if changed:
        raise CheckFailure(
            "torch's global settings as they were, after building and a pass in evaluation",
            came=f"a change of {' and '.join(changed)}",
            mend="give dtype and device to each call instead",
        )


#: parts of the process that no component may change -> how each is read and set
_RANDOM_STATE: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "torch's generator": (torch.get_rng_state, torch.set_rng_state),
    "Python's generator": (random.getstate, random.setstate),
    "NumPy's generator": (numpy.random.get_state, numpy.random.set_state),
}
_TORCH_SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "the default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "the default device": (torch.get_default_device, torch.set_default_device),
    "the number of threads": (torch.get_num_threads, torch.set_num_threads),
    "the gradient mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "deterministic algorithms": (
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    ),
}


def _changed(
    subject: Subject[ComponentSpec],
    parts: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]],
) -> list[str]:
    """The parts that differ after building and a pass in evaluation mode; they are set back."""
    before = {name: read() for name, (read, _) in parts.items()}
    try:
        if isinstance(subject.spec, NetworkSpec):
            problem, network = first_network(subject)
            given = arguments(subject, problem, 2)
            network.eval()(given.values, **given.others)
        else:
            build(subject, problems(subject)[0])
    finally:
        changed = [name for name, (read, _) in parts.items() if not _same(before[name], read())]
        for name in changed:
            parts[name][1](before[name])
    return changed


def _same(one: Any, other: Any) -> bool:
    """True if two states are equal; NumPy's is a tuple with an array in it."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, numpy.ndarray):
        return bool(numpy.array_equal(one, other))
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


CHECKS: tuple[Check, ...] = (
    Check(
        name="global-random-state-is-untouched",
        fix="",
        contract="building and evaluating it leave the global random generators as they were",
        function=check_random_state,
        kinds=tuple(it for it in SPECS if it.kind in BUILT),
    ),
    Check(
        name="torch-settings-are-untouched",
        fix="",
        contract="building and evaluating it leave torch's global settings as they were",
        function=check_torch_settings,
        kinds=tuple(it for it in SPECS if it.kind in BUILT),
    ),
)
