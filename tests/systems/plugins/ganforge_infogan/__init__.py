"""InfoGAN (Chen et al., 2016, arXiv:1606.03657)."""

from dataclasses import dataclass

from ganforge import (
    DiscriminatorSpec,
    ImageShapes,
    LossSpec,
    RecipeSpec,
    SamplerSpec,
    hookimpl,
    option,
)


@dataclass(frozen=True, kw_only=True)
class CodeOptions:
    noise: int = option(62, help="numbers that mean nothing", minimum=1)
    categories: int = option(10, help="values of the categorical code", minimum=2)
    codes: int = option(2, help="continuous codes", minimum=1)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(64, help="channels after the first layer", minimum=1)
    features: int = option(1024, help="size of the features that Q reads", minimum=1)


@dataclass(frozen=True, kw_only=True)
class InformationOptions:
    features: int = option(1024, help="size of the discriminator's features", minimum=1)
    hidden: int = option(128, help="units of Q's own layer", minimum=1)
    code_weight: float = option(
        0.1, help="weight of the continuous codes beside the categorical one", minimum=0.0
    )


def parts(options):
    return {"noise": options.noise, "category": options.categories, "code": options.codes}


@hookimpl
def ganforge_samplers():
    yield SamplerSpec(
        name="infogan",
        summary="Noise, a category and continuous codes (Chen et al., 2016)",
        build="ganforge_infogan.sampler:Codes",
        options=CodeOptions,
        input_shape=lambda options, fields: (sum(parts(options).values()),),
        parts=parts,
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="infogan",
        summary="Scores, and features for Q (Chen et al., 2016, appendix C.1)",
        build="ganforge_infogan.discriminator:Discriminator",
        options=DiscriminatorOptions,
        shapes=(ImageShapes(minimum=4, multiple_of=4),),
        gives=("features",),
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="information",
        summary="The codes can be read off the samples (Chen et al., 2016, equation 5)",
        build="ganforge_infogan.information:Information",
        options=InformationOptions,
        reads=("fake.features", "inputs.category", "inputs.code"),
        parameters="discriminator",
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="infogan",
        summary="Codes that come to mean something by themselves",
        source="Chen et al., 2016, appendix C.1",
        file="ganforge_infogan:infogan.toml",
    )
