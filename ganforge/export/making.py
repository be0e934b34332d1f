"""The contents of an export, made of the trained generator and checked, before they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganforge.errors import UsageError
from ganforge.export import programs
from ganforge.export.exporting import ExportRequest, description_file
from ganforge.export.interface import describe
from ganforge.export.programs import Check
from ganforge.export.weights import weights_bytes
from ganforge.printable import printable
from ganforge.sampling.trained_generator import TrainedGenerator, truncated


@dataclass(frozen=True, kw_only=True)
class Made:
    """The files of an export by name, what they hold, and how they compare with torch."""

    contents: Mapping[str, bytes]
    description: Mapping[str, Any]
    check: Check | None = None


def make(request: ExportRequest, trained: TrainedGenerator, document: Mapping[str, Any]) -> Made:
    """Export a generator as it was asked for. `document` is that of its file.

    Raises UsageError where a request does not fit it, and PluginError where it cannot be exported.
    """
    if request.truncation is not None:
        if not trained.source.truncates:
            raise UsageError(
                "--truncation: this generator does not truncate by itself; it is fed with latents, "
                "so draw those from [-T, T]"
            )
        trained = truncated(trained, request.truncation)
    name, batch = request.target.name, request.batch
    description = describe(trained, document, batch)
    if request.form == "safetensors":
        beside = Path(name).with_suffix(".json").name
        contents = {
            name: weights_bytes(trained, description),
            beside: description_file(description),
        }
        return Made(contents=contents, description=description)
    made = document["generator"]
    label = f"the generator {made['name']!r} of {made['package']} {made['version']}"
    program = programs.trace(trained, printable(label), batch)
    if request.form == "torch-export":
        exported = programs.torch_export_bytes(program, description)
        check = programs.check_torch_export(exported, trained, batch)
        return Made(contents={name: exported}, description=description, check=check)
    files = programs.onnx_files(program, name, printable(label), description)
    check = programs.check_onnx(files, trained, batch)
    return Made(contents=files, description=description, check=check)
