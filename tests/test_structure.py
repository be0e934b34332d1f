"""How the code hangs together: who imports whom, and what torch-free commands cost."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from ganforge.plugin.fields import KINDS_OF_FIELDS
from ganforge.plugin.registry import Registry

ROOT = Path(__file__).parents[1]
CORE = sorted((ROOT / "ganforge").rglob("*.py"))
PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").is_file())
SOURCES = [*CORE, *(file for plugin in PLUGINS for file in sorted(plugin.rglob("*.py")))]
HEAVY = {"torch", "torchvision", "numpy", "PIL", "safetensors"}

#: the rooms of the core, each importing those before it and none after it
ROOMS = (
    "errors",
    "printable",
    "terminal",
    "sharing",
    "plugin",
    "problem",
    "config",
    "contracts",
    "nn",
    "device",
    "storage",
    "runs",
    "diagnosis",
    "data",
    "pictures",
    "measuring",
    "report",
    "engine",
    "sampling",
    "evaluation",
    "export",
    "sweeps",
    "doctor",
    "api",
    "testing",
    "templates",
    "cli",
    "__main__",
)
#: those that need no torch
TORCH_FREE_ROOMS = (
    "errors",
    "printable",
    "terminal",
    "sharing",
    "plugin",
    "problem",
    "config",
    "diagnosis",
    "doctor",
)

pytestmark = pytest.mark.skipif(not PLUGINS, reason="these tests read the source tree")


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[1:] if parts[0] == "plugins" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only a type checker reads."""
    if isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING":
        for node in tree.orelse:
            yield from statements(node)
        return
    yield tree
    for child in ast.iter_child_nodes(tree):
        yield from statements(child)


@cache
def imports(path: Path) -> frozenset[str]:
    """The full names of all that a module imports, at its top or in a function."""
    found = set()
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *filter(None, [node.module])])
            # `from package import name` may name a module: both are noted.
            found |= {prefix, *(f"{prefix}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def heads(names: frozenset[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def within(names: frozenset[str], package: str) -> set[str]:
    return {name for name in names if name == package or name.startswith(f"{package}.")}


@pytest.mark.parametrize("path", CORE, ids=short)
def test_the_core_imports_no_plugin(path: Path) -> None:
    assert not {name for name in heads(imports(path)) if name.startswith("ganforge_")}


@pytest.mark.parametrize("path", CORE, ids=short)
def test_the_core_decides_nothing_by_the_name_of_a_component(path: Path, bundled: Registry) -> None:
    # A format may be called after the kind of field that it shows, a data set that is a mixture is
    # one, a metric may measure what a finding is called: these are words of the core, too.
    words = {*KINDS_OF_FIELDS, "mixture", "images", "memorisation"}
    names = {component.name for component in bundled} - words
    compared = {
        constant.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare | ast.match_case)
        for constant in ast.walk(node)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }
    assert not compared & names


@pytest.mark.parametrize(
    "path", [file for plugin in PLUGINS for file in sorted(plugin.rglob("*.py"))], ids=short
)
def test_a_bundled_plugin_imports_the_public_api_and_no_other_plugin(path: Path) -> None:
    import ganforge.nn

    own = module_name(path).partition(".")[0]
    names = imports(path)
    ours = within(names, "ganforge") - {"ganforge"} - within(names, "ganforge.nn")
    assert {name.removeprefix("ganforge.") for name in ours} <= set(ganforge.__all__)
    blocks = within(names, "ganforge.nn") - {"ganforge.nn"}
    assert {name.removeprefix("ganforge.nn.") for name in blocks} <= set(ganforge.nn.__all__)
    assert not {head for head in heads(names) if head.startswith("ganforge_")} - {own}


def test_every_bundled_plugin_has_an_entry_point_and_every_entry_point_a_plugin() -> None:
    bundled = {
        it.value
        for it in entry_points(group="ganforge")
        if it.dist is not None and it.dist.metadata["Name"] == "ganforge"
    }
    assert bundled == {plugin.name for plugin in PLUGINS}


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_a_module_is_short_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", ":"))


def room(name: str) -> str:
    """The folder of the core that a module is in, or the module that stands at its top."""
    return [*name.split("."), ""][1]


@pytest.mark.parametrize("path", CORE, ids=short)
def test_the_rooms_of_the_core_depend_downwards(path: Path) -> None:
    own = room(module_name(path))
    if not own:
        return  # ganforge/__init__.py, the public surface of all
    # The package itself is the public surface: the version is all that the core reads there.
    ours = within(imports(path), "ganforge") - {"ganforge", "ganforge.__version__"}
    assert {room(name) for name in ours} <= set(ROOMS[: ROOMS.index(own) + 1])
    if own in TORCH_FREE_ROOMS:
        assert not heads(imports(path)) & HEAVY


def test_every_room_of_the_core_has_a_place_in_the_order() -> None:
    core = ROOT / "ganforge"
    found = {path.stem for path in core.glob("*.py")} - {"__init__"}
    found |= {path.parent.relative_to(core).parts[0] for path in core.glob("*/**/*.py")}
    assert found <= set(ROOMS)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "ganforge" / "engine").rglob("*.py")), ids=lambda path: path.name
)
def test_the_engine_does_not_know_the_command_line(path: Path) -> None:
    assert not within(imports(path), "ganforge.cli")
    assert not heads(imports(path)) & {"click", "rich"}


SCRIPT = """
import json, resource, sys
before = set(sys.modules)
from ganforge.cli import main
codes = []
for arguments in json.loads(sys.argv[1]):
    try:
        codes.append(main(arguments))
    except SystemExit as exit:
        codes.append(exit.code or 0)
used = resource.getrusage(resource.RUSAGE_SELF)
heads = sorted({name.partition(".")[0] for name in sys.modules})
with open(sys.argv[2], "w") as stream:
    json.dump({"codes": codes, "heads": heads, "cpu": used.ru_utime + used.ru_stime}, stream)
"""


