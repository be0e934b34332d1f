"""Every error that ganforge raises on purpose: what is wrong, where, and what to do.

The command line prints the message as one paragraph and leaves with `exit_code`:
2 where the request itself is wrong and that was noticed before training began, 1 for everything
that fails later or lies in a file that was written before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar


class Cut(BaseException):
    """Raised from outside into whatever runs: by a signal, or by the watchdog.

    It is not what runs that has failed, so nothing but the command that runs it handles this.
    """


#: What is passed on wherever the code of a plugin is called. Anything else that it raises is its
#: failure, SystemExit included.
ENDINGS: tuple[type[BaseException], ...] = (KeyboardInterrupt, Cut)


#: what messages end with where a traceback could tell more
DEBUG_HINT = "(GANFORGE_DEBUG=1 shows where)"


class GanforgeError(Exception):
    """The root of the hierarchy."""

    exit_code: ClassVar[int] = 1


#: The same, and ganforge's own errors, which say already what they mean.
PASSED_ON: tuple[type[BaseException], ...] = (GanforgeError, *ENDINGS)


class UsageError(GanforgeError):
    """A request that cannot be carried out as it stands."""

    exit_code = 2


class DataError(UsageError):
    """A data set is absent, empty or cannot be read."""


class DeviceError(UsageError):
    """A device was asked for that this machine does not have."""


class PluginError(GanforgeError):
    """A component of a plugin failed, or broke its contract."""


class CheckpointError(GanforgeError):
    """A checkpoint or an exported generator cannot be read, written or used here."""


class OtherKindError(CheckpointError):
    """A file is one of ganforge's, and of another kind than the one that is wanted."""


class NewerFormatError(CheckpointError):
    """A file was written by a newer ganforge, in a format that this one does not read."""


class RunDirectoryError(GanforgeError):
    """A run directory cannot be created, locked or written."""


class PushError(GanforgeError):
    """A model hub did not take what was to be uploaded, or was not reached."""


class OutOfMemoryError(GanforgeError):
    """There was no more memory, of the machine or of its accelerator."""


class WorkerError(GanforgeError):
    """A process that reads data for this one is gone, or gives nothing."""


class NonFiniteError(GanforgeError):
    """A loss or a gradient became NaN or infinite; nothing was updated with it."""


class DivergenceError(GanforgeError):
    """A run came to its end with every number finite, and has diverged all the same."""


class OutdatedWarning(DeprecationWarning):
    """Something of ganforge's that is to go, in a file or a plugin of the person who is told.

    People are shown it, unlike the DeprecationWarnings of other packages, which are for those who
    write them.
    """


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """One thing that is wrong with a configuration.

    `where` is the place it came from: `run.toml:12`, `--set generator.width=x`, `--loss`.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class ConfigError(UsageError):
    """Everything that is wrong with a configuration, reported at once, and what can be done."""

    def __init__(self, complaints: Iterable[Complaint], advice: str = "") -> None:
        self.complaints: tuple[Complaint, ...] = tuple(complaints)
        if len(self.complaints) == 1:
            text = str(self.complaints[0]) + (
                f". {advice[:1].upper()}{advice[1:]}" if advice else ""
            )
        else:
            lines = "\n".join(f"  {it}" for it in (*self.complaints, *filter(None, [advice])))
            text = f"{len(self.complaints)} things are wrong with the configuration:\n{lines}"
        super().__init__(text)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'dcgan'?` where a known word is near, else an empty string."""
    nearest = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def listed(words: Sequence[str], most: int | None = None) -> str:
    """`a, b and c`, or `none`; `a, b and 3 more` where there are more than `most`."""
    if not words:
        return "none"
    if most is not None and len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def shortened(words: Sequence[str], most: int = 5) -> str:
    """`a; b; c`, or the first few and how many more there are."""
    more = f", and {len(words) - most} more" if len(words) > most else ""
    return "; ".join(words[:most]) + more


def sentence(text: str) -> str:
    """The text with a capital letter."""
    return text[:1].upper() + text[1:]
