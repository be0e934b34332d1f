"""pix2pix: an image for each image. Isola et al., 2017, arXiv:1611.07004."""

from dataclasses import dataclass

from ganforge import DiscriminatorSpec, GeneratorSpec, ImageShapes, RecipeSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(64, help="channels of the first convolution", minimum=1)
    dropout: float = option(
        0.5, help="share that the inner layers of the decoder drop in training", minimum=0, below=1
    )


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(64, help="channels of the first convolution", minimum=1)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="pix2pix",
        summary="U-Net with dropout, down to one pixel where the sides allow (Isola et al., 2017)",
        build="ganforge_pix2pix.networks:UNet",
        options=GeneratorOptions,
        shapes=(ImageShapes(minimum=8, multiple_of=8),),
        inputs="image",
        sampler="field",
        discriminator="pix2pix",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="pix2pix",
        summary="Scores of 70 x 70 patches of an image beside its input (Isola et al., 2017)",
        build="ganforge_pix2pix.networks:Patches",
        options=DiscriminatorOptions,
        shapes=(ImageShapes(minimum=24),),
        conditions=("image",),
        required=("image",),
        patches=True,
        batch_independent=True,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="pix2pix",
        summary="Translation learnt from pairs: a U-Net, patches and an absolute error",
        source="Isola et al., 2017",
        file="ganforge_pix2pix:pix2pix.toml",
    )
