"""`ganforge show GAME`: its sides, what is real and fake, and what a term may read, in words."""

from __future__ import annotations

import json

import pytest

from ganforge.cli.sides import DRAWN
from ganforge.plugin.registry import Registry
from tests.conftest import Answer, Command, FakePlugin

WIDTH = "80"


@pytest.fixture
def narrow(cli: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", WIDTH)
    return cli


def tables(answer: Answer) -> list[list[str]]:
    """What was printed, a list of lines for each paragraph, with single spaces."""
    assert (answer.code, answer.err) == (0, "")
    assert max(map(len, answer.out.splitlines())) <= int(WIDTH)
    paragraphs = answer.out.split("\n\n")
    return [[" ".join(line.split()) for line in it.strip().splitlines()] for it in paragraphs]


def test_the_usual_game_is_told_in_four_paragraphs(narrow: Command) -> None:
    head, pairs, quantities, options = tables(narrow("show", "adversarial", "--kind", "game"))
    assert head[2:] == [
        "package ganforge 0.1.0",
        "full name ganforge/adversarial",
        "chosen by --game adversarial",
        "generator's side one generator G",
        "discriminator's side one discriminator D",
        "D is told the conditions of the run",
        "calls on G nothing but forward",
        "reads of the data samples, and what networks are told",
    ]
    assert pairs == ["Real Fake D is shown", "x G(z) samples"]
    assert quantities[:3] == [
        "A term may read What it is",
        "samples x, samples of the data set",
        "inputs z, what the generator is fed",
    ]
    assert "generated.NAME what G gives besides its samples" in quantities
    assert options == ["It has no options."]


def test_what_an_option_decides_is_told_for_each_of_its_choices(narrow: Command) -> None:
    head, pairs, quantities, _ = tables(narrow("show", "autoencoder", "--kind", "game"))
    assert "generator's side one generator G, which has an encoder E" in head
    assert "calls on G encode" in head
    assert pairs == [
        "Real Fake D is shown With",
        "x G(z) samples game.judge = samples",
        "x G(E(x)) samples game.judge = reconstructions",
        "z E(x) vectors game.judge = codes",
    ]
    assert "codes E(x)" in quantities
    assert "reconstruction G(E(x))" in quantities


def test_a_game_of_several_networks_tells_each_step(narrow: Command) -> None:
    head, pairs, quantities, _ = tables(narrow("show", "cycle"))
    assert "discriminator's side two discriminators: one of b, one of a" in head
    assert "D is told no conditions" in head
    assert "reads of the data source by default, as the options say" in head
    assert pairs[1:] == ["b G(a) samples", "a F(b) samples"]
    assert "identity G(b); F(a) in the other step" in quantities
    assert not [line for line in quantities if line.startswith("fake_labels")]


def test_what_the_game_itself_tells_d_is_named_with_its_kind(narrow: Command) -> None:
    head, pairs, quantities, _ = tables(narrow("show", "inference"))
    assert "D is told the conditions of the run and code (vector)" in head
    assert pairs[1] == "(x, E(x)) (G(z), z) samples"
    assert "real x, of which D is told E(x) as code" in quantities


def test_every_bundled_game_says_what_it_provides(cli: Command, bundled: Registry) -> None:
    for game in bundled.of_kind("game"):
        (record,) = json.loads(cli("show", game.name, "--kind", "game", "--json").out)
        assert record["pairs"], game.name
        assert "provided by the game" not in record["quantities"].values(), game.name


STRANGE = """
from dataclasses import dataclass
from ganforge import GameSpec, hookimpl, option

@dataclass(frozen=True, kw_only=True)
class Options:
    size: int = option(2, help="how many")

@dataclass(frozen=True, kw_only=True)
class Needed:
    field: str = option(help="which one")

def broken(options, *more):
    raise RuntimeError("no")

@hookimpl
def ganforge_games():
    common = {"summary": "s", "build": "m:f"}
    yield GameSpec(name="sized", options=Options, provides=lambda o: ("extra", "more"),
                   pairs=lambda o: (("x", "G(z)"),) * o.size, meanings={"more": "z [red]x\\x1b"},
                   **common)
    yield GameSpec(name="needed", options=Needed, pairs=lambda o: ((o.field, "G(z)"),),
                   provides=("extra",), reads=lambda o: (o.field,), **common)
    yield GameSpec(name="broken", pairs=broken, told=broken, judged=broken, calls=broken,
                   provides=broken, **common)
"""


def test_games_of_others_say_as_much_as_they_can(narrow: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-strange", STRANGE)
    _, pairs, quantities, _ = tables(narrow("show", "sized"))
    assert pairs == ["Real Fake D is shown With", *["x G(z) samples by default"] * 2]
    assert "extra provided by the game" in quantities
    assert "more z [red]x" in quantities
    head, quantities, _ = tables(narrow("show", "needed"))
    assert "reads of the data as the options say" in head
    assert "extra provided by the game" in quantities
    head, quantities, _ = tables(narrow("show", "broken"))
    assert "calls on G as the options say" in head
    assert quantities[1] == "samples x, samples of the data set"


def test_what_is_drawn_is_not_listed_once_more_and_all_else_of_a_game_is(
    narrow: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, *_ = tables(narrow("show", "cycle"))
    assert not [line for line in head if line.startswith(("provides", "judged", "sides", "pairs"))]
    monkeypatch.setattr("ganforge.cli.show.DRAWN", DRAWN - {"calls"})
    head, *_ = tables(narrow("show", "inference"))
    assert "calls encode" in head


def test_json_has_the_sides_the_pairs_and_the_quantities(cli: Command) -> None:
    (record,) = json.loads(cli("show", "autoencoder", "--kind", "game", "--json").out)
    assert record["sides"]["calls on G"] == "encode"
    assert record["pairs"][2] == {
        "setting": "game.judge = codes",
        "pairs": [["z", "E(x)"]],
        "judged": "vectors",
    }
    assert record["quantities"]["codes"] == "E(x)"
    assert record["capabilities"]["provides"] == "codes, reconstruction"
