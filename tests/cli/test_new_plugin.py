"""`ganforge new-plugin`: a package that is right from the start, or a message and no package."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from ganforge.cli import COMMANDS
from ganforge.plugin.hookspecs import HOOKS
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import SPECS, RecipeSpec
from ganforge.templates import KINDS, render, requirement, train_command
from tests.conftest import Command, FakePlugin

#: each by itself, pairs whose files depend on each other or share an import, and all together
COMBINATIONS = [
    *((kind,) for kind in KINDS),
    ("generator", "discriminator"),
    ("generator", "recipe"),
    ("generator", "format"),
    ("dataset", "sampler"),
    ("dataset", "format"),
    ("loss", "metric"),
    ("augmentation", "optimizer"),
    ("game", "callback"),
    tuple(KINDS),
]


def package(number: int) -> str:
    return f"ganforge-combination{number}"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A package with each combination of kinds, importable."""
    root = tmp_path_factory.mktemp("packages")
    with pytest.MonkeyPatch.context() as patch:
        for number, kinds in enumerate(COMBINATIONS):
            folder = root / package(number)
            files = render(package(number), kinds, ganforge_version="0.1.0", year=2026)
            for name, text in files.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            patch.syspath_prepend(folder)
        yield root
        for name in [name for name in sys.modules if name.startswith("ganforge_combination")]:
            del sys.modules[name]


def test_a_package_is_written_and_what_to_type_next_is_said(cli: Command) -> None:
    answer = cli("new-plugin", "ganforge-tinygan", "--kind", "loss", "--kind", "generator")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        "ganforge-tinygan: 11 files, a plugin with a generator and a loss called 'tinygan'",
        "",
        "What to type next:",
        "  pip install -e './ganforge-tinygan[test]'",
        "  ganforge check-plugin ganforge-tinygan",
        "  ganforge train --generator tinygan --loss tinygan",
        "",
        "ganforge-tinygan/README.md says how to test and publish it.",
    ]
    assert [path.name for path in Path.cwd().iterdir()] == ["ganforge-tinygan"]
    written = Path("ganforge-tinygan")
    assert sorted(str(it.relative_to(written)) for it in written.rglob("*") if it.is_file()) == [
        ".github/workflows/publish.yml",
        ".github/workflows/test.yml",
        ".gitignore",
        "LICENSE",
        "README.md",
        "ganforge_tinygan/__init__.py",
        "ganforge_tinygan/generator.py",
        "ganforge_tinygan/loss.py",
        "ganforge_tinygan/py.typed",
        "pyproject.toml",
        "tests/test_conformance.py",
    ]


def test_another_folder_may_be_named(cli: Command, tmp_path: Path) -> None:
    folder = tmp_path / "my plugins" / "tiny"
    folder.parent.mkdir()
    answer = cli("new-plugin", "ganforge-tinygan", "--kind", "loss", "--out", folder)
    assert answer.code == 0
    assert f"  pip install -e '{folder}[test]'\n" in answer.out
    assert (folder / "pyproject.toml").is_file()
    assert list(Path.cwd().iterdir()) == []


def test_the_project_file_names_the_plugin_and_bounds_ganforge() -> None:
    files = render("ganforge-tiny-gan2", ["loss"], ganforge_version="0.1.3", year=2026)
    project = tomllib.loads(files["pyproject.toml"])
    assert project["project"]["name"] == "ganforge-tiny-gan2"
    assert project["project"]["dependencies"] == ["ganforge>=0.1,<0.2"]
    assert project["project"]["entry-points"] == {"ganforge": {"tiny-gan2": "ganforge_tiny_gan2"}}
    assert project["project"]["optional-dependencies"] == {"test": ["pytest>=8.3"]}
    assert project["project"]["license"] == "MIT"
    assert files["LICENSE"].startswith("MIT License\n\nCopyright (c) 2026 ")
    assert "id-token: write" in files[".github/workflows/publish.yml"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.1.0", "ganforge>=0.1,<0.2"),
        ("0.12.3", "ganforge>=0.12,<0.13"),
        ("1.0.0", "ganforge>=1.0,<2"),
        ("2.7.1", "ganforge>=2.7,<3"),
        ("0.2.0.dev1", "ganforge>=0.2.0.dev1,<0.3"),
        ("1.0.0rc2", "ganforge>=1.0.0rc2,<2"),
    ],
)
def test_the_bound_is_the_next_version_that_may_break(version: str, expected: str) -> None:
    assert requirement(version) == expected


def test_there_is_a_template_for_every_kind() -> None:
    assert set(KINDS) == {spec.kind for spec in SPECS}


def test_the_article_is_that_of_the_kind(cli: Command) -> None:
    kinds = ("loss", "augmentation", "optimizer")
    out = cli("new-plugin", "ganforge-tinygan", *(f"--kind={kind}" for kind in kinds)).out
    assert "a plugin with a loss, an augmentation and an optimizer called 'tinygan'" in out
    text = cli("new-plugin", "ganforge-adam", "--kind=optimizer").text
    assert "reserved for the kind optimizer: ganforge itself has an optimizer called 'adam'" in text


