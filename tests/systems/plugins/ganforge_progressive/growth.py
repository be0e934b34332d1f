"""How far the networks have grown, and images of the sizes in between."""

from math import log2

import torch
from torch.nn.functional import avg_pool2d, interpolate

BASE = 4  # pixels of a side, before anything has grown
WIDEST = 1024  # pixels of a side at which `width` is the number of channels


class Growth:
    """Where a network of so many sizes stands: the level from 0 to `top`, and its share.

    Level 0 has one phase. Every other has two: its share rises from 0 to 1, and stays there. What
    is told of no progress is grown.
    """

    def __init__(self, top, phase_images):
        self.top, self.phase_images = top, phase_images
        self.level, self.alpha = top, 1.0

    def follow(self, progress):
        phase, done = divmod(progress.images, self.phase_images)
        self.level, self.alpha = min((phase + 1) // 2, self.top), 1.0
        if phase % 2 and phase < 2 * self.top:
            self.alpha = done / self.phase_images

    @property
    def fades(self):
        return self.alpha < 1

    @property
    def factor(self):
        """How many times the sides of the whole image are those of this level."""
        return 1 << (self.top - self.level)


def widths(problem, options):
    """The numbers of channels from 4 pixels up to the size of the image."""
    top = int(log2(problem.sample_shape[-1] // BASE))
    sides = [BASE << level for level in range(top + 1)]
    return [min(options.maximum, options.width * WIDEST // side) for side in sides]


def enlarged(images, factor=2):
    """Images whose pixels are squares of `factor` x `factor`."""
    return interpolate(images, scale_factor=factor) if factor > 1 else images


def halved(images):
    return avg_pool2d(images, 2)


def faded(coarse, fine, alpha):
    return torch.lerp(coarse, fine, alpha)
