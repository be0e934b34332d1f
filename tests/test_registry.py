"""The registry: short and qualified names, twins, and what a failed look-up answers."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from ganforge import GeneratorSpec
from ganforge.errors import DataError, PluginError, UsageError
from ganforge.plugin.registry import Component, Plugin, Registry


def plugin(package: str, *, bundled: bool = False) -> Plugin:
    return Plugin(name="p", package=package, version="1.2", module="m", bundled=bundled)


def component(package: str, name: str, build: str = "m:f", *, bundled: bool = False) -> Component:
    spec = GeneratorSpec(name=name, summary="A generator", build=build)
    return Component(spec=spec, plugin=plugin(package, bundled=bundled))


OURS = component("ganforge", "dcgan", bundled=True)
THEIRS = component("ganforge-foo", "dcgan")
ONE = component("ganforge-foo", "odd")
OTHER = component("ganforge-bar", "odd")
ALONE = component("ganforge-bar", "alone")
REGISTRY = Registry([OURS, THEIRS, ONE, OTHER, ALONE])


def test_a_bundled_name_means_the_bundled_component() -> None:
    assert REGISTRY.find("generator", "dcgan") is OURS
    assert REGISTRY.find("generator", "ganforge/dcgan") is OURS
    assert REGISTRY.short_name(OURS) == "dcgan"


def test_a_twin_of_a_bundled_component_is_reached_by_its_qualified_name() -> None:
    assert REGISTRY.find("generator", "ganforge-foo/dcgan") is THEIRS
    assert REGISTRY.find("generator", "Ganforge-Foo/dcgan") is THEIRS
    assert REGISTRY.shadowed_by(THEIRS) == [OURS]
    assert REGISTRY.short_name(THEIRS) == "ganforge-foo/dcgan"


def test_the_short_name_of_two_strangers_is_an_error_that_names_both() -> None:
    with pytest.raises(UsageError) as caught:
        REGISTRY.find("generator", "odd")
    assert str(caught.value) == (
        "2 packages have a generator called 'odd'; write one of 'ganforge-foo/odd' and "
        "'ganforge-bar/odd'"
    )
    assert REGISTRY.find("generator", "ganforge-foo/odd") is ONE
    assert REGISTRY.find("generator", "ganforge-bar/odd") is OTHER


def test_a_stranger_without_a_twin_has_its_short_name() -> None:
    assert REGISTRY.find("generator", "alone") is ALONE
    assert REGISTRY.short_name(ALONE) == "alone"


def test_a_name_of_another_kind_is_not_found() -> None:
    with pytest.raises(UsageError, match="there is no loss called 'dcgan'; there are none"):
        REGISTRY.find("loss", "dcgan")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dcgna", "there is no generator called 'dcgna'; did you mean 'dcgan'?"),
        ("ganforge-bar/od", "did you mean 'ganforge-bar/odd'?"),
        ("zzz", "there are alone, dcgan, ganforge-bar/odd, ganforge-foo/dcgan and"),
        ("../x", "there is no generator called '../x'; there are"),
        ("a\x1b[2J\nb\u202e", "there is no generator called 'a[2J b'; there are"),
        ("", "there is no generator called ''; there are"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_what_is(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        REGISTRY.find("generator", name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["dcgna", "zzz"])
def test_a_failed_look_up_names_the_plugins_that_failed_to_load(name: str) -> None:
    registry = Registry([OURS], {plugin("ganforge-foo"): "it needs the module 'x'"})
    with pytest.raises(UsageError) as caught:
        registry.find("generator", name)
    answer, _, failures = str(caught.value).partition(" Plugins that failed to load: ")
    assert answer[-1] == ("?" if name == "dcgna" else ".")
    assert failures == "p of ganforge-foo 1.2 (it needs the module 'x')"


@pytest.fixture
def builders(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("made_up_builders")
    monkeypatch.setitem(sys.modules, "made_up_builders", module)
    return module


def test_a_builder_is_imported_and_called(builders: ModuleType) -> None:
    class Namespace:
        make = staticmethod(lambda problem, options: (problem, options))

    builders.Namespace = Namespace  # type: ignore[attr-defined]
    made = component("ganforge-foo", "odd", "made_up_builders:Namespace.make")
    assert made.build(1, 2) == (1, 2)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        ("no_such_module:f", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("made_up_builders:f", "AttributeError: module 'made_up_builders' has no attribute 'f'"),
    ],
)
@pytest.mark.usefixtures("builders")
def test_a_builder_that_is_not_there_is_named_with_its_package(build: str, message: str) -> None:
    with pytest.raises(PluginError) as caught:
        component("ganforge-foo", "odd", build).build()
    assert str(caught.value) == (
        f"the generator 'odd' of ganforge-foo 1.2 cannot be loaded: its builder {build!r} raised "
        f"{message}"
    )


def test_what_a_builder_raises_is_told_with_its_package(builders: ModuleType) -> None:
    def fail() -> None:
        raise RuntimeError("too\n\x1b[2J deep")

    builders.f = fail  # type: ignore[attr-defined]
    with pytest.raises(PluginError) as caught:
        component("ganforge-foo", "odd", "made_up_builders:f").build()
    assert str(caught.value) == (
        "the generator 'odd' of ganforge-foo 1.2 could not be built: RuntimeError: too [2J deep"
    )


def test_an_error_that_a_builder_raises_for_the_user_is_left_as_it_is(
    builders: ModuleType,
) -> None:
    def fail() -> None:
        raise DataError("the folder is empty")

    builders.f = fail  # type: ignore[attr-defined]
    with pytest.raises(DataError, match=r"^the folder is empty$"):
        component("ganforge-foo", "odd", "made_up_builders:f").build()


def test_an_error_of_ganforge_passes_through_what_calls_a_plugin() -> None:
    """A component that is built by another one is the one that is named."""

    def fail() -> None:
        raise PluginError("the generator 'odd' could not be built")

    with pytest.raises(PluginError, match=r"^the generator 'odd' could not be built$"):
        ALONE.call("cannot build the generator's side", fail)


@pytest.mark.parametrize(
    "found", [None, "abc", 7, [3, 8, 8], (), (3, 8.0, 8), (0,), (2, -1), (True,)]
)
def test_a_shape_that_is_none_is_told_with_its_package(found: object) -> None:
    with pytest.raises(PluginError) as caught:
        ALONE.shape("input shape", lambda options: found, None)
    assert str(caught.value) == (
        "the generator 'alone' of ganforge-bar 1.2 must give its input shape as (3, 64, 64) or "
        f"(2,), not {found!r}"
    )


def test_a_shape_is_given_back() -> None:
    assert ALONE.shape("input shape", lambda options: (options,), 7) == (7,)
    assert ALONE.shape("input shape", lambda: (3, 8, 16)) == (3, 8, 16)
