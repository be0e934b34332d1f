"""Synthetic pictures shaped like MNIST, as a data set of the engine and as PIL images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from ganforge import DatasetSpec, Field, InMemoryDataset, Problem, option
from ganforge.plugin.discovery import discover
from ganforge.plugin.registry import Component, Plugin, Registry
from ganforge_datasets.resizing import resized

NAME = "benchmark-pictures"
SIDE = 28
_CHUNK = 10_000  # pictures drawn at once


@dataclass(frozen=True, kw_only=True)
class PictureOptions:
    count: int = option(60_000, help="number of pictures", minimum=1)
    size: int = option(SIDE, help="side in pixels", minimum=1)


def draw(count: int) -> Tensor:
    """Soft white blots on black, uint8 `[N, 1, 28, 28]`: mostly 0 or 255, as strokes are."""
    generator = torch.Generator().manual_seed(0)
    sheets = []
    for start in range(0, count, _CHUNK):
        coarse = torch.randn(min(_CHUNK, count - start), 1, 7, 7, generator=generator)
        smooth = functional.interpolate(coarse, size=SIDE, mode="bilinear", align_corners=False)
        sheets.append(smooth.sub_(0.5).mul_(600).clamp_(0, 255).to(torch.uint8))
    return torch.cat(sheets)


@cache
def pictures(count: int, size: int) -> Tensor:
    """The pictures, enlarged once; every loop that keeps them in memory shares this tensor."""
    return resized(draw(count), (size, size), "bilinear")


def build(problem: Problem, options: PictureOptions) -> InMemoryDataset:
    """The data set as the engine gets it."""
    return InMemoryDataset(pictures(options.count, options.size))


def registry() -> Registry:
    """The bundled components and this data set."""
    spec = DatasetSpec(
        name=NAME,
        summary="synthetic pictures of this benchmark",
        build=f"{__name__}:build",
        options=PictureOptions,
        fields=lambda options: {"sample": Field.of_shape((1, options.size, options.size))},
    )
    plugin = Plugin(
        name="benchmark", package="ganforge", version="0", module=__name__, bundled=True
    )
    bundled = discover(third_party=False).registry
    return Registry([*bundled, Component(spec=spec, plugin=plugin)])


class PILPictures(torch.utils.data.Dataset):
    """The same pictures at 28x28, one by one: what `torchvision.datasets.MNIST` does for each."""

    def __init__(self, count: int, transform) -> None:
        self.data = pictures(count, SIDE)[:, 0]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.data[index].numpy())), 0
