"""What the checkpoints of a run say of it, read without their tensors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ganforge.errors import CheckpointError, NewerFormatError
from ganforge.storage.run_directory import RunDirectory
from ganforge.storage.tensor_header import CHECKPOINT, read_document


class Described(NamedTuple):
    """A checkpoint, and the document in it."""

    step: int
    path: Path
    document: dict[str, Any]


def described_checkpoints(run: RunDirectory) -> Iterator[Described]:
    """The checkpoints of a run that can be read, the newest first.

    Damaged ones are left out, which is told when one is loaded. Raises NewerFormatError for one of
    a newer ganforge, which is no damage.
    """
    for step, path in run.list_checkpoints():
        try:
            document = read_document(path, CHECKPOINT)
        except NewerFormatError:
            raise
        except CheckpointError:
            continue
        yield Described(step, path, document)
