"""SNGAN with a projection discriminator.

Miyato et al., 2018, arXiv:1802.05957, and Miyato and Koyama, 2018, arXiv:1802.05637.
"""

from dataclasses import dataclass

from ganforge import DiscriminatorSpec, GeneratorSpec, ImageShapes, RecipeSpec, hookimpl, option

SHAPES = (ImageShapes(minimum=8, multiple_of=8, square=True),)


@dataclass(frozen=True, kw_only=True)
class Options:
    width: int = option(64, help="feature maps of the narrowest layer", minimum=1)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="sngan",
        summary="Residual network with conditional batch norm (Miyato et al., 2018)",
        build="ganforge_sngan.networks:Generator",
        options=Options,
        shapes=SHAPES,
        conditions=("label",),
        discriminator="sngan",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="sngan",
        summary="Residual network with spectral norm and projection (Miyato and Koyama, 2018)",
        build="ganforge_sngan.networks:Discriminator",
        options=Options,
        shapes=SHAPES,
        conditions=("label",),
        batch_independent=True,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="sngan",
        summary="Hinge loss, five critic steps, labels by projection",
        source="Miyato and Koyama, 2018",
        file="ganforge_sngan:sngan.toml",
    )
