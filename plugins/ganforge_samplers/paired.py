"""Samplers that make generator inputs of real images: whole, with a hole, or coarse."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from ganforge import Batch, DataError, Inputs, NoOptions, Problem, Sampler

from . import DownscaleOptions, FieldOptions, MaskOptions

GREY = 0.0  # the middle of [-1, 1]


class _Paired(Sampler):
    """Input number i is made of real image number i; labels are those of the real images."""

    def sample(self, n: int, *, generator: torch.Generator, real: Batch | None = None) -> Inputs:
        if real is None:
            raise DataError("this sampler makes its inputs of real images, and there are none")
        told = real.only(self.problem.conditions).others
        return Inputs(self.altered(real.samples, generator), **told)

    @abstractmethod
    def altered(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Images `[B, C, H, W]` as the generator gets them, of the same shape."""


class Reconstruct(_Paired):
    """Real images as they are."""

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        super().__init__(problem)

    def altered(self, images: Tensor, generator: torch.Generator) -> Tensor:
        return images


class OtherField(Sampler):
    """Another field of the real samples, as it is."""

    def __init__(self, problem: Problem, options: FieldOptions) -> None:
        super().__init__(problem)
        self.name = options.field

    def sample(self, n: int, *, generator: torch.Generator, real: Batch | None = None) -> Inputs:
        if real is None:
            raise DataError(f"this sampler feeds the field {self.name!r}, and there is no data")
        return Inputs(real.others[self.name], **real.only(self.problem.conditions).others)


class Mask(_Paired):
    """Real images with a grey rectangle (Pathak et al., 2016, arXiv:1604.07379)."""

    def __init__(self, problem: Problem, options: MaskOptions) -> None:
        super().__init__(problem)
        self.size = options.size
        self.random = options.place == "random"

    def altered(self, images: Tensor, generator: torch.Generator) -> Tensor:
        batch, _, *sides = images.shape
        inside = torch.ones(1, dtype=torch.bool, device=images.device)
        for axis, side in enumerate(sides):
            hole = min(side, max(1, round(self.size * side)))
            if self.random:
                start = torch.randint(
                    side - hole + 1, (batch, 1), generator=generator, device=generator.device
                ).to(images.device)
            else:
                start = torch.full((batch, 1), (side - hole) // 2, device=images.device)
            place = torch.arange(side, device=images.device)
            within = (place >= start) & (place < start + hole)
            shape = (batch, 1, side, 1) if axis == 0 else (batch, 1, 1, side)
            inside = inside & within.view(shape)
        return images.masked_fill(inside, GREY)


class Downscale(_Paired):
    """Real images averaged over squares and enlarged again (Dong et al., 2014, arXiv:1501.00092).

    The small image has sides of ceil(H / factor) and ceil(W / factor).
    """

    def __init__(self, problem: Problem, options: DownscaleOptions) -> None:
        super().__init__(problem)
        self.factor = options.factor
        self.enlarge = options.enlarge

    def altered(self, images: Tensor, generator: torch.Generator) -> Tensor:
        height, width = size = images.shape[2:]
        coarse = (-(-height // self.factor), -(-width // self.factor))
        small = adaptive_avg_pool2d(images, coarse)
        if self.enlarge == "nearest":
            return interpolate(small, size=size, mode="nearest")
        return interpolate(small, size=size, mode="bilinear", align_corners=False)
