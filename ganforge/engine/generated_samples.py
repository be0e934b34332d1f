"""`GeneratedSamples`: what a generator makes for an evaluation, a few at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganforge.contracts import Batch, Inputs
from ganforge.device.randomness import Randomness
from ganforge.measuring.streams import Stream
from ganforge.plugin.fields import undrawn
from ganforge.problem import Problem

from .generation import Source, joined


@dataclass(frozen=True, kw_only=True)
class GeneratedSamples:
    """Samples of a source as a function of the seed and the stream, in parts.

    `real` are samples for a sampler that makes its inputs of them, and for the conditions that no
    sampler can draw: sample i is then made of, or for, real sample i. Parts begin at multiples of
    the number of samples that a source draws at once.
    """

    source: Source
    problem: Problem
    randomness: Randomness
    stream: str
    real: Stream

    @property
    def needs_real(self) -> bool:
        """True where there are as many samples as real ones, and no more."""
        return self.source.fed_with_data or bool(undrawn(self.problem.conditions))

    def as_stream(self, wanted: int, *, key: str | None = None, cached: bool = True) -> Stream:
        """So many samples, or as many as can be made; `key` and `cached` are those of a stream."""
        return Stream(
            name="generated samples",
            num=min(wanted, self.real.num) if self.needs_real else wanted,
            read=self.read,
            key=key,
            cached=cached,
            read_others=self.read_conditions,
        )

    def _inputs(self, start: int, num: int, real: Batch | None) -> Inputs:
        told: Mapping[str, Tensor] = {}
        if real is not None and not self.source.fed_with_data:
            told = {name: real.others[name] for name in undrawn(self.problem.conditions)}
        chunks = self.source.inputs(
            self.randomness,
            self.stream,
            num,
            conditions=told,
            real=real if self.source.fed_with_data else None,
            first=start,
        )
        return joined([*chunks])

    def _real(self, start: int, num: int) -> Batch | None:
        return self.real.read(start, num) if self.needs_real else None

    def read(self, start: int, num: int) -> Batch:
        """Samples `start` to `start + num`, and the conditions that they are made for."""
        inputs = self._inputs(start, num, self._real(start, num))
        ((samples, _),) = self.source.samples([inputs])
        return Batch(samples.float(), **inputs.others)

    def read_conditions(self, start: int, num: int) -> dict[str, Tensor]:
        """The conditions of samples, which are not made for it."""
        return dict(self._inputs(start, num, self._real(start, num)).others)

    def reconstruct(self, start: int, num: int) -> Tensor:
        """The reconstructions of real samples `start` to `start + num`."""
        real = self.real.read(start, num)
        inputs = self._inputs(start, num, real)
        (samples,) = self.source.reconstructions(real, [inputs])
        return samples

    def reconstruct_all(self, part: int) -> Tensor:
        """The reconstructions of all real samples, made in parts of this size."""
        parts = range(0, self.real.num, part)
        return torch.cat([self.reconstruct(it, min(part, self.real.num - it)) for it in parts])
