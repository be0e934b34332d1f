"""Networks of the literature, with what their papers train them with, as plugins."""

from __future__ import annotations

from tests.systems.harness import System

SYSTEMS: dict[str, System] = {}
