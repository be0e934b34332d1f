"""The classes of a set of images, told from the folders that they lie in."""

from __future__ import annotations

from collections.abc import Sequence

from ganforge import natural_order


def class_names(names: Sequence[str], depth: int | None = None) -> list[str | None]:
    """For each image the folder at this depth that it lies in, None where it lies in none.

    The depth is that of the first folders that not all of them share, unless it is given.
    """
    depth = common_depth(names) if depth is None else depth
    if depth == 0:
        return [name.partition("/")[0] if "/" in name else None for name in names]
    split = [name.split("/", depth + 1) for name in names]
    return [parts[depth] if len(parts) > depth + 1 else None for parts in split]


def common_depth(names: Sequence[str]) -> int:
    """The number of leading folders that all names share.

    A folder that holds everything is a wrapping, as in most zip files, and stands for no class.
    """
    if not names:
        return 0
    # The first and the last in order differ wherever any two do.
    first, last = (name.split("/") for name in (min(names), max(names)))
    folders = min(len(first), len(last)) - 1
    return next((depth for depth in range(folders) if first[depth] != last[depth]), folders)


def unwrapped(names: Sequence[str]) -> list[list[str]]:
    """The names of images as folders and a file, without the folders that hold everything."""
    depth = common_depth(names)
    return [name.split("/")[depth:] for name in names]


def labelled(names: Sequence[str | None]) -> tuple[list[int], tuple[str, ...]] | None:
    """Labels in [0, K) and the K names, in natural order; None unless every image has a class."""
    known = sorted({name for name in names if name is not None}, key=natural_order)
    index = {name: label for label, name in enumerate(known)}
    labels = [index[name] for name in names if name is not None]
    if len(labels) < len(names) or not labels:
        return None
    return labels, tuple(text_of(name) for name in known)


def text_of(name: str) -> str:
    """A folder's name as text that can be written to any file; bytes and controls escaped."""
    return name if name.isprintable() else repr(name)[1:-1]
