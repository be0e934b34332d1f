"""What a component can do, in words: the fields of its spec besides name, builder and options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ganforge.errors import GanforgeError
from ganforge.plugin.base_specs import ComponentSpec, Spec
from ganforge.plugin.fields import Field
from ganforge.plugin.options import parse
from ganforge.plugin.registry import Component
from ganforge.plugin.shapes import Shapes

#: field of a spec, or of one kind's, -> what people call it, where that is not its name
LABELS = {
    "conditions": "can be told",
    "required": "must be told",
    "gives": "gives besides",
    "remedies": "helps against",
    "differentiates_itself": "gradient in forward",
    "generator.inputs": "is fed",
    "generator.methods": "can also",
    "generator.truncates": "truncates by itself",
    "generator.discriminator": "usual discriminator",
    "generator.sampler": "usual sampler",
    "generator.game": "usual game",
    "discriminator.patches": "scores of patches",
    "discriminator.several": "lists of scores",
    "double_backward": "twice differentiable",
    "batch_independent": "each score by itself",
    "discriminator.bounded": "bounded scores",
    "game.packing": "judged at once",
    "loss.double_backward": "differentiates twice",
    "loss.parameters": "own parameters",
    "loss.every": "evaluated every",
    "dataset.gives": "knows besides",
    "dataset.path_option": "--dataset PATH sets",
    "sampler.inputs": "draws",
    "sampler.parts": "named parts",
    "sampler.reads": "reads of the data",
    "metric.reads": "reads besides samples",
    "metric.features": "usual features",
    "metric.better": "which is better",
    "metric.usual": "measured unasked",
    "features.logits": "scores of classes",
    "features.needs_labels": "learns from labels",
    "dataset.held_out": "a part held out",
    "dataset.handed_over": "handed over",
    "optimizer.found_inf": "skips infinite steps",
    "optimizer.param_groups": "keys in groups",
    "format.one_file_each": "a file for each",
}
#: what a spec may leave to the options, and is worth a word; sizes are said by numbers
AS_THE_OPTIONS_SAY = {
    *("patches", "several", "batch_independent", "bounded"),
    *("provides", "calls", "reads", "pairs", "parts", "packing"),
    *("inputs", "judged", "told", "fields"),
}
#: what few components have, and is worth no word in the others
UNREMARKABLE = {
    "metric.usual": True,
    "metric.features": None,
    "game.packing": 1,
    "generator.truncates": False,
    "discriminator.bounded": False,
    "dataset.handed_over": False,
}
LEFT_TO_OPTIONS = "as the options say"


def capabilities(component: Component[Spec]) -> dict[str, str]:
    """The capabilities of a component in words, by the field of its spec.

    What is a function of the options is that of the default ones, and says so.
    """
    spec = component.spec
    general = {field.name for field in dataclasses.fields(ComponentSpec)}
    found = {}
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        if field.name in general or value in ("", {}):
            continue
        if UNREMARKABLE.get(f"{spec.kind}.{field.name}") == value:
            continue
        if not callable(value):
            found[field.name] = _words(value, f"{spec.kind}.{field.name}")
        elif field.name in AS_THE_OPTIONS_SAY:
            usual = by_default(component, field.name)
            if usual is None:
                found[field.name] = LEFT_TO_OPTIONS
            elif field.name == "fields":
                found[field.name] = _words(usual)
            else:
                found[field.name] = f"{_words(usual)} by default, {LEFT_TO_OPTIONS}"
    return found


def label(kind: str, field: str) -> str:
    """A field of a spec as people call it."""
    return LABELS.get(f"{kind}.{field}", LABELS.get(field, field.replace("_", " ")))


def by_default(component: Component[Any], field: str) -> Any:
    """The value of a field that is a function of the options, for the default ones.

    None where some option must be given, or where the function wants to know more.
    """
    options, _ = parse(component.spec.options, {})
    if options is None:
        return None
    try:
        return component.call(f"cannot tell its {field}", getattr(component.spec, field), options)
    except GanforgeError:
        return None


def _words(value: object, what: str = "") -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() if what == "loss.every":
            return "step" if value == 1 else f"{value} steps"
        case str() if what == "loss.parameters":
            return f"trained with the {value}"
        case tuple() if what == "game.pairs":
            return "; ".join(f"{real} against {fake}" for real, fake in value)
        case tuple() if what == "game.sides":
            return "; ".join(value)
        case tuple():
            return ", ".join(map(_words, value)) or "none"
        case Mapping() if what == "optimizer.param_groups":
            return ", ".join(f"{key} as {it}" for key, it in value.items())
        case Mapping():
            return ", ".join(f"{key} {_words(it)}" for key, it in value.items()) or "none"
        case Field():
            return _field(value)
        case Shapes():
            return f"any {value.plural}" if value == type(value)() else str(value)
    return "none" if value is None else str(value)


def _field(field: Field) -> str:
    """`(image, 3 x 64 x 64)`, `(category, 10 classes)`."""
    shown = field.shown()
    return f"({field.kind}, {shown})" if field.kind not in shown else f"({shown})"
