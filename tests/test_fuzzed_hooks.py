"""Anything that a hook may give: a working plugin, or one that failed with a reason; no exception.

GANFORGE_FUZZ_EXAMPLES is the number of examples of each test.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pluggy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganforge import hookimpl
from ganforge.cli.list_plugins import plugin_record
from ganforge.cli.show import _record
from ganforge.errors import GanforgeError, PluginError, UsageError
from ganforge.plugin import hookspecs
from ganforge.plugin.base_specs import Spec
from ganforge.plugin.discovery import GROUP, Discovered, Discovery, load_plugin, offers
from ganforge.plugin.fields import Field
from ganforge.plugin.options import option, parse
from ganforge.plugin.packages import Package
from ganforge.plugin.registry import Component, Plugin, Registry

MODULE = "fuzzed_plugin"
EXAMPLES = int(os.environ.get("GANFORGE_FUZZ_EXAMPLES", "50"))
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Hostile:
    """An object that can be neither compared, nor shown, nor counted."""

    def __eq__(self, other: object) -> bool:
        raise SystemExit(3)

    def __hash__(self) -> int:
        raise RuntimeError("no hash")

    def __repr__(self) -> str:
        raise KeyError("no repr")

    def __bool__(self) -> bool:
        raise GeneratorExit

    def __len__(self) -> int:
        return -1

    def __iter__(self) -> Iterator[object]:
        raise RecursionError


class Endless:
    def __iter__(self) -> Iterator[object]:
        return itertools.repeat(Hostile())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    width: int = option(3, help="a width")


#: values for a field of a record or in place of one
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(),
        st.text(max_size=20),
        st.binary(max_size=5),
        st.builds(Hostile),
        st.builds(pow, st.just(10), st.just(5000)),
        st.sampled_from(
            [
                *(Hostile, Options, object, len, "label", "x" * 1000),
                *(lambda *given: Hostile(), lambda *given: math.nan, lambda: 3, Field),
                *("image", "m:f", "a.b:c", "generator", "fake_scores", "\x1b[2J\u202e"),
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner),
        st.dictionaries(st.text(max_size=5), inner, max_size=2),
    ),
    max_leaves=3,
)

#: fields that a record of a kind cannot be without
NEEDED: dict[str, dict[str, Any]] = {
    "dataset": {"fields": lambda options: {"sample": Field(kind="vector", shape=(2,))}},
    "sampler": {"input_shape": lambda options, fields: (4,)},
    "format": {"kinds": ("vector",)},
    "recipe": {"file": "fuzzed_plugin:x.toml"},
}


@st.composite
def records(draw: st.DrawFn, spec: type[Spec]) -> Any:
    """A function that makes a record with some wrong fields, by its class or around its checks."""
    fields = {it.name for it in dataclasses.fields(spec)}
    sound = {"name": "odd", "summary": "s", "build": "m:f", **NEEDED.get(spec.kind, {})}
    wrong = draw(st.dictionaries(st.sampled_from(sorted(fields)), values, max_size=3))
    given = {name: it for name, it in {**sound, **wrong}.items() if name in fields}
    way = draw(st.sampled_from(["made", "made", "made", "unchecked", "empty"]))
    if way == "empty":
        return lambda: object.__new__(spec)
    if way == "unchecked":
        return lambda: type("Own", (spec,), {"__post_init__": lambda self: None})(**given)
    return lambda: spec(**given)


@st.composite
def results(draw: st.DrawFn, spec: type[Spec]) -> Any:
    """What a hook of this kind does: a function that makes its result."""
    if draw(st.integers(0, 9)) == 0:
        odd = draw(st.one_of(values, st.sampled_from([Endless(), iter(()), {}, StopIteration()])))
        return lambda: odd
    makers = draw(st.lists(st.one_of(records(spec), records(spec)), min_size=1, max_size=3))
    if draw(st.integers(0, 9)) == 0:
        other = draw(values)
        makers.append(lambda: other)
    form = draw(st.sampled_from([list, tuple, iter]))
    return lambda: form([make() for make in makers])


def loaded(hook: str, function: Any) -> tuple[Discovered, list[Component[Spec]]]:
    """The plugin of one hook, loaded as discovery does."""
    module = ModuleType(MODULE)

    def implementation() -> Any:
        return function()

    implementation.__name__ = hook
    setattr(module, hook, hookimpl(implementation))
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    entry_point = EntryPoint(name="fuzzed", value=MODULE, group=GROUP)
    package = Package(name="fuzzed", version="1", requirements=(), entry_points=(entry_point,))
    (offer,) = offers(package)
    sys.modules[MODULE] = module
    try:
        return load_plugin(manager, offer, [])
    finally:
        del sys.modules[MODULE]


@pytest.mark.parametrize("hook", hookspecs.HOOKS)
@fuzzed
@given(data=st.data())
def test_whatever_a_hook_gives_is_a_plugin_or_a_reason(hook: str, data: st.DataObject) -> None:
    function = data.draw(results(hookspecs.HOOKS[hook]))
    outcome, components = loaded(hook, function)
    if outcome.status == "failed":
        assert not components
        assert outcome.reason
        assert len(outcome.reason) <= 500
        assert "\n" not in outcome.reason
        return
    registry = Registry(components)
    discovery = Discovery(registry=registry, plugins=(outcome,))
    assert len(plugin_record(outcome, discovery)["components"]) == len(components)
    for component in components:
        assert registry.find(component.kind, f"fuzzed/{component.name}") == component
        with suppress(GanforgeError):  # of what its functions give
            json.dumps(_record(component))


@fuzzed
@given(value=values, raised=st.booleans())
def test_whatever_a_builder_gives_or_raises_names_it(value: Any, raised: bool) -> None:
    spec = hookspecs.HOOKS["ganforge_losses"](name="odd", summary="s", build=f"{MODULE}:build")
    plugin = Plugin(name="x", package="fuzzed", version="1", module=MODULE, bundled=False)
    component: Component[Spec] = Component(spec=spec, plugin=plugin)

    class Own(BaseException):
        def __str__(self) -> str:
            return value  # type: ignore[no-any-return]

    def build(problem: Any, options: Any) -> Any:
        if raised:
            raise Own
        return value

    module = ModuleType(MODULE)
    module.build = build  # type: ignore[attr-defined]
    sys.modules[MODULE] = module
    try:
        if not raised:
            assert component.build(None, None) is value
            return
        with pytest.raises(PluginError, match="the loss 'odd' of fuzzed 1 could not be built: Own"):
            component.build(None, None)
    finally:
        del sys.modules[MODULE]


@fuzzed
@given(value=values)
def test_whatever_a_shape_is_told_by_name(value: Any) -> None:
    spec = hookspecs.HOOKS["ganforge_losses"](name="odd", summary="s", build="m:f")
    plugin = Plugin(name="x", package="fuzzed", version="1", module="m", bundled=False)
    component = Component(spec=spec, plugin=plugin)
    if isinstance(value, tuple) and value and all(type(it) is int and it > 0 for it in value):
        assert component.shape("input shape", lambda: value) == value
        return
    told = "the loss 'odd' of fuzzed 1 must give its input shape as"
    with pytest.raises(PluginError, match=told):
        component.shape("input shape", lambda: value)


@fuzzed
@given(given_values=st.dictionaries(st.sampled_from(["width", "other"]), values, max_size=2))
def test_whatever_an_option_is_given_is_a_complaint_or_a_value(
    given_values: dict[str, Any],
) -> None:
    found, complaints = parse(Options, given_values)
    assert (found is None) == bool(complaints)
    assert found is None or isinstance(found.width, int)


@pytest.mark.parametrize("error", [RuntimeError("no"), SystemExit(3), ValueError("a\nb")])
def test_whatever_options_raise_is_a_complaint(error: BaseException) -> None:
    def refuse(self: Any) -> None:
        raise error

    own = type("Own", (Options,), {"__post_init__": refuse})
    options = dataclasses.dataclass(frozen=True, kw_only=True)(own)
    found, complaints = parse(options, {})
    assert found is None
    assert complaints == {
        "": "a b" if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    }


def test_a_name_that_no_plugin_has_names_those_that_failed() -> None:
    outcome, _ = loaded("ganforge_losses", lambda: Hostile())
    registry = Registry([], {outcome.plugin: outcome.reason})
    with pytest.raises(UsageError, match="fuzzed of fuzzed 1 \\(ganforge_losses failed: "):
        registry.find("loss", "odd")
