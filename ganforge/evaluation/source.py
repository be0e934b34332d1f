"""Sources of an evaluation, as their files tell without torch: a run, a generator, samples."""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ganforge.config.run_config import Selection, makes_pairs
from ganforge.errors import CheckpointError, UsageError
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import GameSpec, SamplerSpec
from ganforge.printable import printable
from ganforge.storage.derived import generator_file
from ganforge.storage.paths import suffix_of
from ganforge.storage.provenance import restore
from ganforge.storage.run_directory import RunDirectory
from ganforge.storage.stored_format import stored_field
from ganforge.storage.tensor_header import GENERATOR, read_document

Kind = Literal["run", "generator", "arrays", "samples"]
ARRAYS = ".npz"
_MOST_HEADER = 65536  # bytes of the header of an array


@dataclass(frozen=True, kw_only=True)
class Source:
    """Source of the samples that are evaluated.

    `shape` is that of its samples, where the files tell; `conditions` are the fields that its
    samples are made for; `sampler` and `provides` say what its generator does with real ones.
    """

    kind: Kind
    path: Path
    generator: Path | None = None
    shape: tuple[int, ...] | None = None
    conditions: Mapping[str, Field] = field(default_factory=dict)
    sampler: Selection[SamplerSpec] | None = None
    provides: frozenset[str] = frozenset()

    @property
    def run(self) -> RunDirectory | None:
        """The run that it is."""
        return RunDirectory(self.path) if self.kind == "run" else None

    def known(self, fields: Mapping[str, Field]) -> set[str]:
        """Quantities to be read of data of these fields, beside what the data set knows."""
        found = {*self.provides, *(fields.keys() - {SAMPLE})}
        if LABEL in fields:
            found.add("labels")
        if LABEL in self.conditions:
            found.add("fake_labels")
        if self.sampler is not None and makes_pairs(self.sampler, fields):
            found.add("reconstruction")
        return found

    @property
    def needed(self) -> set[str]:
        """The fields of the data that its generator is fed or told."""
        read = set() if self.sampler is None else {*self.sampler.says("reads")}
        return {*self.conditions, *(read - {"labels", "samples"})}


def find_source(path: Path, registry: Registry, *, best: bool) -> Source:
    """The source that a path names. Raises UsageError, and CheckpointError for a damaged file."""
    where = printable(path)
    if path.is_dir() and (path / "config.toml").is_file():
        return _generator("run", path, generator_file(path, best=best), registry)
    if best:
        raise UsageError(f"--best is for a run, and {where} is none")
    if not path.exists():
        raise UsageError(
            f"there is nothing in {where}: name a run directory, a generator.safetensors, a folder "
            "of samples or an .npz file of them"
        )
    if suffix_of(path) == ARRAYS:
        shapes = shapes_of_arrays(path)
        if "samples" not in shapes:
            raise UsageError(f"{where} has no array 'samples'")
        # Labels of samples that were made for none are none that they were made for.
        told = {LABEL: Field(kind="category")} if "labels" in shapes else {}
        return Source(kind="arrays", path=path, shape=shapes["samples"][1:], conditions=told)
    if path.is_dir() or suffix_of(path) == ".zip":
        return Source(kind="samples", path=path)
    return _generator("generator", path, path, registry)


def _generator(kind: Kind, path: Path, file: Path, registry: Registry) -> Source:
    document, where = read_document(file, GENERATOR), printable(file)
    try:
        problem = document["problem"]
        stored = problem.get("conditions") or {}
        conditions = {str(name): stored_field(it) for name, it in stored.items()}
        if SAMPLE not in problem and problem.get("num_classes") is not None:  # of 0.1
            conditions[LABEL] = Field(kind="category", classes=_classes(document))
        shape = tuple(int(side) for side in problem["sample_shape"])
        record: dict[str, Any] = document["sampler"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{where} is damaged: its description is incomplete") from error
    provides: frozenset[str] = frozenset()
    if "game" in document:
        game = restore(GameSpec, document["game"], registry, where)
        provides = frozenset(game.says("provides"))
    return Source(
        kind=kind,
        path=path,
        generator=file,
        shape=shape,
        conditions=conditions,
        sampler=restore(SamplerSpec, record, registry, where),
        provides=provides,
    )


def _classes(document: Mapping[str, Any]) -> tuple[str, ...]:
    names = document.get("classes") or range(int(document["problem"]["num_classes"]))
    return tuple(map(str, names))


def shapes_of_arrays(path: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of the arrays of an `.npz` file by name. Raises UsageError."""
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as file:
                    found[name.removesuffix(".npy")] = _shape(file.read(_MOST_HEADER))
    except (OSError, zipfile.BadZipFile, ValueError, SyntaxError, KeyError, TypeError) as error:
        raise UsageError(f"{printable(path)} is not an .npz file of arrays") from error
    return found


def _shape(start: bytes) -> tuple[int, ...]:
    """The shape in the header of an array in NumPy's format, of version 1, 2 or 3."""
    if start[:6] != b"\x93NUMPY":
        raise ValueError("no array")
    size = 2 if start[6] == 1 else 4
    length = int.from_bytes(start[8 : 8 + size], "little")
    header = ast.literal_eval(start[8 + size : 8 + size + length].decode("latin-1"))
    return tuple(int(side) for side in header["shape"])