def measured(tmp_path: Path, *commands: list[str]) -> tuple[list[int], set[str], float]:
    """Exit codes, top-level modules and CPU seconds of commands in one fresh process."""
    pytest.importorskip("resource")
    report = tmp_path / "report.json"
    work = tmp_path / "work"
    work.mkdir()
    environ = {key: it for key, it in os.environ.items() if not key.startswith("GANFORGE_")}
    # Measuring coverage starts in every process, and is not what is measured here.
    environ.pop("COVERAGE_PROCESS_START", None)
    subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(commands), str(report)],
        cwd=work,
        env=environ,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert list(work.iterdir()) == []
    found = json.loads(report.read_text())
    return found["codes"], set(found["heads"]), found["cpu"]


TORCH_FREE = {
    "--help": 0,
    "train --help": 0,
    "sample --help": 0,
    "evaluate --help": 0,
    "list-plugins": 0,
    "list-plugins --json": 0,
    "export --help": 0,
    "push --help": 0,
    "check-plugin --help": 0,
    "check-plugin nothing-here": 2,
    "new-plugin --help": 0,
    "show dcgan": 0,
    "train --dry-run": 0,
    "list-recipes": 0,
    "runs": 0,
    "runs absent": 2,
    "runs remove absent": 2,
    "doctor absent": 2,
    "compare --help": 0,
    "compare absent": 2,
    "sweep --seed 0,1,2 --loss nonsat,hinge --dry-run": 0,
    "sweep --loss nonsat,hing": 2,
    "sweep --resume absent": 2,
    "show ring": 0,
    "train --recipe conditional --dry-run": 0,
    "train --generator dcgn": 2,
    "train --set generator.widht=3": 2,
}


@pytest.mark.parametrize(("command", "code"), TORCH_FREE.items(), ids=TORCH_FREE)
def test_a_command_that_trains_nothing_imports_nothing_heavy_and_is_quick(
    tmp_path: Path, command: str, code: int
) -> None:
    codes, modules, seconds = measured(tmp_path, command.split())
    print(f"ganforge {command}: {seconds:.2f} s of CPU")
    assert codes == [code]
    assert not modules & HEAVY
    # 0.25 s on an idle machine; the bound leaves room for a busy one.
    assert seconds < 1.0


def test_no_mistake_imports_torch(tmp_path: Path) -> None:
    mistakes = [
        ["train", "--image-size", "30", "--generator", "conditional", "--conditional"],
        ["train", "--steps", "3", "--epochs", "3"],
        ["train", "--steps", "many"],
        ["train", "--generatr", "dcgan"],
        ["train", "--config", "absent.toml"],
        ["train", "--resume", "absent"],
        ["train", "--conditional", "--generator", "mlp", "--dataset", "ring"],
        ["train", "--recipe", "rign"],
        ["train", "--metric", "mae"],
        ["train", "--metric", "fid", "--features", "idntity"],
        ["train", "--metric", "fid", "--set", "evaluation.best=fdi"],
        ["train", "--metric", "classifier-score", "--generator", "mlp", "--dataset", "ring"],
        ["train", "--metric", "memorisation"],
        ["evaluate", "absent"],
        ["evaluate"],
        ["train", "--dataset", "absent/folder"],
        ["train", "--dataset", "mnist", "--set", "dataset.root=absent"],
        ["train", "--loss", "nonsta"],
        ["train", "--set", "training.batch_size=0"],
        ["show", "dcgn"],
        ["sample", "absent"],
        ["sample"],
        ["export", "absent", "--format", "onnx"],
        ["export", "absent", "--format", "jpeg"],
        ["push", "absent", "somebody/digits"],
        ["trian"],
    ]
    codes, modules, _ = measured(tmp_path, *mistakes)
    assert codes == [2] * len(mistakes)
    assert not modules & HEAVY


def test_a_suffix_that_samples_do_not_have_is_told_without_torch(tmp_path: Path) -> None:
    from ganforge.storage import tensor_file

    generator = tmp_path / "generator.safetensors"
    document = {"problem": {"sample_shape": [2], "input_shape": [2], "num_classes": None}}
    tensor_file.write(generator, "generator", {}, document)
    outs = ("samples.wav", "folder", "samples.gif")
    commands = [["sample", str(generator), "--out", out] for out in outs]
    codes, modules, _ = measured(tmp_path, *commands)
    assert codes == [2, 2, 2]
    assert not modules & HEAVY


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_bundled_plugin_is_listed_without_torch(plugin: Path) -> None:
    code = (
        f"import sys, {plugin.name} as plugin\n"
        "hooks = [getattr(plugin, it) for it in dir(plugin) if it.startswith('ganforge_')]\n"
        "print(sum(len(list(hook())) for hook in hooks if callable(hook)))\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    number, modules = answer.stdout.splitlines()
    assert int(number) >= 1
    assert not set(modules.split()) & HEAVY


def test_the_public_api_is_torch_free_until_a_contract_is_named() -> None:
    code = (
        "import sys, ganforge\n"
        "assert 'torch' not in sys.modules\n"
        "assert set(dir(ganforge)) == set(ganforge.__all__)\n"
        "print(all(getattr(ganforge, name) is not None for name in ganforge.__all__))\n"
        "print('torch' in sys.modules)\n"
        "try: ganforge.nothing\n"
        "except AttributeError as error: print(error)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert answer.stdout.splitlines() == [
        "True",
        "True",
        "module 'ganforge' has no attribute 'nothing'",
    ]
