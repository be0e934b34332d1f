"""State that a process has once: `kept` leaves it as it was, and says what some code changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the state of a process, of a module that has to be imported before it is there.

    `read` gives its value, and `restore` sets back one that was read. `differences` names what
    differs between two values, where that is not simply the part. `drawn` says that it is a random
    generator, which using it moves. `early` parts are read once by other modules, when those are
    imported.
    """

    name: str
    module: str
    read: Callable[[Any], Any]
    restore: Callable[[Any, Any], object]
    differences: Callable[[Any, Any], Sequence[str]] | None = None
    drawn: bool = False
    early: bool = False

    @property
    def there(self) -> bool:
        return self.module in sys.modules

    def now(self) -> Any:
        return self.read(sys.modules[self.module])

    def changed(self, before: Any) -> Sequence[str]:
        """The names of what is no longer what it was."""
        if self.differences is not None:
            return self.differences(before, self.now())
        return [] if before == self.now() else [self.name]


class Snapshot:
    """The values that some parts of the process have had."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._values: dict[str, Any] = {}
        self.read(*(it for it in parts if it.there))

    def read(self, *parts: Part) -> None:
        for it in parts:
            with suppress(Exception):  # a deleted working directory, a module that is no such
                self._values[it.name] = it.now()

    def put_back(self, *, early: bool = False) -> list[str]:
        """Set back what has changed, of all parts or of those that are read early, and name it."""
        changes: list[str] = []
        for it in self._parts:
            if it.name not in self._values or (early and not it.early):
                continue
            before = self._values[it.name]
            with suppress(Exception):
                if found := it.changed(before):
                    changes += found
                    it.restore(sys.modules[it.module], before)
        return changes


@contextmanager
def kept(parts: Sequence[Part]) -> Iterator[list[str]]:
    """Leave the process after the body as it was before, and fill the list with what had changed.

    Nothing is imported for that: parts of a module that the body is the first to import are
    compared with what they were when that import had ended; before it the early ones are set back.
    """
    changes: list[str] = []
    snapshot = Snapshot(parts)
    absent = [it for it in parts if not it.there]
    watch = _Arrivals(
        {it.module for it in absent},
        begins=lambda: changes.extend(snapshot.put_back(early=True)),
        ended=lambda module: snapshot.read(*(it for it in absent if it.module == module)),
    )
    sys.meta_path.insert(0, watch)
    try:
        yield changes
    finally:
        with suppress(ValueError):
            sys.meta_path.remove(watch)
        changes[:] = dict.fromkeys([*changes, *snapshot.put_back()])


class _Arrivals:
    """A finder that tells when the import of some modules begins and has ended."""

    def __init__(
        self, names: set[str], *, begins: Callable[[], object], ended: Callable[[str], object]
    ) -> None:
        self._names = names
        self._begins = begins
        self._ended = ended

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        if name not in self._names:
            return None
        self._begins()
        others = [it for it in sys.meta_path if it is not self]
        specs = (it.find_spec(name, path, target) for it in others)
        spec = next((it for it in specs if it is not None), None)
        # The loader of a file is one of its own for each import; others may be shared.
        if spec is not None and "name" in getattr(spec.loader, "__dict__", {}):
            self._listen_to(spec.loader, name)
        return spec

    def _listen_to(self, loader: Any, name: str) -> None:
        load = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            load(module)
            self._ended(name)

        loader.exec_module = exec_module
