"""Manifest of the data of a run: what it was trained on, so that a difference can be told.

It holds the number of samples, their fields with their classes, and the files that they come from.
Of a set that names no files some samples are looked at instead. Nothing is read for it alone but
those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from ganforge.contracts import Dataset, InMemoryDataset, MapDataset
from ganforge.contracts.datasets import FileRecord
from ganforge.plugin.fields import Field

from .marks import Mark, marks_of

MOST_FILES = 200_000  # of which each is remembered


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The data that a run was trained on.

    `num_samples` is None for an endless set. `classes` are by the category that has them, `shapes`
    by field. `files` are those that the samples come from, `num_files` their number where they are
    too many to be remembered one by one, and `digest` a text that changes with any of this.
    `marks` are by field, for samples that lie evenly in the set.
    """

    num_samples: int | None
    shapes: Mapping[str, list[int]]
    classes: Mapping[str, tuple[str, ...]]
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    num_files: int = 0
    files_digest: str = ""
    marks: Mapping[str, Sequence[Mark]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """32 hexadecimal digits."""
        document = replace(self, files={}).to_json()
        return blake2b(json.dumps(document).encode(), digest_size=16).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The manifest as a document; `from_json` makes it again."""
        return {
            "samples": self.num_samples,
            "shapes": dict(self.shapes),
            "classes": {name: [*it] for name, it in self.classes.items()},
            "files": {name: [*it] for name, it in self.files.items()},
            "num_files": self.num_files,
            "files_digest": self.files_digest,
            "marks": {name: [*it] for name, it in self.marks.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Manifest:
        """Raises ValueError, KeyError or TypeError for a document that is none."""
        return cls(
            num_samples=document["samples"],
            shapes={name: [*it] for name, it in document["shapes"].items()},
            classes={name: tuple(it) for name, it in document["classes"].items()},
            files={name: FileRecord(*it) for name, it in document["files"].items()},
            num_files=int(document["num_files"]),
            files_digest=str(document["files_digest"]),
            marks={name: [*it] for name, it in document["marks"].items()},
        )


def take_manifest(dataset: Dataset, fields: Mapping[str, Field], *, look: bool = True) -> Manifest:
    """The manifest of a data set as it is now; `fields` are those of it that a run uses.

    Without `look` no samples are, as of data that has a digest of its own.
    """
    files = dataset.file_records()
    return Manifest(
        num_samples=len(dataset) if isinstance(dataset, InMemoryDataset | MapDataset) else None,
        shapes={name: [*it.known_shape] for name, it in fields.items()},
        classes={name: it.classes for name, it in fields.items() if it.classes is not None},
        files=files if len(files) <= MOST_FILES else {},
        num_files=len(files),
        files_digest=_digest(files) if files else "",
        marks=marks_of(dataset, fields) if look and not files else {},
    )


def _digest(files: Mapping[str, FileRecord]) -> str:
    found = blake2b(digest_size=16)
    for name, it in sorted(files.items()):
        text = f"{name!r} {it.size} {it.checksum} {it.label!r}\n"
        found.update(text.encode(errors="surrogateescape"))
    return found.hexdigest()
