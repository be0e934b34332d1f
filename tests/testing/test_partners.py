"""Components that belong together: whom the kit lets a component play with, and who is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganforge import (
    DatasetSpec,
    DiscriminatorSpec,
    Field,
    Fit,
    Game,
    GameSpec,
    GeneratorSpec,
    ImageShapes,
    InMemoryDataset,
    LatentSampler,
    Loss,
    LossSpec,
    Problem,
    SamplerSpec,
    Step,
    VectorShapes,
)
from ganforge.testing import check_component
from ganforge.testing.finding import subject_of
from ganforge.testing.fixtures.company import MOST_TRIED, companies, first_working
from ganforge.testing.fixtures.partners import MOST_GROUPS, groups
from ganforge.testing.framework import NotApplicable

from .wrong_networks import Discriminator, Generator

TRAINS = "trains-with-reference-partners"


class Painter(Generator):
    def paint(self, samples: Tensor) -> Tensor:
        return samples * self.last.bias.mean().tanh()


class PaintedStep(Step):
    def make_real(self) -> Any:
        return self.update.generator.paint(self.samples)


class Painting(Game):
    step_class = PaintedStep


class Choosy(Game):
    def build_generator(self, make: Any) -> nn.Module:
        network = super().build_generator(make)
        if not isinstance(network, Painter):
            raise ValueError("it is played with painters alone")
        return network


class Layered(Discriminator):
    def trace(self, samples: Tensor, *, label: Tensor | None = None) -> Any:
        layer = self.features(self.flat(samples))
        return self.forward(samples, label=label), {"layers": [layer, layer[:, None]]}


class Matching(Loss):
    """It asks for what the discriminator of its plugin gives: two layers, the second of rank 3."""

    def generator_loss(self, step: Step) -> Tensor:
        first, second = step.trace("fake.layers")
        assert second.shape == (len(first), 1, 8)
        _, real = step.trace("real.layers")
        return (second.mean(0) - real.detach().mean(0)).square().mean()


class OfTwoParts(Generator):
    """Its latents are a code of two numbers and noise of four, as one sampler draws them."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        if "code" not in problem.parts:
            raise ValueError("its inputs have no part 'code'")


class TwoParts(LatentSampler):
    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, 6, generator=generator, device=generator.device)


def said(build: str, **more: Any) -> dict[str, Any]:
    return {"name": "own", "summary": "Own", "build": f"{__name__}:{build}", **more}


SHAPES = (ImageShapes(minimum=8),)
PAINTER = GeneratorSpec(
    **said("Painter", shapes=SHAPES, conditions=("label",), methods=("paint",), game="own")
)
PAINTING = GameSpec(**said("Painting", calls=("paint",)))
CHOOSY = GameSpec(**said("Choosy"))
LAYERED = DiscriminatorSpec(
    **said("Layered", shapes=SHAPES, gives=("layers",), batch_independent=True)
)
MATCHING = LossSpec(**said("Matching", trains=("generator",), reads=("real.layers", "fake.layers")))
OF_TWO_PARTS = GeneratorSpec(**said("OfTwoParts", shapes=SHAPES))
TWO_PARTS = SamplerSpec(
    **said(
        "TwoParts",
        input_shape=lambda options, fields: (6,),
        parts=lambda options: {"code": 2, "noise": 4},
    )
)


def outcome(spec: Any, *partners: Any) -> tuple[str, str]:
    (found,) = (it for it in check_component(spec, pairs_with=partners) if it.check == TRAINS)
    return found.status, found.message


@pytest.mark.parametrize(
    ("spec", "partners"),
    [
        (PAINTING, [PAINTER]),
        (PAINTER, [PAINTING]),
        (PAINTER, []),  # the usual game calls no method that it has not
        (CHOOSY, [PAINTER]),
        (CHOOSY, [OF_TWO_PARTS, PAINTER]),
        (MATCHING, [LAYERED]),
        (OF_TWO_PARTS, [TWO_PARTS]),
    ],
)
def test_a_component_is_run_with_those_that_it_belongs_to(spec, partners):
    assert outcome(spec, *partners) == ("passed", "")


