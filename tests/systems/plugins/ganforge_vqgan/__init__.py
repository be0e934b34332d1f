"""An adversarial tokenizer of images, VQGAN.

Esser et al., 2021, arXiv:2012.09841; the codebook is that of van den Oord et al., 2017,
arXiv:1711.00937.
"""

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


@dataclass(frozen=True, kw_only=True)
class TokenizerOptions:
    width: int = option(128, help="channels at the size of the image; at most 4 times", minimum=1)
    tokens: int = option(1024, help="vectors of the codebook", minimum=2)
    token_size: int = option(256, help="size of each", minimum=1)


@dataclass(frozen=True, kw_only=True)
class PatchOptions:
    width: int = option(64, help="channels after the first layer", minimum=1)


@dataclass(frozen=True, kw_only=True)
class CodebookOptions:
    beta: float = option(0.25, help="weight of the encoder's commitment", minimum=0.0)


@dataclass(frozen=True, kw_only=True)
class ReconstructionOptions:
    perceptual: float = option(1.0, help="weight of the distance of features", minimum=0.0)
    width: int = option(32, help="channels of the first features", minimum=1)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="vqgan",
        summary="Encoder, codebook and decoder: a token for 16 x 16 pixels (Esser et al., 2021)",
        build="ganforge_vqgan.tokenizer:Tokenizer",
        options=TokenizerOptions,
        shapes=(ImageShapes(minimum=32, multiple_of=16),),
        gives=("encoded", "quantised"),
        inputs="image",
        discriminator="vqgan",
        sampler="reconstruct",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="vqgan",
        summary="A score for each patch (Isola et al., 2017)",
        build="ganforge_vqgan.patches:Patches",
        options=PatchOptions,
        shapes=(ImageShapes(minimum=16),),
        patches=True,
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="codebook",
        summary="Codes and what they stand for come together (van den Oord et al., 2017)",
        build="ganforge_vqgan.losses:Codebook",
        options=CodebookOptions,
        trains=("generator",),
        reads=("generated.encoded", "generated.quantised"),
    )
    yield LossSpec(
        name="random-perceptual",
        summary="l1, and the distance of features of a frozen network of random weights",
        build="ganforge_vqgan.losses:Reconstruction",
        options=ReconstructionOptions,
        trains=("generator",),
        reads=("reconstruction", "samples"),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="vqgan",
        summary="A tokenizer of images, with an adversarial term that starts late",
        source="Esser et al., 2021",
        file="ganforge_vqgan:vqgan.toml",
    )
