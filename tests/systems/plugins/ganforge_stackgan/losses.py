"""What holds images to their captions, and the codes of captions together."""

from torch.nn.functional import softplus

from ganforge import Loss, averaged


class MatchingAware(Loss):
    """Cross-entropy with real images beside wrong captions (Reed et al., 2016, algorithm 1).

    log D(x, t) + (log(1 - D(x, t')) + log(1 - D(G(z, t), t))) / 2, with t' the caption of another
    image of the batch; the generator maximises log D(G(z, t), t).
    """

    def __init__(self, problem, options):
        super().__init__()

    def discriminator_loss(self, step):
        wrong = {name: value.roll(1, 0) for name, value in step.real_conditions.items()}
        wrong_scores = step.discriminate(step.real, wrong)
        return averaged(cross_entropy, step.real_scores, step.fake_scores, wrong_scores)

    def generator_loss(self, step):
        return averaged(wanted, step.fake_scores)


class ConditioningKL(Loss):
    """KL(N(mean, exp(log_variance)) || N(0, I)), the regulariser of equation 4."""

    def __init__(self, problem, options):
        super().__init__()

    def generator_loss(self, step):
        mean, log_variance = step.trace("generated.mean"), step.trace("generated.log_variance")
        divergence = mean.square() + log_variance.exp() - log_variance - 1
        return 0.5 * divergence.sum(1).mean()


def cross_entropy(real, fake, wrong):
    return softplus(-real).mean() + 0.5 * (softplus(fake).mean() + softplus(wrong).mean())


def wanted(fake):
    return softplus(-fake).mean()
