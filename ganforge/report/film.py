"""Grids of a run over time, as pictures within the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from ganforge.runs.run import Run

from .markup import text

MOST_GRIDS = 24  # that are shown, the first and the last among them
_LARGE = 200_000  # bytes of a picture that goes into the page as it is
_MOST_PIXELS = 1200  # on a side of one that does not
_PNG = b"\x89PNG\r\n\x1a\n"


def film(run: Run) -> str:
    """The grids, the newest one in sight, and real samples to hold them against."""
    shown = _spread(run.grids)
    figures = [_figure(f"step {step:,}", _embedded(path)) for step, path in shown]
    real = _figure("real samples", _embedded(run.directory.samples / "real.png"))
    frames = "".join(figures)
    if not frames:
        return ""
    beside = f'<div class="real">{real}</div>' if real else ""
    more = len(run.grids) - len(shown)
    note = f'<p class="faint">{more} grids between these are not in this file.</p>' if more else ""
    return (
        '<div class="films"><div class="over-time">'
        f'<div class="film" tabindex="0" aria-label="Grids over time">{frames}</div>'
        '<div class="scrubber" hidden><button type="button">Play</button>'
        '<input type="range" min="0" value="0" aria-label="Grid"><output></output></div>'
        f"{note}</div>{beside}</div>"
    )


def _figure(caption: str, picture: str) -> str:
    if not picture:
        return ""
    return f"<figure>{picture}<figcaption>{text(caption)}</figcaption></figure>"


def _spread(grids: Sequence[tuple[int, Path]]) -> list[tuple[int, Path]]:
    """At most so many grids, at about equal distances."""
    if len(grids) <= MOST_GRIDS:
        return list(grids)
    last = len(grids) - 1
    return [grids[round(it * last / (MOST_GRIDS - 1))] for it in range(MOST_GRIDS)]


def _embedded(path: Path, label: str = "Samples") -> str:
    """A picture as an element that holds it; empty for a file that is none."""
    try:
        contents = path.read_bytes()
    except OSError:
        return ""
    if not contents.startswith(_PNG):
        return ""
    kind = "png"
    if len(contents) > _LARGE:
        kind, contents = "jpeg", _smaller(contents)
    if not contents:
        return ""
    encoded = base64.b64encode(contents).decode()
    return f'<img alt="{text(label)}" src="data:image/{kind};base64,{encoded}">'


def _smaller(contents: bytes) -> bytes:
    """A large picture as a JPEG of at most 1200 pixels; nothing where it is damaged."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(contents), formats=["PNG"]) as stored:
            picture = stored.convert("RGB")
        picture.thumbnail((_MOST_PIXELS, _MOST_PIXELS))
    except Exception:  # whatever a damaged file makes Pillow raise
        return b""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
