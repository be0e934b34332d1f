"""Text: one-hot sequences as lines of characters or words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PIL import Image, ImageDraw
from torch import Tensor

from ganforge import Drawn, Format, Problem

from .canvas import INK, WHITE
from .lettering import MARGIN, broken, font_of, one_line, pixels
from .rows import SAMPLES, arrange, parts

WIDTH = 760  # of the text, in pixels
_SIZE, _LEADING, _SPACE = 14, 19, 8  # of a letter, of a line, and between texts, in pixels
_MOST_LINES, _MOST_LETTERS = 4, 1000  # of one text
_FAINT = (120, 126, 134)


@dataclass(frozen=True, kw_only=True)
class _Block:
    """One text of a page, in lines, with what stands beside it."""

    margin: str
    lines: list[str]
    generated: bool
    ends_group: bool


class TextFormat(Format):
    """One-hot sequences `(K, T)`: at each place the token with the largest number.

    The facts of a fit are `tokens`, the K texts to put in a row (an empty one says nothing, as
    padding does), and `separator`, what stands between two of them: nothing where all are single
    characters, else a space. Without tokens their numbers are shown. Raises ValueError where the
    tokens are not K.
    """

    num_pictured = 20

    def __init__(self, problem: Problem, options: object = None) -> None:
        super().__init__(problem)
        num_tokens = problem.sample_shape[0]
        facts = {} if problem.fit is None else problem.fit.facts
        named = facts.get("tokens")
        self._tokens = [str(it) for it in (range(num_tokens) if named is None else named)]
        if len(self._tokens) != num_tokens:
            raise ValueError(
                f"the fact 'tokens' has {len(self._tokens)} tokens, and samples are one-hot of "
                f"{num_tokens}"
            )
        characters = named is not None and all(len(it) <= 1 for it in self._tokens)
        self._separator = str(facts.get("separator", "" if characters else " "))

    def texts(self, samples: Tensor) -> list[str]:
        """The text of each sample `[N, K, T]`."""
        numbers = samples[:, : len(self._tokens)].detach().argmax(dim=1).tolist()
        words = ([self._tokens[it] for it in row] for row in numbers)
        return [self._separator.join(word for word in row if word) for row in words]

    def picture(self, drawn: Drawn) -> Tensor:
        return _page([*self._blocks(drawn)])

    def arrays(self, drawn: Drawn) -> dict[str, Tensor]:
        """The one-hot samples, and `tokens`, int64 `[N, T]`, the number of the token at a place."""
        return {**super().arrays(drawn), "tokens": drawn.samples.argmax(dim=1)}

    def encode(self, drawn: Drawn, suffix: str) -> bytes:
        r"""A line of UTF-8 for each sample; line breaks within one are written `\n` and `\r`."""
        texts = self.texts(drawn.samples)
        lines = (text.replace("\n", r"\n").replace("\r", r"\r") for text in texts)
        return "".join(f"{line}\n" for line in lines).encode()

    def encode_parts(self, parts: Iterable[Drawn], suffix: str) -> Iterator[bytes]:
        return (self.encode(part, suffix) for part in parts)

    def _blocks(self, drawn: Drawn) -> Iterator[_Block]:
        shown = {name: self.texts(values) for name, values in parts(drawn).items()}
        rows = arrange(drawn, 1, longest=len(drawn.samples))
        captions = rows.captions or [""] * len(rows.numbers)
        font = font_of(_SIZE)
        for numbers, caption in zip(rows.numbers, captions, strict=True):
            for number in numbers:
                for place, (name, texts) in enumerate(shown.items(), 1):
                    line = one_line(texts[number], _MOST_LETTERS)
                    lines = broken(line, WIDTH, font)
                    if len(lines) > _MOST_LINES:
                        lines = [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1]} ..."]
                    margin = name if len(shown) > 1 else caption
                    yield _Block(
                        margin=margin,
                        lines=lines,
                        generated=name == SAMPLES,
                        ends_group=place == len(shown),
                    )
                    caption = ""  # a class is named once


def _page(blocks: list[_Block]) -> Tensor:
    """Texts below each other, with what stands beside them in a margin, uint8 `[H, W, 3]`."""
    font = font_of(_SIZE)
    names = [one_line(block.margin, 24) for block in blocks]
    margin = math.ceil(max(font.getlength(name) for name in names))
    left = MARGIN + (margin + 3 * MARGIN if margin else MARGIN)
    num_lines = sum(len(block.lines) for block in blocks)
    height = _LEADING * num_lines + _SPACE * (1 + sum(block.ends_group for block in blocks))
    page = Image.new("RGB", (left + WIDTH + MARGIN, height), WHITE)
    draw = ImageDraw.Draw(page)
    top = _SPACE
    for block, name in zip(blocks, names, strict=True):
        ink = INK if block.generated else _FAINT
        draw.text((MARGIN, top), name, fill=_FAINT, font=font, anchor="la")
        for line in block.lines:
            draw.text((left, top), line, fill=ink, font=font, anchor="la")
            top += _LEADING
        top += _SPACE if block.ends_group else 0
    return pixels(page)
