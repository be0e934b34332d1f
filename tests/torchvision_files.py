"""Small files in the layout in which torchvision keeps MNIST and its kin."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

FOLDERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}


def write_idx(path: Path, array: np.ndarray) -> None:
    header = struct.pack(f">2xBB{array.ndim}I", 8, array.ndim, *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def write_mnist(root: Path, name: str) -> dict[str, np.ndarray]:
    """Twenty training images and ten test images of noise; their labels go round."""
    folder = root / FOLDERS[name] / "raw"
    folder.mkdir(parents=True)
    images = {}
    for part, count, seed in (("train", 20, 1), ("t10k", 10, 2)):
        images[part] = np.random.default_rng(seed).integers(0, 256, (count, 28, 28))
        write_idx(folder / f"{part}-images-idx3-ubyte", images[part])
        write_idx(folder / f"{part}-labels-idx1-ubyte", np.arange(count) % 10)
    return images
