"""Generator inputs and samples as a function of seed and stream alone, in training and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ganforge.config.run_config import Selection
from ganforge.contracts import Batch, Game, Inputs, Sampler
from ganforge.contracts.step import Keywords, arguments
from ganforge.device.randomness import Randomness
from ganforge.errors import PluginError
from ganforge.plugin.failures import failing_as
from ganforge.plugin.specs import GeneratorSpec, SamplerSpec

from .feed import no_inputs

CHUNK = 64  # samples drawn at once: the first n of a seed are the same however many are asked for


@dataclass(frozen=True, kw_only=True)
class Source:
    """Source of samples: the generator's side, and the sampler that feeds it.

    `keywords` are those by which the generator is told its conditions. `truncates` says that it
    truncates by itself, and `truncation` how much, where that is asked for.
    """

    network: nn.Module
    generator: Selection[GeneratorSpec]
    game: Game
    sampler: Sampler
    selection: Selection[SamplerSpec]
    keywords: Keywords
    device: torch.device
    truncates: bool = False
    truncation: float | None = None

    @property
    def fed_with_data(self) -> bool:
        """True where inputs are made of anything that a data set gives."""
        return bool({*self.selection.says("reads")} - {"labels"})

    def inputs(
        self,
        randomness: Randomness,
        stream: str,
        num: int,
        *,
        conditions: Mapping[str, Tensor] | None = None,
        real: Batch | None = None,
        first: int = 0,
    ) -> Iterator[Inputs]:
        """`num` inputs in chunks, as a function of seed and stream alone.

        They are those from number `first` of the stream, a multiple of CHUNK. `conditions`, each
        `[M, ...]`, are taken in turn: one for all, or as many as samples. They replace those that
        the sampler draws, and are what a sampler that depends on them is shown. `real` has at
        least `num` samples, for a sampler that makes its inputs of them: input i is made of
        sample i.
        """
        chosen = dict(conditions or {})
        for start in range(0, num, CHUNK):
            generator = randomness.generator(stream, (first + start) // CHUNK)
            rows = torch.arange(start, start + CHUNK).clamp_(max=num - 1)
            wanted = {
                name: _rows(value, rows % len(value), self.device) for name, value in chosen.items()
            }
            shown = self._shown(real, wanted, rows)
            with failing_as(f"{self.selection.label} failed"):
                drawn = self.sampler.sample(CHUNK, generator=generator, real=shown)
            if not isinstance(drawn, Inputs):
                raise no_inputs(self.selection, drawn)
            inputs = Inputs(drawn.values, **{**drawn.others, **wanted})
            yield inputs[: min(CHUNK, num - start)]

    @property
    def _truncation(self) -> dict[str, Tensor]:
        """The truncation as the keyword argument of a generator that truncates by itself."""
        if self.truncation is None:
            return {}
        return {"truncation": torch.tensor(self.truncation, device=self.device)}

    def truncated(self, truncation: float) -> Source:
        """This source, with less variety. Raises ValueError where that means nothing.

        A generator that truncates by itself is told so; any other is fed with latents from
        [-truncation, truncation].
        """
        if self.truncates:
            return replace(self, truncation=truncation)
        if truncation == 0:
            raise ValueError("its latents would all be 0")
        return replace(self, sampler=self.sampler.truncated(truncation))

    def _shown(
        self, real: Batch | None, wanted: Mapping[str, Tensor], rows: Tensor
    ) -> Batch | None:
        """The real samples that a sampler is shown, in whole chunks: `num` changes no draw.

        Without real samples a sampler whose inputs depend on the labels gets those asked for.
        """
        if real is not None:
            others = {n: _rows(value, rows, self.device) for n, value in real.others.items()}
            return Batch(_rows(real.samples, rows, self.device), **{**others, **wanted})
        if wanted and "labels" in self.selection.says("reads"):
            shape = self.sampler.problem.sample_shape
            return Batch(torch.zeros((), device=self.device).expand(CHUNK, *shape), **wanted)
        return None

    def samples(self, chunks: Iterable[Inputs]) -> Iterator[tuple[Tensor, Inputs]]:
        """Samples `[B, *sample_shape]` with their inputs, chunk by chunk, in evaluation mode."""
        with torch.inference_mode(), evaluating(self.network):
            for inputs in chunks:
                told = arguments(inputs.others, self.keywords) | self._truncation
                with failing_as(f"{self.generator.label} failed"):
                    samples = self.game.generate(self.network, inputs.values, **told)
                if len(samples) != len(inputs):
                    raise PluginError(
                        f"the generator gave {len(samples)} samples of {len(inputs)} inputs"
                    )
                yield samples, inputs

    def reconstructions(self, real: Batch, chunks: Iterable[Inputs]) -> Iterator[Tensor]:
        """The generator's reconstructions of real samples `[B, *sample_shape]`, chunk by chunk."""
        start = 0
        with torch.inference_mode(), evaluating(self.network):
            for inputs in chunks:
                part = real[start : start + len(inputs)]
                start += len(inputs)
                told = arguments({**inputs.others, **part.others}, self.keywords)
                with failing_as(f"{self.generator.label} failed"):
                    made = self.game.reconstruct(self.network, part.samples, inputs.values, **told)
                yield made


def _rows(values: Tensor, rows: Tensor, device: torch.device) -> Tensor:
    return values[rows.to(values.device)].to(device)


def joined(chunks: Sequence[Inputs]) -> Inputs:
    """Inputs of several chunks as one."""
    if len(chunks) == 1:
        return chunks[0]
    others = {name: torch.cat([it.others[name] for it in chunks]) for name in chunks[0].others}
    return Inputs(torch.cat([it.values for it in chunks]), **others)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode, and afterwards in the one that it was in."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
