"""Where, when and with what a run was trained, and what trains it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganforge.plugin.requirements import installation
from ganforge.printable import printable
from ganforge.runs.run import Run
from ganforge.runs.shared import command_line, configuration

from .markup import folded, table, text, verbatim

#: what a session says of itself, with its heading; the rest of its record follows
_SHOWN = {
    "started": "started",
    "ganforge": "ganforge",
    "torch": "torch",
    "python": "Python",
    "platform": "platform",
    "device": "device",
}


def environment(run: Run) -> str:
    """A row for each session, and the plugins of the last one."""
    if not run.sessions:
        return ""
    rows = [[*(_cell(it.get(key)) for key in _SHOWN), _git(it)] for it in run.sessions]
    sessions = table((*_SHOWN.values(), "code"), rows, "Sessions")
    plugins = _mapping(run.sessions[-1], "plugins")
    versions = table(
        ("component", "version"), [[_cell(it), _cell(plugins[it])] for it in plugins], "Plugins"
    )
    return sessions + (folded(f"{len(plugins)} components", versions) if plugins else "")


def reproduction(run: Run) -> str:
    """Commands to type: what is installed, what was typed for each session, or the whole file."""
    if not run.sessions:
        return _from_file(run)
    installed = [*dict.fromkeys(_installations(run.sessions[-1]))]
    typed = [line for session in run.sessions for line in _typed(session)]
    commands = verbatim("\n".join([*installed, *typed]))
    return (commands if installed or typed else "") + _from_file(run)


def _from_file(run: Run) -> str:
    """The configuration as a file, which alone is enough."""
    again = "<p>Or save the configuration as <code>run.toml</code>, and type</p>"
    again += verbatim("ganforge train --config run.toml")
    return again + folded("run.toml", verbatim(configuration(run)))


def _installations(session: Mapping[str, Any]) -> Iterator[str]:
    yield installation("ganforge", str(session.get("ganforge", "")))
    for qualified, version in _mapping(session, "plugins").items():
        package = str(qualified).partition("/")[0]
        if package != "ganforge":
            yield installation(package, str(version))


def _typed(session: Mapping[str, Any]) -> Iterator[str]:
    git = _mapping(session, "git")
    if git.get("commit"):
        changed = ", with changes that are not in it" if git.get("changed") else ""
        yield f"# in a working folder at commit {printable(git['commit'], 60)}{changed}"
    command = session.get("command")
    if isinstance(command, list) and command:
        yield command_line(command)


def _git(session: Mapping[str, Any]) -> str:
    git = _mapping(session, "git")
    if not git.get("commit"):
        return ""
    changed = " + changes" if git.get("changed") else ""
    return f"<code>{text(str(git['commit'])[:10])}</code>{changed}"


def _mapping(session: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = session.get(key)
    return found if isinstance(found, dict) else {}


def _cell(value: object) -> str:
    return "" if value is None else f"<bdi>{text(value, 120)}</bdi>"
