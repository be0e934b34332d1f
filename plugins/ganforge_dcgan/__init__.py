"""DCGAN: strided convolutions with batch normalisation (Radford et al., 2015, arXiv:1511.06434)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ganforge import DiscriminatorSpec, GeneratorSpec, ImageShapes, hookimpl, option

_IMAGES = ImageShapes(minimum=8)


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(
        32, help="channels before the image; each coarser resolution has twice as many", minimum=1
    )
    conditioning: Literal["normalisation", "latents"] = option(
        "normalisation",
        help="where the label enters: gain and bias of each normalisation by class (Miyato & "
        "Koyama, 2018), or a learnt vector joined to the latents, beside which classes collapse",
        before="latents",
    )


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(
        32, help="channels after the image; each coarser resolution has twice as many", minimum=1
    )
    normalisation: Literal["batch", "none"] = option(
        "none", help="after each convolution but the first; gradient penalties want none"
    )


def _batch_independent(options: DiscriminatorOptions) -> bool:
    return options.normalisation == "none"


@hookimpl
def ganforge_generators() -> Iterable[GeneratorSpec]:
    yield GeneratorSpec(
        name="dcgan",
        summary="Transposed convolutions with batch normalisation (Radford et al., 2015)",
        build="ganforge_dcgan.networks:Generator",
        options=GeneratorOptions,
        discriminator="dcgan",
        shapes=(_IMAGES,),
        conditions=("label",),
    )


@hookimpl
def ganforge_discriminators() -> Iterable[DiscriminatorSpec]:
    yield DiscriminatorSpec(
        name="dcgan",
        summary="Strided convolutions, batch normalisation on demand (Radford et al., 2015)",
        build="ganforge_dcgan.networks:Discriminator",
        options=DiscriminatorOptions,
        batch_independent=_batch_independent,
        shapes=(_IMAGES,),
        conditions=("label", "image"),
    )
