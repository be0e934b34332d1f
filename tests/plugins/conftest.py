"""What pictures say, for the tests of those that draw them."""

from __future__ import annotations

import pytest
from PIL import ImageDraw


@pytest.fixture
def texts(monkeypatch):
    """What a picture says."""
    written: list[str] = []
    write = ImageDraw.ImageDraw.text

    def noted(self, xy, text, *arguments, **options):
        written.append(text)
        write(self, xy, text, *arguments, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", noted)
    return written
