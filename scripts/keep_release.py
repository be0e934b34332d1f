"""Runs of this release, kept as files that every later one must read, resume and sample.

    OMP_NUM_THREADS=1 python scripts/keep_release.py tests/data/written-by-0.2
    OMP_NUM_THREADS=1 python scripts/keep_release.py FOLDER --only conditional

Made once, from the commit that is released; `tests/integration/test_older_files.py` takes every
folder `tests/data/written-by-*`. Each run is left at step 4 of 8, by Ctrl-C, or finished with 4
steps; what this release itself makes of it stands beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy
import torch

import ganforge
from ganforge.cli import main
from ganforge.engine.trainer import Trainer

LEFT, LENGTH = 4, 8
DEVICE = ("--device", "cpu")
COMMON = (
    *DEVICE,
    *("--batch-size", "8", "--sample-every", "4", "--checkpoint-every", "4"),
    *("--set", "output.log_every=3", "--set", "output.keep_checkpoints=2"),
    *("--set", "output.grid_samples=16", "--set", "evaluation.num_samples=64"),
)
MLP = (
    *("--generator", "mlp", "--set", "generator.hidden=[8]"),
    *("--discriminator", "mlp", "--set", "discriminator.hidden=[8]"),
)
DIGITS = ("--dataset", "digits", "--image-size", "8", "--latent-size", "4")

#: name -> what is typed after `ganforge train`, and whether it is left by Ctrl-C
RUNS: dict[str, tuple[tuple[str, ...], bool]] = {
    "mlp-ring": (
        (
            *(*MLP, "--dataset", "ring", "--latent-size", "2"),
            *("--loss", "rpgan", "--loss", "r1", "--loss", "r2", "--set", "loss.r2.every=2"),
            *("--set", "ema.half_life=1000", "--seed", "1"),
        ),
        True,
    ),
    "conditional": (
        (
            *(*MLP, *DIGITS, "--conditional", "--loss", "nonsat"),
            *("--set", "generator_optimizer.name=adamw", "--augment", "instance-noise"),
            *("--set", "training.num_discriminator_steps=2", "--seed", "2"),
        ),
        True,
    ),
    "dcgan": (
        (
            *("--generator", "dcgan", "--set", "generator.width=2"),
            *("--set", "discriminator.width=2", "--set", "discriminator.normalisation=batch"),
            *(*DIGITS, "--loss", "bce", "--set", "training.reuse_fakes=true", "--seed", "3"),
        ),
        False,
    ),
    "adversarial-autoencoder": (
        (
            *("--generator", "adversarial-autoencoder", "--set", "generator.widths=[4,4]"),
            *("--discriminator", "mlp", "--set", "discriminator.hidden=[8]", *DIGITS),
            *("--loss", "mse", "--loss", "nonsat", "--set", "game.judge=codes", "--seed", "4"),
        ),
        True,
    ),
    "reconstruct": (
        (
            *("--generator", "autoencoder", "--set", "generator.widths=[4,4]"),
            *("--sampler", "mask", "--dataset", "digits", "--image-size", "8", "--loss", "mse"),
            *("--discriminator", "none", "--set", "evaluation.holdout=0.2"),
            *("--set", "evaluation.every=4", "--metric", "mae", "--seed", "5"),
        ),
        True,
    ),
    "rmsprop": (
        (
            *(*MLP, *DIGITS, "--loss", "wasserstein", "--set", "loss.wasserstein.clip=0.01"),
            *("--set", "generator_optimizer.name=rmsprop"),
            *("--set", "discriminator_optimizer.name=rmsprop", "--set", "ema.half_life=0"),
            *("--set", "training.num_accumulation_steps=2", "--seed", "6"),
        ),
        False,
    ),
}

README = """# Runs written by ganforge {version}

Made by `scripts/keep_release.py` with ganforge {version}, Python {python}, torch {torch},
numpy {numpy}, on {system}, on the CPU with {threads} thread(s). They are kept as they were
written: a later version that cannot read, resume and sample them has broken somebody's run.

    NAME/run/                      the run directory at step {left}, without its pictures
    NAME/expected/
      samples-step-{left}.npz           `ganforge sample run --num 5 --seed 3 --device cpu`
      generator.safetensors        after `ganforge train --resume run --steps {length}`
      step-0000000{length}.safetensors    the checkpoint of that session
      metrics.jsonl                all lines of the run after it
      samples.npz                  the same samples, after it
"""


def keep(folder: Path, names: Sequence[str]) -> None:
    """Write the runs of these names, and what becomes of each, into a new folder."""
    folder.mkdir(parents=True)
    for name in names:
        with tempfile.TemporaryDirectory() as place:
            _keep_one(folder / name, Path(place) / name, *RUNS[name])
    facts = {
        "version": ganforge.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "threads": torch.get_num_threads(),
        "left": LEFT,
        "length": LENGTH,
    }
    (folder / "README.md").write_text(README.format(**facts), encoding="utf-8")


def _keep_one(kept: Path, run: Path, options: Sequence[str], interrupted: bool) -> None:
    steps = LENGTH if interrupted else LEFT
    typed = ("train", *options, *COMMON, "--steps", str(steps), "--out", str(run))
    if interrupted:
        with _interrupted_after(LEFT):
            _command(typed, 130)
    else:
        _command(typed, 0)
    pictures = shutil.ignore_patterns("samples", "*.png")
    shutil.copytree(run, kept / "run", ignore=pictures)
    _without_the_machine(kept / "run")
    expected = kept / "expected"
    expected.mkdir()
    _sample(run, expected / f"samples-step-{LEFT}.npz")
    _command(("train", "--resume", str(run), "--steps", str(LENGTH), *DEVICE), 0)
    for name in ("generator.safetensors", "metrics.jsonl"):
        shutil.copy(run / name, expected)
    shutil.copy(run / "checkpoints" / f"step-{LENGTH:08d}.safetensors", expected)
    _sample(run, expected / "samples.npz")


def _sample(run: Path, file: Path) -> None:
    _command(("sample", str(run), "--num", "5", "--seed", "3", *DEVICE, "--out", str(file)), 0)


def _command(typed: Sequence[str], code: int) -> None:
    found = main([*typed])
    if found != code:
        raise SystemExit(f"ganforge {' '.join(typed)} ended with {found} instead of {code}")


@contextmanager
def _interrupted_after(step: int) -> Iterator[None]:
    """Ctrl-C after a step, so that a run is left by the release's own handling of it."""
    train_step = Trainer.train_step

    def then_interrupt(self: Trainer) -> None:
        train_step(self)
        if self.step == step:
            os.kill(os.getpid(), signal.SIGINT)

    Trainer.train_step = then_interrupt  # type: ignore[method-assign]
    try:
        yield
    finally:
        Trainer.train_step = train_step  # type: ignore[method-assign]


def _without_the_machine(run: Path) -> None:
    """Take out of a run what says on whose machine it was made."""
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, "host": "localhost"}) + "\n")
    environment = json.loads((run / "environment.json").read_text())
    for session in environment["sessions"]:
        session.pop("command", None)
        session.pop("git", None)
    (run / "environment.json").write_text(json.dumps(environment, indent=2) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", choices=[*RUNS], default=[*RUNS])
    arguments = parser.parse_args()
    keep(arguments.folder, arguments.only)
