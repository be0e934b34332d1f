"""What a trained generator has to show: pictures of samples, and walks between latents."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from torch import Tensor

from ganforge.contracts import Batch, Inputs
from ganforge.errors import UsageError
from ganforge.pictures.images import (
    before_and_after,
    beside,
    can_be_shown,
    grid,
    ragged_grid,
    save_png,
    to_bytes,
)
from ganforge.pictures.plots import plot
from ganforge.pictures.rows import runs_of_equal
from ganforge.plugin.fields import LABEL
from ganforge.sampling.interpolation import Way, path
from ganforge.sampling.labels import find_labels
from ganforge.sampling.trained_generator import TrainedGenerator, draw, feed, gathered, make
from ganforge.storage.files import write_atomically

NUM_IMAGES, NUM_POINTS = 64, 1000  # of a picture
NUM_PER_CLASS, MOST_OF_CLASSES = 8, 1024  # of one with a row per class


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Samples of a generator `[N, *sample_shape]`, float32 on the CPU, with what belongs to them.

    `labels` are int64 `[N]` or None; `inputs` and `real` what a generator was fed that is fed with
    real samples, and these.
    """

    samples: Tensor
    labels: Tensor | None
    inputs: Tensor | None = None
    real: Tensor | None = None

    def arrays(self) -> dict[str, Tensor]:
        """All that there is, by name."""
        found = {
            "samples": self.samples,
            "labels": self.labels,
            "inputs": self.inputs,
            "real": self.real,
        }
        return {name: tensor for name, tensor in found.items() if tensor is not None}


def find_classes(trained: TrainedGenerator, words: Sequence[str] | None) -> Tensor | None:
    """The labels, int64 `[N]`, of classes as people name them. Raises UsageError."""
    if words is None:
        return None
    if trained.classes is None:
        raise UsageError("--labels: this generator was trained without labels, and has no classes")
    return torch.tensor(find_labels(words, trained.classes))


def usual_num(trained: TrainedGenerator) -> int:
    """How many samples make a picture."""
    if len(trained.problem.sample_shape) == 1:
        return NUM_POINTS
    if trained.classes is None:
        return NUM_IMAGES
    return min(NUM_PER_CLASS * len(trained.classes), MOST_OF_CLASSES)


def cycled_labels(trained: TrainedGenerator, num: int) -> Tensor | None:
    """0, 1, ..., K - 1, 0, 1, ...: as many of each class as can be; None without classes."""
    if trained.problem.num_classes is None:
        return None
    return torch.arange(num) % trained.problem.num_classes


def draw_all(
    trained: TrainedGenerator,
    *,
    num: int,
    seed: int,
    labels: Tensor | None,
    truncation: float | None,
    real: Batch | None,
) -> Drawn:
    """Samples as `draw` makes them, and what they were made of where that is real samples."""
    if real is None:
        samples, classes = draw(trained, num=num, seed=seed, labels=labels, truncation=truncation)
        return Drawn(samples=samples, labels=classes)
    told = {} if labels is None else {LABEL: labels}
    fed = [*feed(trained, num=num, seed=seed, conditions=told, truncation=truncation, real=real)]
    samples, classes = gathered(make(trained, fed))
    return Drawn(
        samples=samples,
        labels=classes,
        inputs=torch.cat([inputs.values.float().cpu() for inputs in fed]),
        real=real.samples[:num].float().cpu().contiguous(),
    )


def check_picture(trained: TrainedGenerator, *, each: bool) -> None:
    """Raises UsageError where there is no picture of samples, or none of `each`."""
    shape = trained.problem.sample_shape
    if len(shape) == 1 and each:
        raise UsageError("points make one picture; write them with --out samples.png or .npz")
    if not can_be_shown(shape) and len(shape) != 1:
        raise UsageError(
            f"samples of shape {list(shape)} are no pictures; write them with --out samples.npz"
        )


