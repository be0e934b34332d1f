"""Vectors: points in the plane, or histograms of single numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from torch import Tensor

from ganforge import Drawn, Format

from .plots import plot
from .spreadsheet import encode_csv, numbers


class VectorFormat(Format):
    """Vectors `(D,)`, generated ones in red beside real ones in grey."""

    num_pictured = None
    shows_real = True

    def picture(self, drawn: Drawn) -> Tensor:
        samples, real = self.restored(drawn.samples), self._real(drawn)
        return plot(real, samples) if drawn.generated else plot(samples, None)

    def walk(self, steps: Sequence[Drawn]) -> Iterator[Tensor]:
        """Points that move over axes that stand still, which are those of the whole walk."""
        moved = [self.restored(step.samples) for step in steps]
        for samples in moved:
            yield plot(None, samples, around=moved)

    def encode(self, drawn: Drawn, suffix: str) -> bytes:
        """A CSV with a row for each sample, and its class where there are some."""
        return self._rows(drawn, header=True)

    def encode_parts(self, parts: Iterable[Drawn], suffix: str) -> Iterator[bytes]:
        for place, part in enumerate(parts):
            yield self._rows(part, header=place == 0)

    def _rows(self, drawn: Drawn, *, header: bool) -> bytes:
        columns = {f"x{axis}": numbers(it) for axis, it in enumerate(self._columns(drawn))}
        return encode_csv(columns, drawn, header=header)

    def _columns(self, drawn: Drawn) -> Sequence[Tensor]:
        return self.restored(drawn.samples).unbind(1)

    def _real(self, drawn: Drawn) -> Tensor | None:
        return None if drawn.real is None else self.restored(drawn.real)
