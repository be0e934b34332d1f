"""The data set `images`: a folder or a zip file, checked as a whole before training starts.

What fits in memory is decoded once; a larger set is checked in the same way and decoded whenever a
sample is asked for.
"""

from __future__ import annotations

from collections import Counter

from ganforge import Problem, count_line

from .decoding import Target
from .image_sets import DecodedImages, StoredImages, Told
from .labels import find_labels
from .options import ImagesOptions, ReadingOptions
from .reading import Candidates, gather, in_memory


def build(problem: Problem, options: ImagesOptions) -> DecodedImages | StoredImages:
    """The images under `root`, fitted to `problem.sample_shape`, labelled by sub-folder.

    Raises DataError where there is nothing to read, and with `strict` where a file cannot be read;
    warns of files that are left out.
    """
    target = make_target(problem.sample_shape, options)
    found = Candidates.under(options.root, {"sample": target}, options)
    names = find_labels(found, options)
    keep = in_memory(options, found)
    gathered = gather([found], options, keep=keep)
    labels, classes = names.of(gathered.kept)
    counts = None
    if labels is not None and classes is not None:
        numbers = Counter(labels)
        counts = {name: numbers[label] for label, name in enumerate(classes)}
    told = Told(
        description=count_line(len(gathered.kept), counts),
        left_out=found.census.left_out_line(),
        files=found.records(gathered.kept, gathered.checksums[0], labels, classes),
    )
    if keep:
        return DecodedImages(gathered.values, told, labels, classes)
    return StoredImages([found.pictures(gathered.kept)], told, labels, classes)


def make_target(shape: tuple[int, ...], options: ReadingOptions) -> Target:
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
