"""Networks as the papers have them pass every check."""

from __future__ import annotations

from typing import Any

import pytest

from ganforge import DiscriminatorSpec, GameSpec, GeneratorSpec, ImageShapes
from ganforge.testing import check_component

from . import textbook_networks

SHAPES = (ImageShapes(minimum=8, square=True, power_of_two=True),)


def said(build: str, **more: Any) -> dict[str, Any]:
    build = f"{textbook_networks.__name__}:{build}"
    return {"name": "textbook", "summary": "A paper's", "build": build, **more}


def generator(build: str, **more: Any) -> GeneratorSpec:
    return GeneratorSpec(**said(build, shapes=SHAPES, **more))


def discriminator(build: str, **more: Any) -> DiscriminatorSpec:
    return DiscriminatorSpec(**said(build, shapes=SHAPES, **more))


GROWING = [
    generator("GrowingGenerator", methods=("coarsened",)),
    discriminator("GrowingDiscriminator", batch_independent=True),
    GameSpec(**said("GrowingGame", calls=("coarsened",))),
]
RIGHT = {
    "SAGAN's generator": generator("SAGANGenerator", conditions=("label",)),
    "SAGAN's discriminator": discriminator(
        "SAGANDiscriminator", conditions=("label",), batch_independent=True
    ),
    "StyleGAN2's generator": generator("StyleGAN2Generator", gives=("styles",)),
    "StyleGAN2's discriminator": discriminator("MinibatchDiscriminator"),
    "a growing generator": GROWING[0],
    "a growing discriminator": GROWING[1],
    "a growing game": GROWING[2],
    "a gradient-normalised discriminator": discriminator(
        "GradientNormalised", batch_independent=True, bounded=True, differentiates_itself=True
    ),
    "an energy": discriminator("Energy", batch_independent=True, bounded=True),
}


@pytest.mark.parametrize("spec", RIGHT.values(), ids=RIGHT)
def test_a_network_of_a_paper_passes(spec):
    results = check_component(spec, pairs_with=[it for it in GROWING if spec in GROWING])
    assert [(it.check, it.message) for it in results if it.failed] == []
    assert sum(it.status == "passed" for it in results) > sum(
        it.status == "skipped" for it in results
    )


@pytest.mark.parametrize("build", ["GradientNormalised", "Energy"])
def test_bounds_that_are_not_declared_are_told(build):
    results = check_component(discriminator(build, batch_independent=True))
    assert [it.check for it in results if it.failed] == ["scores-are-unbounded"]
