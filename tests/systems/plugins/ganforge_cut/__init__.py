"""CUT: unpaired translation without a way back. Park et al., 2020, arXiv:2007.15651."""

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


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(64, help="channels of the first convolution", minimum=1)
    blocks: int = option(9, help="residual blocks", minimum=5)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(64, help="channels of the first convolution", minimum=1)


@dataclass(frozen=True, kw_only=True)
class ContrastOptions:
    channels: tuple[int, ...] = option(
        (128, 256, 256, 256), help="channels of the generator's features after the image", minimum=1
    )
    size: int = option(256, help="size of the vectors that are compared", minimum=1)
    patches: int = option(256, help="places of an image that are compared", minimum=2)
    temperature: float = option(0.07, help="of the logits", above=0.0)
    identity: float = option(
        1.0, help="weight of what is of the target set already; 0 for FastCUT", minimum=0.0
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="cut",
        summary="Residual network whose first half is the encoder of CUT (Park et al., 2020)",
        build="ganforge_cut.networks:Translator",
        options=GeneratorOptions,
        shapes=(ImageShapes(minimum=16, multiple_of=4),),
        inputs="image",
        gives=("features",),
        methods=("features",),
        sampler="field",
        discriminator="cut",
        game="cut",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="cut",
        summary="Scores of 70 x 70 patches, with instance normalisation (Isola et al., 2017)",
        build="ganforge_cut.networks:Patches",
        options=DiscriminatorOptions,
        shapes=(ImageShapes(minimum=24),),
        patches=True,
        batch_independent=True,
    )


@hookimpl
def ganforge_games():
    yield GameSpec(
        name="cut",
        summary="The usual game, with encodings of what is made and of the target set",
        build="ganforge_cut.game:Encoded",
        conditions=False,
        provides=("fake_features", "identity", "target_features", "identity_features"),
        calls=("features",),
        pairs=(("b", "G(a)"),),
        meanings={
            "fake_features": "the encoder's features of G(a)",
            "identity": "G(b)",
            "target_features": "the encoder's features of b",
            "identity_features": "the encoder's features of G(b)",
        },
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="patch-nce",
        summary="A patch of the output is to show the same place of the input (Park et al., 2020)",
        build="ganforge_cut.contrast:PatchNCE",
        options=ContrastOptions,
        trains=("generator",),
        reads=("generated.features", "fake_features", "target_features", "identity_features"),
        parameters="generator",
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="cut",
        summary="Translation between two sets, held to the input patch by patch",
        source="Park et al., 2020",
        file="ganforge_cut:cut.toml",
    )
