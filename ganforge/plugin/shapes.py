"""The shapes of samples that a component can handle, one class per kind, and how words say them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .fields import Kind


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """Base of all kinds: `channels` that a sample may have, None for any number.

    `minimum`, `maximum` and `multiple_of` bound its sides.
    """

    kind: ClassVar[Kind]
    plural: ClassVar[str]
    side: ClassVar[str] = "side"

    minimum: int = 1
    maximum: int | None = None
    multiple_of: int = 1
    channels: tuple[int, ...] | None = None

    def refusal(self, shape: tuple[int, ...]) -> str | None:
        """The reason in words why this shape is out of reach; None where it is not."""
        channels, sides = self._split(shape)
        if (
            any(not self._fits(side) for side in sides)
            or not self._agree(sides)
            or (self.channels is not None and channels not in self.channels)
        ):
            return f"handles {self}, not {' x '.join(map(str, shape))}"
        return None

    def _split(self, shape: tuple[int, ...]) -> tuple[int | None, tuple[int, ...]]:
        """The channels, where a shape has them, and the sides."""
        return shape[0], shape[1:]

    def _agree(self, sides: tuple[int, ...]) -> bool:
        return True

    def _fits(self, side: int) -> bool:
        return (
            side >= self.minimum
            and (self.maximum is None or side <= self.maximum)
            and side % self.multiple_of == 0
        )

    def _properties(self) -> list[str]:
        return [f"a multiple of {self.multiple_of}"] if self.multiple_of > 1 else []

    def __str__(self) -> str:
        sides = " and ".join(self._properties())
        if self.minimum > 1:
            sides += f" from {self.minimum} {'up' if self.maximum is None else 'to'}"
        elif self.maximum is not None:
            sides += " up to"
        if self.maximum is not None:
            sides += f" {self.maximum}"
        text = self._plural()
        if sides:
            text += f" whose {self.side} is {sides.strip()}"
        if self.channels is not None:
            plural = "" if self.channels == (1,) else "s"
            text += f" with {' or '.join(map(str, self.channels))} channel{plural}"
        return text

    def _plural(self) -> str:
        return self.plural


@dataclass(frozen=True, kw_only=True)
class ImageShapes(Shapes):
    """The image shapes `(C, H, W)` that a component can handle; the default is any."""

    kind: ClassVar[Kind] = "image"
    plural: ClassVar[str] = "images"

    square: bool = False
    power_of_two: bool = False

    def _agree(self, sides: tuple[int, ...]) -> bool:
        return not self.square or len(set(sides)) == 1

    def _fits(self, side: int) -> bool:
        return super()._fits(side) and (not self.power_of_two or side & (side - 1) == 0)

    def _properties(self) -> list[str]:
        return (["a power of two"] if self.power_of_two else []) + super()._properties()

    def _plural(self) -> str:
        return "square images" if self.square else "images"


@dataclass(frozen=True, kw_only=True)
class VectorShapes(Shapes):
    """The vectors `(D,)` that a component can handle, by the size D; the default is any."""

    kind: ClassVar[Kind] = "vector"
    plural: ClassVar[str] = "vectors"
    side: ClassVar[str] = "size"

    def _split(self, shape: tuple[int, ...]) -> tuple[int | None, tuple[int, ...]]:
        return None, shape


@dataclass(frozen=True, kw_only=True)
class SequenceShapes(Shapes):
    """The sequences `(C, T)` that a component can handle, by the length T; the default is any."""

    kind: ClassVar[Kind] = "sequence"
    plural: ClassVar[str] = "sequences"
    side: ClassVar[str] = "length"


@dataclass(frozen=True, kw_only=True)
class VideoShapes(Shapes):
    """The videos `(C, T, H, W)` that a component can handle; the bounds are those of H and W."""

    kind: ClassVar[Kind] = "video"
    plural: ClassVar[str] = "videos"

    def _split(self, shape: tuple[int, ...]) -> tuple[int | None, tuple[int, ...]]:
        return shape[0], shape[2:]


@dataclass(frozen=True, kw_only=True)
class PointShapes(Shapes):
    """The point clouds `(N, C)` that a component can handle, by the number N of points."""

    kind: ClassVar[Kind] = "points"
    plural: ClassVar[str] = "point clouds"
    side: ClassVar[str] = "number of points"

    def _split(self, shape: tuple[int, ...]) -> tuple[int | None, tuple[int, ...]]:
        return shape[1], shape[:1]


@dataclass(frozen=True, kw_only=True)
class VoxelShapes(Shapes):
    """The voxel grids `(C, D, H, W)` that a component can handle; the default is any."""

    kind: ClassVar[Kind] = "voxels"
    plural: ClassVar[str] = "voxel grids"


ALL_SHAPES: tuple[type[Shapes], ...] = (
    ImageShapes,
    VectorShapes,
    SequenceShapes,
    VideoShapes,
    PointShapes,
    VoxelShapes,
)
#: the shapes objects of a component that takes whatever there is
ANY_SHAPES: tuple[Shapes, ...] = tuple(shapes() for shapes in ALL_SHAPES)
PLURALS: dict[str, str] = {shapes.kind: shapes.plural for shapes in ALL_SHAPES}
