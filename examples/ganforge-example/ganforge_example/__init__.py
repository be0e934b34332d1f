"""Residual networks, the relativistic average loss, and latents from a mixture of Gaussians.

This module is imported to list the plugin, so it imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ganforge import (
    DiscriminatorSpec,
    Field,
    GeneratorSpec,
    ImageShapes,
    LossSpec,
    SamplerSpec,
    hookimpl,
    option,
)

_IMAGES = ImageShapes(minimum=8, square=True, power_of_two=True)


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(
        16, help="channels at the image; each coarser resolution has twice as many", minimum=1
    )
    max_width: int = option(256, help="and none has more than this", minimum=1)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(
        16, help="channels at the image; each coarser resolution has twice as many", minimum=1
    )
    max_width: int = option(256, help="and none has more than this", minimum=1)
    spectral_norm: bool = option(
        False, help="divide each weight by its largest singular value (Miyato et al., 2018)"
    )


@dataclass(frozen=True, kw_only=True)
class SamplerOptions:
    """Raises ValueError for more modes than there are half-axes."""

    size: int = option(100, help="latent size Z", minimum=1)
    num_modes: int = option(10, help="modes, at most 2 Z", minimum=1)
    radius: float = option(
        4.0, help="distance of each mode from zero, where its deviation is 1", minimum=0.0
    )

    def __post_init__(self) -> None:
        if self.num_modes > 2 * self.size:
            raise ValueError(
                f"num_modes = {self.num_modes} is more than 2 x size = {2 * self.size}: there are "
                "two modes to an axis"
            )


def _latent_shape(options: SamplerOptions, fields: Mapping[str, Field]) -> tuple[int, ...]:
    return (options.size,)


@hookimpl
def ganforge_generators() -> Iterable[GeneratorSpec]:
    yield GeneratorSpec(
        name="resnet",
        summary="Residual blocks with upsampling and batch normalisation (Gulrajani et al., 2017)",
        build="ganforge_example.networks:Generator",
        options=GeneratorOptions,
        discriminator="resnet",
        shapes=(_IMAGES,),
        conditions=("label",),
    )


@hookimpl
def ganforge_discriminators() -> Iterable[DiscriminatorSpec]:
    yield DiscriminatorSpec(
        name="resnet",
        summary="Residual blocks with average pooling; spectral norm on request (Miyato, 2018)",
        build="ganforge_example.networks:Discriminator",
        options=DiscriminatorOptions,
        batch_independent=True,
        shapes=(_IMAGES,),
        conditions=("label",),
    )


@hookimpl
def ganforge_losses() -> Iterable[LossSpec]:
    yield LossSpec(
        name="relativistic-average",
        summary="Scores relative to the other side's average (Jolicoeur-Martineau, 2019)",
        build="ganforge_example.losses:RelativisticAverage",
    )


@hookimpl
def ganforge_samplers() -> Iterable[SamplerSpec]:
    yield SamplerSpec(
        name="gaussian-mixture",
        summary="Latents from well separated Gaussians, for data in clusters",
        build="ganforge_example.samplers:GaussianMixture",
        options=SamplerOptions,
        input_shape=_latent_shape,
    )
