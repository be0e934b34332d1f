"""The two terms of VAE/GAN besides the adversarial one."""

from ganforge import Loss


class PosteriorKL(Loss):
    """L_prior = KL(q(z | x) || N(0, I)), the mean over the batch (equation 4)."""

    def __init__(self, problem, options):
        super().__init__()

    def generator_loss(self, step):
        mean, log_variance = step.posterior_mean, step.posterior_log_variance
        divergence = mean.square() + log_variance.exp() - log_variance - 1
        return 0.5 * divergence.flatten(1).sum(1).mean()


class LearnedSimilarity(Loss):
    """-log p(D_l(x) | z), but for a constant: half the squared error of features (equation 7)."""

    def __init__(self, problem, options):
        super().__init__()

    def generator_loss(self, step):
        error = step.reconstruction_features - step.trace("real.features").detach()
        return 0.5 * error.square().flatten(1).sum(1).mean()
