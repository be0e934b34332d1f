"""The components that are installed, and among them one whose data a program hands over."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from ganforge.config.arguments import Argument
from ganforge.config.layers import Entry
from ganforge.plugin.discovery import discover
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import DatasetSpec

from .given import GivenComponent

if TYPE_CHECKING:
    from .datasets import GivenDataset


def found_registry() -> Registry:
    """Every component that is installed; a plugin that failed is a warning."""
    discovery = discover()
    for trouble in discovery.troubles:
        warnings.warn(trouble, stacklevel=3)
    return discovery.registry


def hand_over(
    registry: Registry, given: GivenDataset, place: str
) -> tuple[Registry, tuple[Entry, ...]]:
    """The registry with these data in place of the set that stands for them, and its settings.

    Raises UsageError where no installed set does.
    """
    standing = [it for it in registry.of_kind(DatasetSpec) if it.spec.handed_over]
    if not standing:
        raise registry.not_found("no data set that is installed stands for data of a program")
    component = standing[0]
    bound = GivenComponent(
        spec=replace(component.spec, check_available=None),
        plugin=component.plugin,
        function=lambda problem, options: given.dataset,
    )
    origin = Argument(place)
    values = {
        "name": registry.short_name(component),
        "fields": given.description(),
        "digest": given.digest,
    }
    entries = tuple(
        Entry(path=("dataset", key), value=value, origin=origin) for key, value in values.items()
    )
    others = [bound if it is component else it for it in registry]
    return registry.with_components(others), entries
