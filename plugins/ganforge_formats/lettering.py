"""Text in pictures: captions in a margin, notes below, headings above."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

MARGIN = 6  # pixels beside a text
_CAPTION_LENGTH = 24  # letters


def one_line(text: object, limit: int) -> str:
    """Text from outside as one line that can be drawn, of at most `limit` letters."""
    line = " ".join(str(text).split())
    safe = "".join(char for char in line if char.isprintable())
    return safe if len(safe) <= limit else safe[: limit - 3] + "..."


def font_of(size: int) -> Font:
    return ImageFont.load_default(size)


def caption_column(
    captions: Sequence[str], total: int, first: float, pitch: float, size: int, dark: bool
) -> Tensor:
    """A margin with a text beside each row, uint8 `[total, W]`, as wide as the longest takes.

    The first is centred on the height `first`, and each next one `pitch` pixels below the one
    before. It is white on black where the picture is `dark`.
    """
    font = font_of(size)
    texts = [one_line(caption, _CAPTION_LENGTH) for caption in captions]
    width = math.ceil(max(font.getlength(text) for text in texts)) + 2 * MARGIN
    ground, ink = (0, 255) if dark else (255, 45)
    canvas = Image.new("L", (width, total), ground)
    draw = ImageDraw.Draw(canvas)
    for row, text in enumerate(texts):
        middle = first + row * pitch
        draw.text((width - MARGIN, middle), text, fill=ink, font=font, anchor="rm")
    return pixels(canvas)[:, :, 0]


def strip(text: str, width: int, size: int = 13, dark: bool = False) -> Tensor:
    """Lines of text over the width of a picture, uint8 `[H, width, 1]`; long ones are broken."""
    font = font_of(size)
    ground, ink = (0, 255) if dark else (255, 45)
    lines = broken(text, width - 2 * MARGIN, font)
    leading = size + 4
    canvas = Image.new("L", (width, leading * len(lines) + 4), ground)
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        draw.text((MARGIN, 2 + number * leading), line, fill=ink, font=font, anchor="la")
    return pixels(canvas)


def broken(text: str, width: int, font: Font) -> list[str]:
    """Text in lines of at most `width` pixels, broken between words, or within one that is long."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        while font.getlength(word) > width and len(word) > 1:
            end = len(word) - 1
            while end > 1 and font.getlength(word[:end]) > width:
                end -= 1
            lines.append(word[:end])
            word = word[end:]
        line = word
    return [*lines, line]


def above(picture: Tensor, text: str) -> Tensor:
    """A light picture `[H, W, 3]` with a line of text over it."""
    heading = strip(text, picture.shape[1]).expand(-1, -1, picture.shape[2])
    return torch.cat([heading, picture])


def pixels(image: Image.Image) -> Tensor:
    """An image as uint8 `[H, W, C]`."""
    channels = len(image.getbands())
    flat = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return flat.view(image.height, image.width, channels)
