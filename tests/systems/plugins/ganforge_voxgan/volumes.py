"""Volumes of voxels, each read from its file when it is asked for."""

from pathlib import Path

import numpy as np
import torch

from ganforge import DataError, MapDataset

from . import check_volumes


class Volumes(MapDataset):
    """Volumes `(1, D, H, W)` of values from 0, empty, to 1, full."""

    def __init__(self, problem, options):
        check_volumes(options)
        self.files = sorted(Path(options.root).glob("*.npy"))
        self.shape = problem.sample_shape[1:]

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        path = self.files[index]
        try:
            volume = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read as an array: {error}") from error
        if volume.shape != self.shape or volume.min() < 0 or volume.max() > 1:
            raise DataError(
                f"{path} holds {list(volume.shape)} from {volume.min():g} to {volume.max():g}, and "
                f"should hold {list(self.shape)} from 0 to 1; see dataset.size"
            )
        return {"sample": torch.from_numpy(volume.astype(np.float32))[None]}
