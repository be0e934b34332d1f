"""The bundled data sets: what they are called, what they take, and where they are built.

This module is read to list the data sets, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ganforge import DatasetSpec, hookimpl

from .availability import check_torchvision
from .options import DigitsOptions, TorchvisionOptions


def _digits_shape(options: DigitsOptions) -> tuple[int, ...]:
    return (1, options.size, options.size)


def _grey_shape(options: TorchvisionOptions) -> tuple[int, ...]:
    return (1, options.size, options.size)


def _colour_shape(options: TorchvisionOptions) -> tuple[int, ...]:
    return (3, options.size, options.size)


@hookimpl
def ganforge_datasets() -> Iterator[DatasetSpec]:
    yield DatasetSpec(
        name="digits",
        summary="1,797 handwritten digits of 8 x 8 pixels, enlarged; comes with ganforge",
        build="ganforge_datasets.digits:build",
        options=DigitsOptions,
        sample_shape=_digits_shape,
        labelled=True,
    )
    for name, builder, shape, summary in (
        ("mnist", "mnist", _grey_shape, "Handwritten digits, 60,000 grey images of 28 x 28"),
        ("fashion-mnist", "fashion_mnist", _grey_shape, "Clothing, 60,000 grey images of 28 x 28"),
        ("kmnist", "kmnist", _grey_shape, "Cursive Japanese, 60,000 grey images of 28 x 28"),
        ("cifar10", "cifar10", _colour_shape, "Animals and vehicles, 50,000 images of 32 x 32"),
    ):
        yield DatasetSpec(
            name=name,
            summary=f"{summary}, through torchvision",
            build=f"ganforge_datasets.torchvision_sets:{builder}",
            options=TorchvisionOptions,
            sample_shape=shape,
            labelled=True,
            check_available=partial(check_torchvision, name),
        )
