"""The refinement of samples that a person chooses, with its options."""

from __future__ import annotations

from ganforge.errors import ConfigError
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import RefinementSpec

from .choosing import Chooser
from .layers import Layer
from .selection import Selection


def choose_refinement(given: Layer, registry: Registry) -> Selection[RefinementSpec]:
    """The refinement that a layer names in its table `refinement`. Raises ConfigError."""
    chooser = Chooser([given], registry)
    component = chooser.named(RefinementSpec, None)
    selection = chooser.selection((RefinementSpec.kind,), component)
    if selection is None:
        raise ConfigError(chooser.complaints)
    return selection
