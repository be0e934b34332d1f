"""Real digits, spoilt in known ways, move the measures that should see it, and only those."""

from __future__ import annotations

import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ganforge.plugin.specs import MetricSpec
from ganforge_metrics import ganforge_metrics

ROOT = Path(__file__).parents[2]
BETTER = {
    spec.name if number == spec.name else f"{spec.name}/{number}": direction
    for spec in ganforge_metrics()
    if isinstance(spec, MetricSpec)
    for number, direction in spec.better.items()
}


@pytest.fixture(scope="module")
def script() -> Mapping[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "what_measures_see.py"))


@pytest.fixture(scope="module")
def found(script) -> dict[str, list[float]]:
    return script["of_digits"]()


def worse(name: str, real: float, value: float, part: float) -> bool:
    """True where a number is worse than that of real samples by more than a part of it."""
    if BETTER[name] == "higher":
        return value < real - part * abs(real)
    # Of a distance that is about zero for real samples, parts mean nothing.
    least = {"fid": 5.0, "kid/mean": 100.0, "class-fid/mean": 20.0}.get(name, 0.05)
    return value > real + max(least, part * abs(real))


def test_what_was_done_to_samples_is_seen_by_the_measures_that_should(script, found):
    for number, (kind, rows) in enumerate(script["SEES"].items()):
        for name in rows:
            real, value = found[name][0], found[name][number]
            assert worse(name, real, value, 0.05), f"{name} of {kind}: {value}, real {real}"


@pytest.mark.parametrize("kind", ["memorised", "mislabelled"])
def test_copies_and_wrong_labels_pass_all_the_others(script, found, kind):
    number = [*script["SEES"]].index(kind)
    for name in {*script["ROWS"]} - {*script["SEES"][kind]}:
        real, value = found[name][0], found[name][number]
        assert not worse(name, real, value, 0.1), f"{name}: {value}, real {real}"


def test_one_good_sample_again_and_again_is_precise(script, found):
    number = [*script["SEES"]].index("repeated")
    assert found["prdc/precision"][number] > 0.85
    assert found["classes/confidence"][number] > 0.95
    assert found["memorisation/repeats"][number] == 1
    assert found["memorisation/copies"][number] < 0.02


def test_real_samples_have_the_numbers_that_definitions_say(found):
    expected = {
        "prdc/density": 1,
        "memorisation/nn_ratio": 1,
        "memorisation/copies": 0.01,
        "memorisation/repeats": 0.01,
    }
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=0.1 if value == 1 else 0.03), name


def test_the_page_shows_these_numbers(script, found):
    page = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    heading = "| measure | real | blurred |"
    rows = page[page.index(heading) :].split("\n\n")[0].splitlines()[2:]
    shown = {}
    for row in rows:
        name, *cells = (it.strip() for it in row.strip("|").split("|"))
        shown[name.strip("`")] = cells
    assert [*shown] == [*script["ROWS"]]
    kinds = [*script["SEES"].items()]
    for name, cells in shown.items():
        for cell, value, (kind, bold) in zip(cells, found[name], kinds, strict=True):
            assert cell.startswith("**") is (name in bold), f"{name} of {kind}"
            number = float(re.sub(r"\*", "", cell))
            # A classifier that is trained on another machine is another one, though not by much.
            loose = {"fid": 10.0, "kid/mean": 100.0, "class-fid/mean": 20.0}.get(name, 0.08)
            assert number == pytest.approx(value, rel=0.3, abs=loose), f"{name} of {kind}"
