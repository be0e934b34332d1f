"""Runs every component once on two samples, so that a broken contract is told before training."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.config.run_config import RunConfig, Selection
from ganforge.contracts import Batch, Draw, Inputs, Step, Update
from ganforge.contracts.step import arguments
from ganforge.errors import PluginError
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.specs import NetworkSpec
from ganforge.printable import represented
from ganforge.problem import Problem

from .feed import no_inputs
from .step import Training

TWO = 2  # of what is judged


def probe(config: RunConfig, training: Training, problem: Problem) -> None:
    """Run each network once on two samples, in evaluation mode and without gradient.

    Where several are judged at once, it is two of these.

    The state of everything is as it was before. Raises PluginError with the package of whatever
    gives anything but what its contract says.
    """
    device = training.randomness.device
    real = _called(config.dataset, training.feed.batches.batch, 0)
    _expect(config.dataset, "samples", real.samples, problem.sample_shape, len(real), device)
    num = TWO * config.game.says("packing")
    repeated = _first_repeated(real, num)
    generator = training.randomness.generator("probe", 0)
    sample = training.feed.sampler.sample
    inputs = _called(config.sampler, sample, num, generator=generator, real=repeated)
    if not isinstance(inputs, Inputs):
        raise no_inputs(config.sampler, inputs)
    _expect(config.sampler, "inputs", inputs.values, problem.input_shape, num, device)
    networks = [side.network for side in training.sides.by_name.values()]
    update = _update(training)
    draw = Draw(repeated, inputs)
    try:
        for network in networks:
            network.eval()
        with torch.no_grad():
            _probe_generator(config, training, problem, draw)
            if training.sides.discriminator is not None:
                _probe_discriminator(config, training, update, draw)
    finally:
        for network in networks:
            network.train()


def _update(training: Training) -> Update:
    discriminator = training.sides.discriminator
    return Update(
        side="generator",
        generator=training.sides.generator.network,
        discriminator=None if discriminator is None else discriminator.network,
        progress=training.progress(0),
        make_random=lambda: training.randomness.generator("probe", 1),
        generator_keywords=training.keywords["generator"],
        discriminator_keywords=training.keywords["discriminator"],
        parts=training.parts,
    )


def _probe_generator(config: RunConfig, training: Training, problem: Problem, draw: Draw) -> None:
    told = arguments(draw.inputs.others, training.keywords["generator"])
    network = training.sides.generator.network
    samples = _called(config.generator, training.game.generate, network, draw.inputs.values, **told)
    device = training.randomness.device
    _expect(config.generator, "samples", samples, problem.sample_shape, len(draw.inputs), device)
    if isinstance(network, nn.Module) and _is_plain(network):
        _probe_trace(config.generator, network, draw.inputs.values, told)


def _probe_discriminator(config: RunConfig, training: Training, update: Update, draw: Draw) -> None:
    assert config.discriminator is not None
    steps = _called(config.game, training.game.steps, update, draw)
    if not (
        isinstance(steps, list | tuple) and steps and all(isinstance(it, Step) for it in steps)
    ):
        raise PluginError(
            f"steps of {config.game.label} must return a list of ganforge.Step, not "
            f"{represented(steps)}"
        )
    for step in steps:
        judged = _called(config.game, lambda step=step: step.fake)
        if not isinstance(judged, Tensor) or judged.dim() == 0:
            shown = represented(judged)
            raise PluginError(f"{config.game.label} must give fake as [B, ...], not {shown}")
        _probe_augmentations(training, judged)
        scores = _called(config.discriminator, lambda step=step: step.fake_scores)
        _expect_scores(config, scores, len(judged), training.randomness.device)


def _probe_augmentations(training: Training, judged: Tensor) -> None:
    for it in training.augmenting.chosen:
        generator = training.randomness.generator("probe", 2)
        found = _called(it.selection, it.module, judged, generator, training.progress(0))
        shape, device = tuple(judged.shape[1:]), training.randomness.device
        _expect(it.selection, "samples", found, shape, len(judged), device)


def _is_plain(network: nn.Module) -> bool:
    """True for a side that is the network itself, rather than several in one module."""
    return not isinstance(network, nn.ModuleDict | nn.ModuleList)


def _probe_trace(
    selection: Selection[NetworkSpec], network: nn.Module, values: Tensor, told: dict[str, Tensor]
) -> None:
    """Compare what a network gives with what its spec declares."""
    if not selection.spec.gives:
        return
    if not callable(getattr(network, "trace", None)):
        raise PluginError(
            f"{selection.label} says that it gives {', '.join(selection.spec.gives)}, and has no "
            "method trace"
        )
    found = _called(selection, network.trace, values, **told)
    if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], dict)):
        raise PluginError(f"trace of {selection.label} must return (output, {{name: tensor}})")
    missing = [name for name in selection.spec.gives if name not in found[1]]
    if missing:
        raise PluginError(f"trace of {selection.label} does not give {', '.join(missing)}")


def _first_repeated(real: Batch, num: int) -> Batch:
    others = {name: value[:1].repeat_interleave(num, 0) for name, value in real.others.items()}
    return Batch(real.samples[:1].repeat_interleave(num, 0), **others)


def _called(selection: Selection[ComponentSpec], call: Any, *arguments: Any, **told: Any) -> Any:
    return selection.component.call("fails on a batch of two", partial(call, *arguments, **told))


def _expect(
    selection: Selection[ComponentSpec],
    what: str,
    found: Any,
    shape: tuple[int, ...],
    num: int,
    device: torch.device,
) -> None:
    """Require a float32 tensor `[num, *shape]` on the device."""
    tensor = isinstance(found, Tensor)
    shown = f"{found.dtype} {list(found.shape)}" if tensor else represented(found)
    wanted = f"{what} of shape [{', '.join(['B', *map(str, shape)])}], float32"
    if not tensor or found.dtype != torch.float32 or tuple(found.shape) != (num, *shape):
        of = f" for B = {num}" if tensor and found.shape[:1] != (num,) else ""
        raise PluginError(f"{selection.label} must give {wanted}, not {shown}{of}")
    if found.device.type != device.type:
        where = f"on the {device.type}, not on {found.device}"
        raise PluginError(f"{selection.label} must give {wanted}, {where}")


def _expect_scores(config: RunConfig, scores: Any, num: int, device: torch.device) -> None:
    """Require scores `[B]`, patches and lists only where the spec declares them."""
    selection = config.discriminator
    assert selection is not None
    several = isinstance(scores, list | tuple)
    if several and not selection.says("several"):
        raise PluginError(
            f"{selection.label} gives a list of scores, and its spec does not say that it gives "
            "several"
        )
    if several and not scores:
        raise PluginError(f"{selection.label} gives an empty list of scores")
    for found in scores if several else [scores]:
        patches = isinstance(found, Tensor) and found.dim() > 1 and selection.says("patches")
        if isinstance(found, Tensor) and found.dim() > 1 and not patches:
            raise PluginError(
                f"{selection.label} must give scores of shape [B], float32, not {found.dtype} "
                f"{list(found.shape)}; several scores per sample are for a spec that says patches, "
                "and what is no score belongs into trace"
            )
        shape = tuple(found.shape[1:]) if patches else ()
        _expect(selection, "scores", found, shape, num, device)
