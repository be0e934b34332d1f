"""The layers that SAGAN's two networks share."""

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, relu
from torch.nn.utils.parametrizations import spectral_norm


def conv(fan_in, fan_out, kernel, *, bias=True):
    return normalised(nn.Conv2d(fan_in, fan_out, kernel, padding=kernel // 2, bias=bias))


def normalised(layer):
    """A layer whose weight starts as Glorot and Bengio have it, divided by its largest sigma."""
    nn.init.xavier_uniform_(layer.weight)
    if not isinstance(layer, nn.Embedding) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return spectral_norm(layer)


class Attention(nn.Module):
    """Features `[B, C, H, W]` to y = gamma o + x, o what each place attends to (equations 1 to 3).

    gamma starts at 0, so that the network begins with what is near. As in the authors' code, places
    attend to features pooled over 2 x 2.
    """

    def __init__(self, channels):
        super().__init__()
        few, half = max(channels // 8, 1), max(channels // 2, 1)
        # Without biases, as in the paper: the softmax would take that of the keys away again.
        self.query = conv(channels, few, 1, bias=False)
        self.key = conv(channels, few, 1, bias=False)
        self.value = conv(channels, half, 1, bias=False)
        self.output = conv(half, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, features):
        queries = self.query(features).flatten(2)
        keys = max_pool2d(self.key(features), 2).flatten(2)
        values = max_pool2d(self.value(features), 2).flatten(2)
        weights = (queries.transpose(1, 2) @ keys).softmax(2)
        attended = values @ weights.transpose(1, 2)
        attended = attended.view(len(features), -1, *features.shape[2:])
        return features + self.gamma * self.output(attended)


class ClassNorm(nn.Module):
    """Batch normalisation whose gain, at first 1, and bias, at first 0, are those of the class."""

    def __init__(self, channels, num_classes):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=num_classes is None)
        if num_classes is not None:
            self.gain = nn.Embedding(num_classes, channels)
            self.bias = nn.Embedding(num_classes, channels)
            nn.init.ones_(self.gain.weight)
            nn.init.zeros_(self.bias.weight)

    def forward(self, features, label):
        features = self.norm(features)
        if self.norm.affine:
            return features
        gain, bias = (it(label)[:, :, None, None] for it in (self.gain, self.bias))
        return gain * features + bias


class Up(nn.Module):
    """Features `[B, C, H, W]` of a class to `[B, C', 2 H, 2 W]`."""

    def __init__(self, fan_in, fan_out, num_classes):
        super().__init__()
        self.norm1, self.norm2 = ClassNorm(fan_in, num_classes), ClassNorm(fan_out, num_classes)
        self.conv1, self.conv2 = conv(fan_in, fan_out, 3), conv(fan_out, fan_out, 3)
        self.shortcut = conv(fan_in, fan_out, 1)

    def forward(self, features, label):
        change = self.conv1(interpolate(relu(self.norm1(features, label)), scale_factor=2.0))
        change = self.conv2(relu(self.norm2(change, label)))
        return interpolate(self.shortcut(features), scale_factor=2.0) + change


class Down(nn.Module):
    """Features `[B, C, H, W]` to `[B, C', H / 2, W / 2]`, or of the same size."""

    def __init__(self, fan_in, fan_out, *, first=False, halve=True):
        super().__init__()
        self.first, self.halve = first, halve
        self.conv1, self.conv2 = conv(fan_in, fan_out, 3), conv(fan_out, fan_out, 3)
        self.shortcut = conv(fan_in, fan_out, 1) if fan_in != fan_out or halve else nn.Identity()

    def forward(self, features):
        change = self.conv2(relu(self.conv1(features if self.first else relu(features))))
        kept = self.shortcut(features)
        return avg_pool2d(kept + change, 2) if self.halve else kept + change
