"""Images: a grid with a row for each class, and cells of what belongs together."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy
from numpy.typing import NDArray
from torch import Tensor

from ganforge import Drawn, Format, Parts, Problem

from .bands import COLOURS, composite, noted, shown_bands
from .rows import arrange
from .rows import parts as parts_of
from .tiff import encode_tiff
from .tiles import beside, sheet, to_bytes

SHORTEST_ROW = 8  # samples that a row of one class has room for, however few there are
SIXTEEN_BITS = (0, 65535)  # a declared range that is that of 16-bit files


class ImageFormat(Format):
    """Images `(C, H, W)`. More bands than colours are shown by three of them, in words below."""

    num_pictured = 64

    def __init__(self, problem: Problem, options: object = None) -> None:
        super().__init__(problem)
        self._channels = problem.sample_shape[0]
        self._bands = shown_bands(self._channels, problem.fit)

    def picture(self, drawn: Drawn) -> Tensor:
        bands, channels = self._bands, self._channels
        shown = [composite(values, channels, bands) for values in parts_of(drawn).values()]
        cells = shown[0] if len(shown) == 1 else beside(*shown)
        num = len(cells)
        square = math.ceil(math.sqrt(num))
        columns = square if len(shown) == 1 else max(1, round(math.sqrt(num / len(shown))))
        rows = arrange(drawn, columns, longest=max(SHORTEST_ROW, square))
        levels = to_bytes(cells)
        picture = sheet([levels[row] for row in rows.numbers], rows.captions)
        return picture if bands is None else noted(picture, channels, bands, self.problem.fit)

    def picture_of_one(self, drawn: Drawn) -> Tensor:
        """The bare image. Raises ValueError for bands that a PNG cannot hold."""
        if self._channels not in COLOURS:
            raise ValueError(
                f"an image of {self._channels} bands is no PNG; write --out samples.tiff"
            )
        return to_bytes(drawn.samples)[0]

    def encode(self, drawn: Drawn, suffix: str) -> bytes:
        """A TIFF with a page for each sample, in the type and the range of the data."""
        return b"".join(self.encode_parts(Parts.of(drawn), suffix))

    def encode_parts(self, parts: Parts, suffix: str) -> Iterator[bytes]:
        pages = (page for drawn in parts for page in self._pages(drawn.samples))
        return encode_tiff(pages, parts.num)

    def _pages(self, samples: Tensor) -> NDArray[numpy.generic]:
        """Samples as they are stored, `[N, H, W, C]`."""
        if self.problem.sample.dtype == "uint8":
            return to_bytes(samples).numpy()
        values: NDArray[numpy.generic]
        values = self.restored(samples).permute(0, 2, 3, 1).contiguous().numpy()
        if self.problem.sample.range == SIXTEEN_BITS:
            return values.round().clip(*SIXTEEN_BITS).astype(numpy.uint16)
        return values
