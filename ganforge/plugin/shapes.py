"""`ImageShapes`: the image shapes that a component can handle, and how that is said in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ImageShapes:
    """The image shapes `(C, H, W)` that a component can handle; the default is any."""

    minimum: int = 1
    maximum: int | None = None
    square: bool = False
    power_of_two: bool = False
    multiple_of: int = 1
    channels: tuple[int, ...] | None = None

    def refusal(self, shape: tuple[int, ...]) -> str | None:
        """Why an image of this shape is out of reach, in words; None where it is not."""
        channels, *sides = shape
        if (
            (self.square and len(set(sides)) > 1)
            or any(not self._fits(side) for side in sides)
            or (self.channels is not None and channels not in self.channels)
        ):
            return f"handles {self}, not {channels} x {' x '.join(map(str, sides))}"
        return None

    def _fits(self, side: int) -> bool:
        return (
            side >= self.minimum
            and (self.maximum is None or side <= self.maximum)
            and (not self.power_of_two or side & (side - 1) == 0)
            and side % self.multiple_of == 0
        )

    def __str__(self) -> str:
        sides = "a power of two" if self.power_of_two else ""
        if self.multiple_of > 1:
            sides += f"{' and ' if sides else ''}a multiple of {self.multiple_of}"
        if self.minimum > 1:
            sides += f" from {self.minimum} {'up' if self.maximum is None else 'to'}"
        elif self.maximum is not None:
            sides += " up to"
        if self.maximum is not None:
            sides += f" {self.maximum}"
        text = "square images" if self.square else "images"
        if sides:
            text += f" whose side is {sides.strip()}"
        if self.channels is not None:
            plural = "" if self.channels == (1,) else "s"
            text += f" with {' or '.join(map(str, self.channels))} channel{plural}"
        return text
