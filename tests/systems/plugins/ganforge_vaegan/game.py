"""The game of VAE/GAN: two kinds of fakes, and codes that are drawn from what the encoder says."""

from functools import cached_property

import torch

from ganforge import Game, Step


class Sampled(Step):
    """x against G(z), beside all that is known of x: its posterior, codes and reconstruction."""

    @cached_property
    def posterior(self):
        with torch.set_grad_enabled(self.update.trains_generator):
            return self.update.generator.posterior(self.samples)

    @property
    def posterior_mean(self):
        return self.posterior[0]

    @property
    def posterior_log_variance(self):
        return self.posterior[1]

    @cached_property
    def codes(self):
        """A draw from the posterior, `[B, Z]`."""
        mean, log_variance = self.posterior
        drawn = self.update.random
        noise = torch.randn(mean.shape, generator=drawn, device=drawn.device)
        return mean + (log_variance / 2).exp() * noise

    @cached_property
    def reconstruction(self):
        return self.generate(self.codes, {})

    @cached_property
    def reconstruction_features(self):
        """What D gives for the reconstruction, which no augmentation has changed."""
        return self.update.discriminator.trace(self.reconstruction)[1]["features"]


class Rebuilt(Step):
    """x against G(E(x)); all else is that of the other step."""

    def __init__(self, sampled):
        super().__init__(sampled.update, sampled.draw)
        self.sampled = sampled

    def make_fake(self):
        if not self.update.trains_generator:
            return self.sampled.reconstruction
        # The encoder has no part in deceiving D (section 2.3), while the error of a reconstruction
        # reaches it: one image with two gradients, and so made twice.
        return self.generate(self.sampled.codes.detach(), {})

    @property
    def real(self):
        return self.sampled.real

    @property
    def real_scores(self):
        return self.sampled.real_scores

    def trace(self, name):
        return self.sampled.trace(name) if name.startswith("real.") else super().trace(name)

    @property
    def posterior_mean(self):
        return self.sampled.posterior_mean

    @property
    def posterior_log_variance(self):
        return self.sampled.posterior_log_variance

    @property
    def codes(self):
        return self.sampled.codes

    @property
    def reconstruction(self):
        return self.sampled.reconstruction

    @property
    def reconstruction_features(self):
        return self.sampled.reconstruction_features


class VAEGAN(Game):
    """Algorithm 1 of the paper: an adversarial loss counts for both kinds of fakes.

    A term that reads neither counts twice, once in each step.
    """

    def steps(self, update, draw):
        sampled = Sampled(update, draw)
        return [sampled, Rebuilt(sampled)]

    def reconstruct(self, generator, samples, inputs, **conditions):
        return self.generate(generator, generator.posterior(samples)[0])
