"""Advice on a finding: one or two flags of `ganforge train` that exist for the run.

Which components help against what is said by their specs (`remedies`), so that a plugin's own are
offered like the bundled ones. What would not work with the rest of the run is not offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ganforge.config.compatibility import incompatibilities
from ganforge.config.run_config import NetworkSelection, RunConfig, Selection, Term
from ganforge.errors import GanforgeError
from ganforge.plugin.base_specs import ComponentSpec, RemedySpec, Spec
from ganforge.plugin.fields import GRIDS
from ganforge.plugin.options import describe
from ganforge.plugin.registry import Component
from ganforge.plugin.schedule import Schedule
from ganforge.plugin.specs import (
    KINDS,
    SIDES,
    AugmentationSpec,
    LossSpec,
    NetworkSpec,
    OptimizerSpec,
    Side,
)

from .findings import Finding

MOST = 2  # flags to try
FAR = 5.0  # times the usual learning rate that is an unusual one


def advised(
    finding: Finding, config: RunConfig, components: Iterable[Component[Spec]] = ()
) -> Finding:
    """The finding with its advice for this run; `components` are those that could be added."""
    found = [
        *_unusual_rates(config),
        *_of_components(finding.name, config, components),
        *_of_settings(finding, config),
    ]
    return replace(finding, advice=tuple(dict.fromkeys(found))[:MOST])


def _of_components(
    name: str, config: RunConfig, components: Iterable[Component[Spec]]
) -> Iterator[str]:
    """One flag for each role that has a remedy and plays none yet, the first that works here."""
    specs = [it.spec for it in config.selections]
    done = {_role(it) for it in specs if isinstance(it, RemedySpec) and name in it.remedies}
    for component in sorted(components, key=lambda it: KINDS.index(it.kind)):
        spec = component.spec
        if not isinstance(spec, RemedySpec) or name not in spec.remedies:
            continue
        if _role(spec) in done:
            continue
        try:
            flag = _flag(component, spec, config)
        except (GanforgeError, TypeError):  # options that must be given, or a plugin that fails
            continue
        if flag is not None:
            done.add(_role(spec))
            yield flag


def _role(spec: ComponentSpec) -> str:
    """The role of a component in a run, which needs one of each."""
    return "adversarial loss" if isinstance(spec, LossSpec) and _adversarial(spec) else spec.kind


def _flag(component: Component[Any], spec: ComponentSpec, config: RunConfig) -> str | None:
    """The flag that adds a component to a run; None where it would not work there."""
    chosen = Selection(component=component, options=spec.options())
    name = chosen.config_name
    if isinstance(spec, LossSpec):
        # A loss that trains both sides takes the place of the one that did.
        kept = [it for it in config.losses if not (_adversarial(spec) and _adversarial(it.spec))]
        term = Term(component=component, options=chosen.options)
        changed = replace(config, losses=(*kept, term))
        flag = " ".join(f"--loss {it.config_name}" for it in changed.losses)
    elif isinstance(spec, AugmentationSpec):
        changed = replace(config, augmentations=(*config.augmentations, chosen))
        flag = " ".join(f"--augment {it.config_name}" for it in changed.augmentations)
    elif isinstance(spec, NetworkSpec):
        settings = getattr(config, component.kind).settings
        network: Any = NetworkSelection(
            component=component, options=chosen.options, settings=settings
        )
        changed = replace(config, **{component.kind: network})
        flag = f"--{component.kind} {name}"
    else:
        return None
    return None if any(incompatibilities(changed)) else flag


def _adversarial(spec: LossSpec) -> bool:
    return {*SIDES} == {*spec.trains} and "fake_scores" in spec.reads


def _of_settings(finding: Finding, config: RunConfig) -> Iterator[str]:
    """Settings of the engine, and of the optimizers, that are worth a try."""
    return _SETTINGS[finding.name](finding, config)


def _against_divergence(finding: Finding, config: RunConfig) -> Iterator[str]:
    yield from _slower(config, *config.optimizers)


def _against_a_strong_discriminator(finding: Finding, config: RunConfig) -> Iterator[str]:
    if config.training.num_discriminator_steps > 1:
        yield "--set training.num_discriminator_steps=1"
    yield from _slower(config, "discriminator")


def _against_collapse(finding: Finding, config: RunConfig) -> Iterator[str]:
    yield f"--batch-size {2 * config.training.batch_size}"
    yield from _slower(config, "generator")


def _against_copies(finding: Finding, config: RunConfig) -> Iterator[str]:
    if config.sample.kind in GRIDS and not config.data.flip:
        yield "--set data.flip=true"
    yield f"--steps {max(1, finding.step // 2)}"


_SETTINGS: dict[str, Callable[[Finding, RunConfig], Iterator[str]]] = {
    "divergence": _against_divergence,
    "discriminator-won": _against_a_strong_discriminator,
    "vanishing-gradient": _against_a_strong_discriminator,
    "collapse": _against_collapse,
    "collapse-within-classes": _against_collapse,
    "memorisation": _against_copies,
}


def _unusual_rates(config: RunConfig) -> Iterator[str]:
    """The usual learning rate for the sides whose own is far above it."""
    rates = {side: _rates(it) for side, it in config.optimizers.items()}
    high = {side: it[1] for side, it in rates.items() if it is not None and it[0] > FAR * it[1]}
    yield from _learning_rates(high)


def _slower(config: RunConfig, *sides: Side) -> Iterator[str]:
    """A quarter of the learning rate for these sides, where it is a number."""
    rates = {side: _rates(it) for side, it in config.optimizers.items() if side in sides}
    yield from _learning_rates({side: it[0] / 4 for side, it in rates.items() if it is not None})


def _rates(optimizer: Selection[OptimizerSpec]) -> tuple[float, float] | None:
    """The learning rate of an optimizer, and its usual one; the highest where it is a schedule."""
    usual = {it.name: it.default for it in describe(type(optimizer.options))}.get("learning_rate")
    rate = _highest(getattr(optimizer.options, "learning_rate", None))
    normal = _highest(usual)
    return None if rate is None or normal is None else (rate, normal)


def _highest(rate: object) -> float | None:
    ends = (rate.from_, rate.to) if isinstance(rate, Schedule) else (rate,)
    numbers = [float(it) for it in ends if isinstance(it, int | float)]
    return max(numbers, default=None)


def _learning_rates(rates: Mapping[Side, float]) -> Iterator[str]:
    """The flags that set these rates."""
    if len(rates) > 1 and len({*rates.values()}) == 1:
        yield f"--learning-rate {next(iter(rates.values())):.2g}"
        return
    for side, rate in rates.items():
        yield f"--set {side}_optimizer.learning_rate={rate:.2g}"
