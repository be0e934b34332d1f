"""What the documentation tells people to type and to write works."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from ganforge import __version__
from ganforge.cli import main
from ganforge.config.run_config import ALL_SECTIONS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.S | re.M)


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in blocks(page, "sh"):
            lines = [line for line in block.splitlines() if line.startswith("ganforge ")]
            found += [(page.name, line) for line in lines]
    return found


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A folder with what the commands of the documentation take for granted."""
    from .integration.conftest import TINY
    from .torchvision_files import write_mnist

    place = tmp_path_factory.mktemp("documentation")
    for name in ("a", "b"):
        folder = place / "path" / "to" / "folder" / name
        folder.mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (70, 80), (9, 99, 199)).save(folder / f"{number}.png")
    for name in ("maps", "photographs", "paintings"):
        (place / name).mkdir()
        Image.new("RGB", (70, 80), (9, 99, 199)).save(place / name / "picture.png")
    (place / "run.toml").write_text('[generator]\nname = "dcgan"\n')
    for name in ("mnist", "fashion-mnist"):
        write_mnist(place / "data", name)
    # One that is made longer warns of a rate that falls.
    steady = [*TINY, "--learning-rate", "0.001"]
    quick = ["--batch-size=4", "--device=cpu"]
    autoencoder = ["--generator=autoencoder", "--loss=mse", "--set=generator.widths=[2,4]"]
    folder = place / "path" / "to" / "folder"
    translation = ["--dataset=image-pairs", f"--set=dataset.root={folder}", "--sampler=field"]
    translation += [*autoencoder, f"--set=dataset.source={folder}"]
    for name, arguments in (
        ("00001-dcgan-nonsat-digits", steady),
        (
            "00002-conditional",
            ["--generator=conditional", "--conditional", "--set=generator.width=2", *quick],
        ),
        ("00003-autoencoder", [*autoencoder, *quick]),
        ("00004-autoencoder", [*translation, *quick]),
    ):
        assert main(["train", *arguments, "--steps=1", f"--out={place}/runs/{name}"]) == 0
    return place


@pytest.fixture
def workplace(furnished, tmp_path, monkeypatch):
    """The working folder, with a copy of all of that."""
    shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shortened(arguments: list[str]) -> list[str]:
    """The same command, for one step or a few samples; of many runs, their plan."""
    if arguments[0] in ("sweep", "benchmark") and "--dry-run" not in arguments:
        return [*arguments, "--dry-run"]  # tests/integration/test_sweeps.py trains some
    if arguments[0] == "evaluate":
        return [*arguments, "--num=40", "--device=cpu"]
    if arguments[0] != "train" or "--dry-run" in arguments:
        return arguments
    arguments = list(arguments)
    if "--resume" in arguments:
        if "--steps" in arguments:
            arguments[arguments.index("--steps") + 1] = "2"
        return arguments
    for flag in ("--steps", "--epochs"):
        if flag in arguments:
            at = arguments.index(flag)
            del arguments[at : at + 2]
    if "--compile" in arguments:  # tests/engine/test_compile.py waits for a compiler once
        arguments.remove("--compile")
    return [
        *arguments,
        "--steps=1",
        "--device=cpu",
        "--batch-size=4",
        "--set=output.grid_samples=4",
        "--set=evaluation.num_samples=50",
    ]


def plugin_source(page: str) -> str:
    (source,) = re.findall(
        r"<!-- plugin -->\n```python\n(.*?)^```", (ROOT / page).read_text(), re.S | re.M
    )
    return source


