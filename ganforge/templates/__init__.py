"""The package that `ganforge new-plugin` writes, rendered from the files in `plugin/`.

A template is the file as it will be, with `<<name>>` where a value belongs: a delimiter that means
nothing in Python, TOML, Markdown or a workflow of GitHub, so that nothing needs escaping.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

#: kind -> what its component is; the order is that in which kinds stand in a rendered file
KINDS = {
    "generator": "a multilayer perceptron",
    "discriminator": "a multilayer perceptron",
    "loss": "least squares",
    "dataset": "images of discs and squares",
    "sampler": "normal latents",
}

SHAPED = {"generator", "discriminator"}  # kinds that declare the shapes that they handle
FIELDED = {"dataset", "sampler"}  # and those that name the fields of a data set

#: file of the package -> its template; `<<module>>` and the files per kind are added by `render`
FILES = {
    ".github/workflows/publish.yml": "workflows/publish.yml",
    ".github/workflows/test.yml": "workflows/test.yml",
    ".gitignore": "gitignore",
    "LICENSE": "LICENSE",
    "README.md": "README.md",
    "pyproject.toml": "pyproject.toml",
    "tests/test_conformance.py": "test_conformance.py",
}

LINE_LENGTH = 100


def render(
    package: str, kinds: Sequence[str], *, ganforge_version: str, year: int
) -> dict[str, str]:
    """The text of each file by its path, for a plugin with one component of each of `kinds`.

    `package` is its distribution name, `ganforge-` and the name of the components.
    """
    kinds = [kind for kind in KINDS if kind in kinds]
    name = package.removeprefix("ganforge-")
    module = package.replace("-", "_")
    values = {
        "package": package,
        "name": name,
        "module": module,
        "requirement": requirement(ganforge_version),
        "year": str(year),
        "train": train_command(name, kinds),
        "components": "\n".join(f"- the {kind} `{name}`: {KINDS[kind]}" for kind in kinds),
        "partner": name if "discriminator" in kinds else "mlp",
        "collections": "Iterable, Mapping" if FIELDED & {*kinds} else "Iterable",
        "imports": _imports(kinds),
    }
    values["hooks"] = "\n\n\n".join(_filled(f"hooks/{kind}.py", values).strip() for kind in kinds)
    templates = {
        **FILES,
        f"{module}/__init__.py": "hooks/__init__.py",
        **{f"{module}/{kind}.py": f"components/{kind}.py" for kind in kinds},
    }
    rendered = {path: _filled(template, values) for path, template in templates.items()}
    return dict(sorted({**rendered, f"{module}/py.typed": ""}.items()))


def train_command(name: str, kinds: Sequence[str]) -> str:
    """The command that trains with the new components and the usual ones beside them."""
    flags = [f"--{kind} {name}" for kind in KINDS if kind in kinds]
    return " ".join(["ganforge train", *flags])


def requirement(version: str) -> str:
    """The versions of ganforge that a plugin written with this one works with.

    Up to the next that may break it: the next minor version before 1.0, the next major one after.
    """
    numbers = re.match(r"(\d+)\.(\d+)", version)
    assert numbers, version
    major, minor = map(int, numbers.groups())
    # A plain bound would leave out a pre-release, which comes before the version it leads to.
    lowest = f"{major}.{minor}" if re.fullmatch(r"[\d.]+", version) else version
    return f"ganforge>={lowest},<{f'0.{minor + 1}' if major == 0 else major + 1}"


def _imports(kinds: Sequence[str]) -> str:
    names = {f"{kind.capitalize()}Spec" for kind in kinds}
    if FIELDED & {*kinds}:
        names.add("Field")
    if SHAPED & {*kinds}:
        names |= {"ImageShapes", "VectorShapes"}
    ordered = [*sorted(names), "hookimpl", "option"]
    line = f"from ganforge import {', '.join(ordered)}"
    if len(line) <= LINE_LENGTH:
        return line
    return "\n".join(["from ganforge import (", *(f"    {name}," for name in ordered), ")"])


def _filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its values. Raises KeyError for a name that has none."""
    text = files(__name__).joinpath("plugin", f"{template}.template").read_text(encoding="utf-8")
    return re.sub(r"<<(\w+)>>", lambda found: values[found[1]], text)
