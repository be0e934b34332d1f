"""Request of `ganforge sample`, and what is wrong with it before the generator is opened."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from ganforge.errors import UsageError, listed
from ganforge.plugin.specs import FormatSpec
from ganforge.printable import printable
from ganforge.sampling.labels import split_labels
from ganforge.storage.run_directory import generator_file

ANIMATIONS = (".gif", ".apng")


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """Request for samples, as it was typed."""

    source: Path
    num: int | None
    seed: int
    labels: str | None
    condition: tuple[str, ...]
    vary: str | None
    truncation: float | None
    dataset: str | None
    interpolate: Literal["lerp", "slerp"] | None
    frames: int | None
    milliseconds: int | None
    out: Path | None
    device: str
    best: bool = False

    @cached_property
    def generator(self) -> Path:
        return generator_file(self.source, best=self.best)

    @property
    def target(self) -> Path:
        name = "samples.png"
        if self.walks:
            name = "interpolation.png" if self.vary is None else "variation.png"
        return self.out or self.generator.parent / name

    @property
    def walks(self) -> bool:
        """True where interpolations or variations are asked for, rather than samples."""
        return self.interpolate is not None or self.vary is not None

    @property
    def suffix(self) -> str:
        """The suffix of the file to be written; empty for a directory."""
        return "" if self.target.is_dir() else self.target.suffix

    def check(self) -> list[str] | None:
        """The words of --labels. Raises UsageError for what is wrong whatever the generator is."""
        out, shown = self.target, printable(self.target)
        if not out.parent.is_dir():
            raise UsageError(f"the directory {printable(out.parent)} does not exist")
        if self.labels is not None and self.num is not None:
            raise UsageError("--labels asks for one sample of each, so leave out --num")
        words = None if self.labels is None else split_labels(self.labels)
        if self.interpolate is not None and self.vary is not None:
            raise UsageError("--interpolate and --vary exclude each other")
        if self.walks:
            if self.suffix not in (".png", *ANIMATIONS):
                what = "interpolations" if self.vary is None else "variations"
                raise UsageError(f"{shown}: {what} are written as .png, .gif or .apng")
            if self.dataset is not None:
                flag = "--interpolate" if self.vary is None else "--vary"
                raise UsageError(f"{flag} goes between latents, and --dataset has none")
        elif self.frames is not None:
            raise UsageError("--frames belongs to --interpolate and --vary")
        elif not self.suffix and out.exists() and not out.is_dir():
            raise UsageError(f"{shown} is a file; name a directory")
        if self.milliseconds is not None and self.suffix not in ANIMATIONS:
            raise UsageError("--milliseconds needs --out walk.gif or walk.apng")
        return words

    def check_format(self, spec: FormatSpec) -> None:
        """Raise UsageError where samples of this format cannot be written to the target."""
        shown, suffixes = printable(self.target), list(spec.suffixes)
        if self.walks or self.suffix in suffixes:
            return
        if not self.suffix and spec.one_file_each is not None:
            return
        ways = suffixes if spec.one_file_each is None else [*suffixes, "files in a directory"]
        if self.suffix in ANIMATIONS:
            raise UsageError(f"{shown}: moving pictures need --interpolate slerp, or lerp")
        if not self.suffix:
            raise UsageError(
                f"{shown}: samples of the format {spec.name!r} make one file; write them as "
                f"{_either(ways)}"
            )
        raise UsageError(
            f"{shown}: samples of the format {spec.name!r} are written as {_either(ways)}"
        )


def _either(words: list[str]) -> str:
    return listed(words).replace(" and ", " or ")
