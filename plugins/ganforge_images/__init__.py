"""A folder or a zip file of images, in any mode and size that Pillow reads.

This module is read to list the data set, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganforge import DatasetSpec, hookimpl

from .availability import check_images
from .options import ImagesOptions


def _images_shape(options: ImagesOptions) -> tuple[int, ...]:
    return (options.channels, options.height or options.size, options.size)


@hookimpl
def ganforge_datasets() -> Iterator[DatasetSpec]:
    yield DatasetSpec(
        name="images",
        summary="A folder or a zip file of images; its sub-folders are the classes",
        build="ganforge_images.images:build",
        options=ImagesOptions,
        sample_shape=_images_shape,
        labelled=None,
        check_available=check_images,
        path_option="root",
    )
