"""`ganforge list-plugins`: everything installed, what became of it, and nothing that steers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ganforge.discovery import DISABLE_VARIABLE
from tests.conftest import Answer, Command, FakePlugin, generators


def records(answer: Answer) -> dict[tuple[str, str], dict[str, Any]]:
    return {(it["package"], it["plugin"]): it for it in json.loads(answer.out)}


def test_the_table_names_plugins_packages_status_and_components(cli: Command) -> None:
    answer = cli("list-plugins")
    assert (answer.code, answer.err) == (0, "")
    heading, *rows = answer.out.splitlines()
    assert heading.split() == ["Plugin", "Package", "Status", "Components"]
    (losses,) = [row for row in rows if row.startswith("losses ")]
    assert losses.split()[1] == "ganforge"
    assert losses.split()[3] == "active"
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
    rows = {row.split()[0]: " ".join(row.split()) for row in answer.out.splitlines()}
    assert rows["ganforge-broken"] == (
        "ganforge-broken ganforge-broken 1.0 failed it needs the module 'no_such_package', which "
        "is not installed"
    )
    assert rows["ganforge-twin"] == (
        "ganforge-twin ganforge-twin 1.0 active generator: (ganforge-twin/dcgan), fine"
    )
    assert rows["ganforge-off"] == "ganforge-off ganforge-off 1.0 disabled"
    assert rows["ganforge-newer"].endswith("1.0 active generator: odd")
    assert "unknown hook 'ganforge_loses'; did you mean 'ganforge_losses'?" in answer.out


def test_json_is_json_alone_even_where_a_plugin_prints(
    cli: Command, fake_plugin: FakePlugin
) -> None:
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
