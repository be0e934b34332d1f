"""Progressive growing of GANs (Karras et al., 2018, arXiv:1710.10196)."""

from dataclasses import dataclass

from ganforge import (
    DiscriminatorSpec,
    GameSpec,
    GeneratorSpec,
    ImageShapes,
    LossSpec,
    RecipeSpec,
    hookimpl,
    option,
)

SHAPES = (ImageShapes(minimum=8, square=True, power_of_two=True),)


@dataclass(frozen=True, kw_only=True)
class Options:
    width: int = option(16, help="channels at 1024 pixels; they double from there", minimum=1)
    maximum: int = option(512, help="largest number of channels", minimum=1)
    phase_images: int = option(
        800_000, help="images of a phase, in which a size is faded in or trained", minimum=1
    )


@dataclass(frozen=True, kw_only=True)
class DriftOptions:
    epsilon: float = option(0.001, help="weight of the squared scores", minimum=0.0)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="progressive",
        summary="Sizes that are faded in one after the other (Karras et al., 2018)",
        build="ganforge_progressive.networks:Generator",
        options=Options,
        shapes=SHAPES,
        methods=("coarsened",),
        discriminator="progressive",
        game="progressive",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="progressive",
        summary="The mirror image of the generator of that name (Karras et al., 2018)",
        build="ganforge_progressive.networks:Discriminator",
        options=Options,
        shapes=SHAPES,
    )


@hookimpl
def ganforge_games():
    yield GameSpec(
        name="progressive",
        summary="Real images are as coarse as the generator's (Karras et al., 2018)",
        build="ganforge_progressive.training:Progressive",
        calls=("coarsened",),
        pairs=(("x, as coarse as G is", "G(z)"),),
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="drift",
        summary="Keeps the scores of real samples near 0 (Karras et al., 2018, appendix A.1)",
        build="ganforge_progressive.training:Drift",
        options=DriftOptions,
        trains=("discriminator",),
        reads=("real_scores",),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="progressive",
        summary="A Wasserstein GAN that grows from 4 pixels to 256",
        source="Karras et al., 2018",
        file="ganforge_progressive:progressive.toml",
    )
