"""The wheel guard: builds the wheel, installs it elsewhere, and uses it from there.

    python scripts/check_wheel.py

What is checked: the files that must be inside, and those that must not; that every entry point
imports from the installed copy and every builder that it names resolves; that the command works.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir() if path.is_dir())

PROBE = """
import importlib, json, sys
from ganforge.discovery import discover
discovery = discover(third_party=False)
for found in discovery.plugins:
    assert found.status == "active" and not found.warnings, found
    place = importlib.import_module(found.plugin.module).__file__
    assert place.startswith(sys.argv[1]), place
for component in discovery.registry:
    module, _, path = component.spec.build.partition(":")
    target = importlib.import_module(module)
    for attribute in path.split("."):
        target = getattr(target, attribute)
    assert callable(target), component
digits = discovery.registry.find("dataset", "digits")
from ganforge import Problem
shape = digits.spec.sample_shape(digits.spec.options())
built = digits.build(Problem(sample_shape=shape, input_shape=(1,)), digits.spec.options())
print(json.dumps([len(discovery.plugins), len(list(discovery.registry)), len(built)]))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder).resolve()
        run(sys.executable, "-m", "build", "--wheel", "--outdir", str(work / "dist"), str(ROOT))
        (wheel,) = (work / "dist").glob("*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        check_contents(names)
        site = work / "site"
        pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site))
        run(sys.executable, *pip, str(wheel))
        environ = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
        answer = run(sys.executable, "-c", PROBE, str(site), env=environ, cwd=work)
        plugins, components, digits = json.loads(answer.splitlines()[-1])
        assert plugins == len(PLUGINS), (plugins, PLUGINS)
        listing = json.loads(
            run(str(site / "bin" / "ganforge"), "list-plugins", "--json", env=environ, cwd=work)
        )
        bundled = [record for record in listing if record["package"] == "ganforge"]
        assert len(bundled) == plugins, listing
        print(
            f"{wheel.name}: {len(names)} files, {wheel.stat().st_size:,} bytes, {plugins} plugins, "
            f"{components} components, {digits:,} digits"
        )


def check_contents(names: list[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    expected = {"ganforge", *PLUGINS}
    assert {top for top in tops if not top.endswith(".dist-info")} == expected, tops
    for package in expected:
        assert f"{package}/py.typed" in names, f"{package} has no py.typed"
    assert "ganforge_datasets/data/digits.npz" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("ATTRIBUTION.md") for name in names)


def run(*command: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    answer = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True)
    if answer.returncode:
        sys.exit(f"{' '.join(command)}\n{answer.stdout}\n{answer.stderr}")
    return answer.stdout


if __name__ == "__main__":
    main()
