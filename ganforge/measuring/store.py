"""The cache: tensors that follow from data and weights, found again by what they follow from.

It lies in `$GANFORGE_CACHE`, or in `ganforge` in the user's folder of caches. Nothing in it is
needed: a file that is damaged, or absent, is made again.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganforge.errors import CheckpointError
from ganforge.printable import printable
from ganforge.storage import tensor_file
from ganforge.storage.cache_folder import VARIABLE

SUFFIX = ".safetensors"


def key_of(*parts: str) -> str:
    """A key of texts, in their order: 40 hexadecimal digits."""
    digest = blake2b(digest_size=20)
    for part in parts:
        digest.update(f"{len(part)}:".encode() + part.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def digest_of(*tensors: Tensor) -> str:
    """A digest of the values, shapes and types of tensors: 40 hexadecimal digits."""
    digest = blake2b(digest_size=20)
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {[*tensor.shape]} ".encode())
        values = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(values.numpy().data)
    return digest.hexdigest()


class Store:
    """Tensors by key, in files of a folder; one that cannot be written keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writable = True

    def get(self, kind: str, key: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The tensors kept under a key; None where nothing was, or where the file is damaged."""
        path = self._path(kind, key)
        if not path.is_file():
            return None
        try:
            tensors, document = tensor_file.read(path, kind)
        except CheckpointError as error:
            warnings.warn(f"{error}; it is made again", stacklevel=2)
            return None
        # The name of a file is the key of what was written; a file that was renamed is another.
        return (tensors, document) if document.get("key") == key else None

    def put(
        self, kind: str, key: str, tensors: Mapping[str, Tensor], document: Mapping[str, Any]
    ) -> None:
        """Keep tensors and a JSON document. A cache that cannot be written is a warning, once."""
        if not self._writable:
            return
        path = self._path(kind, key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            tensor_file.write(path, kind, tensors, {**document, "key": key})
        except (OSError, CheckpointError) as error:
            self._writable = False
            reason = error.strerror if isinstance(error, OSError) else str(error)
            warnings.warn(
                f"the cache {printable(self.folder)} cannot be written ({reason}), so nothing is "
                f"kept of what is extracted; {VARIABLE} names another folder",
                stacklevel=2,
            )

    def _path(self, kind: str, key: str) -> Path:
        return self.folder / kind / key[:2] / f"{key}{SUFFIX}"
