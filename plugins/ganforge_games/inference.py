"""Adversarially learned inference: BiGAN and ALI, in which E is learnt beside G."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ganforge import Draw, Game, Scores, Step, Update

from .autoencoder import EncodingStep, encode


class PairStep(EncodingStep):
    """D is told the code of what it sees: E(x) beside x, z beside G(z)."""

    @property
    def real_conditions(self) -> Mapping[str, Tensor]:
        return {**self.conditions, "code": self.codes}

    @property
    def fake_conditions(self) -> Mapping[str, Tensor]:
        return {**self.conditions, **self.draw.inputs.others, "code": self.inputs}


class EncoderStep(Step):
    """The same pair as the encoder sees it: it wants (x, E(x)) taken for (G(z), z).

    The scores are those of the other step with their signs and their places exchanged, so that a
    loss that is symmetric about zero (cross-entropy, hinge, Wasserstein) trains E as it trains G.
    """

    def __init__(self, pair: PairStep) -> None:
        super().__init__(pair.update, pair.draw)
        self.pair = pair

    @property
    def real_scores(self) -> Scores:
        return negated(self.pair.fake_scores)

    @property
    def fake_scores(self) -> Scores:
        return negated(self.pair.real_scores)

    @property
    def codes(self) -> Tensor:
        return self.pair.codes

    @property
    def reconstruction(self) -> Tensor:
        return self.pair.reconstruction


class Inference(Game):
    """(x, E(x)) against (G(z), z).

    Donahue et al., 2017, arXiv:1605.09782, equation 3; Dumoulin et al., 2017, arXiv:1606.00704. The
    discriminator is told the code as a vector condition. In the generator's update the objective is
    summed over two steps, G's and E's.
    """

    def steps(self, update: Update, draw: Draw) -> list[Step]:
        pair = PairStep(update, draw)
        return [pair, EncoderStep(pair)] if update.trains_generator else [pair]

    def reconstruct(
        self, generator: nn.Module, samples: Tensor, inputs: Tensor, **conditions: Tensor
    ) -> Tensor:
        return self.generate(generator, encode(generator, samples, conditions), **conditions)


def negated(scores: Scores) -> Scores:
    """Scores, or a list of them, with the opposite sign."""
    return [-element for element in scores] if isinstance(scores, list) else -scores
