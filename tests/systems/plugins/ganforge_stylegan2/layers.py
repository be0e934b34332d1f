"""What generator and discriminator share: their widths, and the activation."""

from math import log2

from torch.nn.functional import leaky_relu

BASE = 4  # pixels of a side, before the first block
WIDEST = 1024  # pixels of a side at which `width` is the number of channels


def widths(problem, options):
    """The numbers of channels from 4 pixels up to the size of the image."""
    side = problem.sample_shape[-1]
    sides = [BASE << number for number in range(int(log2(side // BASE)) + 1)]
    return [min(options.maximum, options.width * WIDEST // side) for side in sides]


def activated(features):
    """A leaky rectifier that keeps the variance."""
    return leaky_relu(features, 0.2) * 2**0.5
