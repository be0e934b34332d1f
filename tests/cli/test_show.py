"""`ganforge show`: a component with its options, its capabilities and its origin."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from ganforge.config.run_config import sections_of
from ganforge.plugin.base_specs import ComponentSpec, Spec
from ganforge.plugin.discovery import discover
from ganforge.plugin.options import describe
from ganforge.plugin.registry import Component
from ganforge.plugin.specs import RecipeSpec
from tests.conftest import Command, FakePlugin, generators

BUNDLED = list(discover(third_party=False, environ={}).registry)
RECIPES = [it for it in BUNDLED if isinstance(it.spec, RecipeSpec)]
COMPONENTS = [it for it in BUNDLED if it not in RECIPES]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda it: f"{it.kind} {it.name}")
def test_every_bundled_component_shows_what_it_is_and_all_of_its_options(
    cli: Command, component: Component[Spec]
) -> None:
    answer = cli("show", component.name, "--kind", component.kind)
    assert (answer.code, answer.err) == (0, "")
    text = " ".join(answer.out.split())
    assert text.startswith(f"{component.kind} {component.name} ")
    assert component.spec.summary in text
    assert f"package {component.origin}" in text
    assert f"full name {component.qualified_name}" in text
    section, *others = sections_of(component.kind, component.name)
    assert isinstance(component.spec, ComponentSpec)
    options = list(describe(component.spec.options))
    for option in options:
        assert f"{section}.{option.name}" in text
    assert ("It has no options." in text) == (not options)
    assert [it for it in others if f"{it} has the same keys." not in text] == []


@pytest.mark.parametrize("component", RECIPES, ids=lambda it: it.name)
def test_every_bundled_recipe_shows_where_it_comes_from_and_its_file(
    cli: Command, component: Component[Spec]
) -> None:
    answer = cli("show", component.name, "--kind", "recipe")
    assert (answer.code, answer.err) == (0, "")
    head, _, text = answer.out.partition("\n\n")
    assert f"package {component.origin}" in " ".join(head.split())
    assert tomllib.loads(text)


RECIPE = """
from ganforge import RecipeSpec, hookimpl

@hookimpl
def ganforge_recipes():
    yield RecipeSpec(name="rings", summary="Rings", source="Mine, 2026",
                     file="ganforge_rings_data:rings.toml")
    yield RecipeSpec(name="lost", summary="Lost", file="ganforge_rings_data:lost.toml")
"""


def test_a_recipe_is_shown_as_the_file_that_it_is(cli: Command, fake_plugin: FakePlugin) -> None:
    folder = fake_plugin("ganforge-rings", RECIPE) / "ganforge_rings_data"
    folder.mkdir()
    (folder / "__init__.py").touch()
    file = f'# [red]{"long " * 60}\n[generator]\n\tname = "mlp"\n'
    (folder / "rings.toml").write_text(file + "# \x1b[2J\n")
    out = cli("show", "rings").out
    head, _, text = out.partition("\n\n")
    assert head.splitlines()[:2] == ["recipe rings", "Rings"]
    assert "source Mine, 2026" in " ".join(head.split())
    assert "file ganforge_rings_data:rings.toml" in " ".join(head.split())
    assert text == file + "# \ufffd[2J\n"
    (record,) = json.loads(cli("show", "rings", "--json").out)
    assert record["recipe"] == file + "# \x1b[2J\n"
    assert "options" not in record
    lost = cli("show", "lost")
    assert (lost.code, lost.out) == (1, "")
    assert lost.text.startswith("Error: the recipe 'lost' of ganforge-rings 1.0 cannot be read")


TABLES = """
from dataclasses import dataclass
from ganforge import CallbackSpec, DiscriminatorSpec, MetricSpec, hookimpl, option

@dataclass(frozen=True, kw_only=True)
class Options:
    size: int = option(3, help="how many")

@hookimpl
def ganforge_metrics():
    yield MetricSpec(name="nearest", summary="s", build="m:f", options=Options)

@hookimpl
def ganforge_callbacks():
    yield CallbackSpec(name="bell", summary="s", build="m:f", options=Options)

@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(name="either", summary="s", build="m:f",
                            batch_independent=lambda options: True)
