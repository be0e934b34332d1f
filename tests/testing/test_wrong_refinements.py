"""Refinements that are wrong in one way each, and fail that check alone."""

from __future__ import annotations

import pytest
import torch

from ganforge import Inputs, Pair, Refined, Refinement, RefinementSpec
from ganforge.testing import check_component
from ganforge.testing.checks import refinements
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import checks_in, perform_all

CHECKS = checks_in(refinements)
NUM = 4


class Correct(Refinement):
    """The best of four latents."""

    def refine(self, pair: Pair, inputs: Inputs) -> Refined:
        places = torch.arange(len(inputs)).repeat_interleave(NUM)
        proposed = self.proposed(pair, inputs[places])
        best = self.score(pair, proposed).view(-1, NUM).argmax(1)
        chosen = proposed[torch.arange(len(inputs)) * NUM + best]
        return self.result(chosen, inputs)

    def proposed(self, pair, inputs):
        return pair.propose(inputs)

    def score(self, pair, inputs):
        return pair.log_ratio(inputs)

    def result(self, chosen, inputs):
        return Refined(
            inputs=Inputs(chosen.values, **inputs.others),
            num_proposed=NUM * len(inputs),
            num_accepted=len(inputs),
        )


class Fewer(Correct):
    """It leaves out what it does not like."""

    def result(self, chosen, inputs):
        made = super().result(chosen, inputs)
        return Refined(inputs=made.inputs[: max(1, len(inputs) - 1)])


class Plain(Correct):
    def refine(self, pair, inputs):
        return super().refine(pair, inputs).inputs


class Relabelling(Correct):
    def result(self, chosen, inputs):
        others = {name: (it + 1) % 3 for name, it in inputs.others.items()}
        return Refined(inputs=Inputs(chosen.values, **others))


class Worst(Correct):
    def score(self, pair, inputs):
        return -pair.log_ratio(inputs)


class Collapsing(Correct):
    """It brings latents together where it was not asked to."""

    def result(self, chosen, inputs):
        made = super().result(chosen, inputs)
        values = made.inputs.values * torch.tensor([1.0, 0.3, 0.3, 0.3])
        return Refined(inputs=Inputs(values, **inputs.others))


class Global(Correct):
    """It draws from the global generator."""

    def proposed(self, pair, inputs):
        return Inputs(torch.randn(inputs.values.shape), **inputs.others)


class Boasting(Correct):
    def result(self, chosen, inputs):
        made = super().result(chosen, inputs)
        return Refined(inputs=made.inputs, num_proposed=len(inputs), num_accepted=2 * len(inputs))


def refinement(built: type) -> RefinementSpec:
    target = f"{__name__}:{built.__name__}"
    return RefinementSpec(name="wrong", summary="A refinement", build=target)


WRONG = [
    (Fewer, "refined-inputs-have-the-shape-of-inputs"),
    (Relabelling, "conditions-are-kept"),
    (Worst, "log-ratios-rise"),
    (Collapsing, "variety-is-kept"),
    (Global, "draws-follow-the-seed"),
    (Boasting, "acceptances-are-counted"),
]


@pytest.mark.parametrize(("built", "check"), WRONG, ids=[it.__name__ for it, _ in WRONG])
def test_a_wrong_refinement_fails_its_check(built, check):
    results = perform_all(CHECKS, subject_of(refinement(built)))
    failed = [it.check for it in results if it.failed]
    # Fewer inputs are fewer conditions, too.
    assert failed == [check] or (built is Fewer and check in failed), results


def test_every_check_of_refinements_has_one_that_fails_it():
    assert {check for _, check in WRONG} == {it.name for it in CHECKS}


def test_what_is_no_record_is_told():
    results = perform_all(CHECKS, subject_of(refinement(Plain)))
    assert all(it.failed and "Inputs" in it.message for it in results)


def test_a_correct_refinement_fails_none():
    results = check_component(refinement(Correct))
    assert [(it.check, it.message) for it in results if it.failed] == []
