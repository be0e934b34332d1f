"""Scenes of thirteen bands, each read from its file when it is asked for."""

from pathlib import Path

import numpy as np
import torch

from ganforge import DataError, Fit, MapDataset

from . import BANDS, RANGE, check_scenes


class Scenes(MapDataset):
    """Images `(13, H, W)`; what is brighter than the range, as clouds are, is cut off."""

    fit = Fit(
        facts={
            "bands": [f"B{name}" for name in BANDS],
            "colours": [BANDS.index(name) for name in ("4", "3", "2")],
        }
    )

    def __init__(self, problem, options):
        check_scenes(options)
        self.files = sorted(Path(options.root).glob("*.npy"))
        self.shape = problem.sample_shape

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        path = self.files[index]
        try:
            scene = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read as an array: {error}") from error
        if scene.shape != self.shape:
            raise DataError(
                f"{path} holds {list(scene.shape)}, and should hold {list(self.shape)}; see "
                "dataset.size"
            )
        return {"sample": torch.from_numpy(scene.astype(np.float32)).clamp(*RANGE)}
