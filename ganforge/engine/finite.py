"""Stops a run whose losses or gradients are no longer finite, before anything is updated with them.

Reading a value from an accelerator waits for it, so there the verdict stays on the device: it makes
fused optimizers skip their update, and is read when metrics are logged and before anything is
saved. On a CPU reading costs nothing, and the run stops in the very step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NoReturn

import torch
from torch import Tensor
from torch.optim import Optimizer

from ganforge.errors import NonFiniteError
from ganforge.plugin.specs import SIDES, Side

from .objective import ObjectiveTerm


def total_norm(gradients: Sequence[Tensor]) -> Tensor | float:
    """The Euclidean norm of all gradients together; a number where reading waits for nothing."""
    norms = torch._foreach_norm(list(gradients))
    if norms[0].is_cpu:
        return math.hypot(*[norm.item() for norm in norms])
    total: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return total


class FiniteGuard:
    """Judges each update by its terms and the norm of its gradient."""

    def __init__(
        self,
        terms: Sequence[ObjectiveTerm],
        device: torch.device,
        *,
        deferred: bool | None = None,
    ) -> None:
        """`deferred` keeps the verdict on the device, as is usual where that is not a CPU."""
        self.terms = terms
        self.deferred = device.type != "cpu" if deferred is None else deferred
        self._bad = torch.zeros((), device=device)
        self._fine = torch.ones((), dtype=torch.bool, device=device)
        self._bad_step = torch.full((), -1, device=device)
        self._bad_network = torch.full((), -1, device=device)
        self._finite_terms = torch.ones(len(terms), dtype=torch.bool, device=device)

    def watch(self, optimizer: Optimizer) -> None:
        """Let an optimizer that takes `found_inf` see the verdict: it skips its step by it."""
        if self.deferred:
            optimizer.grad_scale = None  # type: ignore[attr-defined]
            optimizer.found_inf = self._bad  # type: ignore[attr-defined]

    def judge(
        self,
        side: Side,
        step: int,
        values: Mapping[str, Tensor],
        gradient_norm: Tensor | float,
    ) -> None:
        """Call after the backward pass and before the optimizer's step."""
        if not self.deferred:
            bad = [name for name, value in values.items() if not math.isfinite(value.item())]
            if bad or not math.isfinite(gradient_norm):
                self._stop(side, step, bad)
            return
        finite = torch.stack(
            [
                values[term.name].isfinite() if term.name in values else self._fine
                for term in self.terms
            ]
        )
        sound = finite.all() & torch.as_tensor(gradient_norm, device=finite.device).isfinite()
        first = ~sound & (self._bad == 0)
        self._bad_step = torch.where(first, step, self._bad_step)
        self._bad_network = torch.where(first, SIDES.index(side), self._bad_network)
        self._finite_terms = torch.where(first, finite, self._finite_terms)
        self._bad.copy_(torch.maximum(self._bad, (~sound).to(self._bad.dtype)))

    def check(self) -> None:
        """Raise NonFiniteError if any update so far was not finite; waits for the device."""
        if not self.deferred or not self._bad.item():
            return
        finite = self._finite_terms.tolist()
        bad = [term.name for term, fine in zip(self.terms, finite, strict=True) if not fine]
        self._stop(SIDES[int(self._bad_network.item())], int(self._bad_step.item()), bad)

    def _stop(self, side: Side, step: int, bad: Sequence[str]) -> NoReturn:
        blamed = [term for term in self.terms if term.name in bad] or list(self.terms)
        named = " and ".join(
            f"{term.name!r} of {term.selection.component.origin}" for term in blamed
        )
        what = f"the loss {named}" if bad else f"the gradient of the loss {named}"
        raise NonFiniteError(
            f"{what} became NaN or infinite in the {side}'s update of step {step + 1}; nothing "
            "was updated with it"
        )
