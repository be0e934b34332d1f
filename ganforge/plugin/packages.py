"""Installed packages and their entry points, also of those whose metadata is damaged.

`importlib.metadata.entry_points` reads the file of every package that is installed, and one
malformed line in any of them is an exception for all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

from ganforge.printable import described, printable, represented

from .requirements import normalised

ENTRY_POINTS = "entry_points.txt"


@dataclass(frozen=True, kw_only=True)
class Package:
    """An installed package: its entry points of one group, and what is wrong with its metadata."""

    name: str
    version: str
    requirements: tuple[str, ...]
    entry_points: tuple[EntryPoint, ...]
    faults: tuple[str, ...] = ()


def packages_with(group: str) -> list[Package]:
    """The packages that have entry points of a group, or whose entry points cannot be known."""
    found: dict[str, tuple[Path | None, list[Package]]] = {}
    for distribution in distributions():
        name, folder = _normalised_name(distribution), _folder(distribution)
        place = folder.parent if folder else None
        if name in found and found[name][0] != place:
            continue  # what comes first on the path is what Python imports
        package = read_package(distribution, group)
        found.setdefault(name, (place, []))[1].append(package)
    chosen = [_newest(twins) for _, twins in found.values()]
    return [it for it in chosen if it.entry_points or it.faults]


def read_package(distribution: Distribution, group: str) -> Package:
    """An installed package, as far as it can be read."""
    entry_points, faults = _entry_points(distribution, group)
    if not entry_points and not faults:  # its metadata, which takes longer, is nobody's concern
        return Package(name="", version="", requirements=(), entry_points=())
    written, version = _written(distribution)
    fields = {"Name": written, "Version": version}
    requirements: tuple[str, ...] = ()
    try:
        for field in fields:
            if field in distribution.metadata:
                fields[field] = distribution.metadata[field] or fields[field]
            else:
                faults.append(f"its METADATA has no {field}")
        requirements = tuple(distribution.requires or ())
    except Exception as error:
        faults.append(f"its METADATA cannot be read ({described(error)}); install it again")
    return Package(
        name=fields["Name"],
        version=fields["Version"],
        requirements=requirements,
        entry_points=tuple(entry_points),
        faults=tuple(faults),
    )


def _newest(twins: list[Package]) -> Package:
    """One of the packages of one name that lie in one folder, which an installer never leaves."""
    if len(twins) == 1:
        return twins[0]
    from packaging.version import InvalidVersion, Version

    def age(package: Package) -> tuple[bool, Version]:
        try:
            return True, Version(package.version)
        except InvalidVersion:
            return False, Version("0")

    newest = max(twins, key=age)
    if not newest.entry_points and not newest.faults:
        return newest
    versions = " and ".join(sorted(printable(it.version, 60) or "another" for it in twins))
    fault = f"it is installed {len(twins)} times in one folder, as {versions}; install it again"
    return replace(newest, faults=(*newest.faults, fault))


def _entry_points(distribution: Distribution, group: str) -> tuple[list[EntryPoint], list[str]]:
    """The entry points of a group, and what is wrong with the file, of whatever group."""
    try:
        text = distribution.read_text(ENTRY_POINTS)
    except Exception as error:
        return [], [f"its {ENTRY_POINTS} cannot be read ({described(error)}); install it again"]
    if text is None:
        folder = _folder(distribution)
        if folder is not None and _exists(folder / ENTRY_POINTS):
            return [], [f"its {ENTRY_POINTS} cannot be read; install it again"]
        return [], []
    found: list[EntryPoint] = []
    section, faulty = "", None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = (it.strip() for it in stripped.partition("="))
        if stripped.startswith("[") and stripped.endswith("]"):
            section = stripped[1:-1]
        elif not equals:
            faulty = faulty or (number, stripped)
        elif section == group:
            found.append(EntryPoint(name=name, value=value, group=group))
    if faulty is None:
        return found, []
    number, stripped = faulty
    fault = f"its {ENTRY_POINTS} is malformed in line {number}: {represented(stripped, 60)}"
    return found, [fault]


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:
        return True


def _folder(distribution: Distribution) -> Path | None:
    """The folder of its metadata, where it lies in one."""
    folder = getattr(distribution, "_path", None)  # as the finder of files has it
    return folder if isinstance(folder, Path) else None


def _written(distribution: Distribution) -> tuple[str, str]:
    """Name and version as its folder has them, `ganforge_mine-1.0.dist-info`."""
    folder = _folder(distribution)
    if folder is None or folder.suffix not in (".dist-info", ".egg-info"):
        return "unknown", "unknown"
    name, _, version = folder.stem.partition("-")
    return normalised(name) or "unknown", version.partition("-")[0] or "unknown"


def _normalised_name(distribution: Distribution) -> str:
    written, _ = _written(distribution)
    if written != "unknown":
        return written
    try:
        return normalised(distribution.metadata["Name"])
    except Exception:
        return "unknown"
