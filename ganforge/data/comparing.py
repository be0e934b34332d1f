"""Comparison of what a run was trained on with what is there now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ganforge.printable import printable

from .manifest import Manifest
from .marks import same


def differences(stored: Manifest, now: Manifest) -> list[str]:
    """Phrases for the kinds of data that are other than they were; empty where none is."""
    found = list(_other_files(stored, now))
    if stored.num_samples != now.num_samples:
        were = "endless ones" if stored.num_samples is None else f"{stored.num_samples:,}"
        found.append(f"{_counted(now.num_samples)} in place of {were}")
    for name in stored.classes.keys() & now.classes.keys():
        was, new = stored.classes[name], now.classes[name]
        if sorted(was) != sorted(new):  # in another order they are brought to that of the run
            found.append(f"the classes of {name!r} are {_some(new)} and were {_some(was)}")
    for name in stored.shapes.keys() & now.shapes.keys():
        if stored.shapes[name] != now.shapes[name]:
            found.append(f"{name!r} is {now.shapes[name]} and was {stored.shapes[name]}")
    if stored.num_samples == now.num_samples:
        found += _other_marks(stored, now)
    return found


def moved_classes(stored: Manifest, now: Manifest) -> list[str]:
    """The classes most of whose files belong to another class now, though the names are the same.

    Files of the same content, which could be either's, are left aside.
    """
    then, there = _labels(stored), _labels(now)
    known = {*then.values()}
    sizes = Counter(then.values())
    moves = Counter(
        (was, there[content])
        for content, was in then.items()
        if there.get(content, was) != was and there[content] in known
    )
    return [
        f"{num:,} of {sizes[was]:,} files of {printable(was, 60)!r} are {printable(new, 60)!r} now"
        for (was, new), num in moves.items()
        if 2 * num > sizes[was]
    ]


def _labels(manifest: Manifest) -> dict[tuple[int, int], str]:
    """The classes of the files that no other has the content of, by that."""
    found: dict[tuple[int, int], str] = {}
    contents = Counter((it.size, it.checksum) for it in manifest.files.values())
    for it in manifest.files.values():
        if it.label is not None and contents[it.size, it.checksum] == 1:
            found[it.size, it.checksum] = it.label
    return found


def _other_files(stored: Manifest, now: Manifest) -> Iterator[str]:
    if stored.files_digest == now.files_digest:
        return
    if not stored.files or not now.files:
        if stored.num_files and now.num_files:
            yield f"its files are others ({now.num_files:,} in place of {stored.num_files:,})"
        return
    added = [name for name in now.files if name not in stored.files]
    removed = [name for name in stored.files if name not in now.files]
    changed = [n for n, it in stored.files.items() if n in now.files and it != now.files[n]]
    renamed = _renamed(removed, added, stored, now)
    moved = [f"{old} to {new}" for old, new in renamed.items()]
    lists = {
        "added": [name for name in added if name not in {*renamed.values()}],
        "removed": [name for name in removed if name not in renamed],
        "changed": changed,
        "moved": moved,
    }
    for verb, names in lists.items():
        if names:
            files = "1 file" if len(names) == 1 else f"{len(names):,} files"
            yield f"{files} {verb} ({_some(names)})"


def _renamed(
    removed: list[str], added: list[str], stored: Manifest, now: Manifest
) -> dict[str, str]:
    """Those of the removed files whose content stands under another name now."""
    content = {(now.files[it].size, now.files[it].checksum): it for it in reversed(added)}
    found: dict[str, str] = {}
    for name in removed:
        it = stored.files[name]
        if (new := content.pop((it.size, it.checksum), None)) is not None:
            found[name] = new
    return found


def _other_marks(stored: Manifest, now: Manifest) -> Iterator[str]:
    for name in stored.marks.keys() & now.marks.keys():
        pairs = [*zip(stored.marks[name], now.marks[name], strict=False)]
        num = sum(not same(was, new) for was, new in pairs)
        if num:
            yield f"{num:,} of {len(pairs):,} values of {name!r} that were compared are others"


def _counted(num: int | None) -> str:
    return "endless samples" if num is None else f"{num:,} sample{'' if num == 1 else 's'}"


def _some(names: Sequence[str], num: int = 3) -> str:
    more = f" and {len(names) - num:,} more" if len(names) > num else ""
    return ", ".join(printable(it, 120) for it in names[:num]) + more
