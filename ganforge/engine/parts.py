"""Parts of a training, built from a configuration: terms, augmentations, sides, schedules."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ganforge.config.run_config import RunConfig
from ganforge.contracts import Augmentation, Loss
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.errors import PluginError, listed
from ganforge.plugin.specs import Side as SideName
from ganforge.problem import Problem

from .augmenting import ChosenAugmentation
from .building import build
from .finite import FiniteGuard
from .objective import ObjectiveTerm
from .optimizers import build_optimizer, scheduled_optimizer, takes_found_inf
from .schedules import Schedules
from .sides import Side, Sides


def build_terms(
    config: RunConfig, problem: Problem, randomness: Randomness, execution: Execution
) -> list[ObjectiveTerm]:
    """The terms of the objective. Raises PluginError for one that nothing would train."""
    terms = [
        ObjectiveTerm(
            name=term.config_name,
            selection=term,
            loss=execution.place(build(term, problem, randomness, Loss)),
        )
        for term in config.losses
    ]
    _check_parameters_of_terms(terms)
    return terms


def build_augmentations(
    config: RunConfig, judged: Problem, randomness: Randomness, execution: Execution
) -> list[ChosenAugmentation]:
    """The augmentations of what the discriminator judges, in their order."""
    return [
        ChosenAugmentation(
            selection=it, module=execution.place(build(it, judged, randomness, Augmentation))
        )
        for it in config.augmentations
    ]


def build_side(
    config: RunConfig,
    name: SideName,
    network: nn.Module,
    terms: Sequence[ObjectiveTerm],
    guard: FiniteGuard,
) -> Side:
    """A side with its optimizer, over its network and the terms that are trained with it."""
    modules = [network, *(it.loss for it in terms if it.selection.spec.parameters == name)]
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    if not any(p.requires_grad for p in network.parameters()):
        raise PluginError(f"the network {type(network).__name__} has no parameters to train")
    chosen = config.optimizers[name]
    optimizer = build_optimizer(chosen, parameters)
    if takes_found_inf(chosen, parameters):
        guard.watch(optimizer)
    return Side(network=network, optimizer=optimizer, parameters=parameters)


def _check_parameters_of_terms(terms: Sequence[ObjectiveTerm]) -> None:
    """Raise PluginError for a term with parameters that nothing would train."""
    for term in terms:
        names = [name for name, it in term.loss.named_parameters() if it.requires_grad]
        if names and term.selection.spec.parameters is None:
            raise PluginError(
                f"{term.selection.label} has parameters of its own ({listed(names[:3])}"
                f"{', ...' if len(names) > 3 else ''}), and its spec does not name the side that "
                "they are trained with: set parameters='generator' or 'discriminator' in its "
                "LossSpec, or requires_grad_(False) where they are not to be trained"
            )


def build_schedules(
    config: RunConfig,
    sides: Sides,
    game: nn.Module,
    augmentations: Sequence[ChosenAugmentation],
    terms: Sequence[ObjectiveTerm],
) -> Schedules:
    """Gather what follows from progress: scheduled options of optimizers, modules that are told."""
    modules = [side.network for side in sides.by_name.values()]
    modules += [game, *(it.module for it in augmentations), *(term.loss for term in terms)]
    if sides.ema is not None:
        modules.append(sides.ema.module)
    scheduled = [
        scheduled_optimizer(config.optimizers[name], side.optimizer)
        for name, side in sides.by_name.items()
        if side.parameters  # a side that is trained elsewhere has none
    ]
    return Schedules([it for it in scheduled if it is not None], modules)
