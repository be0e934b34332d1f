"""Latent distributions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ganforge import SamplerSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class LatentOptions:
    size: int = option(100, help="latent size Z", minimum=1)


def _latent_shape(options: LatentOptions, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
    return (options.size,)


@hookimpl
def ganforge_samplers() -> Iterable[SamplerSpec]:
    yield SamplerSpec(
        name="normal",
        summary="Latents from the standard normal distribution",
        build="ganforge_samplers.latents:Normal",
        options=LatentOptions,
        input_shape=_latent_shape,
    )
    yield SamplerSpec(
        name="uniform",
        summary="Latents uniform in [-1, 1], as in the first GAN papers",
        build="ganforge_samplers.latents:Uniform",
        options=LatentOptions,
        input_shape=_latent_shape,
    )
