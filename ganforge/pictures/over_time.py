"""The grids of a run, one after another: how its samples have changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganforge.errors import UsageError
from ganforge.printable import printable

_STRIP, _TEXT = 22, 13  # pixels below a grid, for the number of its step, and of its letters


def frames_of(grids: Sequence[tuple[int, Path]], most: int) -> tuple[list[Tensor], int]:
    """A frame for each grid, of `most` at about equal distances, uint8 `[H, W, 3]`.

    Those of another size than the last, drawn before the number of samples was changed, are left
    out and counted. Raises UsageError for fewer than two, and for a
    file that is no picture.
    """
    if len(grids) < 2:
        raise UsageError(f"there are {len(grids)} grids in samples/, and a film needs two")
    last = len(grids) - 1
    places = (
        range(len(grids)) if last < most else [round(i * last / (most - 1)) for i in range(most)]
    )
    read = [(step, _read(path)) for step, path in (grids[place] for place in places)]
    size = read[-1][1].size
    frames = [_captioned(grid, f"step {step:,}") for step, grid in read if grid.size == size]
    return frames, len(read) - len(frames)


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            return picture.convert("RGB")
    except Exception as error:  # whatever a damaged file makes Pillow raise
        raise UsageError(f"{printable(path)} is not a picture that can be read") from error


def _captioned(grid: Image.Image, text: str) -> Tensor:
    frame = Image.new("RGB", (grid.width, grid.height + _STRIP), "white")
    frame.paste(grid)
    font = ImageFont.load_default(_TEXT)
    middle = grid.height + _STRIP / 2
    ImageDraw.Draw(frame).text((6, middle), text, fill="#2d3034", font=font, anchor="lm")
    return torch.from_numpy(numpy.array(frame))
