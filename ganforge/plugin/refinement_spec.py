"""The spec of refinements of trained pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ganforge.plugin.base_specs import ComponentSpec


@dataclass(frozen=True, kw_only=True)
class RefinementSpec(ComponentSpec):
    """A refinement: better samples of a trained pair, by what its discriminator says.

    It is chosen when samples are drawn, by `ganforge sample --refine NAME`, and is no part of a
    run. With `differentiates` it follows gradients to latents, whose density the sampler must know.
    """

    kind: ClassVar[str] = "refinement"

    differentiates: bool = False
