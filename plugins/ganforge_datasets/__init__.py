"""The bundled data sets: what they are called, what they take, and where they are built.

This module is read to list the data sets, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from ganforge import DatasetSpec, Field, hookimpl

from .availability import check_stacked, check_torchvision
from .options import (
    DigitsOptions,
    GreyOptions,
    StackedDigitsOptions,
    StackedOptions,
    TorchvisionOptions,
)
from .python import PythonOptions, check_handed_over, fields_of


def _grey(options: DigitsOptions | TorchvisionOptions) -> Mapping[str, Field]:
    return _labelled((1, options.size, options.size))


def _colour(
    options: TorchvisionOptions | StackedOptions | StackedDigitsOptions,
) -> Mapping[str, Field]:
    return _labelled((3, options.size, options.size))


def _labelled(shape: tuple[int, ...]) -> Mapping[str, Field]:
    return {
        "sample": Field(kind="image", shape=shape, dtype="uint8"),
        "label": Field(kind="category"),
    }


def _test_split(options: TorchvisionOptions) -> TorchvisionOptions | None:
    return None if options.split == "test" else replace(options, split="test")


@hookimpl
def ganforge_datasets() -> Iterator[DatasetSpec]:
    yield DatasetSpec(
        name="digits",
        summary="1,797 handwritten digits of 8 x 8 pixels, enlarged; comes with ganforge",
        build="ganforge_datasets.digits:build",
        options=DigitsOptions,
        fields=_grey,
        conditional=True,
    )
    for name, builder, summary in (
        ("mnist", "mnist", "Handwritten digits, 60,000 grey images of 28 x 28"),
        ("fashion-mnist", "fashion_mnist", "Clothing, 60,000 grey images of 28 x 28"),
        ("kmnist", "kmnist", "Cursive Japanese, 60,000 grey images of 28 x 28"),
        ("cifar10", "cifar10", "Animals and vehicles, 50,000 images of 32 x 32"),
    ):
        in_colour = name == "cifar10"
        yield DatasetSpec(
            name=name,
            summary=f"{summary}, through torchvision",
            build=f"ganforge_datasets.torchvision_sets:{builder}",
            options=TorchvisionOptions if in_colour else GreyOptions,
            check_available=partial(check_torchvision, name),
            fields=_colour if in_colour else _grey,
            held_out=_test_split,
        )
    yield DatasetSpec(
        name="python",
        summary="Data of a Python program, given to ganforge.train",
        build="ganforge_datasets.python:build",
        options=PythonOptions,
        check_available=check_handed_over,
        fields=fields_of,
        handed_over=True,
    )
    yield DatasetSpec(
        name="stacked-mnist",
        summary="Three digits of MNIST as red, green and blue: 1,000 modes (Metz et al., 2017)",
        build="ganforge_datasets.stacked:mnist",
        options=StackedOptions,
        check_available=check_stacked,
        fields=_colour,
    )
    yield DatasetSpec(
        name="stacked-digits",
        summary="Three of the digits that come with ganforge as red, green and blue: 1,000 modes",
        build="ganforge_datasets.stacked:embedded",
        options=StackedDigitsOptions,
        fields=_colour,
    )
