"""Requirements of packages: the ganforge that a plugin asks for, and the command that installs one.

`packaging` is imported when a package asks for a ganforge, and not before: it takes its time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from ganforge.printable import printable

CORE_PACKAGE = "ganforge"


def normalised(name: str) -> str:
    """A package's name in lower case with hyphens, as two spellings of one are compared."""
    return name.strip().lower().replace("_", "-").replace(".", "-")


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """A requirement that the installed ganforge does not meet.

    `newer` says that a later one might.
    """

    asked: str
    here: str
    newer: bool

    def __str__(self) -> str:
        verb = "needs" if self.newer else "asks for"
        return f"it {verb} ganforge{printable(self.asked, 60)}, and {self.here} is installed"


def misfit(requirements: Iterable[str]) -> Misfit | None:
    """The ganforge that some requirements ask for, where it is not this one.

    An installer would not have put the two together; a forced or a later installation does. A
    requirement that cannot be read, or that is meant for another machine or an extra, asks nothing.
    """
    ours = [
        it for it in requirements if normalised(it.strip()[: len(CORE_PACKAGE)]) == CORE_PACKAGE
    ]
    if not ours:
        return None
    from packaging.requirements import Requirement
    from packaging.version import Version

    try:
        here = Version(version(CORE_PACKAGE))
    except PackageNotFoundError:  # run from its source
        return None
    for text in ours:
        try:
            asked = Requirement(text)
            elsewhere = asked.marker is not None and not asked.marker.evaluate({"extra": ""})
        except ValueError:
            continue
        if normalised(asked.name) != CORE_PACKAGE or elsewhere:
            continue
        if not asked.specifier.contains(here, prereleases=True):
            release = Version(here.base_version)  # what is being made counts as made
            newer = any(
                bound.operator in _LOWEST and Version(bound.version.removesuffix(".*")) > release
                for bound in asked.specifier
            )
            return Misfit(asked=str(asked.specifier), here=str(here), newer=newer)
    return None


#: what comes before the lowest version that is asked for
_LOWEST = (">=", ">", "~=", "==")


def installation(package: str, release: str) -> str:
    """`pip install 'package==1.0'`; empty where the two are no name and version.

    They may come from a file that somebody else wrote, and people copy commands.
    """
    if _PACKAGE.fullmatch(package) and _VERSION.fullmatch(release):
        return f"pip install '{package}=={release}'"
    return ""


_PACKAGE = re.compile(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?", re.ASCII)
_VERSION = re.compile(r"[0-9][\w.+!-]*", re.ASCII)
