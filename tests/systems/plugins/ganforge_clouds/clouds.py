"""Point clouds, each read from its file when it is asked for."""

from pathlib import Path

import numpy as np
import torch

from ganforge import DataError, MapDataset

from . import check_clouds


class Clouds(MapDataset):
    """Clouds `(N, 3)` about their mean, scaled so that the furthest point is at a distance of 1."""

    def __init__(self, problem, options):
        check_clouds(options)
        self.files = sorted(Path(options.root).glob("*.npy"))
        self.points = options.points

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        path = self.files[index]
        try:
            points = torch.from_numpy(np.load(path, allow_pickle=False).astype(np.float32))
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read as an array: {error}") from error
        if points.dim() != 2 or points.shape[1] != 3 or len(points) < self.points:
            raise DataError(
                f"{path} holds {list(points.shape)}, and should hold at least {self.points} points "
                "of three numbers; see dataset.points"
            )
        # Any of them, since files may be sorted; the same ones whenever they are asked for.
        generator = torch.Generator().manual_seed(index)
        points = points[torch.randperm(len(points), generator=generator)[: self.points]]
        points -= points.mean(0)
        return {"sample": points / points.norm(dim=1).max().clamp_min(1e-12)}
