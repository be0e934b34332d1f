"""The classes of a set of images, told from the folders that they lie in."""

from __future__ import annotations

from collections.abc import Sequence

from ganforge import natural_order


def class_names(names: Sequence[str]) -> list[str | None]:
    """For each image the first-level folder that it lies in, None directly under the root.

    A folder that holds everything is a wrapping, as in most zip files, and stands for no class.
    """
    return [parts[0] if len(parts) > 1 else None for parts in unwrapped(names)]


def unwrapped(names: Sequence[str]) -> list[list[str]]:
    """The names of images as folders and a file, without the folders that hold everything."""
    parts = [name.split("/") for name in names]
    depth = _common_depth(parts)
    return [part[depth:] for part in parts]


def labelled(names: Sequence[str | None]) -> tuple[list[int], tuple[str, ...]] | None:
    """Labels in [0, K) and the K names, in natural order; None unless every image has a class."""
    folders = [name for name in names if name is not None]
    if len(folders) < len(names) or not folders:
        return None
    known = sorted(set(folders), key=natural_order)
    index = {name: label for label, name in enumerate(known)}
    return [index[name] for name in folders], tuple(_text(name) for name in known)


def _common_depth(parts: Sequence[list[str]]) -> int:
    """The number of leading folders that all names share."""
    if not parts:
        return 0
    # The first and the last in order differ wherever any two do.
    first, last = min(parts), max(parts)
    folders = min(len(first), len(last)) - 1
    return next((depth for depth in range(folders) if first[depth] != last[depth]), folders)


def _text(name: str) -> str:
    """A folder's name as text that can be written to any file; bytes and controls escaped."""
    return name if name.isprintable() else repr(name)[1:-1]
