"""The game of CUT: what a generator's encoder sees in images that it did not just translate."""

from functools import cached_property

import torch

from ganforge import Game, Step


class EncodedStep(Step):
    """x' = G(x) against y, with G_enc(x'), G(y), G_enc(y) and G_enc(G(y)).

    G_enc(x) itself is in the trace of G(x).
    """

    @cached_property
    def fake_features(self):
        return self.encoded(self.fake)

    @property
    def identity(self):
        return self.translated_target[0]

    @property
    def target_features(self):
        return self.translated_target[1]["features"]

    @cached_property
    def identity_features(self):
        return self.encoded(self.identity)

    @cached_property
    def translated_target(self):
        with torch.set_grad_enabled(self.update.trains_generator):
            return self.update.generator.trace(self.samples)

    def encoded(self, images):
        with torch.set_grad_enabled(self.update.trains_generator):
            return self.update.generator.features(images)


class Encoded(Game):
    """The usual game, whose steps have what the encoder gives."""

    step_class = EncodedStep
