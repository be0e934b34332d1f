"""Weights of other projects, read from their files; images as their networks want them."""

from __future__ import annotations

import pickle
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from ganforge import DataError


def digest_of(path: Path) -> str:
    """The sha256 of a file. Raises DataError where it cannot be read."""
    digest = sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of weights by name, by torch's reader that builds nothing but tensors.

    Raises DataError where it holds anything else.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise DataError(f"{path} is not a file of weights that can be read") from error
    if not isinstance(found, dict) or not all(isinstance(it, Tensor) for it in found.values()):
        raise DataError(f"{path} holds something else than tensors by name")
    return dict(found)


def in_colour(images: Tensor) -> Tensor:
    """Images `[B, 3, H, W]` of grey or colour ones: grey as three channels that are alike."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
