"""`ganforge list-plugins`: everything installed, what became of it, and nothing that steers."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest

from ganforge import __version__
from ganforge.cli import list_plugins
from ganforge.plugin.discovery import DISABLE_VARIABLE
from tests.conftest import Answer, Command, FakePlugin, generators


def records(answer: Answer) -> dict[tuple[str, str], dict[str, Any]]:
    return {(it["package"], it["plugin"]): it for it in json.loads(answer.out)}


def rows(answer: Answer) -> dict[str, str]:
    """The first line of each plugin in the table, without how long its load took."""
    lines = [re.sub(r"\b\d+ ms\b", "0 ms", line) for line in answer.out.splitlines()]
    return {line.split()[0]: " ".join(line.split()) for line in lines if not line.startswith(" ")}


def test_the_table_names_plugins_packages_status_and_components(cli: Command) -> None:
    answer = cli("list-plugins")
    assert (answer.code, answer.err) == (0, "")
    heading = answer.out.splitlines()[0]
    assert heading.split() == ["Plugin", "Package", "Status", "Load", "Components"]
    losses = rows(answer)["losses"]
    assert losses.startswith(f"losses ganforge {__version__} active 0 ms loss: nonsat, ")
    assert "loss: nonsat, minimax, bce, wasserstein" in losses
    assert answer.out.isascii()


def test_the_table_tells_the_failed_the_odd_the_shadowed_and_the_disabled(
    cli: Command, fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_plugin("ganforge-broken", "import no_such_package")
    fake_plugin("ganforge-newer", f"{generators('odd')}\n@hookimpl\ndef ganforge_loses(): pass\n")
    fake_plugin("ganforge-twin", generators("dcgan", "fine"))
    fake_plugin("ganforge-off", generators("off"))
    monkeypatch.setenv(DISABLE_VARIABLE, "ganforge-off")
    answer = cli("list-plugins")
    assert (answer.code, answer.err) == (0, "")
    found = rows(answer)
    assert found["ganforge-broken"] == (
        "ganforge-broken ganforge-broken 1.0 failed 0 ms it needs the module 'no_such_package', "
        "which is not installed"
    )
    assert found["ganforge-twin"] == (
        "ganforge-twin ganforge-twin 1.0 active 0 ms generator: (ganforge-twin/dcgan), fine"
    )
    assert found["ganforge-off"] == "ganforge-off ganforge-off 1.0 disabled"
    assert found["ganforge-newer"].endswith("1.0 active 0 ms generator: odd")
    assert "unknown hook 'ganforge_loses'; did you mean 'ganforge_losses'?" in answer.out


def test_a_plugin_none_of_whose_short_names_is_its_own_is_shadowed(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-one", generators("twin"))
    fake_plugin("ganforge-two", generators("twin", "fine"))
    fake_plugin("ganforge-mine", generators("dcgan"))
    answer = cli("list-plugins")
    found = rows(answer)
    assert found["ganforge-one"] == (
        "ganforge-one ganforge-one 1.0 shadowed 0 ms generator: (ganforge-one/twin)"
    )
    assert found["ganforge-mine"].startswith("ganforge-mine ganforge-mine 1.0 shadowed")
    assert found["ganforge-two"].startswith("ganforge-two ganforge-two 1.0 active")
    assert found["dcgan"].startswith(f"dcgan ganforge {__version__} active")
    statuses = {package: it["status"] for (package, _), it in records(cli(*JSON)).items()}
    assert [statuses[f"ganforge-{name}"] for name in ("one", "two", "mine")] == [
        "shadowed",
        "active",
        "shadowed",
    ]


JSON = ("list-plugins", "--json")


def test_a_slow_plugin_is_marked_here_and_nowhere_else(
    cli: Command, fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_plugins, "SLOW", 0.05)
    fake_plugin("ganforge-slow", f"import time; time.sleep(0.06)\n{generators('slow')}")
    answer = cli("list-plugins")
    (note,) = [line.strip() for line in answer.out.splitlines() if "slow to load" in line]
    assert note == "slow to load: 0.1 s, for which every command waits"
    (row,) = [line for line in answer.out.splitlines() if line.startswith("ganforge-slow")]
    assert 60 <= int(row.split(" ms")[0].split()[-1]) < 5000
    sys.modules.pop("ganforge_slow")
    assert records(cli(*JSON))["ganforge-slow", "ganforge-slow"]["seconds"] >= 0.06
    sys.modules.pop("ganforge_slow")
    assert cli("list-plugins", "--strict").code == 0
    sys.modules.pop("ganforge_slow")
    assert cli("train", "--dry-run").err == ""


def test_a_plugin_that_imports_torch_is_marked(
    cli: Command, fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", sys)  # what was there comes back after the test
    del sys.modules["torch"]
    # What stands in for torch is loaded in no time, and taken away after the test.
    source = f"import sys; sys.modules['torch'] = sys\n{generators('heavy')}"
    fake_plugin("ganforge-heavy", source)
    fake_plugin("ganforge-heavier", generators("heavier"))
    answer = cli("list-plugins")
    row = rows(answer)["ganforge-heavy"]
    assert row == "ganforge-heavy ganforge-heavy 1.0 active 0 ms, torch generator: heavy"
    note = "it imports torch when it is loaded; its builders should do that"
    assert [line.strip() for line in answer.out.splitlines()].count(note) == 1
    for _ in range(2):  # the second time it is there already, and nobody's doing
        del sys.modules["torch"], sys.modules["ganforge_heavy"]
        found = records(cli(*JSON))
        assert found["ganforge-heavy", "ganforge-heavy"]["imported_torch"]
        assert found["ganforge-heavy", "ganforge-heavy"]["warnings"] == [note]
        assert not found["ganforge", "mlp"]["imported_torch"]
    assert not records(cli(*JSON))["ganforge-heavy", "ganforge-heavy"]["imported_torch"]
    del sys.modules["torch"], sys.modules["ganforge_heavy"]
    assert cli("list-plugins", "--strict").code == 1


def test_a_plugin_of_another_ganforge_says_which_it_asks_for(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    asks = "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\nRequires-Dist: ganforge{}\n"
    broken, sound = "from ganforge import no_such_name", generators("odd")
    for name, source, asked in (
        ("ganforge-future", broken, "<99,>=98.1"),
        ("ganforge-past", sound, "<0.0.1"),
        ("ganforge-broken", broken, "<0.0.1"),
    ):
        fake_plugin(name, source, metadata=asks.format(name, asked))
    newer = f"it needs ganforge<99,>=98.1, and {__version__} is installed"
    older = f"it asks for ganforge<0.0.1, and {__version__} is installed"
    found = records(cli(*JSON))
    future, past, both = (
        found[name, name] for name in ("ganforge-future", "ganforge-past", "ganforge-broken")
    )
    assert (future["status"], future["reason"]) == ("failed", newer)
    assert (past["status"], past["warnings"]) == ("active", [older])
    assert both["status"] == "failed"
    assert both["reason"].startswith("ImportError: cannot import name 'no_such_name'")
    assert both["reason"].endswith(f"; {older}")
    assert f"plugin 'ganforge-past' of ganforge-past 1.0: {older}" in cli(*TRAIN).text


TRAIN = (
    *("train", "--generator=mlp", "--image-size=8", "--batch-size=2", "--steps=1", "--device=cpu"),
    *("--set=generator.hidden=[2]", "--set=discriminator.hidden=[2]", "--out=run"),
)


def test_json_is_json_alone_even_where_a_plugin_prints(
    cli: Command, fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_plugins, "SLOW", 60.0)
    fake_plugin("ganforge-loud", f"print('hello')\n{generators('loud')}", version="2.0")
    answer = cli("list-plugins", "--json")
    assert answer.code == 0
    assert answer.err == "hello\n"
    record = records(answer)["ganforge-loud", "ganforge-loud"]
    assert 0 <= record.pop("seconds") < 5
    assert record == {
        "plugin": "ganforge-loud",
        "package": "ganforge-loud",
        "version": "2.0",
        "module": "ganforge_loud",
        "status": "active",
        "reason": "",
        "warnings": [],
        "imported_torch": False,
        "components": [
            {
                "kind": "generator",
                "name": "loud",
                "qualified_name": "ganforge-loud/loud",
                "summary": "A stranger",
                "shadowed_by": [],
            }
        ],
    }


def test_json_tells_what_shadows_what(cli: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-twin", generators("dcgan"))
    found = records(cli("list-plugins", "--json"))
    assert found["ganforge-twin", "ganforge-twin"]["components"][0]["shadowed_by"] == [
        "ganforge/dcgan"
    ]
    assert [it["shadowed_by"] for it in found["ganforge", "dcgan"]["components"]] == [[], []]


def test_one_kind_can_be_asked_for(cli: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-broken", "import no_such_package")
    answer = cli("list-plugins", "--kind", "sampler", "--json")
    found = records(answer)
    assert set(found) == {("ganforge", "samplers"), ("ganforge-broken", "ganforge-broken")}
    kinds = {it["kind"] for record in found.values() for it in record["components"]}
    assert kinds == {"sampler"}


def test_a_kind_that_does_not_exist_is_refused(cli: Command) -> None:
    answer = cli("list-plugins", "--kind", "critic")
    assert answer.code == 2
    assert "'critic' is not one of 'generator', 'discriminator', 'loss'" in answer.err


@pytest.mark.parametrize(
    "source",
    [
        "import no_such_package",
        f"{generators('odd')}\n@hookimpl\ndef ganforge_loses(): return []\n",
    ],
    ids=["failed", "odd"],
)
def test_strict_fails_where_a_plugin_does(
    cli: Command, fake_plugin: FakePlugin, source: str
) -> None:
    assert cli("--no-plugins", "list-plugins", "--strict").code == 0
    fake_plugin("ganforge-broken", source)
    assert cli("list-plugins").code == 0
    assert cli("list-plugins", "--strict").code == 1
    assert cli("list-plugins", "--strict", "--json").code == 1
    assert cli("--no-plugins", "list-plugins", "--strict").code == 0


def test_without_plugins_third_parties_are_listed_as_disabled(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-stranger", generators("odd"))
    found = records(cli("--no-plugins", "list-plugins", "--json"))
    assert found["ganforge-stranger", "ganforge-stranger"]["status"] == "disabled"
    assert found["ganforge-stranger", "ganforge-stranger"]["components"] == []
    assert {it["status"] for (package, _), it in found.items() if package == "ganforge"} == {
        "active"
    }
