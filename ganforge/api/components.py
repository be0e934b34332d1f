"""`list_components`: what can be chosen by name, with its record."""

from __future__ import annotations

from typing import Any

from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.plugin.specs import KINDS
from ganforge.printable import printable

from .registry import found_registry


def list_components(kind: str) -> dict[str, Any]:
    """The records of the installed components of a kind, by the names that find them.

    Kinds are those of `ganforge list-plugins`: `generator`, `discriminator`, `loss`, `dataset` and
    so on. A record has `summary`, `options`, and what the component can do. Raises UsageError for
    a kind that there is not.
    """
    if kind not in KINDS:
        near = did_you_mean(str(kind), KINDS) or f"; there are {listed(KINDS)}"
        raise UsageError(f"there is no kind of component called {printable(kind, 40)!r}{near}")
    registry = found_registry()
    return {registry.short_name(it): it.spec for it in registry.of_kind(kind)}
