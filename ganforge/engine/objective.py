"""The objective: the weighted sum of the loss terms that a run names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ganforge.config.run_config import Term
from ganforge.contracts import Loss, Observed, Progress, Step
from ganforge.errors import DEBUG_HINT, GanforgeError, PluginError
from ganforge.plugin.specs import Side
from ganforge.printable import described, represented

LARGEST_BALANCE = 1e4  # of a term that is scaled to another; the bound of Esser et al., 2021
TINY = 1e-4  # added to the norm that is divided by, as in their code


@dataclass(frozen=True, kw_only=True)
class ObjectiveTerm:
    """A loss term in a run."""

    name: str
    selection: Term
    loss: Loss

    def due(self, side: Side, step: int) -> bool:
        """True where the term counts in this side's update of step `step`."""
        settings = self.selection.settings
        return (
            side in self.selection.spec.trains
            and step >= settings.start
            and step % settings.every == 0
        )

    def observes(self, side: Side) -> bool:
        """True where the term is told of this side's updates: it trains the side, or none."""
        trains = self.selection.spec.trains
        return side in trains or not trains

    @property
    def rests(self) -> bool:
        """True where there are steps in which the term does not count."""
        return self.selection.settings.start > 0 or self.selection.settings.every > 1

    def factor(self, progress: Progress) -> float:
        """The weight, times the interval of a term that is evaluated lazily."""
        settings = self.selection.settings
        weight: float = progress.value(settings.weight)
        return weight * settings.every

    def value(self, side: Side, step: Step) -> Tensor:
        """The term's loss, a scalar. Raises PluginError for anything else."""
        loss = self.loss.discriminator_loss if side == "discriminator" else self.loss.generator_loss
        try:
            value = loss(step)
        except (GanforgeError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            raise PluginError(
                f"{self.selection.label} failed in the {side}'s update of step "
                f"{step.progress.step + 1}: {described(error)} {DEBUG_HINT}"
            ) from error
        if isinstance(value, Tensor) and value.dim() == 0:
            return value
        shown = list(value.shape) if isinstance(value, Tensor) else represented(value)
        hint = ""
        if value is None:
            hint = f"; its spec says that it trains the {side}"
        raise PluginError(
            f"{self.selection.label} must return a scalar tensor for the {side}, not {shown}{hint}"
        )


class Objective:
    """Evaluates the terms of a side's loss. `by_side` are the terms that train each side."""

    def __init__(self, terms: Sequence[ObjectiveTerm]) -> None:
        self.terms = tuple(terms)
        self._by_name = {term.name: term for term in self.terms}
        self._rests = any(term.rests for term in self.terms)
        self.by_side: dict[Side, tuple[ObjectiveTerm, ...]] = {
            side: tuple(term for term in self.terms if side in term.selection.spec.trains)
            for side in ("generator", "discriminator")
        }
        self._reads_traces = any(term.selection.spec.traced for term in self.terms)
        self.constraints = [
            term.loss
            for term in terms
            if type(term.loss).constrain_discriminator is not Loss.constrain_discriminator
        ]
        self._observing = [term for term in terms if type(term.loss).observe is not Loss.observe]

    def due(self, side: Side, step: int) -> Sequence[ObjectiveTerm]:
        """The terms that count in this side's update of a step."""
        terms = self.by_side[side]
        return [term for term in terms if term.due(side, step)] if self._rests else terms

    def traced(self, terms: Sequence[ObjectiveTerm]) -> frozenset[str]:
        """The named results of networks that some of the terms read."""
        if not self._reads_traces:
            return frozenset()
        return frozenset(name for term in terms for name in term.selection.spec.traced)

    def differentiates(self, network: Side) -> list[ObjectiveTerm]:
        """The terms that differentiate a network twice."""
        return [term for term in self.terms if network in term.selection.spec.double_backward]

    def observes(self, side: Side) -> bool:
        """True where a term has state that moves with the updates of a side."""
        return any(term.observes(side) for term in self._observing)

    def observe(self, observed: Observed, noted: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Let the terms that train the side that was updated move their state.

        `noted` are the values that each has left, by the term's name.
        """
        for term in self._observing:
            if term.observes(observed.side):
                try:
                    term.loss.observe(replace(observed, noted=noted.get(term.name, {})))
                except Exception as error:
                    label = term.selection.label
                    raise PluginError(f"{label} failed to observe: {described(error)}") from error

    def total(
        self,
        values: Mapping[str, Tensor],
        progress: Progress,
        last_layer: nn.Parameter | None = None,
    ) -> Tensor:
        """The weighted sum of at least one value, by the names of the terms.

        `last_layer` is the weight that balanced terms are compared at.
        """
        total: Tensor | None = None
        for name, value in values.items():
            term = self._by_name[name]
            factor = term.factor(progress)
            weighted = value if factor == 1.0 else factor * value
            reference = term.selection.settings.balance
            if reference is not None and reference in values and last_layer is not None:
                weighted = balance(value, values[reference], last_layer) * weighted
            total = weighted if total is None else total + weighted
        assert total is not None
        return total

    def constrain(self, discriminator: nn.Module) -> None:
        """Apply the terms' constraints on the discriminator's weights."""
        for loss in self.constraints:
            loss.constrain_discriminator(discriminator)


def balance(value: Tensor, reference: Tensor, last_layer: nn.Parameter) -> Tensor:
    """The ratio of the gradient norms of two losses at the generator's last layer, a constant.

    Esser et al., 2021, arXiv:2012.09841, equation 7.
    """
    ours, theirs = (
        torch.autograd.grad(loss, last_layer, retain_graph=True)[0].norm()
        for loss in (value, reference)
    )
    ratio: Tensor = theirs / (ours + TINY)
    return ratio.clamp(0.0, LARGEST_BALANCE).detach()


def last_layer(generator: nn.Module) -> nn.Parameter | None:
    """The weight of the generator's last layer: what it names so, or its last of rank 2 and up."""
    named = getattr(generator, "last_layer", None)
    if isinstance(named, nn.Parameter):
        return named
    weights = [it for it in generator.parameters() if it.requires_grad and it.dim() > 1]
    return weights[-1] if weights else None
