"""Request of `ganforge sample`, and what is wrong with it before the generator is opened."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from ganforge.config.layers import Entry, Flag, Layer, from_settings
from ganforge.config.refinement import choose_refinement
from ganforge.config.selection import Selection
from ganforge.errors import Complaint, ConfigError, UsageError, listed
from ganforge.pictures.suffixes import ANIMATIONS, MOVIE, MOVING, check_movie
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import FormatSpec, RefinementSpec
from ganforge.printable import printable
from ganforge.sampling.labels import split_labels
from ganforge.storage.derived import generator_file
from ganforge.storage.files import check_folder
from ganforge.storage.paths import suffix_of


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
    progress: bool = False
    refine: str | None = None
    settings: tuple[str, ...] = ()

    @cached_property
    def generator(self) -> Path:
        return generator_file(self.source, best=self.best)

    @property
    def target(self) -> Path:
        if self.progress:
            return self.out or self.source / "progress.gif"
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
        return "" if self.target.is_dir() else suffix_of(self.target)

    def check(self) -> list[str] | None:
        """The words of --labels. Raises UsageError for what is wrong whatever the generator is."""
        if self.progress:
            self._check_progress()
        out, shown = self.target, printable(self.target)
        if not out.parent.is_dir():
            raise UsageError(f"the directory {printable(out.parent)} does not exist")
        if self.labels is not None and self.num is not None:
            raise UsageError("--labels asks for one sample of each, so leave out --num")
        words = None if self.labels is None else split_labels(self.labels)
        self._check_refinement()
        if self.interpolate is not None and self.vary is not None:
            raise UsageError("--interpolate and --vary exclude each other")
        if self.walks:
            if self.suffix not in (".png", *MOVING):
                what = "interpolations" if self.vary is None else "variations"
                raise UsageError(f"{shown}: {what} are written as .png, .gif, .apng or .mp4")
            if self.dataset is not None:
                flag = "--interpolate" if self.vary is None else "--vary"
                raise UsageError(f"{flag} goes between latents, and --dataset has none")
        elif self.progress:
            if self.suffix not in MOVING:
                raise UsageError(f"{shown}: grids over time are written as .gif, .apng or .mp4")
        elif self.frames is not None:
            raise UsageError("--frames belongs to --interpolate, --vary and --progress")
        elif not self.suffix:
            check_folder(out)
        if self.milliseconds is not None and self.suffix not in MOVING:
            raise UsageError("--milliseconds needs --out walk.gif, walk.apng or walk.mp4")
        if self.suffix == MOVIE:
            check_movie()
        return words

    def _check_progress(self) -> None:
        """Raise UsageError where --progress is asked of no run, or beside what it does not use."""
        others = {
            "--num": self.num,
            "--seed": self.seed or None,
            "--labels": self.labels,
            "--condition": self.condition or None,
            "--truncation": self.truncation,
            "--dataset": self.dataset,
            "--interpolate": self.interpolate,
            "--vary": self.vary,
            "--best": self.best or None,
            "--refine": self.refine,
        }
        unused = [flag for flag, value in others.items() if value is not None]
        if unused:
            raise UsageError(
                f"--progress shows the grids that the run has drawn, and uses no {listed(unused)}"
            )
        if not self.source.is_dir():
            raise UsageError("--progress needs a run directory, whose grids it shows")

    def _check_refinement(self) -> None:
        if self.refine is None:
            if self.settings:
                raise UsageError("--set is for an option of --refine NAME")
            return
        if self.walks:
            raise UsageError("--refine chooses samples, and does not go between latents")
        if not self.source.is_dir():
            raise UsageError(
                f"--refine: {printable(self.source)} is a generator alone, and refining needs the "
                "discriminator of its run: name the run directory"
            )

    def find_refinement(self, registry: Registry) -> Selection[RefinementSpec] | None:
        """The refinement that was asked for, with its options. Raises ConfigError."""
        if self.refine is None:
            return None
        entries = from_settings(self.settings).entries
        wrong = [entry for entry in entries if entry.path[:1] != (RefinementSpec.kind,)]
        if wrong:
            what = f"an option of it is set as {RefinementSpec.kind}.OPTION=VALUE"
            raise ConfigError([Complaint(where=wrong[0].origin.place(wrong[0].path), what=what)])
        name = Entry(path=(RefinementSpec.kind, "name"), value=self.refine, origin=Flag("--refine"))
        return choose_refinement(Layer(entries=(name, *entries)), registry)

    def check_format(self, spec: FormatSpec) -> None:
        """Raise UsageError where samples of this format cannot be written to the target."""
        shown, suffixes = printable(self.target), list(spec.suffixes)
        if self.walks or self.suffix in suffixes:
            return
        if self.suffix == MOVIE and not {*ANIMATIONS}.isdisjoint(suffixes):
            return  # what moves, moves in a movie
        if not self.suffix and spec.one_file_each is not None:
            return
        ways = suffixes if spec.one_file_each is None else [*suffixes, "files in a directory"]
        if self.suffix in MOVING:
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
