"""The samples that the pictures of a run show, with what belongs to them."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from ganforge.contracts import Batch, Drawn, Inputs
from ganforge.plugin.fields import LABEL

from .assemble import Assembly
from .evaluation import generated


def real_samples(assembly: Assembly) -> Drawn:
    """Real samples by themselves, as many as a picture shows, or as there are."""
    return Drawn(samples=_on_host(_held_out(assembly).samples), generated=False)


def generated_samples(assembly: Assembly) -> Drawn:
    """Samples of the generator as it is now, from the same inputs each time.

    Where a sampler makes its inputs of real samples, or the game remakes these, they stand beside
    the samples. A run that is conditioned on labels has a row of samples for each class.
    """
    a, num = assembly, _num_pictured(assembly)
    real = cache(lambda: _held_out(a))  # not read from disk where nothing of it is shown
    if a.source.fed_with_data:
        return _remade(a, real())
    told: dict[str, Tensor] = {}
    label, columns, classes = a.problem.conditions.get(LABEL), None, None
    if label is not None and label.num_classes is not None:
        shown, columns = class_rows(label.num_classes, num)
        told[LABEL], num, classes = torch.tensor(shown), len(shown), label.classes
    fake, inputs = generated(a, "grid", num, real, told)
    drawn = Drawn(
        samples=_on_host(fake),
        labels=told[LABEL][: len(fake)] if LABEL in told else None,
        classes=classes,
        columns=columns,
    )
    if a.format.shows_real:
        drawn = replace(drawn, real=_on_host(real().samples))
    # A crowd has no place beside each of its samples.
    alone = a.format.num_pictured is not None
    if alone and "reconstruction" in a.config.game.says("provides"):
        return _with_reconstructions(a, drawn, real(), inputs)
    return drawn


def _remade(assembly: Assembly, real: Batch) -> Drawn:
    """Samples made from real data, between the inputs of the generator and what is real."""
    samples, inputs = generated(assembly, "grid", len(real), lambda: real)
    fed = _on_host(torch.cat([chunk.values for chunk in inputs]))
    # What is real stands beside it where it belongs to it.
    after = {"real": _on_host(real.samples)} if assembly.paired else {}
    return Drawn(
        samples=_on_host(samples),
        before={"inputs": fed},
        after=after,
        real=_on_host(real.samples),
        columns=math.ceil(math.sqrt(len(real))),
    )


def _with_reconstructions(
    assembly: Assembly, drawn: Drawn, real: Batch, inputs: list[Inputs]
) -> Drawn:
    """Samples behind real ones and their reconstructions, as many as there are of these."""
    num = min(len(real), len(drawn.samples))
    remade = _on_host(torch.cat([*assembly.source.reconstructions(real[:num], inputs)]))
    return replace(
        drawn,
        samples=drawn.samples[:num],
        labels=None if drawn.labels is None else drawn.labels[:num],
        before={"real": _on_host(real.samples[:num]), "reconstruction": remade[:num]},
        columns=drawn.columns or math.ceil(math.sqrt(num)),
    )


def _num_pictured(assembly: Assembly) -> int:
    """The number of samples in a picture: as set, else as many as suit the format."""
    config, usual = assembly.config, assembly.format.num_pictured
    if usual is None:  # a crowd, such as points
        return config.evaluation.num_samples
    return config.output.grid_samples or usual


def _held_out(assembly: Assembly) -> Batch:
    return assembly.data.batches.held_out(0, _num_pictured(assembly))


def _on_host(samples: Tensor) -> Tensor:
    return samples.float().cpu().contiguous()


def class_rows(num_classes: int, num: int) -> tuple[list[int], int]:
    """The labels of a picture with one row per class, and the number of its columns.

    About `num` samples in whole rows; one of each class where there are more classes than that.
    """
    columns = max(1, num // num_classes)
    return [label for label in range(num_classes) for _ in range(columns)], columns
