"""Images, and maps that give the class of each pixel."""

import numpy
import torch
from PIL import Image, ImageOps
from torch.nn.functional import one_hot

from ganforge import DataError, MapDataset

from . import files


class Segmented(MapDataset):
    """Images `[C, S, S]` in bytes, cropped to squares, and their maps one-hot `[K, S, S]`."""

    def __init__(self, problem, options):
        self.files = files(options)
        self.options = options

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        options = self.options
        sides = (options.size, options.size)
        image, numbers = self.files[index]
        with Image.open(image) as file:
            mode = "L" if options.channels == 1 else "RGB"
            fitted = ImageOps.fit(file.convert(mode), sides, Image.Resampling.BICUBIC)
        sample = torch.from_numpy(numpy.array(fitted)).view(*sides, options.channels)
        with Image.open(numbers) as file:
            # Between two classes is none.
            classes = numpy.array(ImageOps.fit(file, sides, Image.Resampling.NEAREST))
        if classes.shape != sides or classes.max() >= options.classes:
            raise DataError(
                f"{numbers} should be a map of one channel, whose pixels are below "
                f"dataset.classes = {options.classes}"
            )
        hot = one_hot(torch.from_numpy(classes).long(), options.classes)
        return {
            "sample": sample.permute(2, 0, 1).contiguous(),
            "map": hot.permute(2, 0, 1).float().contiguous(),
        }
