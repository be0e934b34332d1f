"""Images and the embeddings of their captions, from one file of arrays."""

import numpy
import torch

from ganforge import DataError, Field, InMemoryDataset

from . import check_file


def build(problem, options):
    """Samples `[N, C, H, W]` in bytes and captions `[N, V]` as they are."""
    check_file(options)
    try:
        with numpy.load(options.file, allow_pickle=False) as arrays:
            images, captions = arrays["images"], arrays["captions"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{options.file!r} is no file of images and captions: {error}") from error
    channels, height, width = problem.sample_shape
    wanted = (len(captions), height, width, channels)
    if images.dtype != numpy.uint8 or images.shape != wanted or captions.ndim != 2:
        raise DataError(
            f"{options.file!r} holds images {images.dtype} {list(images.shape)} and captions "
            f"{list(captions.shape)}, and should hold images uint8 {list(wanted)} and captions "
            "[N, V]; see dataset.size and dataset.channels"
        )
    return InMemoryDataset(
        torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
        others={"caption": torch.from_numpy(captions).float()},
        fields={"caption": Field(kind="vector", shape=captions.shape[1:])},
    )
