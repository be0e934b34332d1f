"""`ganforge report`: what is in the page, and that nothing else is."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from ganforge.config.settings import DEFAULT_STEPS
from tests.conftest import Command

from .conftest import EVIL, picture, write_run

#: elements that stand alone
VOID = {"meta", "img", "input", "br", "wbr", "path", "rect", "circle"}


class Page(HTMLParser):
    """What a browser makes of a page: elements with their attributes, and text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def report(cli: Command) -> object:
    def write(run: Path) -> Page:
        answer = cli("report", run)
        assert (answer.code, answer.err) == (0, ""), answer.err
        return Page((run / "report.html").read_text(encoding="utf-8"))

    return write


def test_a_report_has_all_that_there_is_to_see(report, plain: Path) -> None:
    page = report(plain)
    for heading in ("Samples over time", "Diagnosis", "Curves", "Metrics", "Configuration"):
        assert heading in page.text
    assert "finished" in page.text
    labels = [it["aria-label"] for it in page.all("svg")]
    assert [label.partition(" over")[0] for label in labels] == [
        *("Losses", "Scores of the discriminator", "mae")
    ]
    assert labels[0].endswith("discriminator 1.01, generator 0.49")
    (curves, *_) = [json.loads(it["data-curves"]) for it in page.all("svg")]
    assert [curve["name"] for curve in curves] == ["discriminator", "generator"]
    assert [point[:2] for point in curves[0]["points"]] == [
        *([25, 1.04], [50, 1.02], [75, 1.013], [100, 1.01])
    ]
    sources = [it["src"] for it in page.all("img")]
    assert len(sources) == 5
    encoded = sources[0].removeprefix("data:image/png;base64,")
    assert base64.b64decode(encoded) == (plain / "samples" / "00000000.png").read_bytes()
    assert "The diagnosis found nothing that goes wrong" in page.text
    assert "generator.hidden" in page.text
    assert "[16]" in page.text
    assert "ganforge train --generator mlp --out 'a run'" in page.text
    assert "pip install 'ganforge==0.1.0'\npip install 'ganforge-extra==2.0'" in page.text
    assert "commit 0123456789abcdef0123456789abcdef01234567, with changes" in page.text


def test_what_goes_wrong_is_said_with_what_to_try(report, tmp_path: Path) -> None:
    line = {"loss/generator": 1.0, "loss/discriminator": 1.0, "weight_growth/generator": 12345.0}
    lines = [{"step": step, **line} for step in range(25, 101, 25)]
    text = report(write_run(tmp_path / "run", lines=lines)).text
    assert "divergence, step" in text
    assert "the weights of the generator are 1.23e+04 times as large as at the start" in text


def test_settings_that_differ_from_the_defaults_stand_first(report, plain: Path) -> None:
    text = report(plain).text
    differing = text[text.index("Configuration") : text.index("All ")]
    assert "generator.hidden" in differing
    assert "[256]" in differing
    assert "training.steps" in differing
    assert str(DEFAULT_STEPS) in differing
    assert "training.batch_size" not in differing
    assert "training.batch_size" in text


def test_nothing_in_the_page_comes_from_elsewhere(report, plain: Path, hostile: Path) -> None:
    for run in (plain, hostile):
        page = report(run)
        for tag, attributes in page.elements:
            assert tag not in ("link", "iframe", "object", "embed", "base", "form", "a", "video")
            assert not [key for key in attributes if key.startswith("on") or key == "href"]
            assert attributes.get("src", "data:image/").startswith("data:image/")
        assert len(page.all("script")) == 1
        policy = next(it["content"] for it in page.all("meta") if "content" in it)
        assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
        source = (run / "report.html").read_text()
        style = source[source.index("<style>") : source.index("</style>")]
        assert "url(" not in style
        assert "@import" not in style


def test_hostile_texts_are_only_text(report, hostile: Path) -> None:
    page = report(hostile)
    assert page.text.count(EVIL.replace("/", "")) >= 1  # the folder
    assert page.text.count(EVIL) >= 6
    source = (hostile / "report.html").read_text(encoding="utf-8")
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", source
    )
    assert len(page.all("img")) == 4  # what is no picture is left out
    assert "rm -rf" not in source[source.index('id="reproduce"') : source.index("run.toml")]


@pytest.mark.parametrize("absent", ["metrics.jsonl", "samples", "status.json", "environment.json"])
def test_a_run_that_lacks_something_has_a_report_without_it(
    report, plain: Path, absent: str
) -> None:
    if absent == "samples":
        for file in (plain / absent).iterdir():
            file.unlink()
        (plain / absent).rmdir()
    else:
        (plain / absent).unlink()
    page = report(plain)
    assert ("Curves" in page.text) == (absent != "metrics.jsonl")
    assert ("Samples over time" in page.text) == (absent != "samples")
    assert ("Environment" in page.text) == (absent != "environment.json")
    assert ("unknown" in page.text) == (absent == "status.json")


def test_a_run_whose_plugin_is_gone_has_its_settings_all_the_same(report, tmp_path: Path) -> None:
    config = '[generator]\nname = "gone/away"\nwidth = 3\n'
    text = report(write_run(tmp_path / "run", config=config)).text
    assert "generator.width" in text
    assert "All 2 settings" in text
    assert "A plugin of this run is not installed here" in text


def test_many_grids_are_a_choice_of_them(report, tmp_path: Path) -> None:
    page = report(write_run(tmp_path / "run", num_grids=100))
    assert len(page.all("figure")) == 24 + 1 + 3  # and real samples, and panels
    assert "step 0" in page.text
    assert "step 2,475" in page.text
    assert "76 grids between these are not in this file" in page.text


def test_a_large_grid_is_made_smaller(report, plain: Path) -> None:
    noise = Image.effect_noise((1500, 1500), 90)
    noise.save(plain / "samples" / "00000100.png")
    assert (plain / "samples" / "00000100.png").stat().st_size > 1_000_000
    page = report(plain)
    (large,) = [it["src"] for it in page.all("img") if "image/jpeg" in it["src"]]
    contents = base64.b64decode(large.removeprefix("data:image/jpeg;base64,"))
    with Image.open(io.BytesIO(contents)) as found:
        assert found.size == (1200, 1200)
    (plain / "samples" / "00000100.png").write_bytes(picture()[:40] + bytes(300_000))
    assert len(report(plain).all("img")) == 5  # a damaged one is left out


def test_out_is_a_file_in_a_folder_that_is_there(cli: Command, plain: Path) -> None:
    answer = cli("report", plain, "--out", "a.html")
    assert re.fullmatch(r"Wrote a.html \(\d[.\d]* kB\)\n", answer.out)
    assert Path("a.html").is_file()
    for out, message in (
        ("a.pdf", "a.pdf: a report is written as .html"),
        ("nowhere/a.html", "the directory nowhere does not exist"),
    ):
        answer = cli("report", plain, "--out", out)
        assert (answer.code, answer.text) == (2, f"Error: {message}")
    answer = cli("report", "nothing")
    assert (answer.code, answer.out) == (2, "")
    assert "there is no run in nothing" in answer.text


def test_a_report_needs_no_torch(plain: Path) -> None:
    code = (
        "import sys; from ganforge.cli import main\n"
        f"assert main(['report', {str(plain)!r}]) == 0\n"
        "print('torch' in sys.modules, 'numpy' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert answer.stdout.splitlines()[-1] == "False False"
