"""Stage I of StackGAN: images of the embedding of a sentence. Zhang et al., 2017, arXiv:1612.03242.

Stage II, which makes images larger, is no part of it.
"""

from dataclasses import dataclass
from pathlib import Path

from ganforge import (
    DataError,
    DatasetSpec,
    DiscriminatorSpec,
    Field,
    GeneratorSpec,
    ImageShapes,
    LossSpec,
    RecipeSpec,
    hookimpl,
    option,
)

SHAPES = (ImageShapes(minimum=8, square=True, power_of_two=True),)


@dataclass(frozen=True, kw_only=True)
class CaptionedOptions:
    file: str = option(
        help="an .npz file: images, uint8 [N, H, W, C], and captions, float [N, V]", mutable=True
    )
    size: int = option(64, help="height and width of its images", minimum=8)
    channels: int = option(3, help="channels of its images", minimum=1)


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(
        96, help="channels before the image; each coarser layer has twice as many", minimum=1
    )
    code: int = option(128, help="size of the code that a caption is made into", minimum=1)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(64, help="channels of the first convolution", minimum=1)
    code: int = option(128, help="size that a caption is compressed to", minimum=1)


def check_file(options):
    if not Path(options.file).is_file():
        raise DataError(f"there is no file {options.file!r}; see dataset.file")


def fields(options):
    shape = (options.channels, options.size, options.size)
    return {
        "sample": Field(kind="image", shape=shape, dtype="uint8"),
        "caption": Field(kind="vector"),
    }


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="captioned",
        summary="Images with the embedding of a sentence each, in one file of arrays",
        build="ganforge_stackgan.captioned:build",
        options=CaptionedOptions,
        check_available=check_file,
        fields=fields,
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="stackgan",
        summary="Stage I of StackGAN, with conditioning augmentation (Zhang et al., 2017)",
        build="ganforge_stackgan.networks:Generator",
        options=GeneratorOptions,
        shapes=SHAPES,
        conditions=("vector",),
        required=("vector",),
        gives=("mean", "log_variance"),
        discriminator="stackgan",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="stackgan",
        summary="Strided convolutions, joined by a compressed caption (Zhang et al., 2017)",
        build="ganforge_stackgan.networks:Discriminator",
        options=DiscriminatorOptions,
        shapes=SHAPES,
        conditions=("vector",),
        required=("vector",),
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="matching-aware",
        summary="Cross-entropy in which a real image with a wrong caption is fake, too",
        build="ganforge_stackgan.losses:MatchingAware",
        reads=("real", "real_scores", "fake_scores"),
    )
    yield LossSpec(
        name="conditioning-kl",
        summary="Divergence of the codes of a caption from the standard normal distribution",
        build="ganforge_stackgan.losses:ConditioningKL",
        trains=("generator",),
        reads=("generated.mean", "generated.log_variance"),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="stackgan-stage-1",
        summary="Images of sentences, by conditioning augmentation",
        source="Zhang et al., 2017",
        file="ganforge_stackgan:stage-1.toml",
    )
