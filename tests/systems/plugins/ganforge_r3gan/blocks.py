"""Residual blocks without normalisation, and how their weights start."""

from torch import nn
from torch.nn.functional import leaky_relu

SLOPE = 0.2
GAIN = (2 / (1 + SLOPE**2)) ** 0.5  # what keeps the variance over a leaky rectifier
CHANNELS_PER_GROUP = 8  # before they are expanded


def started(layer, gain=1.0):
    """A layer with weights from N(0, gain^2 / fan in), and biases 0."""
    nn.init.normal_(layer.weight, 0.0, gain * layer.weight[0].numel() ** -0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def pointwise(fan_in, fan_out):
    return started(nn.Conv2d(fan_in, fan_out, 1, bias=False))


class Block(nn.Module):
    """Features `[B, C, H, W]` to the same: 1 x 1, grouped 3 x 3, and 1 x 1 convolution.

    Its first weights are those of fix-up initialisation (Zhang et al., 2019): of a network of L
    such blocks of 3 layers, the first two are scaled by L^-1/4, and the last is 0, so that the
    block begins as nothing but its shortcut.
    """

    def __init__(self, channels, expansion, num_blocks):
        super().__init__()
        wide, groups = channels * expansion, channels // CHANNELS_PER_GROUP
        gain = GAIN * num_blocks**-0.25
        self.widen = started(nn.Conv2d(channels, wide, 1), gain)
        self.grouped = started(nn.Conv2d(wide, wide, 3, padding=1, groups=groups), gain)
        self.narrow = started(nn.Conv2d(wide, channels, 1, bias=False), 0.0)

    def forward(self, features):
        change = leaky_relu(self.widen(features), SLOPE)
        change = leaky_relu(self.grouped(change), SLOPE)
        return features + self.narrow(change)