"""


def test_what_a_run_has_many_of_is_set_by_its_name(cli: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-tables", TABLES)
    assert "metric.nearest.size  integer  3" in cli("show", "nearest").out
    assert "callback.bell.size  integer  3" in cli("show", "bell").out


def test_a_capability_that_options_decide_says_so(cli: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-tables", TABLES)
    text = " ".join(cli("show", "either").out.split())
    assert "each score by itself yes by default, as the options say" in text


def test_an_option_is_shown_with_type_default_help_and_bounds(cli: Command) -> None:
    out = cli("show", "bce").out
    (line,) = [line for line in out.splitlines() if line.startswith("loss.bce.label_smoothing")]
    assert " ".join(line.split()) == (
        "loss.bce.label_smoothing number 0.0 how far the target of real samples lies below 1 "
        "(Salimans et al., 2016) (at least 0 and below 0.5)"
    )


def test_a_required_and_an_unset_option_are_told_from_the_others(cli: Command) -> None:
    rows = {line.split()[0]: line for line in cli("show", "images").out.splitlines() if line}
    assert "string required folder or zip" in " ".join(rows["dataset.root"].split())
    assert "integer or unset unset height" in " ".join(rows["dataset.height"].split())


def test_capabilities_are_put_into_words(cli: Command) -> None:
    def shown(*arguments: str) -> str:
        return " ".join(cli("show", *arguments).out.split())

    text = shown("dcgan", "--kind", "generator")
    assert "chosen by --generator dcgan" in text
    assert "shapes images whose side is from 8 up" in text
    assert "can be told label must be told none gives besides none" in text
    assert "is fed latents can also none usual discriminator dcgan usual sampler normal" in text
    assert "must be told label" in shown("conditional", "--kind", "generator")
    assert "trains generator reads samples, reconstruction differentiates twice none" in shown("l1")
    assert "differentiates twice discriminator" in shown("r1")
    assert "evaluated every step" in shown("r1")
    everything = shown("mlp", "--kind", "discriminator")
    assert "shapes any images, any vectors, any sequences, any videos, any point clouds" in (
        everything
    )
    assert "scores of patches no lists of scores no twice differentiable yes" in everything


def test_the_other_kinds_say_what_they_are_for(cli: Command) -> None:
    def shown(*arguments: str) -> str:
        return " ".join(cli("show", *arguments).out.split())

    digits = shown("digits")
    assert "fields sample (image, 1 x 16 x 16), label (a category)" in digits
    assert "sample (vector, 2)" in shown("ring", "--kind", "dataset")
    assert "knows besides mixture" in shown("ring", "--kind", "dataset")
    images = shown("images")
    assert "fields as the options say" in images  # one of which must be given
    assert "--dataset PATH sets root" in images
    assert "draws as the options say reads of the data source by default" in shown("field")
    ada = "chosen by --augment ada helps against memorisation, discriminator-won shapes any images"
    assert f"{ada} twice differentiable yes" in shown("ada")
    assert "chosen by --metric mae" in shown("mae")
    assert "reads besides samples reconstruction" in shown("mae")
    assert "chosen by --callback csv" in shown("csv")
    rmsprop = shown("rmsprop")
    assert "skips infinite steps no keys in groups smoothing as alpha" in rmsprop
    assert "--set generator_optimizer.name=rmsprop --set discriminator_optimizer.name=" in rmsprop
    assert "optimizer.learning_rate number or schedule 5e-05" in rmsprop
    assert "chosen by a field of a data set with format = table kinds vector" in shown("table")
    assert "format = vector, or of this kind with none" in shown("vector", "--kind", "format")
    assert "a file for each .wav" in shown("audio")


PARTS = """
from dataclasses import dataclass
from ganforge import DiscriminatorSpec, LossSpec, OptimizerSpec, SamplerSpec, hookimpl, option

@dataclass(frozen=True, kw_only=True)
class CodeOptions:
    size: int = option(3, help="of the code")

@hookimpl
def ganforge_samplers():
    yield SamplerSpec(name="coded", summary="s", build="m:f", options=CodeOptions,
                      input_shape=lambda options, fields: (62 + options.size,),
                      parts=lambda options: {"noise": 62, "code": options.size})

@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(name="headed", summary="s", build="m:f", gives=("features", "code"))

@hookimpl
def ganforge_losses():
    yield LossSpec(name="informed", summary="s", build="m:f", every=16,
                   reads=("inputs.code", "fake.code"), parameters="generator")
"""


def test_traces_parts_and_parameters_of_a_term_are_shown(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-parts", PARTS)
    assert "gives besides features, code" in " ".join(cli("show", "headed").out.split())
    assert "named parts noise 62, code 3 by default" in " ".join(cli("show", "coded").out.split())
    informed = " ".join(cli("show", "informed").out.split())
    assert "reads inputs.code, fake.code" in informed
    assert "own parameters trained with the generator evaluated every 16 steps" in informed


def test_a_name_of_two_kinds_shows_both(cli: Command) -> None:
    answer = cli("show", "dcgan")
    heads = [line for line in answer.out.splitlines() if line.endswith(" dcgan")]
    assert heads[:2] == ["generator dcgan", "discriminator dcgan"]


def test_json_has_every_option(cli: Command) -> None:
    answer = cli("show", "mlp", "--kind", "generator", "--json")
    assert answer.err == ""
    (record,) = json.loads(answer.out)
    assert record["qualified_name"] == "ganforge/mlp"
    assert record["build"] == "ganforge_mlp.networks:Generator"
    options = {it["name"]: it for it in record["options"]}
    assert options["hidden"] == {
        "name": "hidden",
        "type": "[integer, ...]",
        "required": False,
        "default": [256],
        "allowed": "at least 1",
        "scheduled": False,
        "mutable": False,
        "help": "units of each hidden layer",
    }
    assert options["activation"]["allowed"] == "one of 'relu' and 'leaky-relu'"


def test_a_twin_is_shown_by_the_name_that_reaches_it(cli: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-twin", generators("dcgan", summary="Another one"))
    out = cli("show", "ganforge-twin/dcgan").out
    assert out.startswith("generator ganforge-twin/dcgan\nAnother one\n")
    assert "Transposed" not in out


PACKAGE = f"""
{generators("dcgan", "odd", summary="A stranger")}
from ganforge import LossSpec

