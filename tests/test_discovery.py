"""Discovery: a broken plugin is a story with a reason, and everything else keeps working."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ganforge import __version__
from ganforge.errors import UsageError
from ganforge.plugin.discovery import DISABLE_VARIABLE, Discovered, Discovery, discover
from ganforge.plugin.registry import Registry

from .conftest import FakePlugin, generators


def only(discovery: Discovery, package: str) -> Discovered:
    (found,) = [it for it in discovery.plugins if it.plugin.package == package]
    return found


def names(registry: Registry) -> list[str]:
    return sorted(f"{it.kind} {it.qualified_name}" for it in registry)


def test_the_bundled_plugins_are_active_and_provide_every_kind(bundled: Registry) -> None:
    discovery = discover(third_party=False)
    ours = [it for it in discovery.plugins if it.plugin.bundled]
    assert {(it.status, it.reason, it.warnings) for it in ours} == {("active", "", ())}
    found = {kind: {it.name for it in bundled.of_kind(kind)} for kind in ("generator", "loss")}
    assert found["generator"] >= {"mlp", "dcgan"}
    assert found["loss"] >= {"nonsat", "minimax", "bce", "wasserstein"}
    assert {it.kind for it in bundled} == {
        "generator",
        "discriminator",
        "loss",
        "dataset",
        "sampler",
        "game",
        "augmentation",
        "metric",
        "callback",
        "format",
        "optimizer",
        "recipe",
        "features",
        "refinement",
    }


def test_a_plugin_of_one_file_adds_a_component(fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-stranger", generators("odd"), version="2.5rc1")
    discovery = discover()
    found = only(discovery, "ganforge-stranger")
    assert (found.status, found.reason, found.warnings) == ("active", "", ())
    assert (found.plugin.version, found.plugin.module) == ("2.5rc1", "ganforge_stranger")
    assert 0 < found.seconds < 5
    component = discovery.registry.find("generator", "odd")
    assert component.qualified_name == "ganforge-stranger/odd"
    assert component.origin == "ganforge-stranger 2.5rc1"


HEAD = "from ganforge import GeneratorSpec, LossSpec, hookimpl\n"
HOOK = f"{HEAD}@hookimpl\ndef ganforge_generators():\n"
GOOD = "GeneratorSpec(name='odd', summary='s', build='m:f')"

BROKEN = {
    "an import error": (
        "from ganforge import no_such_name",
        "ImportError: cannot import name 'no_such_name' from 'ganforge'",
    ),
    "a missing dependency": (
        "import no_such_package.inner",
        "it needs the module 'no_such_package', which is not installed",
    ),
    "a syntax error": ("def f(:\n", "ganforge_broken.py, line 1)"),
    "an exit at import": ("import sys; sys.exit('bye')", "it called sys.exit('bye') at import"),
    "an exception at import": ("1 / 0", "ZeroDivisionError: division by zero"),
    "an exception without words": ("assert False", "AssertionError"),
    "an exception that cannot be shown": (
        "class Mute(Exception):\n    def __str__(self): return 1 / 0\nraise Mute",
        "Mute: its message cannot be shown",
    ),
    "a generator left at import": ("raise GeneratorExit", "GeneratorExit"),
    "no hook": (
        "from ganforge import hookimpl\ndef ganforge_generators(): return []\n",
        "it implements no hook; mark its functions with @ganforge.hookimpl",
    ),
    "an unknown hook alone": (
        f"{HEAD}@hookimpl\ndef ganforge_generator(): return [{GOOD}]\n",
        "unknown hook 'ganforge_generator'; did you mean 'ganforge_generators'?",
    ),
    "a hook with an argument": (
        f"{HEAD}@hookimpl\ndef ganforge_generators(config): return []\n",
        "a hook does not fit: Argument(s) {'config'} are declared in the hookimpl but can not be "
        "found in the hookspec",
    ),
    "a hook wrapper": (
        f"{HEAD}@hookimpl(wrapper=True)\ndef ganforge_generators(): return (yield)\n",
        "ganforge_generators must yield GeneratorSpec records, not None",
    ),
    "a hook that raises": (
        f"{HOOK}    raise RuntimeError('no weights')\n",
        "ganforge_generators failed: RuntimeError: no weights",
    ),
    "a hook that raises between": (
        f"{HOOK}    yield {GOOD}\n    raise RuntimeError('no weights')\n",
        "ganforge_generators failed: RuntimeError: no weights",
    ),
    "a hook that exits": (
        f"{HOOK}    raise SystemExit(3)\n",
        "ganforge_generators failed: SystemExit: 3",
    ),
    "a string": (
        f"{HOOK}    return 'odd'\n",
        "ganforge_generators must yield GeneratorSpec records, not 'odd'",
    ),
    "a string within": (
        f"{HOOK}    yield 'odd'\n",
        "ganforge_generators must yield GeneratorSpec records, not 'odd'",
    ),
    "nothing": (
        f"{HOOK}    pass\n",
        "ganforge_generators must yield GeneratorSpec records, not None",
    ),
    "a number": (
        f"{HOOK}    return 3\n",
        "ganforge_generators must yield GeneratorSpec records, not 3",
    ),
    "one record": (
        f"{HOOK}    return {GOOD}\n",
        "ganforge_generators returned one GeneratorSpec; yield it, or return a list",
    ),
    "a class": (
        f"{HOOK}    yield GeneratorSpec\n",
        "ganforge_generators must yield GeneratorSpec records, not <class",
    ),
    "a record of another kind": (
        f"{HOOK}    yield LossSpec(name='odd', summary='s', build='m:f')\n",
        "ganforge_generators must yield GeneratorSpec records, not LossSpec",
    ),
    "a bad name": (
        f"{HOOK}    yield GeneratorSpec(name='../x', summary='s', build='m:f')\n",
        "ganforge_generators failed: ValueError: '../x' is not a component name",
    ),
    "a missing field": (
        f"{HOOK}    yield GeneratorSpec(name='odd', build='m:f')\n",
        "missing 1 required keyword-only argument: 'summary'",
    ),
    "a field from another version": (
        f"{HOOK}    yield GeneratorSpec(name='odd', summary='s', build='m:f', future=1)\n",
        "got an unexpected keyword argument 'future'",
    ),
    "the same name twice": (
        f"{HOOK}    yield {GOOD}\n    yield {GOOD}\n",
        "the generator 'odd' is already provided by the package ganforge-broken",
    ),
    "an item that cannot be shown": (
        f"{HOOK}    class Mute:\n        def __repr__(self): return 1 / 0\n    yield Mute()\n",
        "ganforge_generators must yield GeneratorSpec records, not <Mute object>",
    ),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_told_and_harms_no_other(
    fake_plugin: FakePlugin, installed: Registry, source: str, reason: str
) -> None:
    fake_plugin("ganforge-broken", source)
    fake_plugin("ganforge-zebra", generators("zebra"))
    discovery = discover()
    found = only(discovery, "ganforge-broken")
    assert found.status == "failed"
    assert reason in found.reason
    assert "\n" not in found.reason
    assert found.error is not None
    assert names(discovery.registry) == sorted(
        [*names(installed), "generator ganforge-zebra/zebra"]
    )
    with pytest.raises(UsageError) as caught:
        discovery.registry.find("generator", "odd")
    assert f"ganforge-broken of ganforge-broken 1.0 ({found.reason})" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module", "its entry point names the module 'no_such_module', which is not"),
        ("ganforge_hollow.inner", "its entry point names the module 'ganforge_hollow.inner'"),
        ("ganforge_hollow:no", "its entry point 'ganforge_hollow:no' names nothing: module"),
        ("ganforge_hollow:x.no", "its entry point 'ganforge_hollow:x.no' names nothing: 'int'"),
        ("not a value!", "its entry point 'not a value!' is not of the form module:attribute"),
        ("", "its entry point '' is not of the form module:attribute"),
        ("ganforge_hollow:x", "it implements no hook"),
        ("ganforge_hollow:none", "it implements no hook"),
        ("ganforge_hollow:Class", "it implements no hook"),
    ],
)
def test_an_entry_point_to_nothing_is_told(
    fake_plugin: FakePlugin, installed: Registry, value: str, reason: str
) -> None:
    fake_plugin(
        "ganforge-hollow",
        "x = 3\nnone = None\nclass Class: pass\n",
        entry_points=f"hollow = {value}",
    )
    discovery = discover()
    found = only(discovery, "ganforge-hollow")
    assert found.status == "failed"
    assert reason in found.reason
    assert names(discovery.registry) == names(installed)


def test_an_interruption_by_the_user_is_no_fault_of_the_plugin(fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        discover()


def test_an_unknown_hook_is_a_warning_and_the_other_components_stay(
    fake_plugin: FakePlugin,
) -> None:
    source = f"{generators('odd')}\n@hookimpl\ndef ganforge_loses(): return ['anything']\n"
    fake_plugin("ganforge-newer", source)
    discovery = discover()
    found = only(discovery, "ganforge-newer")
    assert (found.status, found.reason) == ("active", "")
    assert found.warnings == ("unknown hook 'ganforge_loses'; did you mean 'ganforge_losses'?",)
    assert discovery.registry.find("generator", "odd").plugin == found.plugin


def test_a_plugin_gives_all_of_its_components_or_none(
    fake_plugin: FakePlugin, installed: Registry
) -> None:
    source = f"{generators('odd')}\n@hookimpl\ndef ganforge_samplers(): raise ValueError('no')\n"
    fake_plugin("ganforge-half", source)
    discovery = discover()
    assert only(discovery, "ganforge-half").status == "failed"
    assert only(discovery, "ganforge-half").reason == "ganforge_samplers failed: ValueError: no"
    assert names(discovery.registry) == names(installed)


def test_an_instance_may_be_a_plugin(fake_plugin: FakePlugin) -> None:
    source = (
        f"{HEAD}class Plugin:\n    @hookimpl\n    def ganforge_generators(self):\n"
        f"        return [{GOOD}]\nplugin = Plugin()\n"
    )
    fake_plugin("ganforge-object", source, entry_points="object = ganforge_object:plugin")
    assert discover().registry.find("generator", "odd").plugin.module == "ganforge_object:plugin"


def test_two_entry_points_of_a_package_with_the_same_name_of_a_component(
    fake_plugin: FakePlugin,
) -> None:
    source = (
        f"{HEAD}class Plugin:\n    @hookimpl\n    def ganforge_generators(self):\n"
        f"        return [{GOOD}]\nplugin, other = Plugin(), Plugin()\n"
    )
    lines = "a = ganforge_pair:plugin\nb = ganforge_pair:other\nc = ganforge_pair:plugin"
    fake_plugin("ganforge-pair", source, entry_points=lines)
    discovery = discover()
    found = {it.plugin.name: it for it in discovery.plugins if it.plugin.package == "ganforge-pair"}
    assert {name: it.status for name, it in found.items()} == {
        "a": "active",
        "b": "failed",
        "c": "failed",
    }
    assert found["b"].reason == (
        "the generator 'odd' is already provided by the package ganforge-pair"
    )
    assert found["c"].reason == "another entry point names the same object"


def test_two_distributions_with_the_same_entry_point_name_both_load(
    fake_plugin: FakePlugin,
) -> None:
    fake_plugin("ganforge-one", generators("one"), entry_points="same = ganforge_one")
    fake_plugin("ganforge-two", generators("two"), entry_points="same = ganforge_two")
    registry = discover().registry
    assert registry.find("generator", "one").plugin.package == "ganforge-one"
    assert registry.find("generator", "two").plugin.package == "ganforge-two"


def test_a_twin_never_takes_a_bundled_name(fake_plugin: FakePlugin) -> None:
    # Its entry point and its package would come first in the alphabet.
    fake_plugin("aaa", generators("dcgan"), entry_points="dcgan = aaa")
    registry = discover().registry
    assert registry.find("generator", "dcgan").plugin.bundled
    twin = registry.find("generator", "aaa/dcgan")
    assert twin.plugin.package == "aaa"
    assert [it.qualified_name for it in registry.shadowed_by(twin)] == ["ganforge/dcgan"]


def test_strangers_that_share_a_name_are_an_error_only_where_it_is_used(
    fake_plugin: FakePlugin,
) -> None:
    fake_plugin("ganforge-one", generators("odd", "fine"))
    fake_plugin("ganforge-two", generators("odd"))
    discovery = discover()
    assert only(discovery, "ganforge-one").status == "active"
    assert only(discovery, "ganforge-two").status == "shadowed"
    assert discovery.registry.find("generator", "fine").plugin.package == "ganforge-one"
    with pytest.raises(UsageError, match="2 packages have a generator called 'odd'; write one of"):
        discovery.registry.find("generator", "odd")


def test_a_plugin_is_shadowed_where_none_of_its_short_names_is_its_own(
    fake_plugin: FakePlugin,
) -> None:
    fake_plugin("ganforge-all", generators("dcgan", "mlp"))
    fake_plugin("ganforge-some", generators("dcgan", "odd"))
    fake_plugin("ganforge-none", f"{HOOK}    return []\n")
    discovery = discover()
    assert only(discovery, "ganforge-all").status == "shadowed"
    assert only(discovery, "ganforge-some").status == "active"
    assert only(discovery, "ganforge-none").status == "active"
    assert {it.status for it in discovery.plugins if it.plugin.bundled} == {"active"}
    assert discovery.registry.find("generator", "ganforge-all/mlp").name == "mlp"


def test_who_brought_torch_is_known(
    fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", sys)  # what was there comes back after the test
    del sys.modules["torch"]
    heavy = "import sys; sys.modules['torch'] = sys"
    fake_plugin("ganforge-heavy", f"{heavy}\n{generators('heavy')}")
    fake_plugin("ganforge-heavy-too", f"{heavy}\n1 / 0")
    found = discover()
    assert only(found, "ganforge-heavy").imported_torch
    assert not only(found, "ganforge-heavy-too").imported_torch
    del sys.modules["torch"]
    alone = discover(environ={DISABLE_VARIABLE: "ganforge-heavy"})
    assert only(alone, "ganforge-heavy-too").imported_torch
    assert only(alone, "ganforge-heavy-too").status == "failed"


@pytest.mark.parametrize(
    ("requirements", "asked"),
    [
        (["ganforge>=99"], ">=99"),
        (["numpy", "Ganforge [extra] ( >=98, <99 )"], "<99,>=98"),
        (["ganforge==99.*"], "==99.*"),
        (["ganforge~=99.1"], "~=99.1"),
        (["ganforge<0.0.1"], "<0.0.1"),
        ([f"ganforge!={__version__}"], f"!={__version__}"),
        (["ganforge>99; python_version>'3'"], ">99"),
        (["ganforge>99; python_version<'3'"], ""),  # meant for another machine
        (["ganforge>=99; extra == 'test'"], ""),
        (["ganforge>=99rc1"], ">=99rc1"),
        (["ganforge >= soon"], ""),  # not read
        (["ganforge @ https://example.org/ganforge.whl"], ""),
        (["ganforge-other>=99"], ""),
        (["ganforge"], ""),
        ([f"ganforge=={__version__}"], ""),
        (["ganforge>=0.0.1,<99,!=0.0.2"], ""),
    ],
)
def test_a_package_that_asks_for_another_ganforge_says_so(
    fake_plugin: FakePlugin, requirements: list[str], asked: str
) -> None:
    lines = "".join(f"Requires-Dist: {requirement}\n" for requirement in requirements)
    metadata = f"Metadata-Version: 2.1\nName: ganforge-asking\nVersion: 1\n{lines}"
    fake_plugin("ganforge-asking", generators("odd"), metadata=metadata)
    found = only(discover(), "ganforge-asking")
    newer = asked.startswith((">", "~", "==", "<99"))
    assert found.status == ("failed" if newer else "active")
    verb = "needs" if newer else "asks for"
    misfit = f"it {verb} ganforge{asked}, and {__version__} is installed"
    assert found.reason == (misfit if newer else "")
    assert found.warnings == ((misfit,) if asked and not newer else ())


@pytest.mark.parametrize(
    "disabled", ["touchy", "Ganforge_Touchy", "ganforge-touchy", "other, ganforge.touchy ,"]
)
def test_a_disabled_plugin_is_not_imported(
    fake_plugin: FakePlugin, tmp_path: Path, disabled: str
) -> None:
    trace = tmp_path / "imported"
    source = f"import pathlib; pathlib.Path({str(trace)!r}).touch()\n{generators('odd')}"
    fake_plugin("ganforge-touchy", source, entry_points="touchy = ganforge_touchy")
    discovery = discover(environ={DISABLE_VARIABLE: disabled})
    assert not trace.exists()
    assert "ganforge_touchy" not in sys.modules
    assert only(discovery, "ganforge-touchy").status == "disabled"
    assert not [it for it in discovery.registry if it.name == "odd"]
    discover(environ={DISABLE_VARIABLE: ""})
    assert trace.exists()


def test_without_third_parties_only_bundled_plugins_are_imported(
    fake_plugin: FakePlugin, installed: Registry, tmp_path: Path
) -> None:
    trace = tmp_path / "imported"
    fake_plugin("ganforge-touchy", f"import pathlib; pathlib.Path({str(trace)!r}).touch()")
    discovery = discover(third_party=False)
    assert not trace.exists()
    assert only(discovery, "ganforge-touchy").status == "disabled"
    assert names(discovery.registry) == names(installed)


def test_a_bundled_plugin_can_be_disabled() -> None:
    discovery = discover(environ={DISABLE_VARIABLE: "dcgan"})
    (dcgan,) = [it for it in discovery.plugins if it.plugin.name == "dcgan"]
    assert dcgan.status == "disabled"
    with pytest.raises(UsageError, match="there is no generator called 'dcgan'"):
        discovery.registry.find("generator", "dcgan")


def test_what_a_plugin_prints_does_not_reach_standard_output(
    fake_plugin: FakePlugin, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_plugin("ganforge-loud", f"print('hello')\n{generators('odd')}")
    discover()
    assert capsys.readouterr() == ("", "hello\n")


def test_the_texts_of_a_plugin_cannot_steer_the_terminal(fake_plugin: FakePlugin) -> None:
    fake_plugin(
        "ganforge-evil",
        "raise ValueError('\\x1b]52;c;aGk=\\x07 \\x9b2J \\u202e [red]x[/red] [/x]'\n"
        "                 '\\nError: forged')",
        entry_points="\x1b[31mred\u202e = ganforge_evil",
        metadata="Metadata-Version: 2.1\nName: ganforge\x1b[2J-evil\nVersion: 1\x9b2J\n",
    )
    found = only(discover(), "ganforge[2J-evil")
    assert found.plugin.name == "[31mred"
    assert found.plugin.version == "12J"
    assert found.reason == "ValueError: ]52;c;aGk= 2J [red]x[/red] [/x] Error: forged"


def test_bundled_plugins_come_first_and_the_order_is_that_of_the_names(
    fake_plugin: FakePlugin,
) -> None:
    for package in ("zzz", "aaa"):
        fake_plugin(package, generators(package))
    order = [(it.plugin.bundled, it.plugin.package) for it in discover().plugins]
    strangers = [package for bundled, package in order if not bundled]
    assert order[: len(order) - len(strangers)] == [(True, "ganforge")] * (
        len(order) - len(strangers)
    )
    assert strangers == sorted(strangers)
    assert {"aaa", "zzz"} <= set(strangers)
