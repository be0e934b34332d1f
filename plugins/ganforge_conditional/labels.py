"""Class labels as dense layers see them."""

from __future__ import annotations

from torch import nn

from ganforge.nn import OneHot


def dense_labels(num_classes: int, size: int) -> nn.Sequential:
    """One-hot labels through two dense layers: labels `[B]` to features `[B, size]`.

    The features are of the order of 1 at first. The usual weights, which expect all K inputs to be
    at work and not one alone, would make them so small beside those of an image that the classes
    are hardly learnt.
    """
    first, second = nn.Linear(num_classes, size // 2), nn.Linear(size // 2, size)
    nn.init.normal_(first.weight)
    nn.init.kaiming_normal_(second.weight, a=0.2)
    for layer in (first, second):
        nn.init.zeros_(layer.bias)
    return nn.Sequential(
        OneHot(num_classes),
        first,
        nn.LeakyReLU(0.2, inplace=True),
        second,
        nn.LeakyReLU(0.2, inplace=True),
    )
