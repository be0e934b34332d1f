"""Requirements of packages: the ganforge that a plugin asks for, and the command that installs one.

`packaging` is imported when a package asks for a ganforge, and not before: it takes its time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from ganforge.printable import printable

CORE_PACKAGE = "ganforge"


def normalised(name: str) -> str:
    """A package's name in lower case with hyphens, as two spellings of one are compared."""
    return name.strip().lower().replace("_", "-").replace(".", "-")


def misfit(requirements: Iterable[str]) -> str:
    """The ganforge that some requirements ask for, where it is not this one; else empty.

    An installer would not have put the two together; a forced or a later installation does. A
    requirement that cannot be read, or that is meant for another machine or an extra, asks nothing.
    """
    ours = [
        it for it in requirements if normalised(it.strip()[: len(CORE_PACKAGE)]) == CORE_PACKAGE
    ]
    if not ours:
        return ""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        here = version(CORE_PACKAGE)
    except PackageNotFoundError:  # run from its source
        return ""
    for text in ours:
        try:
            asked = Requirement(text)
        except InvalidRequirement:
            continue
        if normalised(asked.name) != CORE_PACKAGE:
            continue
        if asked.marker is not None and not asked.marker.evaluate({"extra": ""}):
            continue
        if not asked.specifier.contains(here, prereleases=True):
            shown = printable(str(asked.specifier), 60)
            return f"it asks for ganforge{shown}, and {here} is installed"
    return ""


def installation(package: str, release: str) -> str:
    """`pip install 'package==1.0'`; empty where the two are no name and version.

    They may come from a file that somebody else wrote, and people copy commands.
    """
    if _PACKAGE.fullmatch(package) and _VERSION.fullmatch(release):
        return f"pip install '{package}=={release}'"
    return ""


_PACKAGE = re.compile(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?", re.ASCII)
_VERSION = re.compile(r"[0-9][\w.+!-]*", re.ASCII)
