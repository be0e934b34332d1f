"""The samples that the pictures of a run show, with what belongs to them."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from ganforge.contracts import Batch, Drawn

from .assemble import Assembly
from .evaluation import reconstructions
from .generation import draw_inputs, generate_samples


def real_samples(assembly: Assembly) -> Drawn:
    """Real samples by themselves, as many as a picture shows, or as there are."""
    return Drawn(samples=_on_host(_held_out(assembly).samples), generated=False)


def generated_samples(assembly: Assembly) -> Drawn:
    """Samples of the generator as it is now, from the same inputs each time.

    Where a sampler makes its inputs of real samples, or the generator encodes these, they stand
    beside the samples. A conditional run has a row of samples for each class.
    """
    a, num = assembly, _num_pictured(assembly)
    if a.paired:
        return _remade(a)
    labels: Tensor | None = None
    columns = None
    if a.problem.num_classes is not None:
        shown, columns = class_rows(a.problem.num_classes, num)
        labels, num = torch.tensor(shown), len(shown)
    inputs = draw_inputs(a.sampler, a.randomness, "grid", num, labels=labels)
    fake = torch.cat([samples for samples, _ in generate_samples(a.sampled_network, inputs)])
    drawn = Drawn(samples=_on_host(fake), labels=labels, classes=a.dataset.classes, columns=columns)
    if a.format.shows_real:
        drawn = replace(drawn, real=_on_host(_held_out(a).samples))
    # A crowd has no place beside each of its samples.
    alone = a.format.num_pictured is not None
    return _with_reconstructions(a, drawn) if a.wiring.encodes and alone else drawn


def _remade(assembly: Assembly) -> Drawn:
    """What the generator makes of real samples, between its inputs and these."""
    real = _held_out(assembly)
    num = len(real.samples)
    inputs = [*draw_inputs(assembly.sampler, assembly.randomness, "grid", num, real=real)]
    outputs = generate_samples(assembly.sampled_network, inputs)
    return Drawn(
        samples=_on_host(torch.cat([samples for samples, _ in outputs])),
        before={"inputs": _on_host(torch.cat([chunk.values for chunk in inputs]))},
        after={"real": _on_host(real.samples)},
        real=_on_host(real.samples),
        columns=math.ceil(math.sqrt(num)),
    )


def _with_reconstructions(assembly: Assembly, drawn: Drawn) -> Drawn:
    """Samples behind real ones and their reconstructions, as many as there are of these."""
    real = _held_out(assembly)
    remade = _on_host(torch.cat([*reconstructions(assembly, real)]))
    num = min(len(remade), len(drawn.samples))
    return replace(
        drawn,
        samples=drawn.samples[:num],
        labels=None if drawn.labels is None else drawn.labels[:num],
        before={"real": _on_host(real.samples[:num]), "reconstruction": remade[:num]},
        columns=drawn.columns or math.ceil(math.sqrt(num)),
    )


def _num_pictured(assembly: Assembly) -> int:
    """How many samples a picture shows: as many as suit the format, where nobody says."""
    config, usual = assembly.config, assembly.format.num_pictured
    if usual is None:  # a crowd, such as points
        return config.evaluation.num_samples
    return config.output.grid_samples or usual


def _held_out(assembly: Assembly) -> Batch:
    return assembly.batches.held_out(0, _num_pictured(assembly))


def _on_host(samples: Tensor) -> Tensor:
    return samples.float().cpu().contiguous()


def class_rows(num_classes: int, num: int) -> tuple[list[int], int]:
    """The labels of a picture with one row per class, and the number of its columns.

    About `num` samples in whole rows; one of each class where there are more classes than that.
    """
    columns = max(1, num // num_classes)
    return [label for label in range(num_classes) for _ in range(columns)], columns
