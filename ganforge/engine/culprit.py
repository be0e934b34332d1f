"""The culprit of a failure: the component of a run whose code was running when it was raised.

A step calls components by way of each other (a loss reads scores, for which a discriminator is
called), and the time of a step is no time to ask who is. The traceback knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from torch import nn

from ganforge.config.run_config import RunConfig, Selection
from ganforge.contracts import Step
from ganforge.errors import DEBUG_HINT, PluginError
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.requirements import CORE_PACKAGE
from ganforge.printable import described

from .assemble import Assembly


@dataclass(frozen=True, kw_only=True)
class Culprit:
    """The component that failed, by the label of messages, and its function that was called."""

    label: str
    function: str


def failure(
    when: str, error: BaseException, config: RunConfig, assembly: Assembly | None
) -> PluginError:
    """The error for whatever a component has raised: it names the component, where one did.

    `when` is `step 7`. Before everything is put together there is no assembly.
    """
    found, what = culprit(error, config, assembly), f"{described(error)} {DEBUG_HINT}"
    if found is None:
        return PluginError(f"{when} failed: {what}")
    return PluginError(f"{found.label} failed in {when}, in {found.function}(): {what}")


def culprit(
    error: BaseException, config: RunConfig, assembly: Assembly | None = None
) -> Culprit | None:
    """The component whose code raised an exception, or that of which it is the cause."""
    owners = Owners(config, assembly)
    seen: BaseException | None = error
    while seen is not None:
        if (found := owners.culprit([*_frames(seen)])) is not None:
            return found
        seen = seen.__cause__
    return None


class Owners:
    """The owners of the frames of a traceback: components of a run."""

    def __init__(self, config: RunConfig, assembly: Assembly | None) -> None:
        self._game = config.game.label
        self._objects = {} if assembly is None else {id(it): who for it, who in _objects(assembly)}
        self._packages: dict[str, list[Selection[ComponentSpec]]] = {}
        for it in config.selections:
            package = it.spec.build.partition(":")[0].partition(".")[0]
            if package != CORE_PACKAGE:  # whose own failures are no component's
                self._packages.setdefault(package, []).append(it)

    def culprit(self, frames: Sequence[FrameType]) -> Culprit | None:
        """The component of the innermost frame that belongs to one."""
        plugin: Culprit | None = None
        for frame in reversed(frames):
            if (label := self._label(frame)) is not None:
                return Culprit(label=label, function=self._called(label, frames))
            package = _package(frame)
            if package in self._packages and plugin is None:
                # A function that several components may call: an outer frame says which one did.
                owner = self._packages[package][0].component.plugin
                called = next(it for it in frames if _package(it) == package)
                plugin = Culprit(label=owner.label, function=called.f_code.co_name)
        return plugin

    def _label(self, frame: FrameType) -> str | None:
        """The component that a frame belongs to, by its object or by a package of it alone."""
        if frame.f_code.co_name in ("_wrapped_call_impl", "_call_impl"):
            return None  # of every module: the next frame is the function of the component
        its = frame.f_locals.get("self")
        if id(its) in self._objects:
            return self._objects[id(its)]
        those = self._packages.get(_package(frame), [])
        if those and isinstance(its, Step):
            return self._game
        return those[0].label if len({it.label for it in those}) == 1 else None

    def _called(self, label: str, frames: Sequence[FrameType]) -> str:
        """The function of a component that was called, rather than one of torch around it."""
        names = [
            (_package(it) == "torch", it.f_code.co_name)
            for it in frames
            if self._label(it) == label
        ]
        return min(names, key=lambda it: it[0])[1]


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _frames(error: BaseException) -> Iterator[FrameType]:
    """The frames of a traceback, the innermost last."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


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
