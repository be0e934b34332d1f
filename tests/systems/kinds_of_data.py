"""Systems for what is no picture, as plugins."""

from __future__ import annotations

from tests.systems.harness import System

SYSTEMS: dict[str, System] = {}
