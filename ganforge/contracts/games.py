"""`Game`: how the networks of a run are connected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.problem import Problem

from .batches import Batch, Inputs
from .step import Step, Trace, Update, generate

#: builds a network of the component that the run has chosen, for a problem
MakeNetwork = Callable[[Problem], nn.Module]


class Draw:
    """A batch, and the inputs that were drawn for it.

    With `keep` what G makes of the inputs in D's update is kept for G's own, with its gradient.
    """

    def __init__(self, batch: Batch, inputs: Inputs, *, keep: bool = False) -> None:
        self.batch = batch
        self.inputs = inputs
        self.keep = keep
        self._kept: tuple[Tensor, Trace] | None = None
        self._derived: dict[str, Draw] = {}

    def derived(self, name: str, batch: Batch, inputs: Inputs) -> Draw:
        """A draw that a game makes of this one, under a name: the same in both updates of a step.

        What is kept of this one is kept of it.
        """
        if name not in self._derived:
            self._derived[name] = Draw(batch, inputs, keep=self.keep)
        return self._derived[name]

    def generate(self, update: Update) -> tuple[Tensor, Trace]:
        """G(z) with its trace, where a term that is due reads it."""
        if self._kept is not None:
            return self._kept
        with torch.set_grad_enabled(update.trains_generator or self.keep):
            made = generate(
                update.generator,
                self.inputs,
                update.generator_keywords,
                traced=update.traces("generated."),
            )
        if self.keep:
            self._kept = made
        return made


class Game(nn.Module):
    """The usual game, latents against samples, and the base class of every other.

    A game builds the two sides, turns a batch and inputs into the steps of an update, and says how
    a trained generator makes samples. What it must remember (a pool of past fakes) belongs in
    buffers, so that it is moved, saved and resumed. It never sees an optimizer.
    """

    #: the class of the steps that `steps` makes
    step_class: type[Step] = Step

    def __init__(self, problem: Problem, options: Any = None) -> None:
        super().__init__()
        self.problem = problem
        self.options = options

    def build_generator(self, make: MakeNetwork) -> nn.Module:
        """The module of the generator's side; `make` builds one network for a problem."""
        return make(self.problem)

    def build_discriminator(self, make: MakeNetwork, problem: Problem) -> nn.Module:
        """The module of the discriminator's side; `problem` is that of what it judges."""
        return make(problem)

    def steps(self, update: Update, draw: Draw) -> Sequence[Step]:
        """The steps of this update, over which the objective is summed; usually one."""
        return [self.step_class(update, draw)]

    def generate(self, generator: nn.Module, inputs: Tensor, **conditions: Tensor) -> Tensor:
        """Samples `[B, *sample_shape]` of the generator's side, of inputs `[B, *input_shape]`.

        Called in evaluation mode without gradient; `conditions` are keyword arguments of a network.
        """
        samples: Tensor = generator(inputs, **conditions)
        return samples

    def reconstruct(
        self, generator: nn.Module, samples: Tensor, inputs: Tensor, **conditions: Tensor
    ) -> Tensor:
        """The generator's reconstructions of real samples, one by one, `[B, *sample_shape]`.

        `inputs` are what the sampler has made of these. Called where the run has a reconstruction.
        """
        return self.generate(generator, inputs, **conditions)
