"""`ganforge show`: a component with its options, its capabilities and its origin."""

from __future__ import annotations

import json

import pytest

from ganforge.discovery import discover
from ganforge.options import describe
from ganforge.registry import Component
from tests.conftest import Command, FakePlugin, generators

BUNDLED = list(discover(third_party=False, environ={}).registry)


@pytest.mark.parametrize("component", BUNDLED, ids=lambda it: f"{it.kind} {it.name}")
def test_every_bundled_component_shows_what_it_is_and_all_of_its_options(
    cli: Command, component: Component
) -> None:
    answer = cli("show", component.name, "--kind", component.kind)
    assert (answer.code, answer.err) == (0, "")
    text = " ".join(answer.out.split())
    assert text.startswith(f"{component.kind} {component.name} ")
    assert component.spec.summary in text
    assert f"package {component.origin}" in text
    assert f"full name {component.qualified_name}" in text
    section = f"loss.{component.name}" if component.kind == "loss" else component.kind
    options = list(describe(component.spec.options))
    for option in options:
        assert f"{section}.{option.name}" in text
    assert ("It has no options." in text) == (not options)


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
    text = " ".join(cli("show", "dcgan", "--kind", "generator").out.split())
    assert "images square images whose side is a power of two from 32 up" in text
    assert "labels none" in text
    assert "sampler normal" in text


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
        "help": "units of each hidden layer",
    }
    assert options["activation"]["allowed"] == "one of 'relu' and 'leaky-relu'"


def test_a_twin_is_shown_by_the_name_that_reaches_it(cli: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-twin", generators("dcgan", summary="Another one"))
    out = cli("show", "ganforge-twin/dcgan").out
    assert out.startswith("generator ganforge-twin/dcgan\nAnother one\n")
    assert "Transposed" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dcgn"], "Error: there is no component called 'dcgn'; did you mean 'dcgan'?\n"),
        (
            ["zzz"],
            "Error: there is no component called 'zzz'; `ganforge list-plugins` lists them\n",
        ),
        (
            ["../x\x1b[2J"],
            "Error: there is no component called '../x[2J'; `ganforge list-plugins` lists them\n",
        ),
        (
            ["dcgan", "--kind", "sampler"],
            "Error: there is no sampler called 'dcgan'; there are normal and uniform\n",
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
