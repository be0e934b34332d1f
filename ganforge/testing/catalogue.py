"""Every check that there is, and the two doors in Python to them."""

from __future__ import annotations

from collections.abc import Mapping

from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.plugin.base_specs import Spec
from ganforge.testing.checks.augmentations import CHECKS as AUGMENTATIONS
from ganforge.testing.checks.callbacks import CHECKS as CALLBACKS
from ganforge.testing.checks.components import CHECKS as COMPONENTS
from ganforge.testing.checks.datasets import CHECKS as DATASETS
from ganforge.testing.checks.discriminators import CHECKS as DISCRIMINATORS
from ganforge.testing.checks.formats import CHECKS as FORMATS
from ganforge.testing.checks.games import CHECKS as GAMES
from ganforge.testing.checks.generators import CHECKS as GENERATORS
from ganforge.testing.checks.losses import CHECKS as LOSSES
from ganforge.testing.checks.metrics import CHECKS as METRICS
from ganforge.testing.checks.networks import CHECKS as NETWORKS
from ganforge.testing.checks.optimizers import CHECKS as OPTIMIZERS
from ganforge.testing.checks.recipes import CHECKS as RECIPES
from ganforge.testing.checks.samplers import CHECKS as SAMPLERS
from ganforge.testing.checks.training import CHECKS as PAIRINGS

from .finding import subject_of
from .framework import Check, CheckResult, Subject, perform_all

ALL_CHECKS: tuple[Check, ...] = (
    *COMPONENTS,
    *NETWORKS,
    *GENERATORS,
    *DISCRIMINATORS,
    *LOSSES,
    *DATASETS,
    *SAMPLERS,
    *GAMES,
    *AUGMENTATIONS,
    *METRICS,
    *CALLBACKS,
    *OPTIMIZERS,
    *FORMATS,
    *RECIPES,
    *PAIRINGS,
)


def checks_of(subject: Subject[Spec]) -> list[Check]:
    """The checks that concern a component."""
    return [check for check in ALL_CHECKS if check.concerns(subject.spec)]


def check_component(
    spec: Spec,
    *,
    options: Mapping[str, object] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> list[CheckResult]:
    """Run every check that concerns a component, given by its spec alone.

    `options` are plain values over the defaults, to check it with. `expected_failures` are reasons
    by name of the check. Raises UsageError for a name that no check of this kind has.
    """
    return check_subject(subject_of(spec, options), expected_failures)


def check_subject(
    subject: Subject[Spec], expected_failures: Mapping[str, str] | None = None
) -> list[CheckResult]:
    """Run every check that concerns a component. Raises UsageError as `check_component` does."""
    require_names(subject, expected_failures or {})
    return perform_all(ALL_CHECKS, subject, expected_failures)


def require_names(subject: Subject[Spec], expected_failures: Mapping[str, str]) -> None:
    """Raise UsageError where a failure is expected of a check that is not run."""
    known = [check.name for check in checks_of(subject)]
    for name in expected_failures:
        if name not in known:
            near = did_you_mean(name, known) or f"; there are {listed(known)}"
            raise UsageError(f"no check of {subject.label} is called {name!r}{near}")
