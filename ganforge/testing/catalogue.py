"""Every check that there is, and the two doors in Python to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.plugin.base_specs import Spec
from ganforge.testing.checks import (
    adapting,
    augmentations,
    callbacks,
    classes,
    components,
    data_sources,
    datasets,
    discriminators,
    drawn_sets,
    features,
    formats,
    games,
    generators,
    global_state,
    hook_modules,
    latents,
    loss_conduct,
    loss_declarations,
    losses,
    metrics,
    network_gradients,
    networks,
    optimizers,
    penalties,
    recipes,
    refinements,
    samplers,
    told_networks,
    training,
)

from .finding import subject_of
from .framework import Check, CheckResult, Subject, checks_in, perform_all

#: in the order in which they are run and shown
MODULES = (
    components,
    hook_modules,
    global_state,
    networks,
    network_gradients,
    told_networks,
    generators,
    discriminators,
    losses,
    penalties,
    loss_declarations,
    loss_conduct,
    datasets,
    classes,
    drawn_sets,
    data_sources,
    samplers,
    latents,
    refinements,
    games,
    augmentations,
    adapting,
    metrics,
    features,
    callbacks,
    optimizers,
    formats,
    recipes,
    training,
)
ALL_CHECKS: tuple[Check, ...] = tuple(it for module in MODULES for it in checks_in(module))


def checks_of(subject: Subject[Spec]) -> list[Check]:
    """The checks that concern a component."""
    return [check for check in ALL_CHECKS if check.concerns(subject.spec)]


def check_component(
    spec: Spec,
    *,
    options: Mapping[str, object] | None = None,
    pairs_with: Sequence[Spec] = (),
    expected_failures: Mapping[str, str] | None = None,
) -> list[CheckResult]:
    """Run every check that concerns a component, given by its spec alone.

    `options` are plain values over the defaults, to check it with. `pairs_with` are the components
    that belong with it, for what the kit's own partners lack. `expected_failures` are reasons by
    name of the check. Raises UsageError for a name that no check of this kind has.
    """
    partners = tuple(subject_of(it) for it in pairs_with)
    subject = replace(subject_of(spec, options), partners=partners)
    return check_subject(subject, expected_failures)


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
