"""Maximum likelihood, with which a generator of text begins (Nie et al., 2019, section 4)."""

from functools import cached_property

import torch

from ganforge import Game, Loss, Step


class TextStep(Step):
    """The usual step, and how likely the generator finds the real texts."""

    @cached_property
    def log_likelihood(self):
        """Of a character of each real text, `[B]`."""
        with torch.set_grad_enabled(self.update.trains_generator):
            return self.update.generator.log_likelihood(self.samples)


class TextGame(Game):
    step_class = TextStep


class Likelihood(Loss):
    """The cross-entropy of a character, each told those before it."""

    def generator_loss(self, step):
        return -step.log_likelihood.mean()
