"""The objective: the weighted sum of the loss terms that a run names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from ganforge.contracts import Loss, Step
from ganforge.errors import PluginError
from ganforge.plugin.schedule import Progress, Schedule

Network = Literal["discriminator", "generator"]


@dataclass(frozen=True, kw_only=True)
class ObjectiveTerm:
    """A loss term in a run. `origin` is the package that it comes from.

    `differentiates_gradient` says that it differentiates the gradient of D with respect to what D
    judges.
    """

    name: str
    origin: str
    loss: Loss
    weight: float | Schedule = 1.0
    every: int = 1
    differentiates_gradient: bool = False


class Objective:
    """Evaluates the terms of a network's loss; a lazy term counts `every` times when it is due."""

    def __init__(self, terms: Sequence[ObjectiveTerm]) -> None:
        self.terms = tuple(terms)
        self._penalty_intervals = [it.every for it in terms if it.differentiates_gradient]
        self.constraints = [
            term.loss
            for term in terms
            if type(term.loss).constrain_discriminator is not Loss.constrain_discriminator
        ]

    def differentiates_gradient(self, step: int) -> bool:
        """Whether a term that is due at this step differentiates D's gradient."""
        return any(step % every == 0 for every in self._penalty_intervals)

    def __call__(self, network: Network, view: Step, step: int) -> dict[str, Tensor]:
        """The value of each term, a scalar, that is due at this step and trains this network."""
        values: dict[str, Tensor] = {}
        for term in self.terms:
            if step % term.every:
                continue
            if network == "discriminator":
                value = term.loss.discriminator_loss(view)
            else:
                value = term.loss.generator_loss(view)
            if value is None:
                continue
            if not isinstance(value, Tensor) or value.dim() != 0:
                shown = list(value.shape) if isinstance(value, Tensor) else repr(value)
                raise PluginError(
                    f"the loss {term.name!r} of {term.origin} must return a scalar tensor for the "
                    f"{network}, not {shown}"
                )
            values[term.name] = value
        return values

    def total(self, values: dict[str, Tensor], progress: Progress) -> Tensor:
        """The weighted sum of at least one value, with the weights of this moment."""
        total: Tensor | None = None
        for term in self.terms:
            if term.name not in values:
                continue
            factor = progress.value(term.weight) * term.every
            value = values[term.name] if factor == 1.0 else factor * values[term.name]
            total = value if total is None else total + value
        assert total is not None
        return total

    def constrain(self, discriminator: nn.Module) -> None:
        """Apply the terms' constraints on the discriminator's weights."""
        for loss in self.constraints:
            loss.constrain_discriminator(discriminator)
