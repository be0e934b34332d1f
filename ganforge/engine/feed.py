"""`Feed`: what an update is made of: real samples, and the generator inputs drawn for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ganforge.config.run_config import Selection
from ganforge.contracts import Batch, Draw, Inputs, Sampler
from ganforge.data.batches import Batches
from ganforge.device.randomness import Randomness
from ganforge.errors import PluginError
from ganforge.plugin.specs import SamplerSpec
from ganforge.printable import represented


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Draws by number: step, update within the step, and part of the batch.

    With `num_parts` a batch is split, for gradients that are accumulated.
    """

    batches: Batches
    sampler: Sampler
    selection: Selection[SamplerSpec]
    randomness: Randomness
    num_parts: int = 1

    def real(self, number: int) -> Batch:
        """Batch `number` of real samples."""
        return self.batches.batch(number)

    def draws(self, real: Batch, step: int, update: int, *, keep: bool = False) -> list[Draw]:
        """The parts of a batch, each with fresh inputs z for this update of the step."""
        size = len(real) // self.num_parts
        found = []
        for part in range(self.num_parts):
            share = real if self.num_parts == 1 else real[part * size : (part + 1) * size]
            generator = self.randomness.generator("inputs", step, update, part)
            inputs = self.sampler.sample(size, generator=generator, real=share)
            if not isinstance(inputs, Inputs):
                raise no_inputs(self.selection, inputs)
            found.append(Draw(share, inputs, keep=keep))
        return found


def no_inputs(selection: Selection[SamplerSpec], found: Any) -> PluginError:
    """The error of a sampler that returns something else."""
    return PluginError(f"{selection.label} must return ganforge.Inputs, not {represented(found)}")
