"""Time series: sines that are drawn, and windows of a table."""

import csv
from math import pi
from pathlib import Path

import torch

from ganforge import Batch, DataError, EndlessDataset, Field, Fit, InMemoryDataset

from . import check_file


class Sines(EndlessDataset):
    """a sin(2 pi f t / T + phi), with f in [1, 5], a in [0.1, 0.9] and phi in [-pi, pi]."""

    def __init__(self, problem, options):
        self.signals, self.length = problem.sample_shape

    def draw(self, n, generator):
        device = generator.device
        drawn = torch.rand(3, n, self.signals, generator=generator, device=device)
        frequency, amplitude, phase = (
            1 + 4 * drawn[0],
            0.1 + 0.8 * drawn[1],
            pi * (2 * drawn[2] - 1),
        )
        turns = torch.arange(self.length, device=device) / self.length
        angle = 2 * pi * frequency[..., None] * turns + phase[..., None]
        return Batch(amplitude[..., None] * angle.sin(), frequency=frequency)


def windows(problem, options):
    """Windows `[N, C, T]` of the columns of a file, and the fit that leads back to their units."""
    check_file(options)
    with Path(options.file).open(newline="", encoding="utf-8") as file:
        names, *rows = list(csv.reader(file)) or [[]]
    try:
        values = torch.tensor([[float(cell) for cell in row] for row in rows])
    except ValueError as error:
        raise DataError(f"{options.file} is no table of numbers: {error}") from error
    if values.dim() != 2 or values.shape[1] != len(names) or len(values) < options.length:
        raise DataError(
            f"{options.file} has {len(rows)} rows of {len(names)} columns; it should have at least "
            f"dataset.length = {options.length} rows, each with a number in every column"
        )
    low, high = values.min(0).values[:, None], values.max(0).values[:, None]
    scale, offset = ((high - low) / 2).clamp_min(1e-12), (high + low) / 2
    samples = (values.T - offset) / scale
    samples = samples.unfold(1, options.length, options.stride).transpose(0, 1).contiguous()
    return InMemoryDataset(
        samples,
        fields={"sample": Field(kind="sequence", shape=tuple(samples.shape[1:]))},
        fit=Fit(facts={"channels": names}, tensors={"scale": scale, "offset": offset}),
    )
