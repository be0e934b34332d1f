"""FastGAN: skip-layer excitation, and a discriminator that is an encoder.

Liu et al., 2021, arXiv:2101.04775.
"""

from dataclasses import dataclass

from ganforge import (
    DiscriminatorSpec,
    GeneratorSpec,
    ImageShapes,
    LossSpec,
    RecipeSpec,
    hookimpl,
    option,
)

SHAPES = (ImageShapes(minimum=64, square=True, power_of_two=True),)


@dataclass(frozen=True, kw_only=True)
class Options:
    width: int = option(64, help="channels at 128 pixels", minimum=4)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="fastgan",
        summary="Skip-layer excitation over four doublings (Liu et al., 2021)",
        build="ganforge_fastgan.generator:Generator",
        options=Options,
        shapes=SHAPES,
        discriminator="fastgan",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="fastgan",
        summary="Scores of patches, and two decoders of what it has seen (Liu et al., 2021)",
        build="ganforge_fastgan.discriminator:Discriminator",
        options=Options,
        shapes=SHAPES,
        gives=("decoded", "shown"),
        patches=True,
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="self-supervision",
        summary="The discriminator decodes real images (Liu et al., 2021, equation 3)",
        build="ganforge_fastgan.loss:SelfSupervision",
        trains=("discriminator",),
        reads=("real.decoded", "real.shown"),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="fastgan",
        summary="A GAN for a hundred pictures and one GPU",
        source="Liu et al., 2021",
        file="ganforge_fastgan:fastgan.toml",
    )
