"""Pictures of a run as trackers take them."""

from __future__ import annotations

from PIL import Image
from torch import Tensor


def as_image(picture: Tensor) -> Image.Image:
    """A picture, uint8 `[H, W, C]`, of one channel or three, as an image of Pillow."""
    return Image.fromarray((picture.squeeze(2) if picture.shape[2] == 1 else picture).numpy())
