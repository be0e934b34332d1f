"""Finds parameters that nothing trains, in the first update of each side that could have."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from torch import nn

from ganforge.errors import PluginError, listed
from ganforge.plugin.specs import Side as SideName

from .objective import Objective, ObjectiveTerm
from .schedules import is_follower
from .sides import Sides

MOST_NAMED = 3


class Untrained:
    """Looks once, in an update of each side in which all of its terms are due."""

    def __init__(self, sides: Sides, objective: Objective) -> None:
        self._sides = sides
        self._objective = objective
        self.pending: set[SideName] = {*sides.by_name}

    def look(self, side: SideName, due: Sequence[ObjectiveTerm]) -> None:
        """Look after a backward pass; call while the side is pending.

        Raises PluginError for a term whose own parameters get no gradient. Those of a network are a
        warning: it may give what no term of this run reads.
        """
        if len(due) < len(self._objective.by_side[side]):
            return  # another term may train them
        self.pending.discard(side)
        for term in due:
            if term.selection.spec.parameters == side and (names := _without(term.loss)):
                raise PluginError(
                    f"{term.selection.label} has parameters that its loss for the {side} does not "
                    f"depend on, so nothing trains them: {names}"
                )
        if names := _without(self._sides[side].network):
            terms = listed([repr(term.name) for term in due])
            warnings.warn(
                f"parts of the {side} are not trained, since {terms} does not depend on them: "
                f"{names}",
                stacklevel=2,
            )


def _without(module: nn.Module) -> str:
    """The parameters that want a gradient and got none, in words; empty where there are none.

    Those of a module that follows progress are left out: their turn may come later.
    """
    later = {
        id(parameter)
        for part in module.modules()
        if is_follower(part)
        for parameter in part.parameters()
    }
    names = [
        name
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and parameter.grad is None and id(parameter) not in later
    ]
    more = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return listed([*names[:MOST_NAMED], *more]) if names else ""
