"""A grid within the terminal, where it can show one; known from its environment, never asked."""

from __future__ import annotations

import base64
import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from PIL import Image

#: a protocol for pictures, or characters of two colours each, a half of one above the other
Way = Literal["kitty", "iterm", "blocks"]

VARIABLE = "GANFORGE_PREVIEW"  # one of the ways, or `off`, whatever the terminal says of itself
MOST_ROWS = 20  # of text, that a preview takes
_SIDE = 640  # pixels of a picture that is sent, at most
_SEEN = 14  # on a side of a sample in blocks, of which one sees something
_CHUNK = 4096  # bytes of base64 that kitty takes at once


def way_of(environ: Mapping[str, str], encoding: str | None) -> Way | None:
    """The way in which the terminal of this environment shows pictures; None where it does not.

    Not where a build server keeps what is printed (`CI`). Within tmux and screen, which keep
    pictures from the terminal, and elsewhere, blocks take true colour (`COLORTERM`).
    """
    wanted = environ.get(VARIABLE, "").strip().lower()
    if wanted:
        return next((way for way in get_args(Way) if way == wanted), None)
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if environ.get("CI") or term == "dumb":
        return None
    if not environ.get("TMUX") and not term.startswith(("screen", "tmux")):
        if environ.get("KITTY_WINDOW_ID") or term in ("xterm-kitty", "xterm-ghostty"):
            return "kitty"
        if program in ("iTerm.app", "WezTerm") or environ.get("LC_TERMINAL") == "iTerm2":
            return "iterm"
    colours = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    unicode = (encoding or "").lower().replace("-", "") == "utf8"
    return "blocks" if colours and unicode and not environ.get("NO_COLOR") else None


def preview(path: Path, side: int | None = None) -> str:
    """Text that shows a picture on standard output; empty where that is no use.

    `side` is that of the samples in it, in pixels, where these are pictures themselves.
    """
    way = way_of(os.environ, sys.stdout.encoding) if sys.stdout.isatty() else None
    if way is None:
        return ""
    size = get_terminal_size()
    return drawn(path, way, size.columns, max(1, min(MOST_ROWS, size.lines - 6)), side)


def drawn(path: Path, way: Way, columns: int, rows: int, side: int | None = None) -> str:
    """A picture in at most so many columns and rows; empty for a file that cannot be read.

    Of samples that would be too small in blocks to be told, those are shown that there is room for.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as stored:
            picture = stored.convert("RGB")
    except Exception:  # whatever a damaged file makes Pillow raise; a preview is worth no error
        return ""
    if way == "blocks":
        if side is not None:
            shrunk = max(1.0, side / _SEEN)
            room = round(columns * shrunk), round(2 * rows * shrunk)
            picture = picture.crop(
                (0, 0, min(picture.width, room[0]), min(picture.height, room[1]))
            )
        picture.thumbnail((columns, 2 * rows), Image.Resampling.BOX)
        return _blocks(picture)
    picture.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    encoded = base64.b64encode(buffer.getvalue()).decode()
    if way == "iterm":
        said = f"inline=1;size={len(buffer.getvalue())};height={rows};preserveAspectRatio=1"
        return f"\x1b]1337;File={said}:{encoded}\x07\n"
    return _kitty(encoded, rows)


def _kitty(encoded: str, rows: int) -> str:
    pieces = [encoded[start : start + _CHUNK] for start in range(0, len(encoded), _CHUNK)]
    written = ""
    for place, piece in enumerate(pieces):
        # q=2: the terminal answers nothing, which would arrive as if it were typed.
        said = f"a=T,f=100,r={rows},q=2," if place == 0 else ""
        written += f"\x1b_G{said}m={int(place < len(pieces) - 1)};{piece}\x1b\\"
    return f"{written}\n"


def _blocks(picture: Image.Image) -> str:
    """Two rows of pixels in a row of text: the upper one in front, the lower one behind."""
    lines = []
    for top in range(0, picture.height, 2):
        line = ""
        for x in range(picture.width):
            line += f"\x1b[38;2;{_colour(picture, x, top)}m"
            if top + 1 < picture.height:
                line += f"\x1b[48;2;{_colour(picture, x, top + 1)}m"
            line += "\u2580"
        lines.append(f"{line}\x1b[0m\n")
    return "".join(lines)


def _colour(picture: Image.Image, x: int, y: int) -> str:
    pixel = picture.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return ";".join(str(int(level)) for level in pixel)
