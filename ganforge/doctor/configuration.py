"""Rules of a run's configuration: it works here, and it is the one that was trained with."""

from __future__ import annotations

from collections.abc import Mapping

from ganforge.config.layers import KeyPath, from_run, from_text
from ganforge.config.resolve import resolve
from ganforge.config.run_config import ConfigLine
from ganforge.engine.resuming import is_from_before, is_same, may_change
from ganforge.errors import ConfigError, GanforgeError, shortened
from ganforge.printable import printable

from .findings import Fact, Findings, Trouble
from .subject import Subject


def configuration(subject: Subject) -> Findings:
    """`config.toml` can be read, and says what the newest checkpoint was trained with."""
    path = subject.run.config
    if not path.exists():
        yield Trouble(
            name="configuration-that-is-missing",
            text=f"there is no {printable(path)}",
            remedy=subject.restore,
        )
        return
    stored = subject.document.get("config")
    try:
        layer = from_run(path)
    except ConfigError as error:
        yield Trouble(name="damaged-configuration", text=str(error), remedy=subject.restore)
        return
    if not isinstance(stored, str):
        yield Fact(subject="configuration", text="can be read")
        return
    now = {entry.path: entry.value for entry in layer.entries}
    trained = {it.path: it.value for it in from_text(stored, "the checkpoint").entries}
    found = subject.document.get("overridden")
    overridden = found if isinstance(found, Mapping) else {}
    differing = [
        key
        for key in {**trained, **now}
        if not is_same(key, trained.get(key), now.get(key))
        # A session that overrides writes the checkpoint first; killed there, it leaves an older
        # file, which resuming knows.
        and not is_from_before(key, now.get(key), overridden)
    ]
    if not differing:
        yield Fact(subject="configuration", text="as in the newest checkpoint")
        return
    lines = _lines(subject)
    changeable = [key for key in differing if may_change(key, lines.get(key))]
    fixed = [key for key in differing if key not in changeable]
    if fixed:
        yield Trouble(
            name="configuration-that-differs",
            text=f"{printable(path)} is not what the newest checkpoint was trained with: "
            f"{_shown(fixed, trained, now)}",
            remedy=f"{subject.restore}; with `--override KEY=VALUE` a run goes on with other "
            "settings, on record",
        )
    if changeable:
        yield Trouble(
            name="configuration-that-was-changed",
            severity="warning",
            text=f"{printable(path)} has changed since the newest checkpoint: "
            f"{_shown(changeable, trained, now)}",
            remedy=f"{subject.resume} goes on with what it says now",
        )


def _lines(subject: Subject) -> dict[KeyPath, ConfigLine]:
    """The keys of the configuration, where it works here."""
    config = subject.config
    if not isinstance(config, GanforgeError):
        return config.values()
    try:
        layer = from_text(str(subject.document["config"]), "the checkpoint")
        return resolve([layer], subject.discovery.registry).values()
    except GanforgeError:
        return {}


def _shown(keys: list[KeyPath], trained: dict[KeyPath, object], now: dict[KeyPath, object]) -> str:
    """`training.seed: 0 -> 7`, for the first few keys."""
    return shortened(
        [
            f"{printable('.'.join(key), 100)}: {_value(trained, key)} -> {_value(now, key)}"
            for key in keys
        ]
    )


def _value(values: dict[KeyPath, object], key: KeyPath) -> str:
    return printable(values[key], 60) if key in values else "absent"


def works_here(subject: Subject) -> Findings:
    """The configuration resolves with the components that are installed."""
    config = subject.config
    try:
        from_run(subject.run.config)
    except ConfigError:
        return  # which is a trouble already
    if isinstance(config, GanforgeError):
        text = printable(config, 1500)
        yield Trouble(
            name="configuration-that-does-not-work",
            text=f"the configuration does not work here: {text}",
            remedy="the packages of the run's plugins, in the versions that it was made with, "
            "bring back what is missing",
        )
