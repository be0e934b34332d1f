"""The networks of CycleGAN, for the game `cycle`. Zhu et al., 2017, arXiv:1703.10593."""

from dataclasses import dataclass

from ganforge import DiscriminatorSpec, GeneratorSpec, ImageShapes, RecipeSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(64, help="channels of the first convolution", minimum=1)
    blocks: int = option(9, help="residual blocks; 6 for 128 x 128 pixels", minimum=1)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(64, help="channels of the first convolution", minimum=1)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="cyclegan",
        summary="Residual network between two sets of images (Johnson et al., 2016)",
        build="ganforge_cyclegan.networks:Translator",
        options=GeneratorOptions,
        shapes=(ImageShapes(minimum=16, multiple_of=4),),
        inputs="image",
        sampler="field",
        discriminator="cyclegan",
        game="cycle",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="cyclegan",
        summary="Scores of 70 x 70 patches, with instance normalisation (Zhu et al., 2017)",
        build="ganforge_cyclegan.networks:Patches",
        options=DiscriminatorOptions,
        shapes=(ImageShapes(minimum=24),),
        patches=True,
        batch_independent=True,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="cyclegan",
        summary="Translation between two sets in which nothing belongs together",
        source="Zhu et al., 2017",
        file="ganforge_cyclegan:cyclegan.toml",
    )
