"""Float images of 13 bands, in the units of the instrument, read one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ganforge import DataError, DatasetSpec, Field, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    root: str = option("bands", help="folder of .npy files", mutable=True)


def fields(options: Options) -> Mapping[str, Field]:
    return {"sample": Field(kind="image", shape=(13, 8, 8), range=(0.0, 10_000.0))}


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="bands",
        summary="Thirteen bands of a satellite",
        build="ganforge_bands:build",
        options=Options,
        fields=fields,
    )


def build(problem, options):
    import numpy as np
    import torch

    from ganforge import MapDataset

    files = sorted(Path(options.root).glob("*.npy"))
    if not files:
        raise DataError(f"there are no files in {options.root!r}")

    class Bands(MapDataset):
        def __len__(self):
            return len(files)

        def __getitem__(self, index):
            return {"sample": torch.from_numpy(np.load(files[index]))}

    return Bands()
