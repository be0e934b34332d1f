"""The benchmark runs, agrees with itself and prints what it promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_step_benchmark_prints_ratios_as_json():
    answer = subprocess.run(
        [
            *(sys.executable, str(ROOT / "benchmarks" / "step.py")),
            *("--networks", "mlp", "--rounds", "2", "--round-seconds", "0.02", "--threads", "1"),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    mlp = report["networks"]["mlp"]
    assert mlp["agreement"]["engine"] == {"losses": 0.0, "weights": 0.0}
    for ratio in ("engine/best", "tutorial/engine"):
        spread = mlp["ratios"]["cpu"][ratio]
        assert 0 < spread["min"] <= spread["median"] <= spread["max"]
    assert report["machine"]["threads"] == 1
