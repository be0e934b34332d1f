"""The command line in this process, and plugins that exist only as files in a temporary folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ganforge.cli import console, main
from ganforge.plugin.discovery import DISABLE_VARIABLE, discover
from ganforge.plugin.registry import Registry

FakePlugin = Callable[..., Path]

if "PYTEST_XDIST_WORKER" in os.environ:  # of which there is one for each core
    os.environ.setdefault("OMP_NUM_THREADS", "1")


class Answer(NamedTuple):
    """What a command left behind. `text` is the errors with every run of spaces made one."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return " ".join(self.err.split())


Command = Callable[..., Answer]


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of extracted features that lasts as long as the tests."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANFORGE_CACHE", str(folder))
        yield folder


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Command]:
    """Run a command in this process, in an empty folder, on a wide terminal."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    # What asks rich for colours where there is no terminal would change what is printed.
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE", "GANFORGE_DEBUG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv(DISABLE_VARIABLE, raising=False)
    # rich reads COLUMNS when a console is made: one from a test before this, in whatever order they
    # are run, would keep the width that was asked for there.
    console.stdout.cache_clear()

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Answer(code, *capsys.readouterr())

    yield run
    console.stdout.cache_clear()


@pytest.fixture
def fake_plugin(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakePlugin]:
    """Install a distribution of one module, by writing what pip would have written.

    `source=None` installs no module; `entry_points` are lines of the group, by default one that
    names the module after the distribution; `metadata` replaces the whole METADATA file.
    """
    modules: list[str] = []

    def install(
        name: str,
        source: str | None = "",
        *,
        version: str = "1.0",
        entry_points: str | None = None,
        metadata: str | None = None,
    ) -> Path:
        site = tmp_path_factory.mktemp("site")
        module = name.replace("-", "_")
        modules.append(module)
        if source is not None:
            (site / f"{module}.py").write_text(source, encoding="utf-8")
        information = site / f"{module}-{version}.dist-info"
        information.mkdir()
        if metadata is None:
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (information / "METADATA").write_text(metadata, encoding="utf-8")
        lines = entry_points or f"{name} = {module}"
        (information / "entry_points.txt").write_text(f"[ganforge]\n{lines}\n", encoding="utf-8")
        monkeypatch.syspath_prepend(site)
        return site

    yield install
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture(scope="session")
def bundled() -> Registry:
    """The components that come with ganforge."""
    return discover(third_party=False, environ={}).registry


@pytest.fixture(scope="session")
def installed() -> Registry:
    """What is there before a test installs anything."""
    return discover(environ={}).registry


def generators(*names: str, summary: str = "A stranger", build: str = "nowhere:Generator") -> str:
    """The source of a plugin module with these generators."""
    specs = "\n".join(
        f"    yield GeneratorSpec(name={name!r}, summary={summary!r}, build={build!r},"
        " discriminator='mlp')"
        for name in names
    )
    return (
        "from ganforge import GeneratorSpec, hookimpl\n\n"
        "@hookimpl\n"
        f"def ganforge_generators():\n{specs}\n"
    )
