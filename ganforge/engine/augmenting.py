"""The augmentations of a run, one after another, between what is shown and the discriminator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganforge.config.run_config import Selection
from ganforge.contracts import Augmentation, Observed, Progress
from ganforge.errors import PluginError
from ganforge.plugin.specs import AugmentationSpec
from ganforge.printable import represented


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
        found: dict[str, Tensor | float] = {}
        for it in self.chosen:
            values = it.module.metrics()
            if not isinstance(values, Mapping) or not all(map(_is_scalar, values.values())):
                raise PluginError(
                    f"{it.selection.label} must give scalars to log by name, not "
                    f"{represented(values)}"
                )
            for name, value in values.items():
                found[f"augmentation/{it.selection.config_name}/{name}"] = value
        return found


def _is_scalar(value: object) -> bool:
    return value.dim() == 0 if isinstance(value, Tensor) else isinstance(value, int | float)
