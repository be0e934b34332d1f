"""The generator's loss for the value that was chosen."""

import torch
from torch.nn.functional import cross_entropy

from ganforge import Loss

from . import CHOSEN
from .columns import categories


class ChosenValue(Loss):
    """The cross-entropy of the chosen column's logits with the chosen value (section 4.3).

    Raises ValueError for data whose fit has no columns of categories.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.columns = categories(problem)
        if not self.columns:
            raise ValueError("it is for tables with columns of categories, and the fit has none")

    def generator_loss(self, step):
        logits = step.trace("generated.logits")
        chosen = step.fake_conditions[CHOSEN]  # what the generator was told, sample by sample
        first, losses = 0, []
        for column in self.columns:
            size = column.stop - column.start
            value = chosen - first
            loss = cross_entropy(logits[:, column], value.clamp(0, size - 1), reduction="none")
            losses.append(torch.where((value >= 0) & (value < size), loss, 0))
            first += size
        return torch.stack(losses).sum(0).mean()
