"""What two runs differ in, but for what tells the time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from ganforge.storage import tensor_file


def differences(reference: Path, run: Path) -> list[str]:
    """Files of the two runs that differ; one without a name in the other counts, too.

    A stop writes a checkpoint of its own, which displaces the oldest that is kept; so of the
    checkpoints the last one counts.
    """
    found = []
    last = max((reference / "checkpoints").iterdir()).name
    for path in sorted(reference.rglob("*")):
        twin = run / path.relative_to(reference)
        if path.is_dir() or path.name in ("status.json", "environment.json"):
            continue
        if path.parent.name == "checkpoints" and path.name != last:
            continue
        if not twin.exists():
            found.append(f"{twin} is missing")
        elif path.name == "metrics.jsonl":
            if timeless(path) != timeless(twin):
                found.append(path.name)
        elif path.suffix == ".safetensors":
            if tensors(path) != tensors(twin):
                found.append(path.name)
        elif path.read_bytes() != twin.read_bytes():
            found.append(path.name)
    return found


def tensors(path: Path) -> dict[str, bytes]:
    loaded = safetensors.torch.load_file(path)
    return {name: t.reshape(-1).view(torch.uint8).numpy().tobytes() for name, t in loaded.items()}


def timeless(path: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in line.items() if "second" not in key} for line in lines]


def leftovers(run: Path) -> list[str]:
    """Temporary files, and checkpoints that were set aside."""
    names = [str(path.relative_to(run)) for path in run.rglob("*")]
    return [name for name in names if ".tmp-" in name or name.endswith(".damaged")]


def sound(run: Path) -> list[int]:
    """The steps of the checkpoints, newest first; raises CheckpointError where one is not sound."""
    found = []
    for path in sorted((run / "checkpoints").glob("step-*.safetensors"), reverse=True):
        _, document = tensor_file.read(path, "checkpoint")
        found.append(int(document["step"]))
    if (run / "generator.safetensors").exists():
        tensor_file.read(run / "generator.safetensors", "generator")
    return found


def state(run: Path) -> str:
    """How a run says that it ended."""
    text: str = json.loads((run / "status.json").read_text())["state"]
    return text
