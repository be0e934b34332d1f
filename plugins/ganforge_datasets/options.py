"""The options of the bundled data sets, readable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ganforge import option


@dataclass(frozen=True, kw_only=True)
class DigitsOptions:
    size: int = option(16, help="width and height in pixels", minimum=8)


@dataclass(frozen=True, kw_only=True)
class TorchvisionOptions:
    root: str = option(
        "data", help="folder that holds torchvision's data sets", mutable=True, path=True
    )
    split: Literal["train", "test"] = option("train", help="which part of the set")
    size: int = option(32, help="width and height in pixels", minimum=1)
    fit: Literal["resize", "pad"] = option(
        "resize",
        help="'resize' scales the image; 'pad' adds a black border, and scales only to shrink",
    )
    download: bool = option(False, help="fetch the set if it is not there", mutable=True)


@dataclass(frozen=True, kw_only=True)
class GreyOptions(TorchvisionOptions):
    size: int = option(28, help="width and height in pixels", minimum=1)


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    num_stacks: int | None = option(
        None,
        help="stacks in a fixed set (128000 in VEEGAN); unset makes new ones all the time",
        minimum=1,
    )


@dataclass(frozen=True, kw_only=True)
class StackedDigitsOptions(StackOptions):
    size: int = option(32, help="width and height in pixels", minimum=8)


@dataclass(frozen=True, kw_only=True)
class StackedOptions(StackOptions):
    source: Literal["mnist", "fashion-mnist", "kmnist"] = option(
        "mnist", help="the grey images that are stacked"
    )
    root: str = option(
        "data", help="folder that holds torchvision's data sets", mutable=True, path=True
    )
    split: Literal["train", "test"] = option("train", help="which part of the set")
    size: int = option(32, help="width and height in pixels; the protocols have 28", minimum=1)
    fit: Literal["resize", "pad"] = option(
        "pad",
        help="'resize' scales the image; 'pad' adds a black border, and scales only to shrink",
    )
    download: bool = option(False, help="fetch the set if it is not there", mutable=True)
