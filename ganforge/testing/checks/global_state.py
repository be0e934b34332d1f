"""Checks of global state that a component must leave alone: random generators, settings."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from ganforge.errors import listed
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.keeping import GENERATORS, SETTINGS, ChangedProcess
from ganforge.plugin.process_state import Part, kept
from ganforge.plugin.specs import NetworkSpec
from ganforge.testing.fixtures.building import build, problems_of
from ganforge.testing.fixtures.built_networks import networks
from ganforge.testing.framework import Subject, check, require

TORCH_SETTINGS = tuple(it for it in SETTINGS if it.module == "torch")
PROCESS_SETTINGS = tuple(it for it in SETTINGS if it.module != "torch")


@check(
    "building it and a pass in evaluation leave the global random generators as they were",
    ComponentSpec,
    fix="draw in training mode alone (dropout with training=self.training), and seed nothing: the "
    "engine does",
)
def global_random_state_is_untouched(subject: Subject[ComponentSpec]) -> None:
    _require_unchanged(subject, GENERATORS)


@check(
    "building it and a pass in evaluation leave torch's global settings as they were",
    ComponentSpec,
    fix="give dtype and device to each call instead",
)
def torch_settings_are_untouched(subject: Subject[ComponentSpec]) -> None:
    _require_unchanged(subject, TORCH_SETTINGS)


@check(
    "building it and a pass in evaluation leave the process as it was: the working directory, the "
    "environment, the filters of warnings and the like",
    ComponentSpec,
    fix="change nothing that every run shares",
)
def process_is_untouched(subject: Subject[ComponentSpec]) -> None:
    _require_unchanged(subject, PROCESS_SETTINGS)


def _require_unchanged(subject: Subject[Any], parts: Sequence[Part]) -> None:
    """Require parts of the process as before, after building and a pass in evaluation."""
    with warnings.catch_warnings(record=True) as caught, kept(parts) as changes:
        warnings.simplefilter("always", ChangedProcess)
        if isinstance(subject.spec, NetworkSpec):
            for built in networks(subject, few=True):
                built.network.eval()
                built.apply(built.given())
        else:
            build(subject, problems_of(subject)[0])
    # What a builder changes has been set back by then, with a warning; that of other parts is told
    # by another check.
    of_torch = {it.name for it in TORCH_SETTINGS}
    told = [it.message.changes for it in caught if isinstance(it.message, ChangedProcess)]
    if parts is not GENERATORS:
        changes += [
            name
            for names in told
            for name in names
            if (name in of_torch) == (parts is TORCH_SETTINGS)
        ]
    require(not changes, f"a change of {listed(changes)}")
