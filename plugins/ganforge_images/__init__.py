"""A folder or a zip file of images, in any mode and size that Pillow reads.

This module is read to list the data set, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ganforge import DatasetSpec, Field, hookimpl

from .availability import check_images
from .options import ImagesOptions


def _images(options: ImagesOptions) -> Mapping[str, Field]:
    shape = (options.channels, options.height or options.size, options.size)
    return {
        "sample": Field(kind="image", shape=shape, dtype="uint8"),
        "label": Field(kind="category", optional=True),
    }


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
