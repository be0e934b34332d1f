"""Worker processes where shared memory is as small as in a container: an error that says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from PIL import Image

from .conftest import TINY

ENTER = ("unshare", "-rm", "sh", "-c")
MOUNT = "mount -t tmpfs -o size=1m none /dev/shm"


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    answer = subprocess.run([*ENTER, MOUNT], capture_output=True, check=False)
    return answer.returncode == 0


@pytest.mark.skipif(not can_mount(), reason="needs unshare and a mount of one's own")
def test_a_megabyte_of_shared_memory_is_told_of_with_what_to_do(tmp_path: Path) -> None:
    images = tmp_path / "pictures"
    images.mkdir()
    for number in range(32):
        pixels = numpy.full((96, 96, 3), number, numpy.uint8)
        Image.fromarray(pixels).save(images / f"{number}.png")
    read = ["--dataset", "pictures", "--image-size", "96", "--set", "dataset.memory_limit=0"]
    train = [*TINY, *read, "--set", "training.batch_size=32", "--steps", "20", "--out", "run"]
    code = "import sys; from ganforge.cli import main; sys.exit(main())"
    answer = subprocess.run(
        [*ENTER, f'{MOUNT} && exec "$@"', "sh", sys.executable, "-c", code, "train", *train],
        cwd=tmp_path,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "found no room in /dev/shm, which holds 1 MB" in answer.stderr
    assert "`--workers 0`" in answer.stderr
