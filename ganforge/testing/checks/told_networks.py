"""Checks of what a network is told and what it tells: its conditions, and its trace."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge.contracts import Inputs
from ganforge.plugin.specs import DiscriminatorSpec, GeneratorSpec, NetworkSpec
from ganforge.testing.fixtures.building import arguments, call, forward, networks, one_tensor
from ganforge.testing.fixtures.problems import CLASSES
from ganforge.testing.framework import (
    Check,
    NotApplicable,
    Subject,
    check_of,
)
from ganforge.testing.framework import (
    OldFailure as CheckFailure,
)

NUM_SAMPLES = 7


def check_conditions_count(subject: Subject[NetworkSpec]) -> None:
    checked: set[str] = set()
    for problem, network in networks(subject, told=True):
        given = arguments(subject, problem, NUM_SAMPLES)
        with torch.no_grad():
            one = forward(network.eval(), given)
            for keyword in given.others.keys() - checked:
                checked.add(keyword)
                told = {**given.others, keyword: _others(given.others[keyword])}
                if torch.equal(one, forward(network, Inputs(given.values, **told))):
                    raise CheckFailure(
                        f"another output for another {keyword}",
                        came="the same one",
                        mend=f"let it enter the network, or leave {keyword!r} out of `conditions`",
                    )
    if not checked:
        raise NotApplicable("it takes no conditions")


def _others(told: Tensor) -> Tensor:
    """Values that are not those of a condition: the next classes, or the opposite numbers."""
    return -told if told.is_floating_point() else (told + 1) % len(CLASSES)


def check_labels_refused(subject: Subject[NetworkSpec]) -> None:
    checked = False
    for problem, network in networks(subject, told=True):
        given = arguments(subject, problem, NUM_SAMPLES)
        for keyword in {"label", "labels"} & given.others.keys():
            checked = True
            for wrong in (len(CLASSES), -1):
                told = {**given.others, keyword: torch.full_like(given.others[keyword], wrong)}
                try:
                    with torch.no_grad():
                        forward(network.eval(), Inputs(given.values, **told))
                except Exception:
                    continue
                raise CheckFailure(
                    f"an error for the label {wrong} where there are {len(CLASSES)} classes",
                    came="an output",
                    mend="look the label up with nn.Embedding, or raise IndexError",
                )
    if not checked:
        raise NotApplicable("it takes no labels")


def check_trace(subject: Subject[NetworkSpec]) -> None:
    gives = subject.spec.gives
    if not gives:
        raise NotApplicable("it gives nothing besides its output")
    for problem, network in networks(subject):
        if not callable(getattr(network, "trace", None)):
            raise CheckFailure(
                f"a method trace, for the spec says gives={gives!r}",
                came="none",
                mend="define trace(...) with the arguments of forward",
            )
        given = arguments(subject, problem, NUM_SAMPLES)
        with torch.no_grad():
            output = forward(network.eval(), given)
            found = call(network, given, "trace")
        if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], dict)):
            raise CheckFailure(
                "(output, {name: tensor or list}) from trace()",
                came=type(found).__name__,
                mend="return what forward returns, and a dictionary",
            )
        if not torch.equal(one_tensor(found[0]), output):
            raise CheckFailure(
                "the output of forward from trace() too",
                came="another one",
                mend="let forward return trace(...)[0]",
            )
        for name in gives:
            _expect_batch(name, found[1].get(name))


def _expect_batch(name: str, given: object) -> None:
    """Require a tensor `[B, ...]`, or a list of such."""
    several = given if isinstance(given, list | tuple) else [given]
    for found in several:
        if not isinstance(found, Tensor) or found.shape[:1] != (NUM_SAMPLES,):
            shown = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise CheckFailure(
                f"{name!r} of trace() as a tensor [{NUM_SAMPLES}, ...], or a list of such",
                came=str(shown),
                mend="give under every name of `gives` what belongs to the samples, in their order",
            )


_check = check_of(GeneratorSpec.kind, DiscriminatorSpec.kind)


CHECKS: tuple[Check, ...] = (
    _check(
        "conditions-count",
        "another value of a condition gives another output",
        check_conditions_count,
    ),
    _check(
        "labels-out-of-range-are-refused",
        "a label that is no class is an error",
        check_labels_refused,
    ),
    _check(
        "trace-is-as-declared",
        "trace() gives the output of forward, and what the spec names in `gives`",
        check_trace,
    ),
)
