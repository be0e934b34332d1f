"""Whose fault a failure is: the component of a run whose code was running when it was raised.

A step calls components by way of each other (a loss reads scores, for which a discriminator is
called), and the time of a step is no time to ask who is. The traceback knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from torch import nn

from ganforge.config.run_config import RunConfig, Selection
from ganforge.errors import PluginError
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.printable import described

from .assemble import Assembly

HINT = "(GANFORGE_DEBUG=1 shows where)"


@dataclass(frozen=True, kw_only=True)
class Culprit:
    """The component that failed, by the label of messages, and its function that was called."""

    label: str
    function: str


def failure(
    when: str, error: BaseException, config: RunConfig, assembly: Assembly | None
) -> PluginError:
    """What to raise for whatever a component has raised: it names the component, where one did.

    `when` is `step 7`. Before everything is put together there is no assembly.
    """
    found, what = culprit(error, config, assembly), f"{described(error)} {HINT}"
    if found is None:
        return PluginError(f"{when} failed: {what}")
    return PluginError(f"{found.label} failed in {when}, in {found.function}(): {what}")


def culprit(
    error: BaseException, config: RunConfig, assembly: Assembly | None = None
) -> Culprit | None:
    """The component whose code raised an exception, or that of which it is the cause."""
    owners = {} if assembly is None else {id(it): label for it, label in _objects(assembly)}
    packages = _packages(config)
    seen: BaseException | None = error
    while seen is not None:
        frames = [*_frames(seen)]
        for frame in reversed(frames):
            if (label := _label(frame, owners, packages)) is not None:
                called = next(it for it in frames if _label(it, owners, packages) == label)
                return Culprit(label=label, function=called.f_code.co_name)
        seen = seen.__cause__
    return None


def _label(frame: FrameType, owners: dict[int, str], packages: dict[str, str]) -> str | None:
    """The component that a frame belongs to, by the object of the method or else by its package."""
    module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    if module == "torch" and frame.f_code.co_name in ("_wrapped_call_impl", "_call_impl"):
        return None  # the next one has the same object, and is the function of the component
    label = owners.get(id(frame.f_locals.get("self")))
    return label or packages.get(module)


def _frames(error: BaseException) -> Iterator[FrameType]:
    """The frames of a traceback, the innermost last."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _packages(config: RunConfig) -> dict[str, str]:
    """The import packages of the run's components, and what to call what is in one."""
    labels: dict[str, list[Selection[ComponentSpec]]] = {}
    for it in config.selections:
        labels.setdefault(it.spec.build.partition(":")[0].partition(".")[0], []).append(it)
    return {
        package: those[0].label
        if len({it.label for it in those}) == 1
        else f"the plugin {those[0].component.plugin.name!r} of {those[0].component.origin}"
        for package, those in labels.items()
    }


def _objects(assembly: Assembly) -> Iterator[tuple[Any, str]]:
    """The objects of a run, and the component that each is of; what comes later counts."""
    config, training = assembly.config, assembly.training
    for name, optimizer in config.optimizers.items():
        if name in training.sides.by_name:
            yield training.sides[name].optimizer, optimizer.label
    for term in training.objective.terms:
        yield from _modules(term.loss, term.selection.label)
    yield from _modules(training.game, config.game.label)
    for it in training.augmenting.chosen:
        yield from _modules(it.module, it.selection.label)
    if training.sides.discriminator is not None and config.discriminator is not None:
        yield from _modules(training.sides.discriminator.network, config.discriminator.label)
    for network in (training.sides.generator.network, training.sides.sampled):
        yield from _modules(network, config.generator.label)
    yield training.feed.sampler, config.sampler.label
    yield assembly.data.dataset, config.dataset.label


def _modules(module: nn.Module, label: str) -> Iterator[tuple[Any, str]]:
    return ((it, label) for it in module.modules())
