"""StyleGAN2 with its regularisers.

Karras et al., 2020, arXiv:1912.04958; the mapping network and style mixing are those of Karras et
al., 2019, arXiv:1812.04948.
"""

from dataclasses import dataclass

from ganforge import (
    DiscriminatorSpec,
    GeneratorSpec,
    ImageShapes,
    LossSpec,
    RecipeSpec,
    Schedule,
    hookimpl,
    option,
)

SHAPES = (ImageShapes(minimum=8, square=True, power_of_two=True),)


@dataclass(frozen=True, kw_only=True)
class WidthOptions:
    width: int = option(32, help="channels at 1024 pixels; they double from there", minimum=1)
    maximum: int = option(512, help="largest number of channels", minimum=1)


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions(WidthOptions):
    style_size: int = option(512, help="size of w", minimum=1)
    mapping_layers: int = option(8, help="layers from z to w", minimum=1)
    mapping_rate: float = option(0.01, help="learning rate of these beside the others", above=0.0)
    mixing: float = option(
        0.9, help="probability that the styles of a sample are two", minimum=0.0, maximum=1.0
    )
    mean_decay: float = option(0.995, help="of the running mean of w", minimum=0.0, below=1.0)


@dataclass(frozen=True, kw_only=True)
class PathLengthOptions:
    gamma: float | Schedule = option(2.0, help="weight", minimum=0.0, scheduled=True)
    decay: float = option(0.99, help="of the running mean of lengths", minimum=0.0, below=1.0)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="stylegan2",
        summary="Styles, modulated convolutions and skips to the image (Karras et al., 2020)",
        build="ganforge_stylegan2.generator:Generator",
        options=GeneratorOptions,
        shapes=SHAPES,
        gives=("styles",),
        truncates=True,
        discriminator="stylegan2",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="stylegan2",
        summary="Residual network with minibatch deviation (Karras et al., 2020)",
        build="ganforge_stylegan2.discriminator:Discriminator",
        options=WidthOptions,
        shapes=SHAPES,
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="path-length",
        summary="A step of a style makes a change of one size (Karras et al., 2020, equation 4)",
        build="ganforge_stylegan2.path_length:PathLength",
        options=PathLengthOptions,
        trains=("generator",),
        reads=("fake", "generated.styles"),
        double_backward=("generator",),
        every=8,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="stylegan2",
        summary="StyleGAN2 for squares of 256 pixels, with lazy R1 and path lengths",
        source="Karras et al., 2020, configuration F",
        file="ganforge_stylegan2:stylegan2.toml",
    )
