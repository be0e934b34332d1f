"""The game in which real images grow as the networks do, and the penalty on drifting scores."""

from ganforge import Game, Loss, Step, averaged


class ProgressiveStep(Step):
    def make_real(self):
        return self.update.generator.coarsened(self.samples)


class Progressive(Game):
    """Real images, at the generator's level and as far faded in, against G(z)."""

    step_class = ProgressiveStep


class Drift(Loss):
    """ε E[D(x)^2] of real samples."""

    def __init__(self, problem, options):
        super().__init__()
        self.epsilon = options.epsilon

    def discriminator_loss(self, step):
        return self.epsilon * averaged(lambda scores: scores.square().mean(), step.real_scores)
