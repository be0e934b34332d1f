"""Point clouds: seen from above and the side, the nearer the darker; PLY files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ganforge import Drawn, Format, Parts, Problem

from .canvas import FRAME, WHITE
from .cells import sheet_of
from .lettering import pixels
from .plots import rounded_range
from .rows import parts as parts_of

SIDE = 180  # of a cell, in pixels
_FINE = 3  # points are drawn so much larger and shrunk
_AZIMUTH, _ELEVATION = math.radians(-60), math.radians(25)
_FAR, _NEAR = torch.tensor([200.0, 214.0, 230.0]), torch.tensor([8.0, 48.0, 107.0])


class PointsFormat(Format):
    """Point clouds `(N, C)` by their first three coordinates, or in the plane where C = 2.

    Raises ValueError for points on a line.
    """

    num_pictured = 16

    def __init__(self, problem: Problem, options: object = None) -> None:
        super().__init__(problem)
        self._num_points, self._size = problem.sample_shape
        if self._size < 2:
            raise ValueError("points need two coordinates to be shown, and these have one")

    def picture(self, drawn: Drawn) -> Tensor:
        shown = self._shown(drawn)
        return self._sheet(drawn, shown, _Box.around(shown.values()))

    def walk(self, steps: Sequence[Drawn]) -> list[Tensor]:
        """Clouds that move in a box that stands still."""
        shown = [self._shown(step) for step in steps]
        box = _Box.around([values for step in shown for values in step.values()])
        return [self._sheet(step, it, box) for step, it in zip(steps, shown, strict=True)]

    def encode(self, drawn: Drawn, suffix: str) -> bytes:
        """A PLY of all points: `x y z`, the other numbers as `c3` and so on, and `sample`."""
        return b"".join(self.encode_parts(Parts.of(drawn), suffix))

    def encode_parts(self, parts: Parts, suffix: str) -> Iterator[bytes]:
        names = ["x", "y", "z", *(f"c{it}" for it in range(3, self._size))]
        header = [
            "ply",
            "format binary_little_endian 1.0",
            f"element vertex {parts.num * self._num_points}",
            *(f"property float {name}" for name in names),
            "property int sample",
            "end_header",
        ]
        yield "".join(f"{line}\n" for line in header).encode()
        first = 0
        for drawn in parts:
            yield self._vertices(drawn.samples, names, first)
            first += len(drawn.samples)

    def _vertices(self, samples: Tensor, names: Sequence[str], first: int) -> bytes:
        """The points of samples from number `first` on; those in a plane have z = 0."""
        values = self.restored(samples).detach().float()
        num, num_points, size = values.shape
        fields = [(name, "<f4") for name in names]
        vertices = numpy.zeros(num * num_points, dtype=[*fields, ("sample", "<i4")])
        for column, name in enumerate(names[:size]):
            vertices[name] = values[:, :, column].flatten().numpy()
        vertices["sample"] = numpy.arange(first, first + num).repeat(num_points)
        return vertices.tobytes()

    def _shown(self, drawn: Drawn) -> dict[str, Tensor]:
        """Samples and companions as they are seen, `[N, points, 3]`: right, up and near."""
        shown = parts_of(drawn).items()
        return {name: _seen(self.restored(values).detach().double()) for name, values in shown}

    def _sheet(self, drawn: Drawn, shown: dict[str, Tensor], box: _Box) -> Tensor:
        heading = "" if self._size <= 3 else f"the first 3 of {self._size} numbers of each point"
        return sheet_of(drawn, shown, lambda cloud: _cell(cloud, box), heading)


def _seen(points: Tensor) -> Tensor:
    """Points `[..., C]`, z upwards, as an eye above and to the side sees them: right, up and near.

    Points in a plane are seen from above.
    """
    if points.shape[-1] == 2:
        return torch.cat([points, torch.zeros_like(points[..., :1])], dim=-1)
    x, y, z = points[..., :3].unbind(-1)
    right = x * math.cos(_AZIMUTH) - y * math.sin(_AZIMUTH)
    away = x * math.sin(_AZIMUTH) + y * math.cos(_AZIMUTH)
    up = z * math.cos(_ELEVATION) + away * math.sin(_ELEVATION)
    near = z * math.sin(_ELEVATION) - away * math.cos(_ELEVATION)
    return torch.stack([right, up, near], dim=-1)


@dataclass(frozen=True, kw_only=True)
class _Box:
    """The middle of what is seen, and half its extent: across and up by one scale, and in depth."""

    middle: Tensor
    reach: float
    depth: float

    @classmethod
    def around(cls, clouds: Iterable[Tensor]) -> _Box:
        """The box that holds most points of clouds `[N, points, 3]`."""
        points = torch.cat([cloud.flatten(0, 1) for cloud in clouds])
        ranges = [rounded_range(axis[axis.isfinite()]) for axis in points.unbind(1)]
        right, up, near = ((high - low) / 2 for low, high in ranges)
        middle = torch.tensor([(low + high) / 2 for low, high in ranges], dtype=torch.float64)
        return cls(middle=middle, reach=max(right, up), depth=near)


def _cell(cloud: Tensor, box: _Box) -> Tensor:
    """One cloud `[points, 3]`, as it is seen, as a picture, uint8 `[SIDE, SIDE, 3]`."""
    centred = cloud[cloud.isfinite().all(dim=1)] - box.middle
    right, up, near = centred.unbind(1)
    size = SIDE * _FINE
    image = Image.new("RGB", (size, size), WHITE)
    draw = ImageDraw.Draw(image)
    radius = _FINE * min(max(40 / math.sqrt(max(len(centred), 1)), 1.1), 3.0)
    share = ((near / box.depth + 1) / 2).clamp(0, 1)[:, None]
    colours = (_FAR + (_NEAR - _FAR) * share).round().int().tolist()
    # What is far outside would overflow the drawing.
    across = (size / 2 * (1 + right / box.reach)).clamp(-size, 2 * size).tolist()
    down = (size / 2 * (1 - up / box.reach)).clamp(-size, 2 * size).tolist()
    for number in near.argsort(stable=True).tolist():
        x, y = across[number], down[number]
        corners = [x - radius, y - radius, x + radius, y + radius]
        draw.ellipse(corners, fill=tuple(colours[number]))
    cell = image.reduce(_FINE)
    ImageDraw.Draw(cell).rectangle((0, 0, SIDE - 1, SIDE - 1), outline=FRAME)
    return pixels(cell)
