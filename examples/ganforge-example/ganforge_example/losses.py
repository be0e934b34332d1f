"""The relativistic average GAN (Jolicoeur-Martineau, 2019, arXiv:1807.00734, section 4.2)."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from ganforge import Loss, Step, averaged


class RelativisticAverage(Loss):
    """A real sample should score above the average fake one, and a fake one below the average real.

    With r = D(x) and f = D(G(z)), the discriminator minimises
    E softplus(-(r - E f)) + E softplus(f - E r), the generator the same with r and f changed over.
    The averages are those of the batch, and have a gradient.
    """

    def discriminator_loss(self, step: Step) -> Tensor:
        return averaged(_compared, step.real_scores, step.fake_scores)

    def generator_loss(self, step: Step) -> Tensor:
        return averaged(_compared, step.fake_scores, step.real_scores)


def _compared(above: Tensor, below: Tensor) -> Tensor:
    """The loss of scores `above` that should exceed scores `below`, a scalar."""
    return softplus(below.mean() - above).mean() + softplus(below - above.mean()).mean()
