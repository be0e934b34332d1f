"""Ranges and choices of a search as people write them."""

from __future__ import annotations

import pytest

from ganforge.errors import UsageError
from ganforge.sweeps.axes import FlagForm
from ganforge.sweeps.space import Choice, Range, dimension

FORMS = {
    "loss": FlagForm(flag="--loss", repeatable=True),
    "learning-rate": FlagForm(flag="--learning-rate"),
    "batch-size": FlagForm(flag="--batch-size"),
}


def test_a_range_of_whole_numbers() -> None:
    found = dimension("generator.width=16..64", FORMS)
    assert isinstance(found, Range)
    assert (found.ends, found.whole, found.log) == ((16, 64), True, False)
    assert found.value(32).arguments == ("--set", "generator.width=32")
    found = dimension("batch_size=16..64:log", FORMS)
    assert found.log  # type: ignore[union-attr]
    assert found.value(17).arguments == ("--batch-size", "17")


def test_a_range_of_numbers_is_rounded_to_what_can_be_read() -> None:
    found = dimension("learning-rate=1e-5..1.5e-2:log", FORMS)
    assert isinstance(found, Range)
    assert not found.whole
    assert found.value(0.00123456).text == "0.00123"
    assert found.value(0.01499999).text == "0.015"
    assert dimension("loss.r1.gamma=0.1..0.12345", FORMS).value(0.12345).text == "0.123"
    assert dimension("loss.r1.gamma=0.12345..1.0", FORMS).value(0.12345).text == "0.12345"


def test_choices() -> None:
    found = dimension("loss=nonsat,hinge+r1", FORMS)
    assert isinstance(found, Choice)
    assert found.ends == ("nonsat", "hinge+r1")
    assert found.value("hinge+r1").arguments == ("--loss", "hinge", "--loss", "r1")
    assert dimension("generator.hidden=[8],[8,8]", FORMS).ends == ("[8]", "[8,8]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("width", "must look like"),
        ("=1..2", "must look like"),
        ("generator.width=", "must look like"),
        ("widht=1..2", "'widht' is no flag"),
        ("generator.width=64..16", "64 must lie below 16"),
        ("generator.width=0..16:log", "begins above 0"),
        ("generator.width=16", "is one value; a range is written 16..64"),
        ("loss=a,a", "given twice"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        dimension(text, FORMS)
