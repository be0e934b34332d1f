"""`ganforge list-recipes`: the configurations that plugins ship."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ganforge.cli.list_recipes import cost
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import RecipeSpec
from tests.conftest import Command, FakePlugin

RECIPES = """
from ganforge import RecipeSpec, hookimpl

@hookimpl
def ganforge_recipes():
    yield RecipeSpec(name="rings", summary="Rings [red]in[/red] a plane", source="Mine, 2026",
                     file="ganforge_rings:rings.toml", cpu_seconds=150)
    yield RecipeSpec(name="knots", summary="Knots", file="ganforge_rings:knots.toml")
"""


def test_the_bundled_recipes_are_listed_with_their_sources(cli: Command, bundled: Registry) -> None:
    answer = cli("--no-plugins", "list-recipes")
    assert (answer.code, answer.err) == (0, "")
    rows = {row.split()[0]: " ".join(row.split()) for row in answer.out.splitlines() if row}
    for recipe in bundled.of_kind("recipe"):
        spec = recipe.spec
        assert isinstance(spec, RecipeSpec)
        parts = (recipe.name, cost(spec.cpu_seconds), spec.summary, spec.source)
        assert rows[recipe.name] == " ".join(filter(None, parts))
    if bundled.of_kind("recipe"):
        assert rows["Recipe"] == "Recipe CPU Summary Source"
        assert answer.out.splitlines()[-2:] == [
            "`ganforge train --recipe NAME` runs one, `ganforge show NAME` says what to expect of "
            "it.",
            "CPU is the time that the whole run takes on one core, where it was measured.",
        ]
    else:
        assert answer.out == "No plugin has a recipe.\n"


def test_a_recipe_of_a_third_party_has_its_package_and_is_not_markup(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-rings", RECIPES, version="2.1")
    answer = cli("list-recipes")
    assert (answer.code, answer.err) == (0, "")
    rows = {row.split()[0]: " ".join(row.split()) for row in answer.out.splitlines() if row}
    assert rows["Recipe"] == "Recipe CPU Summary Source Package"
    assert rows["rings"] == "rings 2 min Rings [red]in[/red] a plane Mine, 2026 ganforge-rings 2.1"
    assert rows["knots"] == "knots Knots ganforge-rings 2.1"


def test_json_is_json_alone(cli: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-rings", RECIPES)
    answer = cli("list-recipes", "--json")
    assert answer.err == ""
    (rings,) = [it for it in json.loads(answer.out) if it["name"] == "rings"]
    assert rings == {
        "name": "rings",
        "qualified_name": "ganforge-rings/rings",
        "summary": "Rings [red]in[/red] a plane",
        "source": "Mine, 2026",
        "cpu_seconds": 150,
        "package": "ganforge-rings",
        "version": "1.0",
    }


def test_of_two_strangers_twins_each_is_listed_by_the_name_that_runs_it(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-rings", RECIPES)
    fake_plugin("ganforge-more", RECIPES)
    found = json.loads(cli("list-recipes", "--json").out)
    names = {it["name"] for it in found if it["package"] != "ganforge"}
    assert names == {
        f"ganforge-{it}" for it in ("rings/rings", "rings/knots", "more/rings", "more/knots")
    }


def test_a_plugin_that_failed_is_warned_of(cli: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-broken", "import no_such_package")
    answer = cli("list-recipes")
    assert answer.code == 0
    assert "the plugin 'ganforge-broken' of ganforge-broken 1.0 failed to load" in answer.text


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, ""), (34, "34 s"), (99, "99 s"), (147, "2 min"), (5400, "90 min"), (18_750, "5 h")],
)
def test_a_cost_is_for_people(seconds: int | None, shown: str) -> None:
    assert cost(seconds) == shown


def test_the_costs_are_those_of_the_pages(bundled: Registry) -> None:
    """The first figure in a column `CPU s` of the page of a recipe."""
    pages = Path(__file__).resolve().parents[2] / "docs" / "recipes"
    if not pages.is_dir():
        pytest.skip("the pages are not part of a wheel")
    compared = 0
    for recipe in bundled.of_kind("recipe"):
        assert isinstance(recipe.spec, RecipeSpec)
        page = pages / f"{recipe.name}.md"
        if recipe.spec.cpu_seconds is None or not page.is_file():
            continue
        lines = [line.split("|") for line in page.read_text().splitlines() if line[:1] == "|"]
        at = next(number for number, cells in enumerate(lines) if " CPU s " in cells)
        column = lines[at].index(" CPU s ")
        measured = int(re.sub(r"\D", "", lines[at + 2][column]))
        assert recipe.spec.cpu_seconds == pytest.approx(measured, rel=0.1), recipe.name
        compared += 1
    assert compared >= 10
