"""The auxiliary-classifier GAN (Odena et al., 2017, arXiv:1610.09585)."""

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

SHAPES = (ImageShapes(minimum=8, multiple_of=8),)


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(48, help="channels before the image; they double towards it", minimum=1)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(16, help="channels after the first layer; they double", minimum=1)
    dropout: float = option(0.5, help="share of features left out", minimum=0.0, below=1.0)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="acgan",
        summary="Transposed convolutions of noise and a class (Odena et al., 2017)",
        build="ganforge_acgan.networks:Generator",
        options=GeneratorOptions,
        shapes=SHAPES,
        conditions=("label",),
        required=("label",),
        discriminator="acgan",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="acgan",
        summary="Scores, and the class that the generator was told (Odena et al., 2017)",
        build="ganforge_acgan.networks:Discriminator",
        options=DiscriminatorOptions,
        shapes=SHAPES,
        gives=("classes",),
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="auxiliary-classifier",
        summary="Real and fake samples are of their class (Odena et al., 2017, equation 3)",
        build="ganforge_acgan.loss:AuxiliaryClassifier",
        reads=("real.classes", "fake.classes", "labels", "fake_labels"),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="acgan",
        summary="Classes told to the generator, and guessed by the discriminator",
        source="Odena et al., 2017, appendix A",
        file="ganforge_acgan:acgan.toml",
    )
