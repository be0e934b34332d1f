"""R3GAN: a simple GAN without normalisation (Huang et al., 2024, arXiv:2501.05441)."""

from dataclasses import dataclass

from ganforge import DiscriminatorSpec, GeneratorSpec, ImageShapes, RecipeSpec, hookimpl, option

SHAPES = (ImageShapes(minimum=8, power_of_two=True, square=True),)


@dataclass(frozen=True, kw_only=True)
class Options:
    width: int = option(
        768, help="feature maps of up to 32 pixels; then half as many each", minimum=8
    )
    blocks: int = option(2, help="residual blocks of each size", minimum=1)
    expansion: int = option(2, help="how much wider a block is within", minimum=1)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="r3gan",
        summary="Grouped residual blocks without normalisation (Huang et al., 2024)",
        build="ganforge_r3gan.networks:Generator",
        options=Options,
        shapes=SHAPES,
        conditions=("label",),
        discriminator="r3gan",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="r3gan",
        summary="The mirror image of the generator, with labels by projection",
        build="ganforge_r3gan.networks:Discriminator",
        options=Options,
        shapes=SHAPES,
        conditions=("label",),
        batch_independent=True,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="r3gan",
        summary="Relativistic pairing with R1 and R2, and all that follows a schedule",
        source="Huang et al., 2024",
        file="ganforge_r3gan:r3gan.toml",
    )
