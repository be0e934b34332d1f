"""CycleGAN (Zhu et al., 2017, arXiv:1703.10593): two sets, and a generator each way."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor, nn

from ganforge import Batch, DataError, Draw, Field, Game, Inputs, MakeNetwork, Problem, Step, Update

from . import CycleOptions
from .pool import Pool

THERE, BACK = "there", "back"  # from source to sample, and from sample to source


class CycleStep(Step):
    """One direction: what is real in its target set, and what is made of the other set.

    `partner` is the step of the other direction.
    """

    partner: CycleStep

    def __init__(self, update: Update, draw: Draw, pool: Pool | None) -> None:
        super().__init__(update, draw)
        self._pool = pool

    def make_fake(self) -> Tensor:
        made = super().make_fake()
        if self._pool is None or self.update.trains_generator:
            return made
        return self._pool.exchanged(made, self.update.random)

    @cached_property
    def reconstruction(self) -> Tensor:
        """Reconstruction of `samples` by way of the other set, back and there again: G(F(b))."""
        return self.generate(self.partner.generated, {})

    @cached_property
    def identity(self) -> Tensor:
        """The generator's output for `samples`, which are of the target set already, G(b).

        Raises DataError where G takes inputs of another shape than it makes.
        """
        if self.samples.shape[1:] != self.inputs.shape[1:]:
            one, other = (" x ".join(map(str, it.shape[1:])) for it in (self.inputs, self.samples))
            raise DataError(
                f"an identity loss is for two sets of one shape: the generator takes {one} and "
                f"makes {other}"
            )
        return self.generate(self.samples, {})


class Cycle(Game):
    """b against G(a), and a against F(b), where a is the field `source` and b the sample.

    G and F are two networks of the generator's component, and each of the two sets has a
    discriminator. The objective is summed over both directions: a reconstruction loss is the cycle
    consistency of equation 2, a loss of `identity` that of section 5.2. The discriminators see past
    fakes half of the time (Shrivastava et al., 2017, arXiv:1612.07828).
    """

    def __init__(self, problem: Problem, options: CycleOptions) -> None:
        super().__init__(problem, options)
        self.source = options.source
        self.pools = nn.ModuleDict()
        if options.pool:
            self.pools[THERE] = Pool(options.pool, problem.sample_shape)
            self.pools[BACK] = Pool(options.pool, problem.input_shape)

    def build_generator(self, make: MakeNetwork) -> nn.Module:
        problem = self.problem
        back = replace(
            problem, sample=self._source_field(problem.sample), input_shape=problem.sample_shape
        )
        return nn.ModuleDict({THERE: make(problem), BACK: make(back)})

    def build_discriminator(self, make: MakeNetwork, problem: Problem) -> nn.Module:
        back = replace(problem, sample=self._source_field(problem.sample))
        return nn.ModuleDict({THERE: make(problem), BACK: make(back)})

    def _source_field(self, sample: Field) -> Field:
        return replace(sample, shape=self.problem.input_shape)

    def steps(self, update: Update, draw: Draw) -> list[Step]:
        a, b = draw.inputs.values, draw.batch.samples
        there = self._step(THERE, update, draw.derived(THERE, Batch(b), Inputs(a)))
        back = self._step(BACK, update, draw.derived(BACK, Batch(a), Inputs(b)))
        there.partner, back.partner = back, there
        return [there, back]

    def _step(self, way: str, update: Update, draw: Draw) -> CycleStep:
        networks = {
            name: None if side is None else side[way]  # type: ignore[index]
            for name, side in (
                ("generator", update.generator),
                ("discriminator", update.discriminator),
            )
        }
        pool = self.pools[way] if self.options.pool else None
        return CycleStep(replace(update, **networks), draw, pool)  # type: ignore[arg-type]

    def generate(self, generator: nn.Module, inputs: Tensor, **conditions: Tensor) -> Tensor:
        samples: Tensor = generator[THERE](inputs)  # type: ignore[index]
        return samples

    def reconstruct(
        self, generator: nn.Module, samples: Tensor, inputs: Tensor, **conditions: Tensor
    ) -> Tensor:
        with torch.no_grad():
            back: Tensor = generator[BACK](samples)  # type: ignore[index]
        return self.generate(generator, back)
