"""Every known way to break a plugin: what does not need it goes on, what does says why in a line.

`tests/test_discovery.py` has more ways, and what discovery makes of them; here are the commands.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from ganforge.cli import list_plugins
from tests.conftest import Answer, Command, FakePlugin, generators

HEAD = "from ganforge import GeneratorSpec, LossSpec, hookimpl\n"
HOOK = f"{HEAD}@hookimpl\ndef ganforge_generators():\n"
GOOD = "GeneratorSpec(name='odd', summary='s', build='m:f', discriminator='mlp')"
NETWORK = generators("odd", build="ganforge_broken:build")


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to break. `status` is what becomes of the plugin, `reason` what explains it.

    `code` is that of a command that needs it.
    """

    source: str | None
    reason: str
    status: str = "failed"
    code: int = 2
    entry_points: str | None = None


BUILD_FAILS = f"{NETWORK}\ndef build(problem, options):\n    raise RuntimeError('no weights')\n"
FORWARD_FAILS = f"""{NETWORK}
def build(problem, options):
    from torch import nn

    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(1, 1)

        def forward(self, inputs):
            raise RuntimeError("wrong way round")

    return Odd()
"""
WAYS = {
    "an import error": Way(
        source="from ganforge import no_such_name",
        reason="ImportError: cannot import name 'no_such_name' from 'ganforge'",
    ),
    "a syntax error": Way(source="def f(:\n", reason="SyntaxError: invalid syntax"),
    "an exit at import": Way(
        source="import sys; sys.exit(7)", reason="it called sys.exit(7) at import"
    ),
    "an unknown hook": Way(
        source=f"{HEAD}@hookimpl\ndef ganforge_generator(): return [{GOOD}]\n",
        reason="unknown hook 'ganforge_generator'; did you mean 'ganforge_generators'?",
    ),
    "a hook with arguments": Way(
        source=f"{HEAD}@hookimpl\ndef ganforge_generators(config): return [{GOOD}]\n",
        reason="a hook does not fit: Argument(s) {'config'} are declared in the hookimpl",
    ),
    "yields a string": Way(
        source=f"{HOOK}    yield 'odd'\n",
        reason="ganforge_generators must yield GeneratorSpec records, not 'odd'",
    ),
    "a single spec": Way(
        source=f"{HOOK}    return {GOOD}\n",
        reason="ganforge_generators returned one GeneratorSpec; yield it, or return a list",
    ),
    "the wrong spec": Way(
        source=f"{HOOK}    yield LossSpec(name='odd', summary='s', build='m:f')\n",
        reason="ganforge_generators must yield GeneratorSpec records, not LossSpec",
    ),
    "a bad name": Way(
        source=f"{HOOK}    yield {GOOD.replace('odd', 'Odd GAN')}\n",
        reason="ganforge_generators failed: ValueError: 'Odd GAN' is not a component name",
    ),
    "an entry point to nothing": Way(
        source="",
        entry_points="ganforge-broken = ganforge_broken:plugin",
        reason="its entry point 'ganforge_broken:plugin' names nothing",
    ),
    "an entry point to no module": Way(
        source=None,
        reason="its entry point names the module 'ganforge_broken', which is not installed",
    ),
    "a build that fails": Way(
        source=BUILD_FAILS,
        status="active",
        code=1,
        reason="the generator 'odd' of ganforge-broken 1.0 could not be built: RuntimeError: no "
        "weights",
    ),
    "a builder that is not there": Way(
        source=NETWORK,
        status="active",
        code=1,
        reason="the generator 'odd' of ganforge-broken 1.0 cannot be loaded: its builder "
        "'ganforge_broken:build' raised AttributeError",
    ),
    "a forward that fails": Way(
        source=FORWARD_FAILS,
        status="active",
        code=1,
        reason="the generator 'odd' of ganforge-broken 1.0 fails on a batch of two: RuntimeError: "
        "wrong way round",
    ),
}

TINY = ("train", "--generator=mlp", "--image-size=8", "--steps=1", "--batch-size=2")
USING = (*TINY[:1], "--generator=odd", *TINY[2:], "--device=cpu", "--out=run")


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def way(request: pytest.FixtureRequest, fake_plugin: FakePlugin) -> Way:
    """One way, installed."""
    found: Way = request.param
    fake_plugin("ganforge-broken", found.source, entry_points=found.entry_points)
    return found


def listed(ganforge: Command, package: str) -> dict[str, Any]:
    answer = ganforge("list-plugins", "--json")
    assert (answer.code, answer.err) == (0, "")
    (record,) = [it for it in json.loads(answer.out) if it["package"] == package]
    return dict(record)


