"""Class labels as people name them, and in the order in which samples are made and shown."""

from __future__ import annotations

from collections.abc import Sequence

from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.printable import printable

MAX_NAMED = 20  # classes that an error lists


def split_labels(text: str) -> list[str]:
    """`3, 3, cat` as words. Raises UsageError where one of them is empty."""
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise UsageError(
            f"--labels {printable(text, 100)!r} must be classes with commas between them, such as "
            "3,3,7"
        )
    return words


def find_labels(words: Sequence[str], classes: Sequence[str], shown: str = "--labels") -> list[int]:
    """The index in [0, K) that each word names: by its class, or else as a number.

    `shown` is how errors name the words. Raises UsageError for a word that does neither.
    """
    return [_find_label(word, classes, shown) for word in words]


def _find_label(word: str, classes: Sequence[str], shown: str) -> int:
    if word in classes:
        return classes.index(word)
    try:
        index = int(word)
    except ValueError:
        near = did_you_mean(word, classes)
        raise UsageError(
            f"{shown}: there is no class {printable(word, 60)!r}{near or '; ' + _known(classes)}"
        ) from None
    if not 0 <= index < len(classes):
        raise UsageError(f"{shown}: {index} is out of range: {_known(classes)}")
    return index


def _known(classes: Sequence[str]) -> str:
    shown = [printable(name, 40) for name in classes[:MAX_NAMED]]
    if len(classes) > MAX_NAMED:
        shown.append(f"{len(classes) - MAX_NAMED} more")
    return f"the generator has {len(classes)} classes, 0 to {len(classes) - 1} ({listed(shown)})"
