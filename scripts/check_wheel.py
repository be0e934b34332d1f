"""The wheel guard: builds wheels, installs them elsewhere, and uses them from there.

    python scripts/check_wheel.py

What is checked of ganforge's wheel: the files that must be inside, and those that must not; that
every entry point imports from the installed copy and every builder that it names resolves; that the
command works. Then two plugins are built, installed beside it, listed, held against the conformance
kit and trained: the example, and one of every kind that `ganforge new-plugin` writes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir() if path.is_dir())
TEMPLATES = sorted((ROOT / "ganforge").rglob("*.template"))
SMALL = ("--image-size", "8", "--batch-size", "8", "--device", "cpu")

PROBE = """
import importlib, importlib.resources, json, sys
from ganforge.plugin.discovery import discover
discovery = discover(third_party=False)
for found in discovery.plugins:
    assert found.status == "active" and not found.warnings, found
    place = importlib.import_module(found.plugin.module).__file__
    assert place.startswith(sys.argv[1]), place
for recipe in discovery.registry.of_kind("recipe"):
    package, _, path = recipe.spec.file.partition(":")
    assert importlib.resources.files(package).joinpath(path).is_file(), recipe
for component in discovery.registry:
    if component.kind == "recipe":
        continue
    module, _, path = component.spec.build.partition(":")
    target = importlib.import_module(module)
    for attribute in path.split("."):
        target = getattr(target, attribute)
    assert callable(target), component
digits = discovery.registry.find("dataset", "digits")
from ganforge import Problem
from ganforge.config.run_config import Selection, fields_of
chosen = Selection(component=digits, options=digits.spec.options())
sample = fields_of(chosen)["sample"]
built = digits.build(Problem(sample=sample, input_shape=(1,)), digits.spec.options())
print(json.dumps([len(discovery.plugins), len(list(discovery.registry)), len(built)]))
"""


@dataclass(frozen=True)
class Place:
    """An empty folder, and what is installed in it: that alone is seen of ganforge from there."""

    work: Path

    @property
    def site(self) -> Path:
        return self.work / "site"

    def install(self, project: Path) -> Path:
        """Build a project's wheel and install it; the wheel."""
        dist = self.work / f"dist-{project.name}"
        run(sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(project))
        (wheel,) = dist.glob("*.whl")
        pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--target", str(self.site))
        run(sys.executable, *pip, str(wheel))
        return wheel

    def distribution(self, package: str) -> Distribution:
        (found,) = distributions(name=package, path=[str(self.site)])
        return found

    def python(self, *arguments: str, cwd: Path | None = None) -> str:
        environ = {**os.environ, "PYTHONPATH": str(self.site), "PYTHONSAFEPATH": "1"}
        return run(sys.executable, *arguments, env=environ, cwd=cwd or self.work)

    def ganforge(self, *arguments: str) -> str:
        return self.python(str(self.site / "bin" / "ganforge"), *arguments)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder).resolve())
        print(check_core(place))
        print(check_example(place))
        print(check_new_plugin(place))


def check_core(place: Place) -> str:
    wheel = place.install(ROOT)
    names = zipfile.ZipFile(wheel).namelist()
    check_contents(names)
    answer = place.python("-c", PROBE, str(place.site))
    plugins, components, digits = json.loads(answer.splitlines()[-1])
    assert plugins == len(PLUGINS), (plugins, PLUGINS)
    listing = json.loads(place.ganforge("list-plugins", "--json"))
    bundled = [record for record in listing if record["package"] == "ganforge"]
    assert len(bundled) == plugins, listing
    return (
        f"{wheel.name}: {len(names)} files, {wheel.stat().st_size:,} bytes, {plugins} plugins, "
        f"{components} components, {digits:,} digits"
    )


def check_example(place: Place) -> str:
    project = ROOT / "examples" / "ganforge-example"
    wheel = place.install(project)
    flags = "--generator resnet --loss relativistic-average --loss r1 --sampler gaussian-mixture"
    verdict = check_plugin(place, "ganforge-example", flags.split())
    return f"{wheel.name}: {verdict}"


def check_new_plugin(place: Place) -> str:
    package = "ganforge-wheelguard"
    hooks = ROOT / "ganforge" / "templates" / "plugin" / "hooks"
    kinds = {path.name.partition(".")[0] for path in hooks.iterdir()} - {"__init__"}
    report = place.ganforge("new-plugin", package, *(f"--kind={kind}" for kind in sorted(kinds)))
    (line,) = [line for line in report.splitlines() if line.startswith("  ganforge train ")]
    wheel = place.install(place.work / package)
    verdict = check_plugin(place, package, line.split()[2:])
    answer = place.python("-m", "pytest", "-q", cwd=place.work / package)
    return f"{wheel.name}: {verdict}; its tests: {answer.splitlines()[-1]}"


def check_plugin(place: Place, package: str, flags: list[str]) -> str:
    """An installed plugin is listed, fits this version of ganforge, passes the kit and trains."""
    version = place.distribution("ganforge").version
    for line in place.distribution(package).requires or []:
        requirement = Requirement(line)
        if requirement.name == "ganforge":
            assert requirement.specifier.contains(version, prereleases=True), (line, version)
    listing = json.loads(place.ganforge("list-plugins", "--json"))
    (record,) = [record for record in listing if record["package"] == package]
    assert record["status"] == "active", record
    assert not record["warnings"], record
    verdict = place.ganforge("check-plugin", package).splitlines()[-1]
    place.ganforge("train", *flags, *SMALL, "--steps", "3", "--out", f"run-{package}")
    status = json.loads((place.work / f"run-{package}" / "status.json").read_text())
    assert status["state"] == "finished", status
    return verdict


def check_contents(names: list[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    expected = {"ganforge", *PLUGINS}
    assert {top for top in tops if not top.endswith(".dist-info")} == expected, tops
    for package in expected:
        assert f"{package}/py.typed" in names, f"{package} has no py.typed"
    assert "ganforge_datasets/data/digits.npz" in names
    templates = {path.relative_to(ROOT).as_posix() for path in TEMPLATES}
    assert templates, "there are no templates of plugins"
    assert templates <= set(names), templates - set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("ATTRIBUTION.md") for name in names)


def run(*command: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    answer = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True)
    if answer.returncode:
        sys.exit(f"{' '.join(command)}\n{answer.stdout}\n{answer.stderr}")
    return answer.stdout


if __name__ == "__main__":
    main()
