"""`ganforge list-recipes`: the configurations that plugins ship."""

from __future__ import annotations

import json

from ganforge.plugin.registry import Registry
from tests.conftest import Command, FakePlugin

RECIPES = """
from ganforge import RecipeSpec, hookimpl

@hookimpl
def ganforge_recipes():
    yield RecipeSpec(name="rings", summary="Rings [red]in[/red] a plane", source="Mine, 2026",
                     file="ganforge_rings:rings.toml")
    yield RecipeSpec(name="knots", summary="Knots", file="ganforge_rings:knots.toml")
"""


def test_the_bundled_recipes_are_listed_with_their_sources(cli: Command, bundled: Registry) -> None:
    answer = cli("--no-plugins", "list-recipes")
    assert (answer.code, answer.err) == (0, "")
    rows = {row.split()[0]: " ".join(row.split()) for row in answer.out.splitlines() if row}
    for recipe in bundled.of_kind("recipe"):
        assert rows[recipe.name] == f"{recipe.name} {recipe.spec.summary} {recipe.spec.source}"
    if bundled.of_kind("recipe"):
        assert rows["Recipe"] == "Recipe Summary Source"
        assert answer.out.splitlines()[-1] == (
            "`ganforge train --recipe NAME` runs one, `ganforge show NAME` says what to expect of "
            "it."
        )
    else:
        assert answer.out == "No plugin has a recipe.\n"


def test_a_recipe_of_a_third_party_has_its_package_and_is_not_markup(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-rings", RECIPES, version="2.1")
    answer = cli("list-recipes")
    assert (answer.code, answer.err) == (0, "")
    rows = {row.split()[0]: " ".join(row.split()) for row in answer.out.splitlines() if row}
    assert rows["Recipe"] == "Recipe Summary Source Package"
    assert rows["rings"] == "rings Rings [red]in[/red] a plane Mine, 2026 ganforge-rings 2.1"
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
