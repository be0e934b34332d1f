"""Files of a run that follow from its checkpoints: the generator, and the best one.

A checkpoint is written first, and these after it. A run that is killed between the two, or whose
files were deleted, has them written again from the checkpoint, by whoever looks for them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganforge.errors import CheckpointError, NewerFormatError, RunDirectoryError, UsageError
from ganforge.printable import printable
from ganforge.storage.descriptions import described_checkpoints
from ganforge.storage.run_directory import Lock, RunDirectory, is_locked
from ganforge.storage.tensor_header import CHECKPOINT, GENERATOR, read_document

if TYPE_CHECKING:
    from torch import Tensor

#: where a checkpoint says what its generator is; those of 0.1 do not
SAMPLED = "sampled"

_AVERAGE, _TRAINED = "ema/", "generator/"


def as_generator(
    tensors: Mapping[str, Tensor], document: Mapping[str, Any]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the document that the generator of a checkpoint has in a file of its own.

    A generator is known by its average, where there is one.
    """
    prefix = _AVERAGE if any(name.startswith(_AVERAGE) for name in tensors) else _TRAINED
    found = {
        name.replace(prefix, _TRAINED, 1): tensor
        for name, tensor in tensors.items()
        if name.startswith((prefix, "game/", "fit/"))
    }
    return found, {**document[SAMPLED], "step": document["step"]}


def write_generators(
    run: RunDirectory, tensors: Mapping[str, Tensor], document: Mapping[str, Any]
) -> None:
    """Write the generator of a checkpoint, and once more where it is the best so far.

    Raises CheckpointError.
    """
    _write(run.generator, tensors, document)
    best = document["best"]
    if best is not None and best["step"] == document["step"]:
        _write(run.best, tensors, document, best)


def complete(run: RunDirectory, tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> None:
    """Write the generators that a run must have beside this checkpoint, where they are not there.

    One that is damaged, or of another checkpoint, is not there. Raises CheckpointError.
    """
    from ganforge.storage import tensor_file

    expected, _ = as_generator(tensors, document)
    if not _holds(run.generator, expected):
        _write(run.generator, tensors, document)
    best = document["best"]
    if best is None or _best_of(run) == best:
        return
    if best["step"] == document["step"]:
        _write(run.best, tensors, document, best)
        return
    path = run.checkpoint(int(best["step"]))
    try:
        kept, stored = tensor_file.read(path, CHECKPOINT)
        _write(run.best, kept, {SAMPLED: document[SAMPLED], **stored}, best)
    except CheckpointError as error:
        warnings.warn(
            f"{printable(run.best)} is not that of step {best['step']}, and cannot be written "
            f"again: {error}",
            stacklevel=2,
        )


def generator_file(source: Path, *, best: bool = False) -> Path:
    """The generator of a run directory, the last or the `best` one, or the file itself that is one.

    That of a run in which nothing is trained at the moment is written anew where its checkpoint is
    newer. Raises UsageError where there is none, or where the run has not saved one yet, and
    CheckpointError where it cannot be written.
    """
    run = RunDirectory(source)
    if best and not source.is_dir():
        raise UsageError(f"the best generator is that of a run directory, and {run} is none")
    path = (run.best if best else run.generator) if source.is_dir() else source
    if source.is_dir():
        _catch_up(run, path, best=best)
    if path.exists():
        return path
    if best and run.config.is_file():
        raise UsageError(
            f"the run in {run} has kept no best generator: evaluation.best names the metric that "
            "tells it"
        )
    if run.config.is_file():
        raise UsageError(
            f"the run in {run} has not saved a generator yet: it does so with its first checkpoint"
        )
    raise UsageError(f"{run} is neither a run directory nor a generator.safetensors")


def _catch_up(run: RunDirectory, path: Path, *, best: bool) -> None:
    """Write the generator of the newest checkpoint, where what is there is older or nothing is."""
    newest = _newest(run)
    if newest is None or not _is_behind(run, newest, best=best) or is_locked(run):
        return
    try:
        with Lock(run):
            _write_from_newest(run, path, newest["best"] if best else None)
    except (CheckpointError, RunDirectoryError) as error:
        state = "older than its checkpoint" if path.exists() else "not there"
        what = f"{printable(path)} is {state}, and cannot be written from that: {error}"
        if not path.exists():
            raise CheckpointError(what) from error
        warnings.warn(what, stacklevel=3)


def _newest(run: RunDirectory) -> dict[str, Any] | None:
    """The document of the newest checkpoint; None where there is none that this version reads."""
    with suppress(NewerFormatError):  # which is told when it is loaded
        for described in described_checkpoints(run):
            return described.document
    return None


def _is_behind(run: RunDirectory, newest: Mapping[str, Any], *, best: bool) -> bool:
    if best:
        return newest.get("best") is not None and _best_of(run) != newest["best"]
    try:
        stored = read_document(run.generator, GENERATOR)
    except CheckpointError:
        return not run.generator.exists()  # a damaged one is told when it is read
    # One of 0.1 does not say; it was written before its checkpoint.
    step = stored.get("step", newest["step"])
    return bool(step < newest["step"])


def _best_of(run: RunDirectory) -> Any:
    """The record in the best generator that is there; None where there is none."""
    try:
        return read_document(run.best, GENERATOR).get("best")
    except CheckpointError:
        return None


def _write_from_newest(run: RunDirectory, path: Path, best: Mapping[str, Any] | None) -> None:
    from ganforge.storage import tensor_file
    from ganforge.storage.checkpoint import newest_sound

    if best is not None:
        tensors, document = tensor_file.read(run.checkpoint(int(best["step"])), CHECKPOINT)
    else:
        found = newest_sound(run)
        if found is None or not _is_behind(run, found[2], best=False):
            return  # the newest was damaged, and is set aside
        _, tensors, document = found
    if SAMPLED not in document:
        raise CheckpointError(
            "it does not say what its generator is, since ganforge 0.1 wrote it; "
            f"`ganforge train --resume {run}` writes the file"
        )
    _write(path, tensors, document, best)


def _holds(path: Path, expected: Mapping[str, Tensor]) -> bool:
    """True where a file is a sound generator with these tensors."""
    from ganforge.storage import tensor_file

    try:
        found, _ = tensor_file.read(path, GENERATOR)
    except CheckpointError:
        return False
    return tensor_file.checksums(found) == tensor_file.checksums(expected)


def _write(
    path: Path,
    tensors: Mapping[str, Tensor],
    document: Mapping[str, Any],
    best: Mapping[str, Any] | None = None,
) -> None:
    from ganforge.storage import tensor_file

    found, described = as_generator(tensors, document)
    tensor_file.write(path, GENERATOR, found, {**described, "best": best})
