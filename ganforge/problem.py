"""`Problem`: the shapes that every builder is given besides its options."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What a run is about, in shapes.

    `sample_shape` is `(C, H, W)` for images and `(D,)` for vectors; `input_shape` is what the
    generator is fed, `(Z,)` for latents; `num_classes` is the number of classes K of a run that is
    conditioned on labels, and None where labels play no part.
    """

    sample_shape: tuple[int, ...]
    input_shape: tuple[int, ...]
    num_classes: int | None = None
