"""Checks of what a network is told and what it tells: its conditions, and its trace."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from ganforge.contracts import Inputs
from ganforge.plugin.fields import grouped
from ganforge.plugin.specs import DiscriminatorSpec, NetworkSpec
from ganforge.testing.fixtures.building import one_tensor
from ganforge.testing.fixtures.built_networks import NUM_SAMPLES, Built, networks
from ganforge.testing.fixtures.conduct import near
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

ROW = 2  # the sample that is told something else; not the middle one


@check(
    "another value of a condition gives another output, of its own sample alone",
    NetworkSpec,
    fix="let every condition enter the network beside its own sample, or leave it out of "
    "`conditions`",
)
def conditions_count(subject: Subject[NetworkSpec]) -> None:
    told = _told(subject)
    alone = not isinstance(subject.spec, DiscriminatorSpec) or subject.says("batch_independent")
    for built in told:
        given = built.disturbed().given()
        before = built.evaluated(given)
        for keyword, value in given.others.items():
            changed = value.clone()
            changed[ROW] = _other(value[ROW], _num_classes(built, keyword))
            after = built.evaluated(_with(given, keyword, changed))
            moved = [it for it in range(NUM_SAMPLES) if not near(before[it], after[it])]
            same = torch.equal(before[ROW], after[ROW])
            require(not same, f"the same one for another {keyword}")
            strange = [it for it in moved if it != ROW]
            who = f"other outputs of samples {strange} for another {keyword} of sample {ROW}"
            require(not (alone and strange), who)
            if not value.is_floating_point():
                _require_classes_apart(built, keyword, value)


def _require_classes_apart(built: Built, keyword: str, value: Tensor) -> None:
    """Require an output of its own for each class, of one category after the other."""
    num = _num_classes(built, keyword)
    given = built.given(1)
    others = {name: it.repeat(num, *[1] * (it.dim() - 1)) for name, it in given.others.items()}
    one = Inputs(given.values.expand(num, *given.values.shape[1:]), **others)
    for place in range(value[0].numel()):
        classes = one.others[keyword].clone()
        classes.view(num, -1)[:, place] = torch.arange(num)
        outputs = built.evaluated(_with(one, keyword, classes))
        for i, j in combinations(range(num), 2):
            apart = not torch.equal(outputs[i], outputs[j])
            require(apart, f"the same one for classes {i} and {j} of {keyword}")


def _told(subject: Subject[NetworkSpec]) -> list[Built]:
    """The networks that are told something. Raises NotApplicable where there is none."""
    found = [it for it in networks(subject) if it.problem.conditions]
    if not found:
        raise NotApplicable("it takes no conditions")
    return found


def _with(given: Inputs, keyword: str, told: Tensor) -> Inputs:
    return Inputs(given.values, **{**given.others, keyword: told})


def _other(told: Tensor, num_classes: int) -> Tensor:
    """Values that are not those of a condition: the next classes, or the opposite numbers."""
    return (told + 1) % num_classes if num_classes else -told


def _num_classes(built: Built, keyword: str) -> int:
    """The number of classes of what is told by a keyword, 0 where these are numbers.

    Of several categories it is that of the smallest.
    """
    names = grouped(built.problem.conditions)[keyword]
    return min(built.problem.conditions[name].num_classes or 0 for name in names)


@check(
    "a label that is no class is an error",
    NetworkSpec,
    fix="look the label up with nn.Embedding, or raise IndexError",
)
def labels_out_of_range_are_refused(subject: Subject[NetworkSpec]) -> None:
    told = [
        (built, keyword)
        for built in networks(subject)
        for keyword in {"label", "labels"} & built.given().others.keys()
    ]
    if not told:
        raise NotApplicable("it takes no labels")
    for built, keyword in told:
        given, num = built.given(), _num_classes(built, keyword)
        for wrong in (num, -1):
            labels = torch.full_like(given.others[keyword], wrong)
            try:
                built.evaluated(_with(given, keyword, labels))
            except Exception:
                continue
            raise CheckFailure(
                "an output",
                expected=f"an error for the label {wrong} where there are {num} classes",
            )


@check(
    "trace() gives the output of forward, and what the spec names in `gives`",
    NetworkSpec,
    fix="define trace(...) with the arguments of forward, let it return (output, {name: tensor or "
    "list}), each [B, ...], and let forward return trace(...)[0]",
)
def trace_is_as_declared(subject: Subject[NetworkSpec]) -> None:
    gives = subject.spec.gives
    if not gives:
        raise NotApplicable("it gives nothing besides its output")
    for built in networks(subject):
        has_it = callable(getattr(built.network, "trace", None))
        require(has_it, f"no method trace, for the spec says gives={gives!r}")
        output = built.evaluated()
        with torch.no_grad():
            found = built.call(method="trace")
        sound = isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], dict)
        require(sound, f"a {type(found).__name__} from trace()")
        require(torch.equal(one_tensor(found[0]), output), "another output from trace()")
        for name in gives:
            _expect_batch(name, found[1].get(name))


def _expect_batch(name: str, given: object) -> None:
    """Require a tensor `[B, ...]`, or a list of such."""
    for found in given if isinstance(given, list | tuple) else [given]:
        shown = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
        sound = isinstance(found, Tensor) and found.shape[:1] == (NUM_SAMPLES,)
        require(sound, f"{shown} for {name!r}", expected=f"a tensor [{NUM_SAMPLES}, ...]")
