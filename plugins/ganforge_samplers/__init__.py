"""Samplers of inputs: latent distributions, and real images whole, masked or downscaled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ganforge import Field, NoOptions, SamplerSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class LatentOptions:
    size: int = option(100, help="latent size Z", minimum=1)


@dataclass(frozen=True, kw_only=True)
class TruncatedNormalOptions(LatentOptions):
    threshold: float = option(2.0, help="largest absolute value of a latent", above=0.0)


@dataclass(frozen=True, kw_only=True)
class MaskOptions:
    size: float = option(
        0.5, help="sides of the hole, as a share of the image's", above=0.0, maximum=1.0
    )
    place: Literal["random", "centre"] = option("random", help="where the hole is")


@dataclass(frozen=True, kw_only=True)
class DownscaleOptions:
    factor: int = option(4, help="how many times smaller the sides become", minimum=2)
    enlarge: Literal["nearest", "bilinear"] = option(
        "bilinear", help="how the small image is brought back to its size"
    )


@dataclass(frozen=True, kw_only=True)
class FieldOptions:
    field: str = option("source", help="field of the data set that the generator is fed with")


def _latent_shape(options: LatentOptions, fields: Mapping[str, Field]) -> tuple[int, ...]:
    return (options.size,)


def _sample_shape(options: object, fields: Mapping[str, Field]) -> tuple[int, ...]:
    return fields["sample"].known_shape


def _field_shape(options: FieldOptions, fields: Mapping[str, Field]) -> tuple[int, ...]:
    return fields[options.field].known_shape


def _field_kind(options: FieldOptions, fields: Mapping[str, Field]) -> str:
    return fields[options.field].kind


def _field_read(options: FieldOptions) -> tuple[str, ...]:
    return (options.field,)


@hookimpl
def ganforge_samplers() -> Iterable[SamplerSpec]:
    for name, summary, builder, options in (
        ("normal", "Latents from the standard normal distribution", "Normal", LatentOptions),
        (
            "uniform",
            "Latents uniform in [-1, 1], as in the first GAN papers",
            "Uniform",
            LatentOptions,
        ),
        (
            "truncated-normal",
            "Standard normal latents within a threshold (Brock et al., 2019)",
            "TruncatedNormal",
            TruncatedNormalOptions,
        ),
        (
            "spherical",
            "Latents uniform on the sphere whose radius is the square root of their size",
            "Spherical",
            LatentOptions,
        ),
    ):
        yield SamplerSpec(
            name=name,
            summary=summary,
            build=f"ganforge_samplers.latents:{builder}",
            options=options,
            input_shape=_latent_shape,
        )
    yield SamplerSpec(
        name="class-balanced",
        summary="Standard normal latents, every class equally often in a batch",
        build="ganforge_samplers.latents:ClassBalanced",
        options=LatentOptions,
        input_shape=_latent_shape,
        reads=("labels",),
    )
    for name, summary, builder, paired_options, inputs in (
        (
            "reconstruct",
            "Real samples, to be remade: for autoencoders",
            "Reconstruct",
            NoOptions,
            "sample",
        ),
        (
            "mask",
            "Real images with a hole, to be filled: for inpainting",
            "Mask",
            MaskOptions,
            "image",
        ),
        (
            "downscale",
            "Real images made coarse, to be sharpened: for super-resolution",
            "Downscale",
            DownscaleOptions,
            "image",
        ),
    ):
        yield SamplerSpec(
            name=name,
            summary=summary,
            build=f"ganforge_samplers.paired:{builder}",
            options=paired_options,
            input_shape=_sample_shape,
            inputs=inputs,
            reads=("samples",),
        )
    yield SamplerSpec(
        name="field",
        summary="Another field of the data set: for translation from one picture to another",
        build="ganforge_samplers.paired:OtherField",
        options=FieldOptions,
        input_shape=_field_shape,
        inputs=_field_kind,
        reads=_field_read,
    )