@pytest.mark.parametrize(
    ("kinds", "command"),
    [
        (["metric", "generator"], "ganforge train --generator tiny --metric tiny"),
        (["augmentation", "callback"], "ganforge train --augment tiny --callback tiny"),
        (
            ["optimizer"],
            "ganforge train --set generator_optimizer.name=tiny "
            "--set discriminator_optimizer.name=tiny",
        ),
        (["recipe", "generator", "loss"], "ganforge train --recipe tiny"),
        (["dataset", "format"], "ganforge train --dataset tiny"),
        (["format"], None),
    ],
)
def test_the_command_names_each_kind_as_the_command_line_does(
    kinds: list[str], command: str | None
) -> None:
    assert train_command("tiny", kinds) == command


def test_a_format_by_itself_is_chosen_by_a_data_set_and_not_by_a_command(cli: Command) -> None:
    out = cli("new-plugin", "ganforge-tinygan", "--kind", "format").out
    assert out.splitlines()[3:] == [
        "  pip install -e './ganforge-tinygan[test]'",
        "  ganforge check-plugin ganforge-tinygan",
        "  ganforge show tinygan",
        "",
        'A data set chooses the format: the field of its samples has `format="tinygan"`.',
        "ganforge-tinygan/README.md says how to test and publish it.",
    ]
    readme = Path("ganforge-tinygan/README.md").read_text()
    assert "ganforge train" not in readme
    assert 'has `format="tinygan"`.\n' in readme


def test_the_field_of_a_data_set_names_the_format_of_its_package() -> None:
    alone, both = (
        render("ganforge-tiny", kinds, ganforge_version="0.1.0", year=2026)
        for kinds in (["dataset"], ["dataset", "format"])
    )
    assert "format=" not in alone["ganforge_tiny/__init__.py"]
    assert '            format="tiny",\n' in both["ganforge_tiny/__init__.py"]
    assert "A data set chooses the format" not in both["README.md"]


@pytest.mark.parametrize("number", range(len(COMBINATIONS)))
def test_each_combination_yields_its_components(packages: Path, number: int) -> None:
    module = import_module(package(number).replace("-", "_"))
    specs = [spec for hook in HOOKS if hasattr(module, hook) for spec in getattr(module, hook)()]
    assert sorted(spec.kind for spec in specs) == sorted(COMBINATIONS[number])
    for spec in specs:
        assert spec.name == f"combination{number}"
        if isinstance(spec, RecipeSpec):
            module_name, _, file = spec.file.partition(":")
            folder = packages / package(number) / module_name
            assert tomllib.loads((folder / file).read_text())["generator"]["name"] in (
                "mlp",
                spec.name,
            )
            continue
        target, _, attribute = spec.build.partition(":")
        assert callable(getattr(import_module(target), attribute))


def test_nothing_of_a_template_is_left_open(packages: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in packages.rglob("*.*") if path.is_file()]
    assert len(texts) > 10 * len(COMBINATIONS) - len(COMBINATIONS)
    assert not [text for text in texts if "<<" in text or ">>" in text]


def test_every_command_of_the_readme_exists(packages: Path) -> None:
    for readme in packages.glob("*/README.md"):
        lines = readme.read_text(encoding="utf-8").splitlines()
        commands = [line.split()[1] for line in lines if line.startswith("ganforge ")]
        trains = "ganforge train" in readme.read_text(encoding="utf-8")
        assert len(commands) == (5 if trains else 3)
        assert set(commands) <= set(COMMANDS)


@pytest.mark.skipif(find_spec("ruff") is None, reason="ruff is not installed")
def test_each_combination_is_clean_under_its_own_rules(packages: Path) -> None:
    for command in (["check", "--output-format=concise"], ["format", "--diff"]):
        answer = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", str(packages)],
            capture_output=True,
            text=True,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_longest_name_keeps_to_the_length_of_lines() -> None:
    files = render(f"ganforge-{'x' * 40}", list(KINDS), ganforge_version="0.1.0", year=2026)
    code = {name: text for name, text in files.items() if name.endswith((".py", ".toml"))}
    for name, text in code.items():
        assert max(map(len, text.splitlines())) <= 100, name


BAD = {
    "TinyGAN": "write 'ganforge-tinygan'",
    "tinygan": "write 'ganforge-tinygan'",
    "ganforge_tinygan": "write 'ganforge-tinygan'",
    "ganforge-Tiny.GAN": "write 'ganforge-tiny-gan'",
    "ganforge-tiny--gan": "write 'ganforge-tiny-gan'",
    "ganforge-tinygan-": "write 'ganforge-tinygan'",
    "../ganforge-tinygan": "write 'ganforge-tinygan'",
    "ganforge-tiny\ngan": "write 'ganforge-tiny-gan'",
    "ganforge": "such as 'ganforge-tinygan'",
    "ganforge-": "such as 'ganforge-tinygan'",
    "": "such as 'ganforge-tinygan'",
    "生成": "such as 'ganforge-tinygan'",
    "x" * 41: "such as 'ganforge-tinygan'",
}


