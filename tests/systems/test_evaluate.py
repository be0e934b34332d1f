"""`ganforge evaluate` on runs of plugins from outside: it needs no line for any of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.systems import architectures, conditions, kinds_of_data, regularisation
from tests.systems.harness import System, Workshop

SYSTEMS: dict[str, System] = {
    **architectures.SYSTEMS,
    **conditions.SYSTEMS,
    **kinds_of_data.SYSTEMS,
    **regularisation.SYSTEMS,
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_run_of_a_system_is_evaluated_as_it_is(
    workshop: Callable[[System], Workshop], name: str
) -> None:
    place = workshop(SYSTEMS[name])
    run = place.train("run").run
    answer = place.cli("evaluate", run.path, "--num", 32, "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert found["failed"] == {}
    assert len(found["scores"]) >= 3
    assert {it["features"] for it in found["scores"]} - {None} <= {*found["extractors"]}
    assert 0 < found["num"] <= 32
    assert run.evaluations.read_text().count("\n") == 1
    # The same again, of what was kept.
    again = json.loads(place.cli("evaluate", run.path, "--num", 32, "--json").out)
    assert again["scores"] == found["scores"]
