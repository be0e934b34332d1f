"""Checks of the kinds that watch a run or describe one: metrics, callbacks and recipes."""

from __future__ import annotations

from .callbacks import CHECKS as CALLBACKS
from .framework import Check
from .metrics import CHECKS as METRICS
from .recipes import CHECKS as RECIPES

CHECKS: tuple[Check, ...] = (*METRICS, *CALLBACKS, *RECIPES)
