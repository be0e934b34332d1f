"""Parts of what a run keeps that are nobody else's business: secrets, and places of a machine.

A secret is known by the name of its key. It is not written anywhere; a run that goes on is given it
again. Absolute paths stay where they are needed to go on, and are names alone in what people share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

HIDDEN = "***"

_SECRET = re.compile(
    r"(.*[._-])?(token|secret|password|passwd|passphrase|credentials?|api[_-]?key|access[_-]?key|"
    r"private[_-]?key)",
    re.IGNORECASE,
)
_ASSIGNMENT = re.compile(r"(?P<flag>--[\w-]+=)?(?P<key>[^=]+)=(?P<value>.*)", re.DOTALL)
_LOGIN = re.compile(r"(?P<scheme>\b[A-Za-z][\w+.-]*://)[^/@\s]+@")
_PATH = re.compile(r"(/|~|[A-Za-z]:[\\/]).*", re.DOTALL)


def is_secret(key: str) -> bool:
    """True for the key of a setting whose value is a secret: `api_key`, `callback.hub.token`."""
    return _SECRET.fullmatch(key.strip("\"' ")) is not None


def redacted(value: Any) -> Any:
    """A document without secrets: by their keys, in assignments of a command, in addresses."""
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if is_secret(str(key)) and it not in (None, "") else redacted(it)
            for key, it in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted(it) for it in value]
    if not isinstance(value, str):
        return value
    found = _ASSIGNMENT.fullmatch(value)
    if found is not None and is_secret(found["key"]):
        return f"{found['flag'] or ''}{found['key']}={HIDDEN}"
    return _LOGIN.sub(rf"\g<scheme>{HIDDEN}@", value)


def shareable(value: Any) -> Any:
    """A redacted document in which absolute paths, those in assignments too, are names alone."""
    return _named(redacted(value))


def portable(value: Any) -> Any:
    """A value in which paths are those of any user: below the home directory as `~/`, else names.

    What goes on from it on the same machine finds what lies in the home directory.
    """
    if isinstance(value, Mapping):
        return {key: portable(it) for key, it in value.items()}
    if isinstance(value, list | tuple):
        return [portable(it) for it in value]
    if not isinstance(value, str) or not _PATH.fullmatch(value) or value.startswith("~"):
        return value
    with suppress(ValueError, RuntimeError):  # not below it, or there is none
        return str(PurePath("~", PurePath(value).relative_to(Path.home())))
    return _named(value)


def _named(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _named(it) for key, it in value.items()}
    if isinstance(value, list | tuple):
        return [_named(it) for it in value]
    if not isinstance(value, str):
        return value
    if _PATH.fullmatch(value):
        return PurePath(value.replace("\\", "/")).name
    found = _ASSIGNMENT.fullmatch(value)
    if found is not None and _PATH.fullmatch(found["value"].strip("\"'")):
        name = _named(found["value"].strip("\"'"))
        return f"{found['flag'] or ''}{found['key']}={name}"
    return value
