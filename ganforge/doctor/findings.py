"""Records of an examination: `Fact`, `Trouble`, and both together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from ganforge.errors import GanforgeError
from ganforge.printable import described
from ganforge.storage.paths import without_home

#: an error makes something impossible or wrong; a warning is good to know
Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that is as it should be, or that only needs to be known: a subject and a text."""

    subject: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something that is wrong.

    `name` is the same for the same kind of trouble, `text` says what is wrong and where, `remedy`
    what can be done, with commands in backquotes.
    """

    name: str
    severity: Severity = "error"
    text: str
    remedy: str = ""


Finding = Fact | Trouble
Findings = Iterator[Finding]


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Everything that was found."""

    facts: tuple[Fact, ...]
    troubles: tuple[Trouble, ...]

    @property
    def sound(self) -> bool:
        """True where nothing is broken; there may be warnings."""
        return not any(it.severity == "error" for it in self.troubles)


def examination(findings: Iterable[Finding]) -> Examination:
    """The examination that some findings amount to; errors stand before warnings."""
    found = [replace(it, text=without_home(it.text)) for it in findings]
    troubles = [
        replace(it, remedy=without_home(it.remedy)) for it in found if isinstance(it, Trouble)
    ]
    return Examination(
        facts=tuple(it for it in found if isinstance(it, Fact)),
        troubles=tuple(sorted(troubles, key=lambda it: it.severity != "error")),
    )


def told(rule: Callable[..., Findings], *arguments: object) -> Findings:
    """The findings of a rule; one that fails is a trouble itself, and hides no other."""
    try:
        yield from rule(*arguments)
    except GanforgeError as error:
        yield Trouble(name=rule.__name__.replace("_", "-"), text=str(error))
    except Exception as error:
        # What is examined may be wrong in any way that there is.
        what = rule.__name__.replace("_", " ")
        text = f"the {what} could not be examined: {described(error)}"
        yield Trouble(name=rule.__name__.replace("_", "-"), text=text)
