"""The regularisation term of LeCam-GAN, and the running means that it is made of."""

import torch
from torch.nn.functional import relu

from ganforge import Loss, averaged


class Divergence(Loss):
    """E[(D(x) - a_F)^2] + E[(D(G(z)) - a_R)^2] (Tseng et al., 2021, equations 2 and 3).

    a_R and a_F are running means of D's scores of real and of fake samples. The authors' code
    counts real scores above a_F and fake scores below a_R alone; so does this, unless told
    otherwise.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.decay = options.decay
        self.one_sided = options.one_sided
        self.register_buffer("real_mean", torch.zeros(()))
        self.register_buffer("fake_mean", torch.zeros(()))
        self.register_buffer("observed", torch.zeros((), dtype=torch.bool))

    def discriminator_loss(self, step):
        return averaged(self.distance, step.real_scores, step.fake_scores)

    def distance(self, real, fake):
        above, below = real - self.fake_mean, self.real_mean - fake
        if self.one_sided:
            above, below = relu(above), relu(below)
        # There is nothing to hold the scores near before the first update.
        return self.observed * (above.square().mean() + below.square().mean())

    def observe(self, observed):
        if observed.real_scores is None or observed.fake_scores is None:
            return
        # The first scores are the means; a start at 0 would draw all scores there.
        share = torch.where(self.observed, 1 - self.decay, 1.0)
        self.real_mean.lerp_(observed.real_scores.float().mean(), share)
        self.fake_mean.lerp_(observed.fake_scores.float().mean(), share)
        self.observed.fill_(True)