def picture(trained: TrainedGenerator, drawn: Drawn, *, sort: bool) -> Tensor:
    """Samples as one picture, uint8 `[H, W, C]`.

    Images of classes make a row per class, with its name; `sort` brings those of a class together,
    which otherwise stay in the order that they have. Made of real samples, each is shown between
    what it was made of and, where that is not the same, what is real. Vectors are points.
    """
    samples, labels = drawn.samples, drawn.labels
    if samples.dim() == 2:
        return plot(drawn.real, samples)
    if drawn.inputs is not None and drawn.real is not None:
        told = before_and_after(drawn.inputs, samples, drawn.real)
        return grid(beside(*told), max(1, round(math.sqrt(len(samples) / len(told)))))
    if labels is None or trained.classes is None:
        return grid(samples)
    if sort:
        order = labels.argsort(stable=True)
        samples, labels = samples[order], labels[order]
    longest = max(NUM_PER_CLASS, math.ceil(math.sqrt(len(samples))))
    runs = runs_of_equal(labels.tolist(), longest)
    rows = [samples[start:end] for _, start, end in runs]
    return ragged_grid(rows, [trained.classes[label] for label, _, _ in runs])


def save_arrays(path: Path, drawn: Drawn) -> None:
    """Write an array file, whole or not at all. Raises OSError."""
    buffer = io.BytesIO()
    arrays = {name: tensor.numpy() for name, tensor in drawn.arrays().items()}
    numpy.savez(buffer, allow_pickle=False, **arrays)
    write_atomically(path, [buffer.getbuffer()])


def save_picture(path: Path, trained: TrainedGenerator, drawn: Drawn, *, sort: bool) -> None:
    """Write the `picture` of samples as a PNG, whole or not at all. Raises OSError."""
    save_png(path, picture(trained, drawn, sort=sort))


def save_each(folder: Path, drawn: Drawn) -> None:
    """Write a picture of each sample, by number. Raises OSError."""
    folder.mkdir(exist_ok=True)
    digits = max(5, len(str(len(drawn.samples) - 1)))
    for number, image in enumerate(to_bytes(drawn.samples)):
        save_png(folder / f"{number:0{digits}d}.png", image)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Ways between latents: `num` of them, each with a class of its own where there are classes."""

    trained: TrainedGenerator
    way: Way
    num: int
    seed: int
    labels: Tensor | None
    truncation: float | None

    def __post_init__(self) -> None:
        if self.trained.sampler_spec.inputs != "latents":
            raise UsageError(
                "--interpolate: this generator is fed with images, and there is no way from one to "
                "another"
            )
        if not can_be_shown(self.trained.problem.sample_shape):
            raise UsageError("--interpolate: the samples of this generator are no pictures")

    def picture(self, columns: int) -> Tensor:
        """A row per way, from its one end to the other, uint8 `[H, W, C]`."""
        steps = torch.stack([*self._steps(2, columns - 1, closed=False)])
        captions = None
        if self.labels is not None and self.trained.classes is not None:
            captions = [self.trained.classes[label] for label in self.labels.tolist()]
        return grid(steps.transpose(0, 1).flatten(0, 1), columns, captions)

    def frames(self, anchors: int, per_section: int) -> Iterator[Tensor]:
        """All ways side by side at one time after another, uint8 `[H, W, C]`: a loop."""
        for samples in self._steps(anchors, per_section, closed=True):
            yield grid(samples)

    def _steps(self, anchors: int, per_section: int, *, closed: bool) -> Iterator[Tensor]:
        """Samples `[num, C, H, W]`, step by step. Fewer ways are the first of more."""
        repeated = None if self.labels is None else self.labels.repeat_interleave(anchors)
        fed = feed(
            self.trained,
            num=self.num * anchors,
            seed=self.seed,
            conditions={} if repeated is None else {LABEL: repeated},
            truncation=self.truncation,
        )
        latents = torch.cat([inputs.values for inputs in fed]).view(self.num, anchors, -1)
        points = path(latents.transpose(0, 1), per_section, self.way, closed=closed)
        labels = None if self.labels is None else self.labels.to(points.device)
        for samples, _ in make(self.trained, (Inputs(point, labels) for point in points)):
            yield samples