@pytest.mark.parametrize(("page", "line"), commands())
def test_every_command_of_the_documentation_works(
    page, line, workplace, fake_plugin, monkeypatch, capsys
):
    if page == "systems.md":
        fake_plugin("ganforge-sagan", None)
        monkeypatch.syspath_prepend(ROOT / "tests" / "systems" / "plugins")
        line += " --set generator.width=4 --set discriminator.width=4" * ("train" in line)
    fake_plugin("ganforge-mine", plugin_source("README.md"))
    fake_plugin("ganforge-ring", plugin_source("docs/plugins/README.md"))
    if "dataset.download=true" in line:
        pytest.skip("fetches from the network")
    if "--format onnx" in line:
        pytest.importorskip("onnxscript", reason="needs `pip install ganforge[onnx]`")
    if "--logger mlflow" in line:
        for package in ("mlflow", "alembic"):
            pytest.importorskip(package, reason="the extra `mlflow` is not installed")
    if ".mp4" in line:
        pytest.importorskip("av", reason="the extra `video` is not installed")
    if "--init" in line:  # from networks of the sizes that the command has
        quick = ("--steps=1", "--batch-size=4", "--device=cpu", "--set=output.grid_samples=4")
        assert main(["train", *quick, "--out=runs/00005-dcgan-nonsat-photographs"]) == 0
    capsys.readouterr()
    code = main(shortened(shlex.split(line)[1:]))
    errors = capsys.readouterr().err
    assert (code, errors) == (0, ""), errors


def test_the_readme_activates_the_environment_before_it_types_ganforge_alone():
    """Whoever pastes the blocks one after the other finds the command that the first installed."""
    first, *others = blocks(ROOT / "README.md", "sh")
    assert ".venv/bin/ganforge" in first
    typed = next(it for it in others if re.search(r"^ganforge ", it, re.M))
    assert typed.splitlines()[0] == "source .venv/bin/activate"


def test_the_example_package_is_the_one_that_the_page_shows():
    example = ROOT / "examples" / "ganforge-ring"
    assert (
        (example / "ganforge_ring.py").read_text().endswith(plugin_source("docs/plugins/README.md"))
    )
    (project,) = blocks(ROOT / "docs/plugins/README.md", "toml")
    assert (example / "pyproject.toml").read_text() == project


@pytest.mark.parametrize(
    ("package", "page"),
    [("ganforge-mine", "README.md"), ("ganforge-ring", "docs/plugins/README.md")],
)
def test_a_plugin_of_one_file_passes_the_conformance_kit(package, page, fake_plugin, capsys):
    fake_plugin(package, plugin_source(page))
    code = main(["check-plugin", package])
    answer = capsys.readouterr()
    assert (code, answer.err) == (0, ""), answer.out
    assert " 0 failed" in answer.out.splitlines()[-1]


def test_every_link_leads_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
    headings = re.findall(r"^#+ (.+)$", prose, re.M)
    return {re.sub(r"[^\w -]", "", it.lower()).replace(" ", "-") for it in headings}


def test_every_anchor_is_that_of_a_heading():
    missing = []
    for page in PAGES:
        for target, anchor in re.findall(r"\]\((?!https?://)([^)#]*)#([^)]+)\)", page.read_text()):
            place = page.parent / target if target else page
            if not place.is_file() or anchor not in anchors(place):
                missing.append(f"{page.name}: {target}#{anchor}")
    assert missing == []


def test_the_rooms_of_the_design_are_those_that_exist():
    page = (ROOT / "docs/design.md").read_text()
    tree = page.split("## The modules")[1].split("The order of this list")[0]
    named = set(re.findall(r"^      (\w+(?:\.py|/))", tree, re.MULTILINE))
    core = ROOT / "ganforge"
    found = {path.name for path in core.glob("*.py")}
    found |= {f"{path.parent.relative_to(core).parts[0]}/" for path in core.glob("*/**/*.py")}
    assert named - {"nn/"} == found - {"nn/"}
    for plugin in (ROOT / "plugins").iterdir():
        assert plugin.name in tree


def test_the_readme_lists_what_is_bundled():
    from ganforge.plugin.discovery import discover

    page = (ROOT / "README.md").read_text()
    section = page.split("## What is bundled")[1].split("##")[0]
    named = set(re.findall(r"`([a-z0-9-]+)`", section))
    assert named == {component.name for component in discover(third_party=False).registry}


def test_the_sections_of_the_configuration_are_documented():
    page = (ROOT / "docs/design.md").read_text() + (ROOT / "docs/guide.md").read_text()
    missing = [name for name in ALL_SECTIONS if name not in page]
    assert missing == []


def test_the_version_has_a_place_in_the_changelog():
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
