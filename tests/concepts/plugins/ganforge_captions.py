"""A text vector as a condition: points whose place follows an embedding that lies beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ganforge import DataError, DatasetSpec, Field, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    root: str = option("captions.npz", help="file with points and caption", mutable=True)
    size: int = option(5, help="size of a caption's embedding", minimum=1)


def fields(options: Options) -> Mapping[str, Field]:
    return {
        "sample": Field(kind="vector", shape=(2,)),
        "caption": Field(kind="vector", shape=(options.size,)),
    }


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="captions",
        summary="Points with an embedding each",
        build="ganforge_captions:build",
        options=Options,
        fields=fields,
    )


def build(problem, options):
    import numpy as np
    import torch

    from ganforge import InMemoryDataset

    if not Path(options.root).is_file():
        raise DataError(f"there is no file {options.root!r}")
    with np.load(options.root) as arrays:
        return InMemoryDataset(
            torch.from_numpy(arrays["points"]),
            others={"caption": torch.from_numpy(arrays["caption"])},
        )
