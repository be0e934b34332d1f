"""MNIST and its kin and CIFAR-10, read by torchvision from the files it keeps."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import datasets  # type: ignore[import-untyped]

from ganforge import DataError, InMemoryDataset, Problem

from .options import TorchvisionOptions
from .resizing import padded, resized

#: where torchvision keeps each, below its root
_FOLDERS = {
    datasets.MNIST: "MNIST/raw",
    datasets.FashionMNIST: "FashionMNIST/raw",
    datasets.KMNIST: "KMNIST/raw",
    datasets.CIFAR10: "cifar-10-batches-py",
}


def mnist(problem: Problem, options: TorchvisionOptions) -> InMemoryDataset:
    """uint8 `[N, 1, H, W]` in ten classes; DataError where the files cannot be read."""
    # torchvision's own names are of the kind "0 - zero".
    return _build(datasets.MNIST, problem, options, tuple(map(str, range(10))))


def fashion_mnist(problem: Problem, options: TorchvisionOptions) -> InMemoryDataset:
    """uint8 `[N, 1, H, W]` in ten classes; DataError where the files cannot be read."""
    return _build(datasets.FashionMNIST, problem, options)


def kmnist(problem: Problem, options: TorchvisionOptions) -> InMemoryDataset:
    """uint8 `[N, 1, H, W]` in ten classes; DataError where the files cannot be read."""
    return _build(datasets.KMNIST, problem, options)


def cifar10(problem: Problem, options: TorchvisionOptions) -> InMemoryDataset:
    """uint8 `[N, 3, H, W]` in ten classes; DataError where the files cannot be read."""
    return _build(datasets.CIFAR10, problem, options)


def _build(
    source: Any,
    problem: Problem,
    options: TorchvisionOptions,
    classes: tuple[str, ...] | None = None,
) -> InMemoryDataset:
    _, height, width = problem.sample_shape
    stored = _load(source, options)
    images = _channels_first(stored.data)
    labels = torch.as_tensor(stored.targets, dtype=torch.int64)
    if len(images) != len(labels):
        raise DataError(
            f"{source.__name__} in {options.root!r} is damaged: {len(images):,} images, "
            f"{len(labels):,} labels"
        )
    fitted = (
        padded(images, (height, width))
        if options.fit == "pad"
        else resized(images, (height, width), "bilinear")
    )
    try:
        return InMemoryDataset(fitted, labels, classes or tuple(map(str, stored.classes)))
    except ValueError as error:
        raise DataError(f"{source.__name__} in {options.root!r} is damaged: {error}") from error


def _load(source: Any, options: TorchvisionOptions) -> Any:
    root = Path(options.root).expanduser()
    try:
        with warnings.catch_warnings():
            # The CIFAR files are pickles (torchvision compares their checksums) from a time when
            # NumPy took 0 for False; early releases of NumPy 2.4 warn of it.
            warnings.simplefilter("ignore", np.exceptions.VisibleDeprecationWarning)
            return source(root, train=options.split == "train", download=options.download)
    # A damaged file surfaces as whatever the parser stumbled over, AssertionError included.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if options.download:
            what = f"cannot be fetched or read: {reason}"
        else:
            what = (
                f"cannot be read: {reason}. A file of it is cut off or damaged, most likely by a "
                f"download that broke: remove {str(root / _FOLDERS[source])!r} and have it fetched "
                "again with --set dataset.download=true"
            )
        raise DataError(f"{source.__name__} in {options.root!r} {what}") from error


def _channels_first(data: Any) -> Tensor:
    """MNIST's uint8 `[N, H, W]` or CIFAR's `[N, H, W, 3]` as `[N, C, H, W]`."""
    images = torch.as_tensor(data)
    if images.dim() == 3:
        return images[:, None]
    return images.permute(0, 3, 1, 2).contiguous()
