"""The options of the data sets of images, readable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ganforge import option

# From here on Pillow refuses an image by itself, whatever we allow.
PILLOW_PIXEL_LIMIT = 178_956_970


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """What all sets of images have in common."""

    root: str = option(help="folder or zip file of images", mutable=True, path=True)
    size: int = option(64, help="width in pixels, and height unless `height` is set", minimum=1)
    height: int | None = option(None, help="height in pixels, for images not square", minimum=1)
    channels: int = option(3, help="3 for colour, 1 for grey", choices=(1, 3))
    fit: Literal["crop", "stretch", "pad"] = option(
        "crop",
        help="'crop' scales the shorter side and keeps the centre; 'stretch' changes the "
        "proportions; 'pad' scales the longer side and adds a border",
    )
    background: tuple[int, int, int] = option(
        (255, 255, 255),
        help="red, green, blue of the border, and of what lies behind transparent pixels",
        minimum=0,
        maximum=255,
    )
    max_pixels: int = option(
        64_000_000,
        help="an image with more pixels is taken as unreadable",
        minimum=1,
        maximum=PILLOW_PIXEL_LIMIT,
    )
    minimum_size: int = option(
        1, help="images whose shorter side has fewer pixels are left out", minimum=1
    )
    strict: bool = option(False, help="a file that cannot be read is an error, not left out")
    follow_links: bool = option(
        False, help="symbolic links are followed, out of the folder, too; else they are left out"
    )
    memory_limit: int = option(
        2048,
        help="MiB; a set that is larger when decoded is read from the disk, image by image",
        minimum=0,
        mutable=True,
    )


@dataclass(frozen=True, kw_only=True)
class ImagesOptions(ReadingOptions):
    labels: Literal["auto", "folders", "none"] = option(
        "auto",
        help="'auto': those of a dataset.json, or else the sub-folders are the classes, but not "
        "train, test and the like, which is an error; 'folders': whatever they are called; "
        "'none': no labels",
        before="folders",
    )


@dataclass(frozen=True, kw_only=True)
class PairsOptions(ReadingOptions):
    root: str = option(
        help="folder or zip file of targets, or of pictures that hold both halves",
        mutable=True,
        path=True,
    )
    source: str | None = option(
        None, help="folder or zip file of inputs; unset with `split`", mutable=True, path=True
    )
    pairing: Literal["name", "none"] = option(
        "name",
        help="'name': files of the same name, suffix aside, belong together; 'none': two sets "
        "side by side, in any number",
    )
    split: Literal["none", "left", "right"] = option(
        "none", help="the half of each picture that is the input; the other one is the target"
    )
    source_channels: int | None = option(
        None, help="3 for colour, 1 for grey inputs; unset: as `channels`", choices=(1, 3)
    )
    strict: bool = option(
        False, help="a file that cannot be read, or without partner, is an error, not left out"
    )

    def __post_init__(self) -> None:
        if self.split != "none" and self.source is not None:
            raise ValueError(
                "source and split exclude each other: with split, each picture under root holds "
                "its input"
            )
        if self.split != "none" and self.pairing == "none":
            raise ValueError(
                "pairing = none is for two sets, and split gives pairs: choose one of the two"
            )
        if self.split == "none" and self.source is None:
            raise ValueError(
                "source must be given: a folder or zip file of inputs; or split, where each "
                "picture under root holds input and target side by side"
            )