@hookimpl
def ganforge_losses():
    yield LossSpec(name="twisted", summary="Turns [red]signs[/red] \\x1b[2J", build="m:f")
"""


def test_a_package_shows_its_plugins_and_their_components(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    lines = "first = ganforge_pair\nsecond = no_such_module"
    fake_plugin("ganforge-pair", PACKAGE, version="2.5", entry_points=lines)
    answer = cli("show", "ganforge-pair")
    assert (answer.code, answer.err) == (0, "")
    text = re.sub(r"\d+ ms", "0 ms", answer.out)
    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "package ganforge-pair 2.5",
        "",
        "entry point first = ganforge_pair",
        "status active",
        "loaded in 0 ms",
        "Kind Name Summary",
        "generator ganforge-pair/dcgan A stranger (its short name is that of ganforge/dcgan)",
        "generator odd A stranger",
        "loss twisted Turns [red]signs[/red] [2J",
        "",
        "entry point second = no_such_module",
        "status failed",
        "loaded in 0 ms",
        "reason its entry point names the module 'no_such_module', which is not installed",
    ]
    (record,) = json.loads(cli("show", "ganforge-pair", "--json").out)
    assert (record["kind"], record["name"], record["version"]) == (
        "package",
        "ganforge-pair",
        "2.5",
    )
    assert [it["status"] for it in record["plugins"]] == ["active", "failed"]
    assert [it["name"] for it in record["plugins"][0]["components"]] == ["dcgan", "odd", "twisted"]


def test_a_disabled_package_is_shown_without_being_loaded(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-off", "raise SystemExit", version="3")
    out = cli("--no-plugins", "show", "ganforge-off").out
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "package ganforge-off 3",
        "",
        "entry point ganforge-off = ganforge_off",
        "status disabled",
    ]


def test_a_package_of_the_name_of_a_component_is_shown_after_it(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("odd", generators("odd"))
    out = cli("show", "odd").out
    assert out.startswith("generator odd\nA stranger\n")
    assert "\n\npackage odd 1.0\n" in out
    assert [it["kind"] for it in json.loads(cli("show", "odd", "--json").out)] == [
        "generator",
        "package",
    ]


def test_a_plugin_is_shown_by_its_own_name_where_nothing_else_has_it(cli: Command) -> None:
    out = cli("show", "losses").out
    assert out.startswith("package ganforge ")
    assert out.count("entry point") == 1
    assert "losses = ganforge_losses" in out


def test_all_that_is_bundled_is_one_package(cli: Command) -> None:
    (record,) = json.loads(cli("show", "ganforge", "--json").out)
    shown = [it["qualified_name"] for plugin in record["plugins"] for it in plugin["components"]]
    assert sorted(shown) == sorted(component.qualified_name for component in BUNDLED)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["gnforge"],
            "Error: there is no component or package called 'gnforge'; did you mean 'ganforge'?\n",
        ),
        (
            ["dcgn"],
            "Error: there is no component or package called 'dcgn'; did you mean 'dcgan'?\n",
        ),
        (
            ["zzz"],
            "Error: there is no component or package called 'zzz'; `ganforge list-plugins` lists "
            "them\n",
        ),
        (
            ["../x\x1b[2J"],
            "Error: there is no component or package called '../x[2J'; `ganforge list-plugins` "
            "lists them\n",
        ),
        (
            ["dcgan", "--kind", "sampler"],
            "Error: there is no sampler called 'dcgan'; there are class-balanced, downscale, "
            "field, mask, normal, reconstruct, spherical, truncated-normal and uniform\n",
        ),
    ],
)
def test_a_name_that_is_not_there_is_an_error(
    cli: Command, arguments: list[str], message: str
) -> None:
    answer = cli("--no-plugins", "show", *arguments)
    assert answer == (2, "", message)


def test_a_name_that_is_not_there_may_be_that_of_a_plugin_that_failed(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-broken", "import no_such_package", version="3.1")
    answer = cli("show", "zzz")
    assert answer.code == 2
    assert (
        "Plugins that failed to load: ganforge-broken of ganforge-broken 3.1 (it needs the module "
        "'no_such_package', which is not installed)"
    ) in answer.err
