"""`ganforge export` itself: files in a folder, made and checked before any of them is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from ganforge.errors import DataError, UsageError
from ganforge.export import usage
from ganforge.export.card import MARK, card
from ganforge.printable import printable
from ganforge.runs.run import Run
from ganforge.storage.files import write_atomically, write_text
from ganforge.storage.paths import suffix_of

FormatName = Literal["onnx", "torch-export", "safetensors"]

#: the file that each form makes where none is named
NAMES: dict[str, str] = {
    "onnx": "generator.onnx",
    "torch-export": "generator.pt2",
    "safetensors": "weights.safetensors",
}
TRAINING_STATE = "training-state.safetensors"
CARD = "README.md"


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """Request for an export, as it was typed; `run` is known where a run directory was named."""

    generator: Path
    run: Run | None
    form: FormatName
    out: Path | None
    batch: int | None
    truncation: float | None
    with_training_state: bool
    license_name: str | None

    @property
    def target(self) -> Path:
        """The file to be written."""
        if self.out is None:
            return self.generator.parent / "export" / NAMES[self.form]
        if self.out.suffix and not self.out.is_dir():
            return self.out
        return self.out / NAMES[self.form]

    @property
    def folder(self) -> Path:
        return self.target.parent

    def check(self) -> None:
        """Raise UsageError for what is wrong whatever the generator is; DataError for a package."""
        suffix, wanted = suffix_of(self.target), Path(NAMES[self.form]).suffix
        shown = printable(self.target)
        if suffix != wanted:
            raise UsageError(f"--out {shown}: --format {self.form} makes a {wanted} file")
        if self.target == self.generator:
            raise UsageError(f"--out {shown} is the generator itself; name another file")
        if not self.folder.parent.is_dir():
            raise UsageError(f"the directory {printable(self.folder.parent)} does not exist")
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"{printable(self.folder)} is a file; name a directory")
        if self.form == "safetensors" and self.batch is not None:
            raise UsageError("--batch belongs to programs: weights fit any batch")
        if self.form == "safetensors" and self.truncation is not None:
            raise UsageError("--truncation belongs to programs: it does not change the weights")
        if self.with_training_state and self.form != "safetensors":
            raise UsageError("--with-training-state belongs to --format safetensors")
        if self.with_training_state and self.run is None:
            raise UsageError(
                f"{printable(self.generator)} is a generator alone, without training state: name "
                "the run directory"
            )
        missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
        if self.form == "onnx" and missing:
            raise DataError(
                f"--format onnx needs the package {missing[0]!r}, which is not installed: "
                'pip install "ganforge[onnx]"'
            )


def write_export(request: ExportRequest, contents: Mapping[str, bytes]) -> list[Path]:
    """Write the files of an export, the one that was asked for last. Raises UsageError."""
    names = sorted(contents, key=lambda name: name == request.target.name)
    paths = [request.folder / name for name in names]
    try:
        request.folder.mkdir(exist_ok=True)
        for path in paths:
            write_atomically(path, [contents[path.name]])
    except OSError as error:
        where = printable(request.folder)
        raise UsageError(f"{where} cannot be written: {error.strerror or error}") from error
    return paths


def write_card(request: ExportRequest, description: Mapping[str, Any]) -> Path | None:
    """Write the card of all that was exported to the folder; None where the README is not ours."""
    path = request.folder / CARD
    if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
        return None
    files = [
        usage.listing(file.name, file.stat().st_size, description)
        for file in sorted(request.folder.iterdir())
        if suffix_of(file) in usage.SUFFIXES
    ]
    run = request.run
    title = printable(request.generator.stem) if run is None else run.name
    text = card(description, files, title=title, run=run, license_name=request.license_name)
    write_text(path, text)
    return path


def description_file(description: Mapping[str, Any]) -> bytes:
    """The description as a file of its own."""
    return (json.dumps(description, indent=2) + "\n").encode()