def one_line(answer: Answer, beginning: str) -> str:
    (line,) = [line for line in answer.err.splitlines() if line.startswith(beginning)]
    return line


def test_a_command_that_does_not_need_it_is_not_disturbed(ganforge: Command, way: Way) -> None:
    assert ganforge("--help").code == 0
    assert ganforge("--version").code == 0
    with_it = ganforge(*TINY, "--dry-run")
    without = ganforge("--no-plugins", *TINY, "--dry-run")
    assert with_it == without
    assert (with_it.code, with_it.err) == (0, "")
    shown = ganforge("show", "dcgan")
    assert (shown.code, shown.err) == (0, "")


def test_it_is_listed_with_the_reason_in_a_line(ganforge: Command, way: Way) -> None:
    record = listed(ganforge, "ganforge-broken")
    assert record["status"] == way.status
    table = ganforge("list-plugins")
    assert (table.code, table.err) == (0, "")
    if way.status == "failed":
        assert way.reason in record["reason"]
        assert "\n" not in record["reason"]
        assert way.reason in " ".join(table.out.split())
        package = ganforge("show", "ganforge-broken")
        assert package.code == 0
        assert way.reason in " ".join(package.out.split())


def test_a_command_that_needs_it_explains_it_in_a_line(ganforge: Command, way: Way) -> None:
    answer = ganforge(*USING)
    assert (answer.code, answer.out) == (way.code, "")
    assert way.reason in one_line(answer, "Error: ")
    assert "Traceback" not in answer.err


def test_training_with_others_goes_on_with_one_warning(ganforge: Command, way: Way) -> None:
    answer = ganforge(*TINY, "--device=cpu", "--set=output.grid_samples=4", "--out=run")
    assert answer.code == 0
    if way.status == "active":
        assert answer.err == ""
        return
    assert answer.err.count("\n") == 1
    assert answer.err.startswith(
        "Warning: the plugin 'ganforge-broken' of ganforge-broken 1.0 failed to load and is left "
        "out: "
    )
    assert way.reason in answer.err


def test_a_bundled_name_changes_nothing_and_is_reached_by_the_whole_name(
    ganforge: Command, fake_plugin: FakePlugin
) -> None:
    before = ganforge(*TINY, "--dry-run")
    fake_plugin("ganforge-broken", generators("mlp", build="ganforge_broken:build"))
    assert ganforge(*TINY, "--dry-run") == before
    assert listed(ganforge, "ganforge-broken")["status"] == "shadowed"
    whole = ganforge(*TINY, "--generator=ganforge-broken/mlp", "--dry-run")
    assert whole.code == 0
    assert 'name = "ganforge-broken/mlp"' in whole.out


def test_a_name_that_another_package_has_is_an_error_where_it_is_used(
    ganforge: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-broken", generators("odd"))
    fake_plugin("ganforge-other", generators("odd"))
    assert ganforge(*TINY, "--dry-run") == ganforge("--no-plugins", *TINY, "--dry-run")
    assert listed(ganforge, "ganforge-other")["components"][0]["shadowed_by"] == [
        "ganforge-broken/odd"
    ]
    answer = ganforge(*USING)
    assert answer.code == 2
    assert (
        "2 packages have a generator called 'odd'; write one of 'ganforge-broken/odd' and "
        "'ganforge-other/odd'"
    ) in answer.text
    assert ganforge(*TINY, "--generator=ganforge-other/odd", "--dry-run").code == 0


def test_an_import_that_takes_long_is_told_with_its_time_by_the_list_alone(
    ganforge: Command, fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Five seconds would be waited for in every run of the tests: the bound is lowered instead.
    monkeypatch.setattr(list_plugins, "SLOW", 0.1)
    fake_plugin("ganforge-broken", f"import time; time.sleep(0.11)\n{generators('odd')}")
    record = listed(ganforge, "ganforge-broken")
    assert record["status"] == "active"
    assert 0.11 <= record["seconds"] < 5
    (warning,) = record["warnings"]
    assert warning.startswith("slow to load: 0.")
    assert warning.endswith(" s, for which every command waits")
    for command in (("--help",), (*TINY, "--dry-run"), ("show", "dcgan")):
        sys.modules.pop("ganforge_broken", None)
        answer = ganforge(*command)
        assert (answer.code, answer.err) == (0, "")


def test_help_loads_no_plugin_at_all(ganforge: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-broken", "raise KeyboardInterrupt")
    for command in ("train", "show", "list-plugins"):
        assert ganforge(command, "--help").code == 0
    assert ganforge("--help").code == 0
    assert ganforge("list-plugins").code == 130
