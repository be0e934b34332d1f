"""The data set `images`: a folder or a zip file, checked as a whole before training starts.

What fits in memory is decoded once; a larger set is checked in the same way and decoded whenever a
sample is asked for.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from ganforge import Problem

from .archive import ZipFiles
from .census import Census, shown
from .checking import Checked, Checker, in_threads
from .classes import class_names, labelled
from .decoding import Target, quiet_pillow
from .image_sets import DecodedImages, StoredImages, channels_first
from .listing import Folder, ImageFiles, LeftOut
from .options import ImagesOptions

_MIB = 2**20


def build(problem: Problem, options: ImagesOptions) -> DecodedImages | StoredImages:
    """The images under `root`, fitted to `problem.sample_shape`, labelled by sub-folder.

    Raises DataError where there is nothing to read, and with `strict` where a file cannot be read;
    warns of files that are left out.
    """
    channels, height, width = problem.sample_shape
    target = Target(
        height=height,
        width=width,
        channels=channels,
        fit=options.fit,
        background=options.background,
        max_pixels=options.max_pixels,
    )
    root = str(Path(options.root).expanduser())
    files = _files(root)
    listing = files.listing()
    census = Census.of(options.root, listing)
    in_memory = len(listing.entries) * channels * height * width <= options.memory_limit * _MIB
    checker = Checker(files=files, target=target, minimum_size=options.minimum_size, keep=in_memory)
    samples = torch.empty(
        (len(listing.entries) if in_memory else 0, channels, height, width), dtype=torch.uint8
    )
    kept: list[int] = []
    with quiet_pillow():
        for index, checked in enumerate(in_threads(checker, listing.entries)):
            if not _entered(census, listing.entries[index].name, checked):
                continue
            if checked.pixels is not None:
                samples[len(kept)] = channels_first(checked.pixels)
            kept.append(index)
    census.num_kept = len(kept)
    census.report(strict=options.strict, minimum_size=options.minimum_size, stacklevel=2)

    folders = class_names([entry.name for entry in listing.entries])
    kept_folders = [folders[index] for index in kept]
    labels, classes = labelled(kept_folders) or (None, None)
    if labels is None and any(kept_folders):
        warnings.warn(
            f"the images in {shown(options.root)} have no labels: {kept_folders.count(None):,} of "
            f"{len(kept):,} lie in no sub-folder, and labels need every image to lie in one",
            stacklevel=2,
        )
    others = census.others_line()
    if in_memory:
        tensor = None if labels is None else torch.tensor(labels)
        return DecodedImages(samples[: len(kept)], tensor, classes, others)
    names = [listing.entries[index].name for index in kept]
    return StoredImages(files, options.root, target, names, labels, classes, others)


def _files(root: str) -> ImageFiles:
    if Path(root).is_dir():
        return Folder(root)
    return ZipFiles(root)


def _entered(census: Census, name: str, checked: Checked) -> bool:
    """Whether the file is kept; what is to be said of it is noted."""
    if checked.failure is not None:
        census.unreadable.append(LeftOut(name=name, reason=checked.failure))
    elif checked.too_small:
        census.too_small.append(name)
    else:
        if checked.header is not None and checked.header.several_frames:
            census.several_frames.append(name)
        return True
    return False
