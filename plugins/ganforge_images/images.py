"""The data set `images`: a folder or a zip file, checked as a whole before training starts.

What fits in memory is decoded once; a larger set is checked in the same way and decoded whenever a
sample is asked for.
"""

from __future__ import annotations

import warnings
from collections import Counter

from ganforge import Problem, count_line

from .census import shown
from .classes import class_names, labelled
from .decoding import Target
from .image_sets import DecodedImages, StoredImages
from .options import ImagesOptions
from .reading import Candidates, gather, in_memory


def build(problem: Problem, options: ImagesOptions) -> DecodedImages | StoredImages:
    """The images under `root`, fitted to `problem.sample_shape`, labelled by sub-folder.

    Raises DataError where there is nothing to read, and with `strict` where a file cannot be read;
    warns of files that are left out.
    """
    found = Candidates.under(options.root, {"sample": make_target(problem.sample_shape, options)})
    keep = in_memory(options, found)
    gathered = gather([found], options, keep=keep)
    folders = class_names([entry.name for entry in found.entries])
    kept_folders = [folders[index] for index in gathered.kept]
    labels, classes = labelled(kept_folders) or (None, None)
    num = len(kept_folders)
    if labels is None and any(kept_folders):
        warnings.warn(
            f"the images in {shown(options.root)} have no labels: {kept_folders.count(None):,} of "
            f"{num:,} lie in no sub-folder, and labels need every image to lie in one",
            stacklevel=2,
        )
    counts = None
    if labels is not None and classes is not None:
        numbers = Counter(labels)
        counts = {name: numbers[label] for label, name in enumerate(classes)}
    description = count_line(num, counts) + found.census.others_line()
    if keep:
        return DecodedImages(gathered.values, description, labels, classes)
    return StoredImages([found.pictures(gathered.kept)], description, labels, classes)


def make_target(shape: tuple[int, ...], options: ImagesOptions) -> Target:
    """The format that an image of the set is brought to: uint8 of the shape `(C, H, W)`."""
    channels, height, width = shape
    return Target(
        height=height,
        width=width,
        channels=channels,
        fit=options.fit,
        background=options.background,
        max_pixels=options.max_pixels,
    )
