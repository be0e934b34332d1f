"""The options of the distributions; what contradicts itself is found when they are parsed."""

from __future__ import annotations

from dataclasses import dataclass

from ganforge import option


@dataclass(frozen=True, kw_only=True)
class NormalOptions:
    mean: float = option(0.0, help="mean along every axis")
    std: float = option(1.0, help="standard deviation along every axis", above=0.0)
    dimension: int = option(1, help="numbers per sample D", minimum=1)


@dataclass(frozen=True, kw_only=True)
class MixtureOptions:
    """Raises ValueError where there is not a mean, a weight and a deviation for every mode."""

    means: tuple[float, ...] = option(
        (-2.0, 2.0), help="means of the modes, one after the other, `dimension` numbers each"
    )
    stds: tuple[float, ...] = option(
        (0.5,), help="standard deviation of each mode along every axis, or one for all", above=0.0
    )
    weights: tuple[float, ...] | None = option(
        None, help="weight of each mode, in any unit; equal where unset", above=0.0
    )
    dimension: int = option(1, help="numbers per sample D", minimum=1)

    def __post_init__(self) -> None:
        if not self.means or len(self.means) % self.dimension:
            raise ValueError(
                f"means takes dimension = {self.dimension} numbers for each mode, and has "
                f"{len(self.means)} in all"
            )
        if len(self.stds) not in (1, self.num_modes):
            raise ValueError(
                f"stds takes 1 number or one per mode, which are {self.num_modes}, not "
                f"{len(self.stds)}"
            )
        if self.weights is not None and len(self.weights) != self.num_modes:
            raise ValueError(
                f"weights takes one number per mode, which are {self.num_modes}, not "
                f"{len(self.weights)}"
            )

    @property
    def num_modes(self) -> int:
        return len(self.means) // self.dimension


@dataclass(frozen=True, kw_only=True)
class RingOptions:
    num_modes: int = option(8, help="number of modes", minimum=1)
    radius: float = option(1.0, help="radius of the circle that the means lie on", minimum=0.0)
    std: float = option(0.01, help="standard deviation of each mode along each axis", above=0.0)


@dataclass(frozen=True, kw_only=True)
class GridOptions:
    side: int = option(5, help="modes along each side; there are side x side", minimum=1)
    spacing: float = option(2.0, help="distance between neighbouring means", minimum=0.0)
    std: float = option(0.05, help="standard deviation of each mode along each axis", above=0.0)


@dataclass(frozen=True, kw_only=True)
class UniformOptions:
    """Raises ValueError for bounds in the wrong order."""

    low: float = option(-1.0, help="lower bound")
    high: float = option(1.0, help="upper bound")
    dimension: int = option(1, help="numbers per sample D", minimum=1)

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError(f"low = {self.low:g} must lie below high = {self.high:g}")


@dataclass(frozen=True, kw_only=True)
class SwissRollOptions:
    noise: float = option(
        0.25, help="standard deviation of the noise, where the roll has radius 14.1", minimum=0.0
    )