@pytest.mark.parametrize(("name", "mend"), BAD.items())
def test_a_bad_name_is_an_error_that_says_what_to_type(cli: Command, name: str, mend: str) -> None:
    answer = cli("new-plugin", name, "--kind", "loss")
    assert answer.code == 2
    assert "is not a name for a plugin: 'ganforge-', then lower-case letters" in answer.text
    assert answer.text.endswith(mend)
    assert list(Path.cwd().iterdir()) == []


def test_a_name_that_is_too_long_is_an_error(cli: Command) -> None:
    answer = cli("new-plugin", f"ganforge-{'x' * 41}", "--kind", "loss")
    assert answer.code == 2
    assert answer.text.endswith("is too long: at most 40 letters after 'ganforge-'")
    assert cli("new-plugin", f"ganforge-{'x' * 40}", "--kind", "loss").code == 0


def test_the_modules_of_bundled_plugins_are_reserved(cli: Command, bundled: Registry) -> None:
    for module in {component.plugin.module for component in bundled}:
        name = module.replace("_", "-")
        answer = cli("new-plugin", name, "--kind", "loss")
        assert answer.code == 2
        assert f"{name!r} is reserved: ganforge itself has the module {module!r}" in answer.text
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_bundled_names_of_the_same_kind_are_reserved(
    cli: Command, bundled: Registry, kind: str
) -> None:
    modules = {component.plugin.module for component in bundled}
    name = (
        next(
            component.name
            for component in bundled.of_kind(kind)
            if f"ganforge_{component.name}" not in modules
        )
        if kind != "discriminator"
        else "mlp"
    )
    answer = cli("new-plugin", f"ganforge-{name}", "--kind", kind)
    assert answer.code == 2
    assert f"'ganforge-{name}' is reserved" in answer.text
    assert list(Path.cwd().iterdir()) == []


def test_a_bundled_name_of_another_kind_is_free(cli: Command) -> None:
    assert cli("new-plugin", "ganforge-lsgan", "--kind", "generator").code == 0
    answer = cli(
        "new-plugin", "ganforge-ring", "--kind", "generator", "--kind", "dataset", "--out", "x"
    )
    assert answer.code == 2
    assert "is reserved for the kind dataset: ganforge itself has a dataset called" in answer.text


def test_the_name_of_an_installed_package_is_an_error(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-tinygan", version="3.1")
    answer = cli("new-plugin", "ganforge-tinygan", "--kind", "loss")
    assert answer.code == 2
    assert "ganforge-tinygan 3.1 is installed here" in answer.text
    assert "`pip uninstall ganforge-tinygan`" in answer.text


@pytest.mark.parametrize("what", ["folder", "file", "link"])
def test_what_is_there_is_never_written_over(cli: Command, what: str) -> None:
    path = Path("ganforge-tinygan")
    if what == "folder":
        path.mkdir()
    elif what == "file":
        path.write_text("mine")
    else:
        path.symlink_to("nowhere")
    answer = cli("new-plugin", "ganforge-tinygan", "--kind", "loss")
    assert answer.code == 2
    assert "ganforge-tinygan is there already" in answer.text
    assert [it.name for it in Path.cwd().iterdir()] == ["ganforge-tinygan"]
    assert not path.is_dir() or not list(path.iterdir())


def test_a_folder_that_is_not_there_is_named(cli: Command) -> None:
    answer = cli("new-plugin", "ganforge-tinygan", "--kind", "loss", "--out", "absent/plugin")
    assert answer.code == 2
    assert f"there is no folder {Path.cwd() / 'absent'} to write the plugin to" in answer.text


def test_a_failure_half_way_leaves_nothing(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_text

    def full(path: Path, *arguments: object, **more: object) -> int:
        if path.name == "pyproject.toml":
            raise OSError(28, "No space left on device")
        return write(path, *arguments, **more)

    monkeypatch.setattr(Path, "write_text", full)
    answer = cli("new-plugin", "ganforge-tinygan", "--kind", "loss")
    assert answer.code == 2
    assert "cannot be written to ganforge-tinygan: [Errno 28] No space left" in answer.text
    assert list(Path.cwd().iterdir()) == []


def test_at_least_one_kind_is_asked_for(cli: Command) -> None:
    answer = cli("new-plugin", "ganforge-tinygan")
    assert answer.code == 2
    assert "Missing option '--kind'. Choose from:" in answer.text
    assert all(kind in answer.text for kind in KINDS)
    unknown = cli("new-plugin", "ganforge-tinygan", "--kind", "generatr")
    assert unknown.code == 2
    assert "'generatr' is not one of 'generator'" in unknown.text


def test_neither_the_command_nor_the_hook_module_imports_torch(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from ganforge.cli import main\n"
        f"kinds = [f'--kind={{kind}}' for kind in {list(KINDS)!r}]\n"
        "assert main(['new-plugin', 'ganforge-tinygan', *kinds]) == 0\n"
        "sys.path.insert(0, 'ganforge-tinygan')\n"
        "import ganforge_tinygan\n"
        "heavy = {'torch', 'torchvision', 'numpy', 'PIL', 'safetensors', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert answer.stdout.splitlines()[-1] == "[]"
