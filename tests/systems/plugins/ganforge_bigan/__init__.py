"""The networks of BiGAN, for the game `inference`. Donahue et al., 2017, arXiv:1605.09782."""

from dataclasses import dataclass

from ganforge import (
    DiscriminatorSpec,
    GeneratorSpec,
    ImageShapes,
    RecipeSpec,
    VectorShapes,
    hookimpl,
    option,
)

SHAPES = (ImageShapes(), VectorShapes())


@dataclass(frozen=True, kw_only=True)
class Options:
    hidden: int = option(1024, help="units of both hidden layers", minimum=1)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="bigan",
        summary="Perceptrons from latents to samples and back (Donahue et al., 2017)",
        build="ganforge_bigan.networks:Both",
        options=Options,
        shapes=SHAPES,
        methods=("encode",),
        sampler="uniform",
        discriminator="bigan",
        game="inference",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="bigan",
        summary="Perceptron for a sample and its code together (Donahue et al., 2017)",
        build="ganforge_bigan.networks:Joint",
        options=Options,
        shapes=SHAPES,
        conditions=("vector",),
        required=("vector",),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="bigan",
        summary="Codes of digits, learnt by telling pairs of a sample and its code apart",
        source="Donahue et al., 2017",
        file="ganforge_bigan:bigan.toml",
    )
