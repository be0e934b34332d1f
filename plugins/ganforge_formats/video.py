"""Videos: film strips on paper, and all videos side by side on a screen."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import pad

from ganforge import Drawn, Format, Problem

from .bands import composite, noted, shown_bands
from .rows import arrange, parts
from .tiles import alike, beside, sheet, to_bytes

MOST_FRAMES = 8  # of a film strip
_EDGE = 80  # the level of grey between the frames of a strip


class VideoFormat(Format):
    """Videos `(C, T, H, W)`. More bands than colours are shown by three of them, in words below."""

    num_pictured = 12

    def __init__(self, problem: Problem, options: object = None) -> None:
        super().__init__(problem)
        self._channels, self._length = problem.sample_shape[:2]
        self._bands = shown_bands(self._channels, problem.fit)

    def picture(self, drawn: Drawn) -> Tensor:
        """A strip for each video, of up to eight of its frames.

        Strips of companions stand above and below it.
        """
        times = torch.linspace(0, self._length - 1, min(MOST_FRAMES, self._length)).round().long()
        frames = [alike(*self._images(drawn, time)) for time in times.tolist()]
        strips = [_strip([to_bytes(image) for image in row]) for row in zip(*frames, strict=True)]
        width = max(it.shape[2] for it in strips)
        cells = torch.cat([pad(it, (0, 0, 0, width - it.shape[2])) for it in strips], dim=1)
        rows = arrange(drawn, 1, longest=1)
        return self._noted(sheet([cells[row] for row in rows.numbers], rows.captions, gap=4))

    def film(self, drawn: Drawn) -> Iterator[Tensor]:
        """All videos side by side at one time after another; a row for each class."""
        num, num_parts = len(drawn.samples), len(parts(drawn))
        columns = max(1, math.ceil(math.sqrt(num / num_parts)))
        rows = arrange(drawn, columns, longest=max(8, columns))
        for time in range(self._length):
            images = self._images(drawn, time)
            cells = to_bytes(images[0] if num_parts == 1 else beside(*images))
            yield self._noted(sheet([cells[row] for row in rows.numbers], rows.captions))

    def _images(self, drawn: Drawn, time: int) -> list[Tensor]:
        """Samples and companions at a time of the samples, each `[N, C, H, W]`.

        Companions may be shorter, or single images, and then end with a still.
        """
        found = []
        for values in parts(drawn).values():
            moving = values if values.dim() == 5 else values[:, :, None]
            image = moving[:, :, min(time, moving.shape[2] - 1)]
            found.append(composite(image, self._channels, self._bands))
        return found

    def _noted(self, picture: Tensor) -> Tensor:
        if self._bands is None:
            return picture
        return noted(picture, self._channels, self._bands, self.problem.fit)


def _strip(frames: list[Tensor]) -> Tensor:
    """Frames, each uint8 `[N, H, W, C]`, from left to right, `[N, H, W', C]`."""
    edge = frames[0].new_full((*frames[0].shape[:2], 1, frames[0].shape[3]), _EDGE)
    spaced = [piece for frame in frames for piece in (edge, frame)]
    return torch.cat(spaced[1:], dim=2)
