"""Class labels as people name them, and in the order in which samples are made and shown."""

from __future__ import annotations

from collections.abc import Sequence

from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.printable import printable

MAX_NAMED = 20  # classes that an error lists


def split_labels(text: str) -> list[str]:
    """`3, 3, cat` as words. Raises UsageError where one of them is empty."""
    words = [*_words(text)]
    if not all(words):
        raise UsageError(
            f"--labels {printable(text, 100)!r} must be classes with commas between them, such as "
            "3,3,7"
        )
    return words


def find_labels(words: Sequence[str], classes: Sequence[str], shown: str = "--labels") -> list[int]:
    """The index in [0, K) of each class that is named, by its name or else as a number.

    A name that has commas itself is several words; of two readings the longer name is meant.
    `shown` is how errors name the words. Raises UsageError for a word that names none.
    """
    with_commas = {_words(name): index for index, name in enumerate(classes) if "," in name}
    longest = max(map(len, with_commas), default=1)
    found: list[int] = []
    at = 0
    while at < len(words):
        lengths = range(min(longest, len(words) - at), 1, -1)
        num = next((it for it in lengths if tuple(words[at : at + it]) in with_commas), 1)
        if num > 1:
            found.append(with_commas[tuple(words[at : at + num])])
        else:
            found.append(_find_label(words[at], classes, shown))
        at += num
    return found


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in name.split(","))


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
