"""Crops of photographs, and coarse copies of them."""

import numpy
import torch
from PIL import Image

from ganforge import MapDataset

from . import photographs


class Crops(MapDataset):
    """Squares of each photograph at places that follow from the index, `[C, S, S]` bytes.

    The field `coarse` is the same square, made smaller by bicubic filtering. A photograph that is
    smaller than a crop is enlarged.
    """

    def __init__(self, problem, options):
        self.files = photographs(options)
        self.options = options

    def __len__(self):
        return len(self.files) * self.options.crops

    def __getitem__(self, index):
        size = self.options.size
        with Image.open(self.files[index // self.options.crops]) as file:
            image = file.convert("L" if self.options.channels == 1 else "RGB")
        if min(image.size) < size:
            scale = size / min(image.size)
            image = image.resize([max(size, round(scale * side)) for side in image.size])
        places = torch.rand(2, generator=torch.Generator().manual_seed(index)).tolist()
        left, top = (int(u * (side - size + 1)) for u, side in zip(places, image.size, strict=True))
        crop = image.crop((left, top, left + size, top + size))
        coarse = size // self.options.factor
        smaller = crop.resize((coarse, coarse), Image.Resampling.BICUBIC)
        return {"sample": pixels(crop), "coarse": pixels(smaller)}


def pixels(image):
    values = torch.from_numpy(numpy.array(image))
    return values[None] if values.dim() == 2 else values.permute(2, 0, 1).contiguous()
