"""Sound: a waveform with its spectrogram below it, and WAV files to listen to."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ganforge import Drawn, Format, Parts, Problem

from .canvas import FINE, FRAME, WHITE
from .cells import sheet_of
from .lettering import pixels
from .rows import parts as parts_of
from .spectrogram import spectrogram

WIDTH, WAVE_HEIGHT, SPECTROGRAM_HEIGHT = 300, 64, 96  # pixels
LOUDEST = 32767  # of 16 bits
SILENCE = 0.25  # seconds between the sounds of one file
_LARGEST = 2**32 - 64  # bytes of sound: their number has 32 bits, with the header
_WAVE = (0, 114, 178)


class AudioFormat(Format):
    """Sounds `(C, T)` in [-1, 1], whose field has their sampling rate.

    Raises ValueError for a field without a rate.
    """

    num_pictured = 8

    def __init__(self, problem: Problem, options: object = None) -> None:
        super().__init__(problem)
        if problem.sample.rate is None:
            raise ValueError("the samples are sound, and their field has no sampling rate")
        self._rate = problem.sample.rate
        self._channels, self._length = problem.sample_shape

    def picture(self, drawn: Drawn) -> Tensor:
        shown = {name: self._sound(values) for name, values in parts_of(drawn).items()}
        heading = (
            f"{self._length / self._rate:.3g} s at {self._rate:,} Hz; "
            f"frequencies up to {self._rate / 2000:g} kHz"
        )
        return sheet_of(drawn, shown, _cell, heading)

    def encode(self, drawn: Drawn, suffix: str) -> bytes:
        """A WAV of 16 bits; several sounds follow each other with a quarter of a second between."""
        return b"".join(self.encode_parts(Parts.of(drawn), suffix))

    def encode_parts(self, parts: Parts, suffix: str) -> Iterator[bytes]:
        of_moment = 2 * self._channels
        silence = b"\0" * (of_moment * round(SILENCE * self._rate))
        sound = of_moment * self._length
        most = (_LARGEST + len(silence)) // (sound + len(silence))
        if parts.num > most:
            raise ValueError(
                f"a WAV file holds at most 4 GiB, which is {most:,} of these sounds; write fewer, "
                ".npz, or a folder"
            )
        yield self._header(parts.num * (sound + len(silence)) - len(silence))
        first = True
        for drawn in parts:
            sounds = self._sound(drawn.samples).nan_to_num(0.0)
            levels = (sounds.clamp(-1, 1) * LOUDEST).round().to(torch.int16)
            # The channels of one moment stand together, little end first.
            for interleaved in levels.transpose(1, 2).contiguous().numpy().astype("<i2"):
                yield interleaved.tobytes() if first else silence + interleaved.tobytes()
                first = False

    def _header(self, size: int) -> bytes:
        """The head of a WAV with so many bytes of sound."""
        of_moment = 2 * self._channels
        form = (16, 1, self._channels, self._rate, of_moment * self._rate, of_moment, 16)
        head = b"WAVEfmt " + struct.pack("<IHHIIHH", *form) + b"data" + struct.pack("<I", size)
        return b"RIFF" + struct.pack("<I", len(head) + size) + head

    def _sound(self, values: Tensor) -> Tensor:
        """Samples or companions in the units of the data, without channels that samples lack."""
        return self.restored(values[:, : self._channels].detach().float())


def _cell(sound: Tensor) -> Tensor:
    """One sound `[C, T]` as a picture, uint8 `[H, WIDTH, 3]`; channels are mixed."""
    mono = sound.mean(0)
    lower = pixels(_framed(spectrogram(mono, WIDTH, SPECTROGRAM_HEIGHT)))
    return torch.cat([_waveform(mono), lower])


def _waveform(sound: Tensor) -> Tensor:
    """The highest and the lowest value in each column, uint8 `[WAVE_HEIGHT, WIDTH, 3]`."""
    size = (WIDTH * FINE, WAVE_HEIGHT * FINE)
    area = Image.new("RGB", size, WHITE)
    draw = ImageDraw.Draw(area)
    middle = size[1] / 2
    draw.line([(0, middle), (size[0], middle)], fill=(200, 204, 210), width=FINE)
    places = middle - sound.nan_to_num(0.0).clamp(-1, 1) * (middle - FINE)
    if len(places) <= WIDTH:
        across = torch.linspace(0, size[0], len(places)).tolist()
        draw.line(list(zip(across, places.tolist(), strict=True)), fill=_WAVE, width=6)
    else:
        for column in range(WIDTH):
            start, end = (len(places) * it // WIDTH for it in (column, column + 1))
            # One sample more, so that neighbouring columns touch.
            piece = places[start : min(end + 1, len(places))]
            top, bottom = float(piece.min()), float(piece.max())
            corners = [column * FINE, top, (column + 1) * FINE - 1, max(bottom, top + FINE)]
            draw.rectangle(corners, fill=_WAVE)
    return pixels(area.reduce(FINE))


def _framed(picture: Tensor) -> Image.Image:
    image = Image.fromarray(picture.numpy())
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=FRAME)
    return image
