"""The penalty of DRAGAN (Kodali et al., 2017, arXiv:1705.07215, section 2.3)."""

import torch

from ganforge import Loss, input_gradients


class Penalty(Loss):
    """lambda E[(|grad D(x + d)| - k)^2] for real x and noise d from N(0, c I).

    c is not given in grey levels, as in the paper, but c^1/2 in standard deviations of the batch,
    as in the authors' code. Points are told the conditions of the samples that they lie about.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.coefficient = options.coefficient
        self.target = options.target
        self.noise = options.noise

    def discriminator_loss(self, step):
        real = step.real.detach()
        # From the global generator, which the engine seeds for every step.
        noise = self.noise * real.std(correction=0) * torch.randn_like(real)
        near = (real + noise).requires_grad_()
        gradients = input_gradients(step.discriminate(near, step.real_conditions), near)
        # 1e-12 below the root, whose slope at 0 is infinite.
        norms = (gradients.flatten(1).square().sum(1) + 1e-12).sqrt()
        return step.progress.value(self.coefficient) * (norms - self.target).square().mean()
