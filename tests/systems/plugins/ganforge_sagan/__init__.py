"""SAGAN: self-attention in both networks (Zhang et al., 2019, arXiv:1805.08318)."""

from dataclasses import dataclass

from ganforge import DiscriminatorSpec, GeneratorSpec, ImageShapes, RecipeSpec, hookimpl, option

SHAPES = (ImageShapes(minimum=8, power_of_two=True, square=True),)


@dataclass(frozen=True, kw_only=True)
class Options:
    width: int = option(
        64, help="feature maps at the full size; each halving doubles them", minimum=1
    )
    attention: int = option(
        32, help="side of the features that attend, if there are such", minimum=4
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="sagan",
        summary="Residual network with spectral norm and self-attention (Zhang et al., 2019)",
        build="ganforge_sagan.networks:Generator",
        options=Options,
        shapes=SHAPES,
        conditions=("label",),
        discriminator="sagan",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="sagan",
        summary="Residual network with spectral norm, self-attention and projection",
        build="ganforge_sagan.networks:Discriminator",
        options=Options,
        shapes=SHAPES,
        conditions=("label",),
        batch_independent=True,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="sagan",
        summary="Hinge loss, two learning rates, labels by projection",
        source="Zhang et al., 2019",
        file="ganforge_sagan:sagan.toml",
    )
