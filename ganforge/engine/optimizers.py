"""Optimizers in a run: built by their plugins, and kept to the schedules of their options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn
from torch.optim import Optimizer

from ganforge.config.run_config import Selection
from ganforge.errors import PluginError
from ganforge.plugin.options import describe
from ganforge.plugin.schedule import Progress, Schedule
from ganforge.plugin.specs import OptimizerSpec


@dataclass(frozen=True, kw_only=True)
class ScheduledOptimizer:
    """An optimizer whose parameter groups follow schedules, by the key that each one sets.

    The values are a function of the progress alone, so a resumed run has nothing to remember.
    """

    optimizer: Optimizer
    schedules: Mapping[str, Schedule]

    def update(self, progress: Progress) -> None:
        """Set what has changed since the step before; call before the optimizer's step."""
        for key, schedule in self.schedules.items():
            value = progress.value(schedule)
            for group in self.optimizer.param_groups:
                if key in group and group[key] != value:
                    group[key] = value


def build_optimizer(
    selection: Selection[OptimizerSpec], parameters: Sequence[nn.Parameter]
) -> Optimizer:
    """The optimizer of a network, over its parameters that want a gradient.

    Raises PluginError where the plugin gives something else.
    """
    component = selection.component
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    first = {name: it.from_ for name, it in _scheduled(selection).items()}
    optimizer = component.build([*trained], dataclasses.replace(selection.options, **first))
    who = selection.label
    if not isinstance(optimizer, Optimizer):
        raise PluginError(
            f"{who} must build a torch.optim.Optimizer, not {type(optimizer).__name__}"
        )
    held = {id(it) for group in optimizer.param_groups for it in group["params"]}
    if held != {id(it) for it in trained}:
        raise PluginError(f"{who} must train each of the {len(trained)} parameters it is given")
    return optimizer


def scheduled_optimizer(
    selection: Selection[OptimizerSpec], optimizer: Optimizer
) -> ScheduledOptimizer | None:
    """The optimizer with its schedules; None where every option stays as it is.

    Raises PluginError where no parameter group has what is scheduled.
    """
    spec = selection.spec
    schedules = {spec.key_of(name): it for name, it in _scheduled(selection).items()}
    for name in _scheduled(selection):
        key = spec.key_of(name)
        if not any(key in group for group in optimizer.param_groups):
            raise PluginError(
                f"{name} of the optimizer {spec.name!r} of {selection.component.origin} is "
                f"scheduled, and none of its parameter groups has {key!r}, so it would never change"
            )
    return ScheduledOptimizer(optimizer=optimizer, schedules=schedules) if schedules else None


def takes_found_inf(
    selection: Selection[OptimizerSpec], parameters: Sequence[nn.Parameter]
) -> bool:
    """True if a step over these parameters can be called off on an accelerator."""
    spec = selection.spec
    # torch has no fused form for complex numbers.
    return spec.found_inf and all(parameter.is_floating_point() for parameter in parameters)


def _scheduled(selection: Selection[OptimizerSpec]) -> dict[str, Schedule]:
    """The options that have a schedule in this run, by name."""
    values = {
        field.name: getattr(selection.options, field.name)
        for field in describe(type(selection.options))
    }
    return {name: value for name, value in values.items() if isinstance(value, Schedule)}
