"""What a check watches besides the component: random states, the network, and folders."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy
import torch

from .framework import CheckFailure


def random_states() -> dict[str, str]:
    """The states of the global random generators, in a form that can be compared, by name."""
    return {
        "torch's": torch.random.get_rng_state().numpy().tobytes().hex(),
        "Python's": repr(random.getstate()),
        "NumPy's": repr(numpy.random.get_state(legacy=False)["state"]),
    }


@contextmanager
def global_generators_untouched(doing: str) -> Iterator[None]:
    """Raises CheckFailure where the body draws from a global random generator."""
    before = random_states()
    yield
    after = random_states()
    changed = [name for name, state in before.items() if after[name] != state]
    if changed:
        raise CheckFailure(
            f"the given generator alone to be used while {doing}",
            came=f"a draw from {changed[0]} global one",
            mend="pass generator= to every random function",
        )


@contextmanager
def no_network() -> Iterator[list[str]]:
    """No connection and no look-up of a name succeeds; those that were tried are noted."""
    tried: list[str] = []

    def refuse(*arguments: Any, **_: Any) -> Any:
        tried.append(str(next((it for it in arguments if isinstance(it, str | tuple)), "unknown")))
        raise OSError("the network is closed during this check")

    with (
        mock.patch.object(socket.socket, "connect", refuse),
        mock.patch.object(socket.socket, "connect_ex", refuse),
        mock.patch.object(socket, "create_connection", refuse),
        mock.patch.object(socket, "getaddrinfo", refuse),
    ):
        yield tried


@contextmanager
def elsewhere() -> Iterator[Path]:
    """An empty current folder, which is also the home; both end with the check."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        contextlib.chdir(name),
        mock.patch.dict(os.environ, {"HOME": name, "USERPROFILE": name}),
    ):
        yield Path(name).resolve()


def files_under(folder: Path) -> set[str]:
    """The relative paths of all files."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