@pytest.mark.parametrize(
    ("spec", "partners", "refusal"),
    [
        (PAINTING, [], "no generator can paint, as the game asks"),
        (PAINTING, [LAYERED], "no generator can paint, as the game asks"),
        (CHOOSY, [], "it is played with painters alone"),
        (CHOOSY, [OF_TWO_PARTS], "its inputs have no part 'code'"),
    ],
)
def test_a_component_that_nobody_plays_with_has_not_passed(spec, partners, refusal):
    status, message = outcome(spec, *partners)
    assert status == "failed"
    assert message.startswith("expected: a run with the kit's own partners, or with those of its")
    assert refusal in message


def test_a_term_that_reads_what_only_its_own_network_gives_fails_without_it():
    status, message = outcome(MATCHING)
    assert status == "failed"
    assert "'own' of unpublished 0 failed in the generator's update" in message


def test_a_generator_for_a_sampler_of_its_plugin_is_built_for_it():
    results = check_component(OF_TWO_PARTS, pairs_with=[TWO_PARTS])
    assert [it.check for it in results if it.failed] == []
    alone = check_component(OF_TWO_PARTS)
    assert [it.check for it in alone if it.failed] == ["can-be-built"]


def test_who_is_tried_first():
    partners = tuple(map(subject_of, (LAYERED, PAINTER, PAINTING)))
    term, painting, choosy = (
        [
            [it.label for it in group[1:]]
            for group in groups(replace(subject_of(spec), partners=partners))
        ]
        for spec in (MATCHING, PAINTING, CHOOSY)
    )
    assert term[0] == ["discriminator/own"]  # the one that gives what it reads
    assert painting[0] == ["generator/own"]  # the one that paints
    assert choosy[:2] == [[], ["discriminator/own"]]  # the kit's own first, where nothing is asked
    assert len(choosy) == 4


def test_a_package_of_many_components_is_not_tried_in_every_combination():
    """A term of one was built beside each of some ten thousand groups of the others."""
    kinds = (LAYERED, PAINTER, PAINTING)
    many = [replace(it, name=f"{it.name}-{number}") for it in kinds for number in range(60)]
    term = replace(MATCHING, reads=())
    subject = replace(subject_of(term), partners=tuple(map(subject_of, many)))
    found = groups(subject)
    assert [len(it) for it in found[:3]] == [1, 2, 2]
    assert len(found) == MOST_GROUPS
    tried = []

    def attempt(company):
        tried.append(company)
        raise NotApplicable("never")

    first = first_working(chain.from_iterable(companies(subject)), attempt)
    assert first is tried[0]
    assert len(tried) == MOST_TRIED


class OfATable(Generator):
    """It needs what its plugin's data set has learnt."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        if problem.fit is None:
            raise ValueError("there is no table")
        assert problem.sample_shape == (len(problem.fit.facts["columns"]),)


def table(problem: Problem, options: object) -> InMemoryDataset:
    rows = torch.rand(50, 3, generator=torch.Generator().manual_seed(0))
    return InMemoryDataset(rows, fit=Fit(facts={"columns": ["a", "b", "c"]}))


class OfAPart(Loss):
    """Of the squares of a part of the inputs, whose size the problem tells."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__()
        start, end = problem.parts["code"]
        self.size = end - start

    def generator_loss(self, step: Step) -> Tensor:
        return step.fake.square().mean() * self.size + 0 * step.part("code").sum()


@pytest.mark.parametrize(
    ("spec", "partner"),
    [
        (
            GeneratorSpec(**said("OfATable", shapes=(VectorShapes(),))),
            DatasetSpec(
                **said("table", fields=lambda options: {"sample": Field(kind="vector", shape=(3,))})
            ),
        ),
        (
            LossSpec(**said("OfAPart", trains=("generator",), reads=("fake", "inputs.code"))),
            TWO_PARTS,
        ),
    ],
)
def test_a_component_is_built_for_the_data_and_the_sampler_of_its_plugin(spec, partner):
    results = check_component(spec, pairs_with=[partner])
    built = {it.check: it.status for it in results}
    assert built["can-be-built"] == built[TRAINS] == built["resumes-to-the-bit"] == "passed"
