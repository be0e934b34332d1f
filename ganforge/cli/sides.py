"""A game in words: its two sides, what is real and fake in it, and all that a term may read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganforge.errors import GanforgeError, listed
from ganforge.plugin.fields import Field
from ganforge.plugin.options import describe, parse
from ganforge.plugin.registry import Component
from ganforge.plugin.shapes import PLURALS
from ganforge.plugin.specs import GameSpec

from .capabilities import LEFT_TO_OPTIONS, by_default

#: what a game is asked with that decides by the samples and the inputs; no sample is like an input
SAMPLE, INPUT_SHAPE = Field(kind="image", shape=(3, 32, 32), dtype="uint8"), (64,)

#: the fields of a record that `facts`, `variants` and `quantities` tell
DRAWN = frozenset(
    ("conditions", "provides", "calls", "reads", "judged", "told", "sides", "pairs", "meanings")
)

#: quantity -> what it is in a game that says nothing else
USUAL = {
    "samples": "x, samples of the data set",
    "inputs": "z, what the generator is fed",
    "real": "what is real in a step",
    "fake": "what is fake in a step",
    "real_scores": "D's scores of real",
    "fake_scores": "D's scores of fake",
    "labels": "the labels of samples, where the data set has some",
    "fake_labels": "the labels that fake is made for, where G is told them",
    "reconstruction": "what G makes of samples, where the sampler makes its inputs of them",
}
#: and those whose names are of the run's other components
NAMED = {
    "FIELD": "any other field of the data set, by its name",
    "inputs.NAME": "a part of the inputs that the sampler names",
    "real.NAME": "what D gives besides its scores of real",
    "fake.NAME": "what D gives besides its scores of fake",
    "generated.NAME": "what G gives besides its samples",
}
UNSAID = "provided by the game"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What the discriminator tells apart under one setting of the options, in words."""

    setting: str
    pairs: tuple[tuple[str, str], ...]
    judged: str


def variants(component: Component[Any]) -> list[Variant]:
    """What is real and what is fake, by the choices of the option that decides it, if one does.

    Empty where it cannot be told without options that must be given.
    """
    spec: GameSpec = component.spec
    options, _ = parse(spec.options, {})
    if options is None:
        return []
    decided = callable(spec.pairs) or spec.judged is not None
    try:
        for field in describe(spec.options) if decided else ():
            choices = [
                _variant(component, given, f"game.{field.name} = {choice}")
                for choice in field.choices or ()
                for given in [dataclasses.replace(options, **{field.name: choice})]
            ]
            if len({(it.pairs, it.judged) for it in choices}) > 1:
                return choices
        return [_variant(component, options, "by default" if decided else "")]
    except (GanforgeError, ValueError):
        return []


def _variant(component: Component[Any], options: Any, setting: str) -> Variant:
    spec: GameSpec = component.spec
    pairs, judged = spec.pairs, SAMPLE
    if callable(pairs):
        pairs = component.call("cannot tell its pairs", pairs, options)
    if spec.judged is not None:
        judged = component.call(
            "cannot tell what is judged", spec.judged, options, SAMPLE, INPUT_SHAPE
        )
    return Variant(
        setting=setting,
        pairs=tuple(pairs),
        judged="samples" if judged == SAMPLE else PLURALS[judged.kind],
    )


def facts(component: Component[Any]) -> dict[str, str]:
    """What the sides are made of, what the game asks of the run, and what it tells D."""
    spec: GameSpec = component.spec
    told = ["the conditions of the run"] if spec.conditions else []
    told += [f"{name} ({field.kind})" for name, field in _told(component).items()]
    return {
        "generator's side": spec.sides[0],
        "discriminator's side": spec.sides[1],
        "D is told": listed(told) if told else "no conditions",
        "calls on G": _decided(component, "calls") or "nothing but forward",
        "reads of the data": _decided(component, "reads") or "samples, and what networks are told",
    }


def quantities(component: Component[Any]) -> dict[str, str]:
    """Every quantity that a term may read in this game, with what it is."""
    spec: GameSpec = component.spec
    provides = by_default(component, "provides") if callable(spec.provides) else spec.provides
    own = dict.fromkeys(provides or (), UNSAID)
    said = {name: words for name, words in spec.meanings.items() if name in {*USUAL, *own}}
    found = {**USUAL, **own, **said, **NAMED}
    if not spec.conditions:
        del found["fake_labels"]
    return found


def _decided(component: Component[Any], field: str) -> str:
    """The names that a spec gives; of a function of the options, those of the default ones."""
    value = getattr(component.spec, field)
    if not callable(value):
        return listed(value) if value else ""
    usual = by_default(component, field)
    return f"{listed(usual)} by default, {LEFT_TO_OPTIONS}" if usual else LEFT_TO_OPTIONS


def _told(component: Component[Any]) -> Mapping[str, Field]:
    spec: GameSpec = component.spec
    options, _ = parse(spec.options, {})
    if spec.told is None or options is None:
        return {}
    try:
        found: Mapping[str, Field] = component.call(
            "cannot tell its conditions", spec.told, options, SAMPLE, INPUT_SHAPE
        )
    except GanforgeError:
        return {}
    return found
