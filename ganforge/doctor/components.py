"""Rules of the plugins that made a run or a file: installed, working, and of the same version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganforge.plugin.discovery import Discovered, Discovery
from ganforge.plugin.requirements import installation, normalised
from ganforge.printable import printable
from ganforge.storage.provenance import major_version

from .findings import Fact, Findings, Trouble
from .subject import Subject


def components(subject: Subject) -> Findings:
    """The plugins that the newest checkpoint was made with, or the last session."""
    records = subject.document.get("components")
    made_with = dict(versions_of(records.values() if isinstance(records, Mapping) else ()))
    if not made_with and subject.run.environment.exists():
        for session in subject.sessions[-1:]:
            plugins = session.get("plugins", {})
            made_with = {str(name).partition("/")[0]: str(it) for name, it in plugins.items()}
    yield from of_packages(made_with, subject.discovery)


def versions_of(records: Any) -> Iterator[tuple[str, str]]:
    """Package and version of each component that is on record."""
    for record in records:
        if isinstance(record, Mapping) and "package" in record:
            yield str(record["package"]), str(record.get("version", ""))


def of_packages(made_with: Mapping[str, str], discovery: Discovery) -> Findings:
    """Each package that components came from, beside the one that is installed."""
    sound = []
    for package, version in made_with.items():
        here = [
            it
            for it in discovery.plugins
            if normalised(it.plugin.package) == normalised(package) and it.status != "disabled"
        ]
        troubles = [*_of_package(package, version, here)]
        yield from troubles
        if not troubles:
            sound.append(f"{package} {version}")
    if sound:
        yield Fact(subject="plugins", text=printable(", ".join(sound)))


def _of_package(package: str, version: str, here: list[Discovered]) -> Iterator[Trouble]:
    shown = f"{printable(package, 100)} {printable(version, 40)}"
    install = installation(package, version)
    remedy = f"`{install}`" if install else "install it"
    if not here:
        text = f"it was made with plugins of {shown}, which is not installed, or disabled"
        yield Trouble(name="plugin-that-is-missing", text=text, remedy=remedy)
        return
    for found in here:
        if found.status == "failed" and not found.plugin.bundled:
            yield Trouble(
                name="plugin-that-failed",
                text=f"it was made with plugins of {shown}, and the plugin {found.plugin.name!r} "
                f"of {found.plugin.version} failed to load: {found.reason}",
                remedy=remedy,
            )
    installed = here[0].plugin.version
    if installed != version:
        major = major_version(installed) != major_version(version)
        yield Trouble(
            name="plugin-of-another-version",
            severity="error" if major else "warning",
            text=f"it was made with {shown}, and {printable(installed, 40)} is installed",
            remedy=f"{remedy}; --allow-versions resumes a run all the same" if major else remedy,
        )
