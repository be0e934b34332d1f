"""The relativistic pairing loss (Jolicoeur-Martineau, 2019, arXiv:1807.00734).

Each real sample is compared with one fake sample, so that no score is good by itself. With
zero-centred penalties at real and at generated samples, training converges locally (Huang et al.,
2024, arXiv:2501.05441): add `r1` and `r2`.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from ganforge import Loss, NoOptions, Problem, Step, averaged


class RelativisticPairing(Loss):
    """D minimises softplus(-(D(x) - D(G(z)))), G the same with the sign turned, pair by pair."""

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        super().__init__()

    def discriminator_loss(self, step: Step) -> Tensor:
        return averaged(_pairwise, step.real_scores, step.fake_scores)

    def generator_loss(self, step: Step) -> Tensor:
        return averaged(_pairwise, step.fake_scores, step.real_scores)


def _pairwise(higher: Tensor, lower: Tensor) -> Tensor:
    return softplus(lower - higher).mean()
