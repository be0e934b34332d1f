"""The package that `ganforge new-plugin` writes, rendered from the files in `plugin/`.

A template is the file as it will be, with `<<name>>` where a value belongs: a delimiter that means
nothing in Python, TOML, Markdown or a workflow of GitHub, so that nothing needs escaping.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from ganforge.config.run_config import sections_of
from ganforge.plugin.specs import NOUNS, TABLES


@dataclass(frozen=True, kw_only=True)
class Template:
    """The template of one kind of component.

    `summary` says in words what its component is, `imports` what its hook takes of ganforge besides
    its record, and `flags` what chooses the component for a run, with `{}` for its name: nothing
    for a format, which the field of a data set names.
    """

    summary: str
    flags: str
    imports: tuple[str, ...] = ()
    has_options: bool = True
    suffix: str = ".py"


#: kind -> its template; the order is that in which kinds stand in a rendered file
KINDS = {
    "generator": Template(
        summary="a multilayer perceptron",
        flags="--generator {}",
        imports=("ImageShapes", "VectorShapes"),
    ),
    "discriminator": Template(
        summary="a multilayer perceptron",
        flags="--discriminator {}",
        imports=("ImageShapes", "VectorShapes"),
    ),
    "loss": Template(summary="least squares", flags="--loss {}"),
    "dataset": Template(
        summary="images of discs and squares", flags="--dataset {}", imports=("Field",)
    ),
    "sampler": Template(summary="normal latents", flags="--sampler {}", imports=("Field",)),
    "refinement": Template(summary="the best of several latents", flags=""),
    "game": Template(
        summary="the usual game, with points between real and fake samples for terms to read",
        flags="--game {}",
        has_options=False,
    ),
    "augmentation": Template(
        summary="random brightness", flags="--augment {}", imports=("ImageShapes", "Schedule")
    ),
    "metric": Template(
        summary="distances of means and standard deviations",
        flags="--metric {}",
        imports=("ANY_SHAPES",),
        has_options=False,
    ),
    "features": Template(
        summary="means and spreads of an image's cells",
        flags="--metric fid --features {}",
        imports=("ImageShapes",),
    ),
    "callback": Template(summary="a line of text for each line of metrics", flags="--callback {}"),
    "optimizer": Template(
        summary="Lion",
        flags="--set generator_optimizer.name={} --set discriminator_optimizer.name={}",
        imports=("Schedule",),
    ),
    "format": Template(
        summary="images in a row, and as a portable pixmap", flags="", has_options=False
    ),
    "recipe": Template(
        summary="a run with what this package has",
        flags="--recipe {}",
        has_options=False,
        suffix=".toml",
    ),
}

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
    train = train_command(name, kinds)
    values = {
        "package": package,
        "name": name,
        "module": module,
        "requirement": requirement(ganforge_version),
        "year": str(year),
        "components": "\n".join(
            f"- the {NOUNS[kind]} `{name}`: {KINDS[kind].summary}" for kind in kinds
        ),
        "partner": name if "discriminator" in kinds else "mlp",
        "sample": _sample(name, kinds),
        "sections": "\n\n".join(_sections(name, kinds)),
        "imports": "\n".join(_imports(kinds)),
        "train": train or "",
        "use": "\n".join([f"ganforge show {name}", *([train] if train else [])]),
        "work": "\n".join(
            ["ganforge check-plugin .", *([f"{train} --steps 100"] if train else [])]
        ),
        "chosen": "".join(f"\n{sentence}\n" for sentence in how_chosen(name, kinds)),
    }
    values["hooks"] = "\n\n\n".join(_filled(f"hooks/{kind}.py", values).strip() for kind in kinds)
    templates = {**FILES, f"{module}/__init__.py": "hooks/__init__.py"}
    for kind in kinds:
        file = f"{kind}{KINDS[kind].suffix}"
        templates[f"{module}/{file}"] = f"components/{file}"
    rendered = {path: _filled(template, values) for path, template in templates.items()}
    return dict(sorted({**rendered, f"{module}/py.typed": ""}.items()))


def train_command(name: str, kinds: Collection[str]) -> str | None:
    """The command that trains with the new components and the usual ones beside them.

    A recipe names all the others. None where there is no flag for what there is.
    """
    chosen = ["recipe"] if "recipe" in kinds else [kind for kind in KINDS if kind in kinds]
    flags = [KINDS[kind].flags.replace("{}", name) for kind in chosen if KINDS[kind].flags]
    return " ".join(["ganforge train", *flags]) if flags else None


def how_chosen(name: str, kinds: Collection[str]) -> Iterator[str]:
    """A sentence about what no training chooses: a refinement, a format of another's data set."""
    if "refinement" in kinds:
        yield f"Samples of any trained run are refined by `ganforge sample RUN --refine {name}`."
    if "format" in kinds and "dataset" not in kinds:
        yield f'A data set chooses the format: the field of its samples has `format="{name}"`.'


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


def _imports(kinds: Collection[str]) -> Iterator[str]:
    """The imports of the hook module, sorted as ruff sorts them."""
    chosen = [KINDS[kind] for kind in kinds]
    has_options = any(template.has_options for template in chosen)
    names = {f"{kind.capitalize()}Spec" for kind in kinds}
    names.update(name for template in chosen for name in template.imports)
    fielded = "Field" in names  # the functions of which give mappings of fields, or are given some
    yield f"from collections.abc import {'Iterable, Mapping' if fielded else 'Iterable'}"
    if has_options:
        yield "from dataclasses import dataclass"
    yield ""
    ordered = [*sorted(names), "hookimpl", *(["option"] if has_options else [])]
    line = f"from ganforge import {', '.join(ordered)}"
    if len(line) <= LINE_LENGTH:
        yield line
    else:
        yield from ("from ganforge import (", *(f"    {name}," for name in ordered), ")")


def _sample(name: str, kinds: Collection[str]) -> str:
    """The field of the data set's samples, which names the package's own format if it has one."""
    arguments = ['kind="image"', "shape=(1, options.size, options.size)", 'dtype="uint8"']
    if "format" not in kinds:
        return f"Field({', '.join(arguments)})"
    lines = [f"            {it},\n" for it in (*arguments, f'format="{name}"')]
    return f"Field(\n{''.join(lines)}        )"


def _sections(name: str, kinds: Collection[str]) -> Iterator[str]:
    """The sections of a recipe that choose the package's components, and a generator anyway."""
    if "generator" not in kinds:
        yield '[generator]\nname = "mlp"'
    if "features" in kinds:
        yield "[metric.fid]"  # which looks through it
    for kind in [it for it in kinds if KINDS[it].flags and it != "recipe"]:
        for section in sections_of(kind, name):
            yield f"[{section}]" if kind in TABLES else f'[{section}]\nname = "{name}"'


def _filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its values. Raises KeyError for a name that has none."""
    text = files(__name__).joinpath("plugin", f"{template}.template").read_text(encoding="utf-8")
    return re.sub(r"<<(\w+)>>", lambda found: values[found[1]], text)
