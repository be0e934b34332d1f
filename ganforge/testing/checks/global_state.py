"""Checks of global state that a component must leave alone: random generators, torch's settings."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy
import torch

from ganforge.errors import listed
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.specs import NetworkSpec
from ganforge.testing.fixtures.building import build, problems_of
from ganforge.testing.fixtures.built_networks import networks
from ganforge.testing.framework import Subject, check, require

Settings = Mapping[str, tuple[Callable[[], Any], Callable[[Any], object]]]

#: parts of the process that no component may change -> how each is read and set
RANDOM_STATE: Settings = {
    "torch's generator": (torch.get_rng_state, torch.set_rng_state),
    "Python's generator": (random.getstate, random.setstate),
    "NumPy's generator": (numpy.random.get_state, numpy.random.set_state),
}
TORCH_SETTINGS: Settings = {
    "the default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "the default device": (torch.get_default_device, torch.set_default_device),
    "the number of threads": (torch.get_num_threads, torch.set_num_threads),
    "the gradient mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "deterministic algorithms": (
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    ),
}


@check(
    "building it and a pass in evaluation leave the global random generators as they were",
    ComponentSpec,
    fix="draw in training mode alone (dropout with training=self.training), and seed nothing: the "
    "engine does",
)
def global_random_state_is_untouched(subject: Subject[ComponentSpec]) -> None:
    _require_unchanged(subject, RANDOM_STATE)


@check(
    "building it and a pass in evaluation leave torch's global settings as they were",
    ComponentSpec,
    fix="give dtype and device to each call instead",
)
def torch_settings_are_untouched(subject: Subject[ComponentSpec]) -> None:
    _require_unchanged(subject, TORCH_SETTINGS)


def _require_unchanged(subject: Subject[Any], settings: Settings) -> None:
    """Require settings as before, after building and a pass in evaluation; they are set back."""
    before = {name: read() for name, (read, _) in settings.items()}
    try:
        if isinstance(subject.spec, NetworkSpec):
            for built in networks(subject, few=True):
                built.network.eval()
                built.apply(built.given())
        else:
            build(subject, problems_of(subject)[0])
    finally:
        changed = [it for it, (read, _) in settings.items() if not _same(before[it], read())]
        for name in changed:
            settings[name][1](before[name])
    require(not changed, f"a change of {listed(changed)}")


def _same(one: Any, other: Any) -> bool:
    """True if two states are equal; NumPy's is a tuple with an array in it."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(numpy.array_equal(one, other))
