"""The augmentations of a run, one after another, between what is shown and the discriminator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganforge.config.run_config import Selection
from ganforge.contracts import Augmentation, Observed, Progress
from ganforge.plugin.specs import AugmentationSpec


@dataclass(frozen=True, kw_only=True)
class ChosenAugmentation:
    """An augmentation in a run."""

    selection: Selection[AugmentationSpec]
    module: Augmentation


class Augmenting:
    """Applies the augmentations of a run in the order in which they are named."""

    def __init__(self, chosen: Sequence[ChosenAugmentation]) -> None:
        self.chosen = tuple(chosen)
        self.observes = any(
            type(it.module).observe is not Augmentation.observe for it in self.chosen
        )

    def transformation(
        self, progress: Progress
    ) -> Callable[[Tensor, torch.Generator], Tensor] | None:
        """The augmentation of samples in this step, as one function; None where there is none."""
        if not self.chosen:
            return None

        def transform(samples: Tensor, generator: torch.Generator) -> Tensor:
            for it in self.chosen:
                samples = it.module(samples, generator, progress)
            return samples

        return transform

    def observe(self, observed: Observed) -> None:
        """Let the augmentations adapt to the discriminator's update."""
        if observed.side == "discriminator":
            for it in self.chosen:
                it.module.observe(observed)

    def metrics(self) -> dict[str, Tensor | float]:
        """The values that the augmentations log."""
        return {
            f"augmentation/{it.selection.config_name}/{name}": value
            for it in self.chosen
            for name, value in it.module.metrics().items()
        }
