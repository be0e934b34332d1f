"""Folders and zip files of images, in any mode and size that Pillow reads: alone, or in pairs.

This module is read to list the data sets, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ganforge import DatasetSpec, Field, hookimpl

from .availability import check_images, check_pairs
from .options import ImagesOptions, PairsOptions, ReadingOptions


def _images(options: ImagesOptions) -> Mapping[str, Field]:
    return {
        "sample": _field(options, options.channels),
        "label": Field(kind="category", optional=True),
    }


def _pairs(options: PairsOptions) -> Mapping[str, Field]:
    channels = options.source_channels or options.channels
    return {
        "sample": _field(options, options.channels),
        "source": _field(options, channels, paired=options.pairing == "name"),
    }


def _field(options: ReadingOptions, channels: int, *, paired: bool = True) -> Field:
    shape = (channels, options.height or options.size, options.size)
    return Field(kind="image", shape=shape, dtype="uint8", paired=paired)


@hookimpl
def ganforge_datasets() -> Iterator[DatasetSpec]:
    yield DatasetSpec(
        name="images",
        summary="A folder or a zip file of images; its sub-folders are the classes",
        build="ganforge_images.images:build",
        options=ImagesOptions,
        check_available=check_images,
        path_option="root",
        fields=_images,
    )
    yield DatasetSpec(
        name="image-pairs",
        summary="Inputs and targets for translation: pairs, halves of pictures, or two sets",
        build="ganforge_images.pairs:build",
        options=PairsOptions,
        check_available=check_pairs,
        fields=_pairs,
    )
