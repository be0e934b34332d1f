"""The autoencoder as a game: the encoder E stands beside the generator G, on its side."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor, nn

from ganforge import Draw, Game, Problem, Step, Update

from . import AutoencoderOptions


class EncodingStep(Step):
    """A step with codes E(x), and G(E(x)) beside x.

    In the generator's update both carry a gradient.
    """

    @cached_property
    def codes(self) -> Tensor:
        """E(x), `[B, *input_shape]`."""
        with torch.set_grad_enabled(self.update.trains_generator):
            codes: Tensor = encode(self.update.generator, self.samples, self.told(self.conditions))
            return codes

    @cached_property
    def reconstruction(self) -> Tensor:
        """G(E(x)), `[B, *sample_shape]`."""
        return self.generate(self.codes, self.conditions)


class ReconstructionStep(EncodingStep):
    """D tells x from G(E(x))."""

    def make_fake(self) -> Tensor:
        return self.reconstruction

    @property
    def fake_conditions(self) -> Mapping[str, Tensor]:
        return self.conditions


class CodeStep(EncodingStep):
    """D tells the sampler's latents, which are real here, from E(x).

    The sampler is the prior of an adversarial autoencoder (Makhzani et al., 2015,
    arXiv:1511.05644).
    """

    def make_real(self) -> Tensor:
        return self.inputs

    def make_fake(self) -> Tensor:
        return self.codes

    @property
    def real_conditions(self) -> Mapping[str, Tensor]:
        return {**self.conditions, **self.draw.inputs.others}

    @property
    def fake_conditions(self) -> Mapping[str, Tensor]:
        return self.conditions


_STEPS = {"reconstructions": ReconstructionStep, "samples": EncodingStep, "codes": CodeStep}


class Autoencoder(Game):
    """Real samples x against G(E(x)) or G(z), or latents against E(x)."""

    def __init__(self, problem: Problem, options: AutoencoderOptions) -> None:
        super().__init__(problem, options)
        self.step_class = _STEPS[options.judge]

    def steps(self, update: Update, draw: Draw) -> list[Step]:
        return [self.step_class(update, draw)]

    def reconstruct(
        self, generator: nn.Module, samples: Tensor, inputs: Tensor, **conditions: Tensor
    ) -> Tensor:
        return self.generate(generator, encode(generator, samples, conditions), **conditions)


def encode(generator: nn.Module, samples: Tensor, told: Mapping[str, Tensor]) -> Tensor:
    """E(x), told the conditions of x."""
    codes: Tensor = generator.encode(samples, **told)  # type: ignore[operator]
    return codes
