"""Interpolation of latents: straight lines, arcs of great circles, and walks along one part.

Latents of a high-dimensional normal distribution lie close to a sphere, which a straight line
leaves and an arc does not (White, 2016, arXiv:1609.04468).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.printable import printable

Way = Literal["lerp", "slerp"]

_SMALLEST_SINE = 1e-3  # of the angle below which an arc is not told from a line, or is any arc


def lerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """The point at share `t` of the straight line from `a` to `b`, both `[..., Z]`.

    `t` is a number or a tensor that broadcasts. The ends are exact.
    """
    return (1 - t) * a + t * b


def slerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """The point at share `t` of the angle from `a` to `b`, both `[..., Z]` (Shoemake, 1985).

    With the angle w between the vectors: (sin((1 - t) w) a + sin(t w) b) / sin(w). Vectors on one
    line, zeros among them, span no plane to turn in: between those it is `lerp`.
    """
    unit_a, unit_b = _unit(a), _unit(b)
    # Accurate at every angle, which the arc cosine of the product is not near 0 and pi.
    chord = torch.linalg.vector_norm(unit_a - unit_b, dim=-1, keepdim=True)
    bisector = torch.linalg.vector_norm(unit_a + unit_b, dim=-1, keepdim=True)
    angle = 2 * torch.atan2(chord, bisector)
    sine = angle.sin()
    turns = (sine > _SMALLEST_SINE) & (unit_a != 0).any(-1, True) & (unit_b != 0).any(-1, True)
    sine = torch.where(turns, sine, 1.0)
    weight_a = torch.where(turns, ((1 - t) * angle).sin() / sine, 1 - torch.as_tensor(t))
    weight_b = torch.where(turns, (t * angle).sin() / sine, torch.as_tensor(t))
    return weight_a * a + weight_b * b


def _unit(vectors: Tensor) -> Tensor:
    """Vectors of length 1; zero stays zero. Scaled first, or squares would leave the range."""
    largest = vectors.abs().amax(-1, keepdim=True)
    return normalize(vectors / torch.where(largest > 0, largest, 1.0), dim=-1)


def path(anchors: Tensor, frames: int, way: Way, *, closed: bool) -> Tensor:
    """Points on the way through `anchors` `[A, ..., Z]`, `frames` of them from one to the next.

    An open way ends with the last anchor: `[(A - 1) * frames + 1, ..., Z]`. A closed one leads back
    to the first, which does not come twice: `[A * frames, ..., Z]`.
    """
    starts = anchors if closed else anchors[:-1]
    ends = anchors.roll(-1, 0) if closed else anchors[1:]
    # [A, frames, 1, ...]: every section at every share of it.
    shares = torch.arange(frames, device=anchors.device, dtype=anchors.dtype) / frames
    shares = shares.view(1, frames, *[1] * (anchors.dim() - 1))
    between = slerp if way == "slerp" else lerp
    points = between(starts[:, None], ends[:, None], shares).flatten(0, 1)
    return points if closed else torch.cat([points, anchors[-1:]])


@dataclass(frozen=True, kw_only=True)
class Variation:
    """One part of an input, `start` to `end` along its first axis, moved from `low` to `high`."""

    start: int
    end: int
    low: float
    high: float

    def path(self, latents: Tensor, num: int) -> Tensor:
        """The inputs `[B, Z, ...]` at `num` places of the way: `[num, B, Z, ...]`."""
        points = latents.expand(num, *latents.shape).clone()
        places = torch.linspace(self.low, self.high, num, device=latents.device)
        shape = (num, *[1] * latents.dim())
        points[:, :, self.start : self.end] = places.view(shape)
        return points


def find_variation(text: str, parts: Mapping[str, tuple[int, int]]) -> Variation:
    """`code=-2..2`, or `code.0=-2..2` for its first number alone. Raises UsageError."""
    shown = f"--vary {printable(text, 60)}"
    found = _VARIATION.fullmatch(text)
    if found is None:
        raise UsageError(f"{shown} must look like code=-2..2, or code.0=-2..2 for its first number")
    name, number = found["name"], found["number"]
    if name not in parts:
        near = did_you_mean(name, parts) or f"; its parts are {listed([*parts])}"
        what = (
            "its inputs have no parts with names" if not parts else f"it has no part {name!r}{near}"
        )
        raise UsageError(f"{shown}: the sampler of this generator cannot be varied so: {what}")
    start, end = parts[name]
    if number is not None:
        if int(number) >= end - start:
            raise UsageError(f"{shown}: {name!r} has the numbers 0 to {end - start - 1}")
        start, end = start + int(number), start + int(number) + 1
    return Variation(start=start, end=end, low=float(found["low"]), high=float(found["high"]))


_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_VARIATION = re.compile(
    rf"(?P<name>\w+)(?:\.(?P<number>\d+))?=(?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER})"
)
