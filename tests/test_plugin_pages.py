"""The pages for authors of plugins: complete, and every example and command on them works."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Hashable, Iterator
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import MemberDescriptorType

import numpy
import pytest

import ganforge
import ganforge.testing
from ganforge import contracts, option
from ganforge.cli import main
from ganforge.plugin.fields import CONDITIONS, KINDS_OF_FIELDS
from ganforge.plugin.hookspecs import HOOKS
from ganforge.plugin.options import NoOptions
from ganforge.plugin.shapes import ALL_SHAPES, ImageShapes
from ganforge.templates import render
from ganforge.testing.catalogue import ALL_CHECKS

from .conftest import FakePlugin
from .test_documentation import shortened

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "plugins"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
#: page -> the classes beside the record whose names are its contract
CONTRACTS: dict[str, list[type]] = {
    "generators.md": [],
    "discriminators.md": [],
    "losses.md": [contracts.Loss, contracts.ScoreLoss, contracts.Step],
    "datasets.md": [
        contracts.Dataset,
        contracts.InMemoryDataset,
        contracts.MapDataset,
        contracts.EndlessDataset,
        contracts.Batch,
        contracts.Mixture,
    ],
    "samplers.md": [contracts.Sampler, contracts.LatentSampler, contracts.Inputs],
    "refinements.md": [contracts.Refinement, contracts.Refined, contracts.Pair],
    "games.md": [contracts.Game, contracts.Draw, contracts.Update],
    "augmentations.md": [contracts.Augmentation, contracts.Observed, ganforge.Progress],
    "metrics.md": [contracts.Metric, contracts.Evaluation],
    "features.md": [contracts.FeatureExtractor, contracts.Extracted],
    "callbacks.md": [contracts.Callback],
    "optimizers.md": [],
    "formats.md": [contracts.Format, contracts.Drawn],
    "recipes.md": [],
}


def page_of(hook: str) -> str:
    return f"{hook.removeprefix('ganforge_')}.md"


def is_named(name: str, text: str) -> bool:
    """Whether a name stands in backticks, outside of the examples."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    return re.search(rf"`[^`]*(?<!\w){re.escape(name)}(?!\w)[^`]*`", prose) is not None


def public_names(contract: type) -> set[str]:
    """The methods, properties and fields that a class of the contract defines itself."""
    own = set(getattr(contract, "__dataclass_fields__", ()))
    for part in [it for it in contract.__mro__ if it is contract or it.__name__.startswith("_")]:
        own |= {
            name
            for name, it in vars(part).items()
            if callable(it) or isinstance(it, property | cached_property | MemberDescriptorType)
        }
    return {name for name in own if not name.startswith("_")}


def test_every_hook_has_a_page_and_every_page_of_a_hook_a_contract() -> None:
    assert {page_of(hook) for hook in HOOKS} == set(CONTRACTS)
    for hook, spec in HOOKS.items():
        assert is_named(hook, PAGES["README.md"])
        assert is_named(hook, PAGES[page_of(hook)])
        assert is_named(spec.__name__, PAGES[page_of(hook)])


@pytest.mark.parametrize("hook", HOOKS)
def test_a_page_has_every_field_of_the_record_with_its_default(hook: str) -> None:
    table = PAGES[page_of(hook)].split("\n## The record\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \| ", table, re.M))
    fields = {field.name: field for field in dataclasses.fields(HOOKS[hook])}
    assert list(rows) == list(fields)
    for name, field in fields.items():
        value = field.default
        if field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        if value is dataclasses.MISSING:
            assert "," not in rows[name], f"{name} has no default"
            continue
        words = [(NoOptions, "NoOptions"), ((ImageShapes(),), "any images")]
        default = dict(words).get(value) if isinstance(value, Hashable) else None
        default = default or str(value).replace("'", '"')
        shown = f'"{default}"' if isinstance(value, str) else default
        assert rows[name].replace("`", "").endswith(shown), f"{name}: {rows[name]}"


@pytest.mark.parametrize("page", CONTRACTS)
def test_a_page_names_every_method_of_its_contract(page: str) -> None:
    missing = [
        f"{contract.__name__}.{name}"
        for contract in CONTRACTS[page]
        for name in sorted(public_names(contract))
        if not is_named(name, PAGES[page])
    ]
    assert missing == []


def test_every_public_name_is_on_a_page() -> None:
    everything = "\n".join([*PAGES.values(), (ROOT / "docs" / "python.md").read_text()])
    assert [name for name in ganforge.__all__ if not is_named(name, everything)] == ["__version__"]
    assert [n for n in ganforge.testing.__all__ if n not in PAGES["testing.md"]] == []


def test_the_overview_has_every_part_of_problems_shapes_and_options() -> None:
    records = (ganforge.Problem, ganforge.Field, *ALL_SHAPES)
    names = [field.name for record in records for field in dataclasses.fields(record)]
    names += [shapes.__name__ for shapes in ALL_SHAPES] + [*KINDS_OF_FIELDS, *CONDITIONS]
    names += [name for name in inspect.signature(option).parameters if name != "default"]
    assert [name for name in names if not is_named(name, PAGES["README.md"])] == []


def test_the_overview_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", PAGES["README.md"]))
    assert linked == set(PAGES) - {"README.md"}


def test_the_reasons_that_are_explained_are_those_that_are_given() -> None:
    source = (ROOT / "ganforge" / "plugin" / "discovery.py").read_text(encoding="utf-8")
    table = PAGES["troubleshooting.md"].split("## It failed")[1].split("One wrong")[0]
    reasons = re.findall(r"`((?:it|unknown|a hook|its)\b[^`]*)`", table)
    assert len(reasons) >= 6
    assert [reason for reason in reasons if reason not in source] == []


