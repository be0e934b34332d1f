"""`ganforge sample`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganforge.discovery import discover
from ganforge.engine.files import write_atomically
from ganforge.errors import UsageError
from ganforge.printable import printable
from ganforge.settings import ExecutionSettings

from .console import warn_of_failures
from .progress import print_line
from .threads import spin_briefly

if TYPE_CHECKING:
    from torch import Tensor


@click.command("sample")
@click.argument("source", metavar="RUN", type=Path)
@click.option(
    "--num", default=64, show_default=True, type=click.IntRange(1, 1_000_000), help="How many."
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**63 - 1), help="Of the draws."
)
@click.option("--out", type=Path, help="FILE.png, FILE.npz or a directory. [samples.png in RUN]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.pass_obj
def command(
    context: dict[str, bool], source: Path, num: int, seed: int, out: Path | None, device: str
) -> None:
    """Draw samples from the generator of RUN, a run directory or a generator.safetensors.

    \b
    --out grid.png      one picture
    --out folder/       a PNG per sample
    --out samples.npz   arrays: samples [N, *sample_shape], float32 in [-1, 1], and labels
    """
    path = source / "generator.safetensors" if source.is_dir() else source
    if not path.exists():
        raise UsageError(_nothing_there(source))
    out = out or path.parent / "samples.png"
    _check_target(out)
    discovery = discover(third_party=context["third_party"])
    warn_of_failures(discovery)
    spin_briefly()

    from ganforge.engine.execution import Execution
    from ganforge.engine.sampling import draw, open_generator

    execution = Execution.from_settings(ExecutionSettings(device=device))
    trained = open_generator(path, discovery.registry, execution)
    samples, labels = draw(trained, num=num, seed=seed)
    try:
        _write(out, samples, labels)
    except OSError as error:
        raise UsageError(f"{printable(out)} cannot be written: {error.strerror}") from error
    print_line(f"{num} samples of seed {seed} are in {printable(out)}")


def _nothing_there(source: Path) -> str:
    if (source / "config.toml").is_file():
        return (
            f"the run in {printable(source)} has not saved a generator yet: it does so with its "
            "first checkpoint"
        )
    return f"{printable(source)} is neither a run directory nor a generator.safetensors"


def _check_target(out: Path) -> None:
    if not out.parent.is_dir():
        raise UsageError(f"the directory {printable(out.parent)} does not exist")
    if out.suffix and out.suffix not in (".png", ".npz") and not out.is_dir():
        raise UsageError(
            f"{printable(out)}: samples are written as .png, as .npz, or into a directory"
        )
    if not out.suffix and out.exists() and not out.is_dir():
        raise UsageError(f"{printable(out)} is a file; name a directory")


def _write(out: Path, samples: Tensor, labels: Tensor | None) -> None:
    import numpy

    from ganforge.engine.images import can_be_shown, encode_png, grid, save_png, to_bytes

    if out.suffix == ".npz" and not out.is_dir():
        arrays = {"samples": samples.numpy()}
        if labels is not None:
            arrays["labels"] = labels.numpy()
        buffer = io.BytesIO()
        numpy.savez(buffer, allow_pickle=False, **arrays)
        write_atomically(out, [buffer.getbuffer()])
        return
    if not can_be_shown(tuple(samples.shape[1:])):
        raise UsageError(
            f"samples of shape {list(samples.shape[1:])} are no pictures; write them with "
            "--out samples.npz"
        )
    if out.suffix == ".png" and not out.is_dir():
        save_png(out, grid(samples))
        return
    out.mkdir(exist_ok=True)
    digits = max(5, len(str(len(samples) - 1)))
    for number, image in enumerate(to_bytes(samples)):
        (out / f"{number:0{digits}d}.png").write_bytes(encode_png(image))
