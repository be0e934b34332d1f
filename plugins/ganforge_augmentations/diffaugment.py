"""DiffAugment (Zhao et al., 2020, arXiv:2006.10738): colour, translation and cutout.

The numbers are those of the paper's appendix A and its published code: brightness in
[-0.5, 0.5], saturation in [0, 2] and contrast in [0.5, 1.5], shifts of up to 1/8 of each side, and
a hole of half of each side. What is shifted in and what is cut out is 0, the middle of the range.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganforge import Augmentation, Problem, Progress

from . import DiffAugmentOptions
from .pixels import take

TRANSLATION = 1 / 8  # largest shift, as a share of the side
CUTOUT = 1 / 2  # side of the hole, as a share of the image's


class DiffAugment(Augmentation):
    """The transforms of the policy, with other parameters for each sample."""

    def __init__(self, problem: Problem, options: DiffAugmentOptions) -> None:
        super().__init__(problem, options)
        self.p = options.p
        self.transforms = [TRANSFORMS[name] for name in options.policy]

    def forward(self, samples: Tensor, generator: torch.Generator, progress: Progress) -> Tensor:
        p = progress.value(self.p)
        if p == 0:
            return samples
        for transform in self.transforms:
            transformed = transform(samples, generator)
            if p < 1:
                left_alone = _uniform(samples, generator) >= p
                transformed = torch.where(left_alone, samples, transformed)
            samples = transformed
        return samples


def recolour(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images `[B, C, H, W]` of another brightness, saturation and contrast, in this order.

    Saturation is the distance of the channels from their mean, pixel by pixel, so that it changes
    nothing where there is one channel.
    """
    brightness = _uniform(images, generator) - 0.5
    saturation = _uniform(images, generator) * 2
    contrast = _uniform(images, generator) + 0.5
    # The three in one: saturation keeps a pixel's mean, and contrast that of the image.
    pixel_mean = images.mean(1, keepdim=True)
    image_mean = pixel_mean.mean((2, 3), keepdim=True)
    chroma = (images - pixel_mean) * (saturation * contrast)
    return chroma + ((pixel_mean - image_mean) * contrast + image_mean + brightness)


def translate(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images `[B, C, H, W]` shifted by whole pixels; 0 comes in from outside."""
    rows, rows_inside = _shifted(images, images.shape[2], generator)
    columns, columns_inside = _shifted(images, images.shape[3], generator)
    inside = (rows_inside.unsqueeze(2) & columns_inside.unsqueeze(1)).unsqueeze(1)
    return take(images, rows, columns) * inside


def _shifted(images: Tensor, side: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The sources `[B, side]` of each row (or column), and whether they are in the image."""
    largest = _share(TRANSLATION, side)
    shift = _integers(images, -largest, largest, generator)
    places = torch.arange(side, device=images.device) + shift
    return places.clamp(0, side - 1), (places >= 0) & (places < side)


def cut_out(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images `[B, C, H, W]` with a rectangle of 0, whose centre lies anywhere in the image."""
    rows = _hole(images, images.shape[2], generator)
    columns = _hole(images, images.shape[3], generator)
    hole = (rows.unsqueeze(2) & columns.unsqueeze(1)).unsqueeze(1)
    return images * ~hole


def _hole(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """The rows (or columns) that the hole covers, bool `[B, side]`."""
    size = _share(CUTOUT, side)
    # A hole of even size has its centre between pixels, so that there is one place more.
    first = _integers(images, 0, side - size % 2, generator) - size // 2
    places = torch.arange(side, device=images.device)
    return (places >= first) & (places < first + size)


def _share(share: float, side: int) -> int:
    """A share of a side in whole pixels, halves rounded up."""
    return int(share * side + 0.5)


def _integers(images: Tensor, low: int, high: int, generator: torch.Generator) -> Tensor:
    """A number `[B, 1]` in low, ..., high for each image."""
    size = (len(images), 1)
    return torch.randint(low, high + 1, size, generator=generator, device=generator.device)


def _uniform(images: Tensor, generator: torch.Generator) -> Tensor:
    """A number `[B, 1, 1, 1]` in [0, 1) for each image, of their type."""
    numbers = torch.rand(len(images), 1, 1, 1, generator=generator, device=generator.device)
    return numbers.to(images.dtype)


Transform = Callable[[Tensor, torch.Generator], Tensor]

#: the name in a policy -> the transform
TRANSFORMS: dict[str, Transform] = {
    "color": recolour,
    "translation": translate,
    "cutout": cut_out,
}
