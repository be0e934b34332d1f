"""Three grey images as the channels of one: a set with as many classes as there are triples.

StackedMNIST is from Metz et al. (2017, "Unrolled generative adversarial networks"), who stack
digits afresh; Srivastava et al. (2017, "VEEGAN") train on 128,000 fixed stacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import torch
from torch import Tensor

from ganforge import Batch, DataError, EndlessDataset, InMemoryDataset, Problem

from . import digits, torchvision_sets
from .options import (
    DigitsOptions,
    StackedDigitsOptions,
    StackedOptions,
    StackOptions,
    TorchvisionOptions,
)

CHANNELS = 3
_SOURCES = {
    "mnist": torchvision_sets.mnist,
    "fashion-mnist": torchvision_sets.fashion_mnist,
    "kmnist": torchvision_sets.kmnist,
}


class Stacks(EndlessDataset):
    """Stacks uint8 `[n, 3, H, W]` of images that are drawn independently, each as likely.

    With K classes of images there are K^3 of stacks: the digits a, b, c of red, green and blue are
    the class 100a + 10b + c.
    """

    classes: tuple[str, ...]

    def __init__(self, source: InMemoryDataset) -> None:
        assert source.labels is not None
        assert source.classes is not None
        self.source = source
        self.num_classes = len(source.classes)
        self.classes = stacked_classes(source.classes)
        self._placed = {source.samples.device: (source.samples[:, 0], source.labels)}

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        images, labels = self._on(generator.device)
        shape = (n, CHANNELS)
        drawn = torch.randint(len(images), shape, generator=generator, device=generator.device)
        stacked = torch.zeros(n, dtype=torch.int64, device=generator.device)
        for channel in range(CHANNELS):
            stacked = stacked * self.num_classes + labels[drawn[:, channel]]
        return Batch(images[drawn], stacked)

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """The images on a device; copied once, for within a step a copy would be waited for."""
        if device not in self._placed:
            images, labels = next(iter(self._placed.values()))
            self._placed[device] = (images.to(device), labels.to(device))
        return self._placed[device]

    def describe(self) -> str:
        number = len(self.source)
        return f"endless stacks of three of {number:,} images, in {len(self.classes):,} classes"


def mnist(problem: Problem, options: StackedOptions) -> Stacks | InMemoryDataset:
    """Stacks of MNIST or its kin; DataError where the files cannot be read."""
    source = TorchvisionOptions(
        root=options.root,
        split=options.split,
        size=options.size,
        fit=options.fit,
        download=options.download,
    )
    return _stacked(_SOURCES[options.source](_grey(problem), source), options)


def embedded(problem: Problem, options: StackedDigitsOptions) -> Stacks | InMemoryDataset:
    """Stacks of the 1,797 digits that come with ganforge."""
    return _stacked(digits.build(_grey(problem), DigitsOptions(size=options.size)), options)


def _grey(problem: Problem) -> Problem:
    """The problem of the images that are stacked."""
    _, height, width = problem.sample_shape
    return replace(problem, sample=replace(problem.sample, shape=(1, height, width)))


def _stacked(source: InMemoryDataset, options: StackOptions) -> Stacks | InMemoryDataset:
    stacks = Stacks(source)
    if options.num_stacks is None:
        return stacks
    drawn = stacks.draw(options.num_stacks, torch.Generator().manual_seed(0))
    assert drawn.labels is not None
    missing = int((drawn.labels.bincount(minlength=len(stacks.classes)) == 0).sum())
    if missing:
        raise DataError(
            f"{options.num_stacks:,} stacks are too few: {missing:,} of the "
            f"{len(stacks.classes):,} classes have none. Raise dataset.num_stacks (128000 in "
            "VEEGAN), or leave it out"
        )
    return InMemoryDataset(drawn.samples, drawn.labels, stacks.classes)


def stacked_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """Names of the triples, in the order of their numbers: digits make `"042"`, words a list."""
    between = "" if all(len(name) == 1 for name in classes) else ", "
    return tuple(between.join(names) for names in product(classes, repeat=CHANNELS))
