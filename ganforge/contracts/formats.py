"""The contract of formats: how samples become a picture for people and arrays for programs.

Notation: `N` samples, `M` real samples, `H W` a picture's height and width in pixels. A picture is
uint8 `[H, W, C]` on the CPU, with C = 1 (grey), 3 (RGB) or 4 (RGB with opacity).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganforge.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Samples `[N, *sample_shape]`, float32 on the CPU, and what belongs to them.

    `labels` are int64 `[N]`, and `classes` the names of the K classes. `before` and `after` hold
    companions by name, each `[N, ...]`, float32: number i stands to the left, or to the right, of
    sample i in a picture. A generator that is fed with real samples has `inputs` before and `real`
    after.

    `real` are real samples `[M, *sample_shape]` to compare with, which belong to no sample in
    particular. With `generated` false the samples themselves are real.

    `columns` is the number of samples in a row of the picture where rows mean something: a class
    each, or an interpolation between two latents. With `ordered` false the order of the samples was
    not asked for, and a picture may bring those of a class together.
    """

    samples: Tensor
    labels: Tensor | None = None
    classes: tuple[str, ...] | None = None
    before: Mapping[str, Tensor] = field(default_factory=dict)
    after: Mapping[str, Tensor] = field(default_factory=dict)
    real: Tensor | None = None
    generated: bool = True
    columns: int | None = None
    ordered: bool = True

    @staticmethod
    def joined(parts: Iterable[Drawn]) -> Drawn:
        """Samples that came in parts, with what belongs to them, as one."""
        every = list(parts)
        first = every[0]
        if len(every) == 1:
            return first
        labels = [part.labels for part in every if part.labels is not None]
        real = [part.real for part in every if part.real is not None]
        return replace(
            first,
            samples=torch.cat([part.samples for part in every]),
            labels=torch.cat(labels) if labels else None,
            before={name: torch.cat([it.before[name] for it in every]) for name in first.before},
            after={name: torch.cat([it.after[name] for it in every]) for name in first.after},
            real=torch.cat(real) if real else None,
        )

    def only(self, number: int) -> Drawn:
        """One sample, `[1, *sample_shape]`, with what belongs to it."""
        one = slice(number, number + 1)
        return replace(
            self,
            samples=self.samples[one],
            labels=None if self.labels is None else self.labels[one],
            before={name: values[one] for name, values in self.before.items()},
            after={name: values[one] for name, values in self.after.items()},
        )


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Samples that come in parts, to be gone through once; `num` is how many there are in all."""

    num: int
    drawn: Iterable[Drawn]

    @classmethod
    def of(cls, drawn: Drawn) -> Parts:
        """Samples that are there, as the only part."""
        return cls(num=len(drawn.samples), drawn=[drawn])

    def __iter__(self) -> Iterator[Drawn]:
        return iter(self.drawn)


class Format(ABC):
    """Shows and writes the samples of a field.

    ganforge makes the files `.png`, `.gif`, `.apng` and `.npz` of what `picture`, `film` and
    `arrays` give; `encode` makes all others that the spec declares. Equal arguments give equal
    pictures and files, and nothing that is given is changed.

    `num_pictured` is the number of samples that one picture shows well, each by itself; None where
    a picture takes any number, as points in a plane. With `shows_real` its pictures hold samples
    against real ones, and `Drawn.real` is given where there are some.
    """

    num_pictured: ClassVar[int | None] = 64
    shows_real: ClassVar[bool] = False

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem

    @abstractmethod
    def picture(self, drawn: Drawn) -> Tensor:
        """One picture of all samples, uint8 `[H, W, C]`."""

    def picture_of_one(self, drawn: Drawn) -> Tensor:
        """The picture of a single sample (N = 1) in a file of its own, uint8 `[H, W, C]`."""
        return self.picture(drawn)

    def walk(self, steps: Sequence[Drawn]) -> Iterable[Tensor]:
        """A picture of each step of a walk between latents, all of one size."""
        return (self.picture(step) for step in steps)

    def film(self, drawn: Drawn) -> Iterable[Tensor]:
        """The frames of samples that move, each uint8 `[H, W, C]` of one size.

        Asked for where the spec declares `.gif` or `.apng`. A frame is shown for
        1 / `problem.sample.rate` seconds.
        """
        raise NotImplementedError(f"{type(self).__name__} declares moving pictures and has no film")

    def arrays(self, drawn: Drawn) -> dict[str, Tensor]:
        """The arrays of an `.npz` file by name, each with the samples along its first axis.

        `samples` and companions as `restored` gives them, and `labels` where there are some. Those
        of many samples are asked for part by part.
        """
        found = {"samples": self.restored(drawn.samples)}
        if drawn.labels is not None:
            found["labels"] = drawn.labels
        companions = {**drawn.before, **drawn.after}
        return found | {name: self.restored(values) for name, values in companions.items()}

    def encode(self, drawn: Drawn, suffix: str) -> bytes:
        """The contents of a file with one of the declared suffixes that ganforge does not make.

        Raises ValueError, with a message for the user, where these samples cannot be written so.
        """
        raise NotImplementedError(f"{type(self).__name__} declares {suffix} and cannot write it")

    def encode_parts(self, parts: Parts, suffix: str) -> Iterator[bytes]:
        """The contents of a file, piece by piece, of samples that come in parts.

        Together what `encode` gives of all. A file that begins with their number has it from
        `parts.num`. Unless defined, all are gathered in memory first. Raises ValueError as `encode`
        does.
        """
        yield self.encode(Drawn.joined(parts), suffix)

    def restored(self, samples: Tensor) -> Tensor:
        """Samples `[N, *sample_shape]` in the units of the data: by the fit, or by the range.

        Samples of a field with neither, images of bytes among them, stay as networks see them, and
        so do companions that have another shape.
        """
        if tuple(samples.shape[1:]) != self.problem.sample_shape:
            return samples
        fit, value_range = self.problem.fit, self.problem.sample.range
        if fit is not None and fit.tensors.keys() & {"scale", "offset"}:
            return fit.restore(samples)
        if value_range is not None:
            low, high = value_range
            return (samples + 1) * ((high - low) / 2) + low
        return samples
