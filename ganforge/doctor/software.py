"""Python, and the packages that ganforge requires: which are here, and whether they fit."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from ganforge import __version__
from ganforge.plugin.requirements import CORE_PACKAGE
from ganforge.printable import printable

from .findings import Fact, Findings, Trouble

INSTALL_TORCH = "https://pytorch.org/get-started/locally says how to install both"


def python() -> Findings:
    """The interpreter and the system."""
    built = f"{platform.python_implementation()} {platform.python_version()}"
    yield Fact(subject="python", text=f"{built} on {platform.system()} {platform.machine()}")
    if sys.flags.optimize:
        yield Trouble(
            name="python-without-assertions",
            severity="warning",
            text="Python runs with -O or PYTHONOPTIMIZE, so that checks of plugins and libraries "
            "by `assert` are left out",
            remedy="leave it out: `unset PYTHONOPTIMIZE`",
        )


def packages() -> Findings:
    """The packages that ganforge requires, in the versions that it asks for."""
    yield Fact(subject="ganforge", text=__version__)
    for name, asked in _requirements(CORE_PACKAGE):
        if found := _misfit(name, asked):
            yield Trouble(
                name="package-that-does-not-fit",
                text=f"ganforge asks for {name}{asked}, and {found}",
                remedy=f"`python -m pip install '{name}{asked}'`",
            )


def torch(probed: Mapping[str, Any]) -> Findings:
    """torch and torchvision: whether they load, and are made for each other."""
    for name in ("torch", "torchvision"):
        error = probed.get(name, {}).get("error")
        if error is not None:
            yield Trouble(
                name=f"{name}-does-not-load",
                text=f"{name} cannot be imported: {printable(error, 600)}",
                remedy=f"install torch and torchvision again, together: {INSTALL_TORCH}",
            )
        elif name in probed:
            yield Fact(subject=name, text=printable(probed[name]["version"]))
    # torchvision says of itself which torch it was compiled for.
    for name, asked in _requirements("torchvision"):
        if name == "torch" and (found := _misfit(name, asked)):
            yield Trouble(
                name="torchvision-for-another-torch",
                text=f"torchvision {_version('torchvision')} is made for torch{asked}, and {found}",
                remedy=f"install the two that belong together: {INSTALL_TORCH}",
            )
    for text in probed.get("warnings", []):
        yield Trouble(name="torch-warns", severity="warning", text=f"torch says: {text}")


def _requirements(package: str) -> Iterator[tuple[str, str]]:
    """Names and versions that an installed package requires here, its extras left out."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        texts = requires(package) or []
    except PackageNotFoundError:  # run from its source
        return
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name, str(requirement.specifier)


def _misfit(name: str, asked: str) -> str:
    """The version that is here where it is another than is asked for; empty where it fits."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion

    found = _version(name)
    if not found:
        return "it is not installed"
    try:
        fits = SpecifierSet(asked).contains(found, prereleases=True)
    except InvalidVersion:
        return ""
    return "" if fits else f"{printable(found)} is installed"


def _version(name: str) -> str:
    try:
        return version(name) or ""
    except PackageNotFoundError:
        return ""
