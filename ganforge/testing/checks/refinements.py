"""Checks of refinements, on a pair whose log density ratio is known."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganforge.contracts import Inputs, Refined
from ganforge.plugin.specs import RefinementSpec
from ganforge.testing.fixtures.building import attempt_to_build, seeded
from ganforge.testing.fixtures.conduct import left_unchanged, require_same, shown_where_it_fails
from ganforge.testing.fixtures.reference_pair import PLAIN, TOLD, ReferencePair
from ganforge.testing.fixtures.watching import global_generators_untouched
from ganforge.testing.framework import CheckFailure, Subject, check, require

CHUNKS, BATCH = 4, 64
PROBLEMS = (PLAIN, TOLD)


def refined(
    subject: Subject[RefinementSpec], problem: Any, seed: int = 0, sizes: tuple[int, ...] = (BATCH,)
) -> list[tuple[Inputs, Refined]]:
    """Chunks of fresh inputs with what the refinement makes of them, on a new pair."""
    pair = ReferencePair(problem, seed)
    refinement = attempt_to_build(subject, problem)
    found = []
    with torch.no_grad():
        refinement.prepare(pair)
        for number, size in enumerate(sizes):
            inputs = pair.fresh(size)
            pair.start(number)
            with shown_where_it_fails("it", inputs=inputs), left_unchanged(inputs=inputs):
                made = refinement.refine(pair, inputs)
            if not isinstance(made, Refined):
                raise CheckFailure(
                    type(made).__name__,
                    expected="ganforge.Refined",
                    fix="return Refined(inputs=...)",
                )
            found.append((inputs, made))
    return found


def _values(chunks: list[tuple[Inputs, Refined]]) -> Tensor:
    return torch.cat([made.inputs.values for _, made in chunks])


@check(
    "refined inputs are finite and of the shape of those they replace, for any number of them",
    RefinementSpec,
    fix="keep the number and the order of the inputs",
)
def refined_inputs_have_the_shape_of_inputs(subject: Subject[RefinementSpec]) -> None:
    for problem in PROBLEMS:
        for inputs, made in refined(subject, problem, sizes=(BATCH, 1, 7)):
            ours, theirs = made.inputs.values, inputs.values
            sound = ours.shape == theirs.shape and ours.dtype == theirs.dtype
            require(sound, f"{ours.dtype} {list(ours.shape)} for {theirs.dtype} {[*theirs.shape]}")
            require(bool(ours.isfinite().all()), "some that are not finite")
            require(not ours.requires_grad, "some that want a gradient")


@check(
    "each refined input has the conditions of the one that it replaces",
    RefinementSpec,
    fix="draw others with pair.propose(inputs), and keep their order: Inputs(..., **inputs.others)",
)
def conditions_are_kept(subject: Subject[RefinementSpec]) -> None:
    for inputs, made in refined(subject, TOLD, sizes=(BATCH, 7)):
        found, wanted = made.inputs.labels, inputs.labels
        kept = found is not None and wanted is not None and torch.equal(found, wanted)
        require(kept, f"{found}", expected=f"the labels {wanted}")


@check(
    "samples are taken for real more than they were, in every class",
    RefinementSpec,
    fix="prefer, or move towards, a higher pair.log_ratio",
)
def log_ratios_rise(subject: Subject[RefinementSpec]) -> None:
    for problem in PROBLEMS:
        pair = ReferencePair(problem)
        chunks = refined(subject, problem, sizes=(BATCH,) * CHUNKS)
        before = torch.cat([pair.log_ratio(inputs) for inputs, _ in chunks])
        after = torch.cat([pair.log_ratio(made.inputs) for _, made in chunks])
        groups = torch.cat([pair.groups(inputs) for inputs, _ in chunks])
        for group in range(pair.num_groups):
            ours = groups == group
            change = (after[ours].mean() - before[ours].mean()).item()
            require(change > 0, f"a mean log ratio that changed by {change:.3g}")


@check(
    "what the discriminator does not look at keeps its variety",
    RefinementSpec,
    fix="choose among latents, and do not bring them together",
)
def variety_is_kept(subject: Subject[RefinementSpec]) -> None:
    values = _values(refined(subject, PLAIN, sizes=(BATCH,) * CHUNKS))[:, 1:]
    spread = values.std(0).min().item()
    require(spread > 0.7, f"a standard deviation of {spread:.2g} where that of latents is 1")
    num_distinct = len({tuple(row) for row in values.tolist()})
    require(num_distinct == len(values), f"{num_distinct} different of {len(values)} inputs")


@check(
    "the same seed gives the same inputs, and another seed others",
    RefinementSpec,
    fix="draw from pair.random, pair.propose and pair.fresh alone",
)
def draws_follow_the_seed(subject: Subject[RefinementSpec]) -> None:
    draws: list[Tensor] = []
    for seed in (0, 0, 1):
        with seeded(len(draws)), global_generators_untouched("inputs are refined"):
            draws.append(_values(refined(subject, TOLD, seed, sizes=(BATCH, BATCH))))
    require_same(draws[:2])
    require(not torch.equal(draws[0], draws[2]), "the same for another seed")


@check(
    "the numbers of proposals and of acceptances are told, or both are 0",
    RefinementSpec,
    fix="count what was judged and what was taken",
)
def acceptances_are_counted(subject: Subject[RefinementSpec]) -> None:
    for _, made in refined(subject, PLAIN):
        proposed, accepted, failed = made.num_proposed, made.num_accepted, made.num_failed
        sound = 0 <= accepted <= proposed and 0 <= failed <= BATCH
        require(sound, f"{accepted} of {proposed} accepted, {failed} failed")
        if proposed:
            enough = accepted + failed >= 1 and proposed >= accepted
            require(enough, f"{accepted} of {proposed} accepted, for {BATCH} inputs")
