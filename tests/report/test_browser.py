"""The report in a real browser, without a window: what it draws, says and asks the network for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Command

from .conftest import EVIL
from .test_report import Page

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")

#: those that the browser asks by itself, whatever the page
OWN_HOSTS = ("google.com", "googleapis.com", "gvt1.com", "gstatic.com")


class Seen(NamedTuple):
    """The page after its script has run, messages of the console, and addresses asked for."""

    page: Page
    console: list[str]
    requested: list[str]


Browse = Callable[..., Seen]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    def run(address: Path, *flags: str) -> Seen:
        log = tmp_path / "net-log.json"
        command = [
            str(BROWSER),
            *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            f"--user-data-dir={tmp_path / 'profile'}",
            *("--enable-logging=stderr", f"--log-net-log={log}", "--virtual-time-budget=3000"),
            *flags,
            "--dump-dom",
            address.resolve().as_uri(),
        ]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert answer.returncode == 0, answer.stderr
        console = [line for line in answer.stderr.splitlines() if ":CONSOLE" in line]
        addresses = set(re.findall(r'"url":"((?:https?|wss?|ftp)://[^"]*)"', log.read_text()))
        hosts = {it: it.split("/")[2].partition(":")[0] for it in addresses}
        requested = [it for it, host in hosts.items() if not host.endswith(OWN_HOSTS)]
        return Seen(Page(answer.stdout), console, requested)

    return run


def test_a_browser_shows_curves_and_grids_and_asks_nobody(
    cli: Command, browse: Browse, plain: Path
) -> None:
    assert cli("report", plain).code == 0
    seen = browse(plain / "report.html")
    assert (seen.console, seen.requested) == ([], [])
    assert len(seen.page.all("svg")) == 3
    assert len([it for it in seen.page.all("path") if "line" in it.get("class", "")]) == 5
    assert len(seen.page.all("img")) == 5
    # The script has run: one grid is in sight, and there is a slider over all.
    figures = seen.page.all("figure")
    assert len([it for it in figures if "hidden" in it]) == 3
    (slider,) = seen.page.all("input")
    assert slider["max"] == "3"
    assert "4 of 4" in seen.page.text


def around(script: str, sandbox: str = "") -> None:
    """A page beside the report that looks into it, and writes what it finds as JSON."""
    Path("outside.html").write_text(
        f'<!DOCTYPE html><iframe src="report.html" width="900" height="900" {sandbox}></iframe>'
        "<pre></pre><script>const frame = document.querySelector('iframe');"
        "frame.addEventListener('load', () => {const inside = frame.contentDocument;"
        f"const found = (() => {{{script}}})();"
        "document.querySelector('pre').textContent = JSON.stringify(found);});</script>"
    )


def test_without_scripts_everything_is_in_sight(cli: Command, browse: Browse, plain: Path) -> None:
    assert cli("report", plain, "--out", "report.html").code == 0
    around(
        "const all = (it) => [...inside.querySelectorAll(it)];"
        "const seen = (it) => all(it).filter((el) => el.checkVisibility());"
        "return ['svg', '.film img', '.scrubber', '.tip'].map((it) => seen(it).length);",
        sandbox='sandbox="allow-same-origin"',
    )
    seen = browse(Path("outside.html"), "--allow-file-access-from-files")
    assert json.loads(seen.page.text.strip()) == [3, 4, 0, 0]
    assert seen.requested == []


def test_hostile_texts_are_text_in_a_browser(cli: Command, browse: Browse, hostile: Path) -> None:
    assert cli("report", hostile, "--out", "report.html").code == 0
    seen = browse(Path("report.html"))
    assert (seen.console, seen.requested) == ([], [])
    assert seen.page.text.count(EVIL) >= 6
    assert len(seen.page.all("script")) == 1
    assert all(it["src"].startswith("data:image/png") for it in seen.page.all("img"))


def test_the_pointer_shows_the_values_under_it(cli: Command, browse: Browse, plain: Path) -> None:
    assert cli("report", plain, "--out", "report.html").code == 0
    around(
        "const plot = inside.querySelector('svg.plot'); const box = plot.getBoundingClientRect();"
        "const where = {clientX: box.left + box.width * 0.94, clientY: box.top + 50};"
        "plot.dispatchEvent(new frame.contentWindow.PointerEvent('pointermove', where));"
        "const tip = inside.querySelector('.tip'); return [tip.hidden, tip.textContent];"
    )
    seen = browse(Path("outside.html"), "--allow-file-access-from-files")
    found = json.loads(seen.page.text.strip())
    assert found == [False, "step 100\ndiscriminator  1.01\ngenerator  0.49"]
