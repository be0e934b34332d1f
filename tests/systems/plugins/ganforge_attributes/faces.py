"""A folder of images, and a table of their attributes."""

import csv
from pathlib import Path

import numpy
import torch
from PIL import Image, ImageOps

from ganforge import DataError, Field, Fit, MapDataset

from . import check_files


class Faces(MapDataset):
    """Images `[C, S, S]` in bytes, cropped to squares, and attributes `[V]`, each 1 or -1.

    The names of the attributes, in order, are the fact `attributes` of the fit, and so are in the
    file of the generator.
    """

    def __init__(self, problem, options):
        check_files(options)
        self.channels, *self.sides = problem.sample_shape
        self.names, rows = read(options)
        root = Path(options.root)
        self.files = [root / name for name in rows]
        missing = [file.name for file in self.files if not file.is_file()]
        if missing:
            raise DataError(
                f"{len(missing)} images of {options.attributes!r} are not in {options.root!r}, "
                f"{missing[0]!r} for one"
            )
        self.values = torch.tensor([*rows.values()], dtype=torch.float32)
        self.fields = {"attributes": Field(kind="vector", shape=(len(self.names),))}
        self.fit = Fit(facts={"attributes": [*self.names]})

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with Image.open(self.files[index]) as file:
            image = file.convert("L" if self.channels == 1 else "RGB")
        pixels = numpy.array(ImageOps.fit(image, self.sides, Image.Resampling.BICUBIC))
        sample = torch.from_numpy(pixels).view(*self.sides, self.channels).permute(2, 0, 1)
        return {"sample": sample.contiguous(), "attributes": self.values[index]}


def read(options):
    """The names of the attributes, and their values by name of the image. Raises DataError."""
    with Path(options.attributes).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    unknown = [name for name in options.columns if name not in header[1:]]
    if unknown:
        raise DataError(f"{options.attributes!r} has no column {unknown[0]!r}; see dataset.columns")
    names = options.columns or tuple(header[1:])
    places = [header.index(name) for name in names]
    found = {}
    for number, row in enumerate(rows, start=2):
        values = [row[place] for place in places] if len(row) == len(header) else []
        if not values or not {*values} <= {"1", "-1"}:
            raise DataError(
                f"line {number} of {options.attributes!r} should have a name and {len(names)} "
                "attributes, each 1 or -1"
            )
        found[row[0]] = [int(value) for value in values]
    if not found:
        raise DataError(f"{options.attributes!r} has no rows")
    return names, found
