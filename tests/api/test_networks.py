"""Networks by name, and what can be named."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch

import ganforge
from ganforge.plugin.specs import KINDS


def test_a_network_is_that_of_a_run_with_the_same_seed() -> None:
    one = ganforge.build_network("dcgan", sample=(3, 32, 32), width=4, seed=1)
    two = ganforge.build_network("dcgan", sample=(3, 32, 32), width=4, seed=1)
    other = ganforge.build_network("dcgan", sample=(3, 32, 32), width=4, seed=2)
    (name, first), *_ = one.state_dict().items()
    assert torch.equal(first, two.state_dict()[name])
    assert not torch.equal(first, other.state_dict()[name])
    assert one.training
    small = ganforge.build_network("dcgan", sample=(3, 32, 32), input_shape=(7,), width=4)
    assert small(torch.randn(2, 7)).shape == (2, 3, 32, 32)


def test_a_discriminator_scores_and_is_told_conditions() -> None:
    network = ganforge.build_network(
        "conditional", side="discriminator", sample=(1, 16, 16), conditions={"label": 5}, widths=[2]
    )
    scores = network(torch.zeros(3, 1, 16, 16), label=torch.tensor([0, 1, 4]))
    assert scores.shape == (3,)


def test_the_problem_of_a_generator_builds_its_opponent(conditional_run: Any) -> None:
    generator = ganforge.load(conditional_run, device="cpu")
    network = ganforge.build_network(
        "conditional", generator.problem, side="discriminator", widths=[2]
    )
    samples = generator.sample(4)
    assert network(samples, label=generator.labels(4)).shape == (4,)


def test_building_leaves_the_program_as_it_was() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    ganforge.build_network("mlp", sample=(2,))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "dcgn"}, "there is no generator called 'dcgn'; did you mean 'dcgan'?"),
        ({"name": "dcgan"}, "say what the samples are: sample=(3, 32, 32)"),
        ({"name": "dcgan", "sample": (3, 48, 48)}, "the generator 'dcgan' handles"),
        ({"name": "dcgan", "sample": (3, 32, 32), "widht": 3}, "did you mean 'width'?"),
        ({"name": "mlp", "sample": (2,), "conditions": {"mask": (1, 8, 8)}}, "takes no image as"),
        ({"name": "conditional", "sample": (3, 32, 32)}, "'conditional' needs labels"),
        ({"name": "mlp", "sample": (2,), "side": "both"}, "side= is 'generator' or 'disc"),
        ({"name": "mlp", "sample": ganforge.Field(kind="vector")}, "'sample' has no shape"),
        ({"name": "mlp", "sample": (2,), "device": "cuda:99"}, "'cuda:99' is not there"),
        (
            {"name": "mlp", "problem": ganforge.Problem(sample_shape=(2,)), "sample": (2,)},
            "a problem has a sample, an input shape and conditions already",
        ),
    ],
)
def test_what_cannot_be_built_is_one_clear_error(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ganforge.UsageError) as caught:
        ganforge.build_network(**arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_components_are_listed_by_kind(kind: str) -> None:
    found = ganforge.list_components(kind)
    assert found
    assert {spec.kind for spec in found.values()} == {kind}
    assert all(spec.summary for spec in found.values())


def test_a_kind_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ganforge.UsageError, match="did you mean 'generator'"):
        ganforge.list_components("generators")


def test_listing_loads_no_torch() -> None:
    code = "import sys, ganforge; ganforge.list_components('loss'); print('torch' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout == "False\n"
