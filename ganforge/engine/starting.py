"""Starting weights: from another run or file, once, where name and shape fit."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from ganforge.config.run_config import RunConfig


def start_from(config: RunConfig, networks: Mapping[str, nn.Module | None]) -> None:
    """Load the starting weights that the configuration names."""
