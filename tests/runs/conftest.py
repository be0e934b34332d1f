"""Runs that are only their files, as training would have written them."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run directory; `metrics` gives values by step, keywords override settings."""

    def make(
        name: str,
        *,
        state: str = "finished",
        step: int = 100,
        seed: int = 0,
        losses: tuple[str, ...] = ("nonsat",),
        metrics: Mapping[int, Mapping[str, float]] | None = None,
        more: str = "",
        **status: object,
    ) -> Path:
        path = tmp_path / name
        (path / "samples").mkdir(parents=True)
        (path / "checkpoints").mkdir()
        tables = "".join(f"[loss.{it}]\nweight = 1.0\n" for it in losses)
        (path / "config.toml").write_text(
            f'[generator]\nname = "dcgan"\nwidth = 32\n[dataset]\nname = "digits"\n{tables}'
            f"{more}\n[training]\nsteps = 100\nseed = {seed}\n"
        )
        record = {"state": state, "step": step, "pid": os.getpid(), "host": socket.gethostname()}
        (path / "status.json").write_text(json.dumps(record | status))
        lines = [{"step": step, **values} for step, values in (metrics or {}).items()]
        (path / "metrics.jsonl").write_text("".join(f"{json.dumps(it)}\n" for it in lines))
        for file in ("samples/00000000.png", "samples/real.png", "generator.safetensors"):
            (path / file).write_bytes(b"x" * 100)
        (path / f"checkpoints/step-{step:08d}.safetensors").write_bytes(b"x" * 1000)
        (path / "environment.json").write_text('{"sessions": []}')
        return path

    return make
