"""Images with more bands than a screen has colours, shown by three of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from ganforge import Fit

from .lettering import strip

COLOURS = (1, 3, 4)  # numbers of channels that are colours
_NARROWEST = 140  # pixels that a line of words takes at least


def shown_bands(channels: int, fit: Fit | None = None) -> tuple[int, int, int] | None:
    """The bands that are shown as red, green and blue; None where the channels are colours.

    They are the fact `colours` of the fit, three numbers from 0 on; else the last, the middle and
    the first, since bands are mostly in the order of their wavelengths. Raises ValueError for a
    fact that names no band.
    """
    named = None if fit is None else fit.facts.get("colours")
    if named is None:
        return None if channels in COLOURS else (channels - 1, (channels - 1) // 2, 0)
    numbers = tuple(named) if isinstance(named, Sequence) else ()
    if len(numbers) != 3 or not all(type(it) is int and 0 <= it < channels for it in numbers):
        raise ValueError(
            f"the fact 'colours' must be three of the bands 0 to {channels - 1}, not {named!r}"
        )
    red, green, blue = numbers
    return red, green, blue


def composite(images: Tensor, channels: int, bands: tuple[int, int, int] | None) -> Tensor:
    """Images `[B, C, H, W]` by the bands that stand for `channels`, `[B, 3, H, W]`.

    Images with fewer channels, which companions may have, stay as they are if these are colours,
    and are shown by the first if not.
    """
    if bands is None:
        return images
    if images.shape[1] >= channels:
        return images[:, list(bands)]
    return images if images.shape[1] in COLOURS else images[:, :1]


def noted(
    picture: Tensor, channels: int, bands: tuple[int, int, int], fit: Fit | None = None
) -> Tensor:
    """A picture `[H, W, 3]` with a line below it that says what is shown.

    Bands go by their names where the fit has the fact `bands`, else by their numbers from 1 on.
    """
    names = None if fit is None else fit.facts.get("bands")
    if not isinstance(names, Sequence) or len(names) != channels:
        names = range(1, channels + 1)
    red, green, blue = (names[it] for it in bands)
    text = f"bands {red}, {green} and {blue} of {channels} as red, green and blue"
    picture = pad(picture, (0, 0, 0, max(0, _NARROWEST - picture.shape[1])))
    words = strip(text, picture.shape[1], size=11, dark=True)
    return torch.cat([picture, words.expand(-1, -1, 3)])
