"""Systems that are told something, or that make one thing of another, as plugins."""

from __future__ import annotations

from tests.systems.harness import System

SYSTEMS: dict[str, System] = {}