# --- what is on the pages works ---------------------------------------------------------------


def example(text: str) -> dict[str, str]:
    """The files that a page shows, by path."""
    return dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```", text, re.S | re.M))


def commands(text: str) -> list[str]:
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.S | re.M)
    return [line for block in blocks for line in block.splitlines()]


Install = Callable[[str, dict[str, str]], Path]


@pytest.fixture
def install(fake_plugin: FakePlugin) -> Iterator[Install]:
    """Install a distribution `ganforge-...` of a package with these files."""
    packages: list[str] = []

    def write(name: str, files: dict[str, str]) -> Path:
        site = fake_plugin(name, None)
        packages.append(name.replace("-", "_"))
        for path, text in files.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(text, encoding="utf-8")
        return site

    yield write
    for package in packages:
        forget(package)


def forget(package: str) -> None:
    for module in [it for it in sys.modules if it == package or it.startswith(f"{package}.")]:
        del sys.modules[module]


def run(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command of a page, for one step; it must succeed, without a warning."""
    capsys.readouterr()
    code = main(shortened(shlex.split(line)[1:]))
    out, err = capsys.readouterr()
    assert (code, err) == (0, ""), f"{line}\n{out}"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", CONTRACTS)
def test_the_example_of_a_page_is_a_plugin_that_keeps_its_contract(
    page: str, workplace: Path, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PAGES[page]
    (name,) = re.findall(r"<!-- plugin: (\S+) -->", text)
    install(name, example(text))
    if page == "losses.md":
        install_the_diff(install)
    photos = numpy.random.default_rng(0).integers(0, 256, (20, 3, 32, 32), dtype=numpy.uint8)
    numpy.save(workplace / "photos.npy", photos)
    lines = commands(text)
    assert len(lines) >= 3
    for line in lines:
        run(line, capsys)


def install_the_diff(install: Install) -> None:
    """What `new-plugin` writes, and on top of it the diff that adds a loss: a file, two lines."""
    (diff,) = re.findall(r"^```diff\n(.*?)^```", PAGES["losses.md"], re.S | re.M)
    (new, added), (hooks, lines) = re.findall(r"^\+\+\+ (\S+)\n((?:\+(?!\+\+).*\n)+)", diff, re.M)
    assert lines.count("\n") == 2
    files = render("ganforge-squares", ["loss"], ganforge_version=ganforge.__version__, year=2026)
    assert new not in files
    install(
        "ganforge-squares",
        {
            **{path: text for path, text in files.items() if path.startswith("ganforge_squares/")},
            new: re.sub(r"^\+", "", added, flags=re.M),
            hooks: files[hooks] + re.sub(r"^\+", "", lines, flags=re.M),
        },
    )


def test_a_package_that_the_diff_was_made_for_has_one_loss_more(
    workplace: Path, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install_the_diff(install)
    capsys.readouterr()
    assert main(["show", "ganforge-squares"]) == 0
    shown = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert [it for it in shown if it[:1] == ["loss"]] == [
        ["loss", "squares"],
        ["loss", "squared-hinge"],
    ]


def test_the_doors_of_the_kit_are_those_of_the_page(
    workplace: Path, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PAGES["testing.md"]
    site = install("ganforge-resize", example(PAGES["generators.md"]))
    for line in commands(text):
        run(line, capsys)
    (item,) = re.findall(r"an item of its own, `generator/resize/([\w-]+)`", text)
    assert item in {check.name for check in ALL_CHECKS}
    in_pytest, in_python = (
        re.findall(rf"## In {door}\n.*?^```python\n(.*?)^```", text, re.S | re.M)[0]
        for door in ("pytest", "Python")
    )
    (site / "test_page.py").write_text(in_pytest, encoding="utf-8")
    answer = pytest_in(site, "test_page.py")
    assert re.search(r"\d+ passed", answer)
    (spec,) = import_module("ganforge_resize").ganforge_generators()
    names: dict[str, object] = {"spec": spec}
    exec(in_python, names)
    assert names["failed"] == []
    assert len(names["results"]) > 10  # type: ignore[arg-type]


def pytest_in(folder: Path, *arguments: str) -> str:
    environ = {
        **{key: it for key, it in os.environ.items() if not key.startswith(("PYTEST", "COV"))},
        "PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)]),
        "OMP_NUM_THREADS": "1",
    }
    plain = ("-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder))
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", *plain, *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_the_tutorial_works_from_its_first_command_to_the_sample(
    workplace: Path,
    fake_plugin: FakePlugin,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = PAGES["tutorial.md"].split("\n## ")[1:]
    project = workplace / "ganforge-tinygan"
    for step in steps:
        for path, text in example(step).items():
            assert (project / path).is_file(), "new-plugin has written what is replaced"
            (project / path).write_text(text, encoding="utf-8")
            forget("ganforge_tinygan")
        for line in commands(step):
            match shlex.split(line):
                case ["ganforge", *_]:
                    run(line, capsys)
                case ["cd", folder]:
                    monkeypatch.chdir(folder)
                case ["pip", "install", "-e", ".[test]"]:
                    # What an editable install comes to, without a network.
                    fake_plugin(
                        "ganforge-tinygan",
                        None,
                        version="0.1.0",
                        entry_points="tinygan = ganforge_tinygan",
                    )
                    monkeypatch.syspath_prepend(project)
                case ["pytest"]:
                    assert re.search(r"\d+ passed", pytest_in(project))
                case ["python", "-m", "build"] | ["twine", *_]:
                    pass  # the network; `scripts/check_wheel.py` builds a package like this one
                case other:
                    raise AssertionError(f"nobody runs {other}")
    forget("ganforge_tinygan")
