"""A workshop: a folder with the data of a system, and its plugin installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Command, FakePlugin
from tests.systems.harness import PLUGINS, System, Workshop


@pytest.fixture
def workshop(
    tmp_path: Path, cli: Command, fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch
) -> Callable[[System], Workshop]:
    """Install the plugin of a system, and write its data into an empty folder."""

    def prepare(system: System) -> Workshop:
        fake_plugin(system.package, None)
        monkeypatch.syspath_prepend(PLUGINS)
        folder = tmp_path / "work"
        folder.mkdir()
        monkeypatch.chdir(folder)
        system.data(folder)
        return Workshop(system, folder, cli)

    return prepare
