"""Gradient normalisation, of a whole network at once."""

import torch
from torch import nn

from ganforge.nn import ProjectionScore, ResidualDown


class Discriminator(nn.Module):
    """Images `[B, C, H, W]`, and labels `[B]`, to scores `[B]` in (-1, 1).

    f / (|grad f| + |f|) for a network f without normalisation (equation 8 of Wu et al., 2021). Of a
    network that is linear piece by piece, its gradient is (|grad f| / (|grad f| + |f|))^2 long, and
    so at most 1.
    """

    def __init__(self, problem, options):
        super().__init__()
        width = options.width
        self.blocks = nn.Sequential(
            ResidualDown(problem.sample_shape[0], width, first=True),
            ResidualDown(width, width),
            ResidualDown(width, width, halve=False),
            ResidualDown(width, width, halve=False),
            nn.ReLU(),
        )
        self.score = ProjectionScore(width, problem.num_classes)

    def raw(self, samples, label):
        """f: scores `[B]` without a bound."""
        return self.score(self.blocks(samples).mean((2, 3)), label)

    def forward(self, samples, *, label=None):
        wanted = torch.is_grad_enabled()
        with torch.enable_grad():  # its own gradient is part of the score where nobody wants one
            if not samples.requires_grad:
                samples = samples.detach().requires_grad_()
            scores = self.raw(samples, label)
            (gradients,) = torch.autograd.grad(scores.sum(), samples, create_graph=wanted)
        if not wanted:
            scores = scores.detach()
        return scores / (gradients.flatten(1).norm(dim=1) + scores.abs())
