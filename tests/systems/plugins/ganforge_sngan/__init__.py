"""SNGAN with a projection discriminator.

Miyato et al., 2018, arXiv:1802.05957, and Miyato and Koyama, 2018, arXiv:1802.05637.
"""

from dataclasses import dataclass

from ganforge import DiscriminatorSpec, GeneratorSpec, ImageShapes, RecipeSpec, hookimpl, option

SHAPES = (ImageShapes(minimum=8, power_of_two=True, square=True),)


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(256, help="feature maps of the narrowest layer", minimum=1)
    doubling: bool = option(False, help="twice as many at each coarser size, as for ImageNet")


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(128, help="feature maps of the narrowest layer", minimum=1)
    doubling: bool = option(False, help="twice as many at each coarser size, as for ImageNet")


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="sngan",
        summary="Residual network with conditional batch norm (Miyato and Koyama, 2018)",
        build="ganforge_sngan.networks:Generator",
        options=GeneratorOptions,
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
        options=DiscriminatorOptions,
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
