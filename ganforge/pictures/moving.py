"""Moving pictures: GIF and APNG by Pillow, and MP4 by PyAV, which is an extra."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from ganforge.pictures.encoding import encode_animation
from ganforge.pictures.suffixes import MOVIE, check_movie

_QUALITY = "18"  # of x264, on which more is worse: 18 is about what an eye tells from none


def encode_moving(frames: Sequence[Tensor], suffix: str, milliseconds: int) -> bytes:
    """uint8 pictures `[H, W, C]` of one size, each shown so long, as a file of this suffix.

    Raises UsageError where it takes a package that is not installed.
    """
    if suffix == MOVIE:
        return encode_movie(frames, milliseconds)
    return encode_animation(frames, suffix, milliseconds)


def encode_movie(frames: Iterable[Tensor], milliseconds: int) -> bytes:
    """Frames as H.264 in an MP4 that every browser plays: 4:2:0, so of even sides, on white."""
    check_movie()
    av: Any = importlib.import_module("av")  # whose types are there only where it is
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(1000, milliseconds))
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": _QUALITY, "preset": "medium"}
        stream.thread_count = 1
        for number, frame in enumerate(frames):
            picture = _even(frame)
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
            image = av.VideoFrame.from_ndarray(picture.numpy(), format="rgb24")
            container.mux(stream.encode(image))
        container.mux(stream.encode())
    return buffer.getvalue()


def _even(frame: Tensor) -> Tensor:
    """A picture as RGB with even sides: the last row and column come twice where they must."""
    height, width, channels = frame.shape
    if channels == 4:
        opacity = frame[:, :, 3:].float() / 255
        frame = (frame[:, :, :3] * opacity + 255 * (1 - opacity)).round().to(torch.uint8)
    rows = frame.expand(-1, -1, 3).permute(2, 0, 1).float()
    padded = pad(rows[None], (0, width % 2, 0, height % 2), mode="replicate")[0]
    return padded.permute(1, 2, 0).to(torch.uint8).contiguous()
