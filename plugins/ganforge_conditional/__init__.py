"""The class-conditional GAN of Mirza & Osindero, 2014 (arXiv:1411.1784), for small images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ganforge import DiscriminatorSpec, GeneratorSpec, ImageShapes, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(
        24, help="channels before the image; the coarsest resolution has twice as many", minimum=1
    )
    label_encoding: Literal["embedding", "dense"] = option(
        "embedding",
        help="what is joined to the latents: a learnt vector per class, or the one-hot label after "
        "two dense layers",
    )
    label_size: int = option(
        64, help="size of the encoded label; the first dense layer has half as many", minimum=2
    )


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    widths: tuple[int, ...] = option(
        (32, 64, 96), help="channels of each convolution; each halves the image", minimum=1
    )
    hidden: int = option(128, help="units of the dense layer before the score", minimum=1)
    joining: Literal["projection", "concatenation"] = option(
        "projection",
        help="how the label enters: projected on the last features (Miyato & Koyama, 2018), or "
        "joined to the image features (Mirza & Osindero, 2014)",
    )
    normalisation: Literal["none", "batch"] = option(
        "none", help="after each convolution but the first"
    )

    def __post_init__(self) -> None:
        if not self.widths:
            raise ValueError("widths is empty: at least one convolution is needed")


def _batch_independent(options: DiscriminatorOptions) -> bool:
    return options.normalisation == "none"


@hookimpl
def ganforge_generators() -> Iterable[GeneratorSpec]:
    yield GeneratorSpec(
        name="conditional",
        summary="Transposed convolutions of latents and class label (Mirza & Osindero, 2014)",
        build="ganforge_conditional.generator:Generator",
        options=GeneratorOptions,
        discriminator="conditional",
        shapes=(ImageShapes(minimum=8, multiple_of=4),),
        conditions=("label",),
        required=("label",),
    )


@hookimpl
def ganforge_discriminators() -> Iterable[DiscriminatorSpec]:
    yield DiscriminatorSpec(
        name="conditional",
        summary="Strided convolutions and class label to one score (Mirza & Osindero, 2014)",
        build="ganforge_conditional.discriminator:Discriminator",
        options=DiscriminatorOptions,
        batch_independent=_batch_independent,
        shapes=(ImageShapes(minimum=8),),
        conditions=("label",),
        required=("label",),
    )
