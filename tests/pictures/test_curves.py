"""The picture of what a run has measured."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from ganforge.pictures.curves import COLOURS, MOST_PANELS, draw_curves
from ganforge.runs.panels import panels_of
from ganforge.runs.thinning import Thinned


def of(values: list[float]) -> Thinned:
    thinned = Thinned()
    thinned.extend(enumerate(values, 1))
    return thinned


def drawn(quantities: dict[str, list[float]], title: str = "run") -> Image.Image:
    panels = panels_of({name: of(values) for name, values in quantities.items()})
    return Image.open(io.BytesIO(draw_curves(panels, title))).convert("RGB")


def rows_of(picture: Image.Image, colour: tuple[int, int, int], x: int) -> list[int]:
    """The heights at which a column of pixels of the first plot has about this colour."""

    def distance(y: int) -> int:
        found = picture.getpixel((x, y))
        return sum(abs(a - b) for a, b in zip(found, colour, strict=True))

    return [y for y in range(78, 226) if distance(y) < 150]


def test_a_curve_rises_where_its_values_do() -> None:
    picture = drawn({"loss/generator": [float(it) for it in range(100)]})
    assert picture.size == (470, 30 + 236)
    heights = [rows_of(picture, COLOURS[0], x) for x in (70, 250, 440)]
    assert all(heights)
    assert max(heights[2]) < min(heights[1]) < min(heights[0])


def test_panels_stand_in_two_columns_and_those_too_many_are_counted() -> None:
    few = drawn({f"metric/{number}": [1.0, 2.0] for number in range(3)})
    assert few.size == (2 * 470, 30 + 2 * 236)
    many = drawn({f"metric/{number}": [1.0, 2.0] for number in range(MOST_PANELS + 5)})
    assert many.size == (2 * 470, 30 + MOST_PANELS // 2 * 236 + 24)


def test_a_single_value_and_an_extreme_one_are_drawn() -> None:
    one = drawn({"metric/kl": [0.25]})
    assert rows_of(one, COLOURS[0], 58 + round(398 / 1.01))
    extreme = drawn({"loss/generator": [0.5, 1.0, -2.0, 0.1, 7e14]})
    heights = [rows_of(extreme, COLOURS[0], x) for x in (137, 216, 294)]  # steps 1 to 3
    assert max(heights[0]) < min(heights[2])
    assert max(heights[1]) < min(heights[2])


def test_long_and_hostile_names_fit() -> None:
    name = "loss/" + "<script>\x1b[2J" * 60
    assert drawn({name + str(it): [1.0, 2.0] for it in range(6)}, "t" * 900).width == 470


def test_nothing_is_no_picture() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_curves([], "run")
