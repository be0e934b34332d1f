"""Runs to report on: a plain one, and one whose every text is meant to break out of the page."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

EVIL = "<script>document.title='evil'</script><img src=http://evil.example/x onerror=alert(1)>\"'&"
TURNED = "\u202egnp.exe\u2066\x1b[2J\x07 שלום"


def picture(side: int = 20, shade: int = 90) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (side, side), shade).save(buffer, "PNG")
    return buffer.getvalue()


def write_run(
    path: Path,
    *,
    config: str = '[generator]\nname = "mlp"\nhidden = [16]\n[training]\nsteps = 100\n',
    lines: list[dict[str, object]] | None = None,
    sessions: list[object] | None = None,
    detail: str = "",
    num_grids: int = 4,
) -> Path:
    (path / "samples").mkdir(parents=True)
    (path / "config.toml").write_text(config, encoding="utf-8")
    if lines is None:
        lines = [
            {"step": step, "images": 64 * step, "seconds": step / 10.0}
            | {"loss/discriminator": 1.0 + 1 / step, "loss/generator": 0.5 - 1 / step}
            | {"score/real": 0.25, "score/fake": -0.25, "metric/mae": 100.0 / step}
            for step in range(25, 101, 25)
        ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (path / "metrics.jsonl").write_text(text, encoding="utf-8")
    status = {"state": "finished", "step": 100, "pid": 1, "host": "h", "detail": detail}
    (path / "status.json").write_text(json.dumps(status))
    if sessions is not None:
        (path / "environment.json").write_text(json.dumps({"sessions": sessions}))
    for number in range(num_grids):
        (path / "samples" / f"{number * 25:08d}.png").write_bytes(picture(shade=60 + number))
    (path / "samples" / "real.png").write_bytes(picture(shade=200))
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    session = {
        "started": "2026-11-26T20:00:00+00:00",
        "command": ["ganforge", "train", "--generator", "mlp", "--out", "a run"],
        "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "changed": True},
        "ganforge": "0.1.0",
        "torch": "2.11.0",
        "python": "3.11.7",
        "platform": "Linux x86_64",
        "device": "cpu (1 thread)",
        "plugins": {"ganforge/mlp": "0.1.0", "ganforge-extra/thing": "2.0"},
        "changes": {},
    }
    return write_run(tmp_path / "plain", sessions=[session])


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A run in which every name is an attack; each occurs as text, and as nothing else."""
    name = EVIL.replace("/", "") + TURNED.replace("\x07", "")
    quoted = json.dumps(EVIL + TURNED, ensure_ascii=True)
    evaluation = {
        "dataset": EVIL,
        "split": TURNED,
        "num": EVIL,
        "scores": [
            {"name": EVIL, "value": EVIL, "features": EVIL, "floor": EVIL, "better": EVIL},
            {"name": TURNED, "value": 1.5, "floor": {"value": 0.5}},
            "no score",
        ],
    }
    path = write_run(
        tmp_path / name,
        config=f"[generator]\nname = {quoted}\n{quoted} = {quoted}\n[loss.{quoted}]\nweight = 1\n",
        lines=[
            {"step": step, f"metric/{EVIL}": step, f"{TURNED}/{EVIL}": -step, "loss/generator": 1.0}
            for step in (1, 2, 3)
        ],
        sessions=[
            {
                "started": EVIL,
                "ganforge": EVIL,
                "device": TURNED,
                "command": ["ganforge", EVIL, TURNED],
                "git": {"commit": EVIL},
                "plugins": {EVIL: EVIL, "a; rm -rf /": "1.0"},
            },
            "no session",
            {"command": EVIL, "git": EVIL, "plugins": [EVIL]},
        ],
        detail=EVIL + TURNED,
    )
    lines = [json.dumps(evaluation), "{broken", json.dumps([1]), json.dumps({"scores": "none"})]
    (path / "evaluations.jsonl").write_text("\n".join(lines))
    (path / "samples" / "00000025.png").write_text("<svg onload=alert(1)>")
    return path
