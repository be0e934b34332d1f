"""Labels of a set of images: of its sub-folders, or of a `dataset.json` beside them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ganforge import DataError

from .census import named, shown
from .classes import class_names, common_depth, labelled, text_of
from .listing import OUTSIDE, ImageFiles
from .names import is_part
from .options import ImagesOptions
from .reading import Candidates

_TABLE = "dataset.json"  # as the tools of StyleGAN write it
_MOST_BYTES = 256 * 2**20


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The class of each candidate, by its name; None where it has none.

    `place` says where those stand that have none, `left_out` are the classes of files that are not
    even candidates.
    """

    root: str
    names: list[str | None]
    place: str = "lie in no sub-folder, and labels need every image to lie in one"
    left_out: frozenset[str] = frozenset()

    def of(self, kept: Sequence[int]) -> tuple[list[int] | None, tuple[str, ...] | None]:
        """Labels and classes of those candidates that are kept; None where not all have one.

        Warns where that is so, and of classes of which nothing is kept.
        """
        names = [self.names[index] for index in kept]
        labels, classes = labelled(names) or (None, None)
        if labels is None and any(names):
            warnings.warn(
                f"the images in {shown(self.root)} have no labels: {names.count(None):,} of "
                f"{len(names):,} {self.place}",
                stacklevel=3,
            )
        found = {name for name in self.names if name is not None} | self.left_out
        gone = sorted(found - {*names})
        if classes is not None and gone:
            warnings.warn(
                f"no image of the class{'' if len(gone) == 1 else 'es'} {named(gone)} in "
                f"{shown(self.root)} can be used, so there are {len(classes)} classes in place of "
                f"{len(classes) + len(gone)}, and those after it have other numbers",
                stacklevel=3,
            )
        return labels, classes


def find_labels(found: Candidates, options: ImagesOptions) -> Labels:
    """The labels of candidates, as `options.labels` says.

    Raises DataError where sub-folders are parts of a data set by their names, and for a
    `dataset.json` that cannot be read.
    """
    root, names = options.root, [entry.name for entry in found.entries]
    nothing = Labels(root=root, names=[None] * len(names))
    if options.labels == "none":
        return nothing
    depth = common_depth(names)
    if options.labels == "auto" and (file := _table_file(found, depth)) is not None:
        given = _table(found.files, file, root)
        found.census.other.remove(file)
        if given is not None:
            none = f"have none in {shown(file)}"
            return Labels(root=root, names=[given.get(name) for name in names], place=none)
        return nothing
    folders = class_names(names, depth)
    if options.labels == "auto":
        _refuse_parts({it for it in folders if it is not None}, root)
    prefix = "/".join([*names[0].split("/")[:depth], ""]) if names and depth else ""
    refused = [
        it.name
        for it in found.census.unreadable
        if it.name.startswith(prefix) and not it.name.endswith("/") and it.reason != OUTSIDE
    ]
    others = class_names(refused, depth)
    left_out = frozenset(it for it in others if it is not None)
    return Labels(root=root, names=folders, left_out=left_out if any(folders) else frozenset())


def _refuse_parts(folders: set[str], root: str) -> None:
    if len(folders) < 2 or not all(map(is_part, folders)):
        return
    first = text_of(min(folders, key=lambda it: ("train" not in it.lower(), it)))
    path = PurePosixPath(root) / first
    raise DataError(
        f"the sub-folders of {shown(root)} are called {named(sorted(folders))}, which are parts of "
        f"a data set and no classes: name one of them, as in {str(path)!r}; or take all images "
        "with dataset.labels = none, without labels, or = folders, where these are the classes"
    )


def _table_file(found: Candidates, depth: int) -> str | None:
    """The `dataset.json` in a folder that holds everything, the outermost first."""
    others = {*found.census.other}
    folders = found.entries[0].name.split("/")[:depth] if found.entries else []
    for end in range(len(folders) + 1):
        name = "/".join([*folders[:end], _TABLE])
        if name in others:
            return name
    return None


def _table(files: ImageFiles, name: str, root: str) -> dict[str, str] | None:
    """The class of each image by name; None where the table has none.

    Raises DataError where it is no such table.
    """
    try:
        with files.open(name) as stream:
            data = stream.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ValueError("it is too large")
        document = json.loads(data)
        given = document.get("labels") if isinstance(document, Mapping) else None
        if given is None:
            return None
        folder = name.removesuffix(_TABLE)
        return {f"{folder}{image}": str(label) for image, label in _rows(given)}
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise DataError(
            f"{shown(name)} in {shown(root)} cannot be read as a table of labels, "
            f'{{"labels": [["a.png", 3], ...]}}: {error}. With dataset.labels = folders, or none, '
            "it is not looked at"
        ) from error


def _rows(given: object) -> Iterator[tuple[str, int]]:
    if not isinstance(given, list | Mapping):
        raise TypeError("labels must be a list")
    for row in given.items() if isinstance(given, Mapping) else given:
        image, label = row
        if not isinstance(image, str) or type(label) is not int:
            raise ValueError(f"{str(row)[:80]} is no name with the number of a class")
        yield image.replace("\\", "/"), label
