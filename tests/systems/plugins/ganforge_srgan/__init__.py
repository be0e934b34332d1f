"""Super-resolution in the manner of SRGAN. Ledig et al., 2017, arXiv:1609.04802."""

from dataclasses import dataclass
from pathlib import Path

from ganforge import (
    DataError,
    DatasetSpec,
    DiscriminatorSpec,
    Field,
    GeneratorSpec,
    ImageShapes,
    LossSpec,
    RecipeSpec,
    hookimpl,
    option,
)

SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True, kw_only=True)
class CropsOptions:
    root: str = option(help="folder of photographs", mutable=True)
    size: int = option(96, help="height and width of a crop", minimum=16)
    factor: int = option(4, help="how many times smaller a coarse image is", choices=(2, 4, 8))
    channels: int = option(3, help="3 for colour, 1 for grey", choices=(1, 3))
    crops: int = option(16, help="crops of each photograph", minimum=1)

    def __post_init__(self):
        if self.size % self.factor:
            raise ValueError(f"size = {self.size} cannot be divided by factor = {self.factor}")


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(64, help="channels", minimum=1)
    blocks: int = option(16, help="residual blocks", minimum=1)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(64, help="channels of the first convolution", minimum=1)
    hidden: int = option(1024, help="units before the score", minimum=1)


@dataclass(frozen=True, kw_only=True)
class FeaturesOptions:
    width: int = option(32, help="channels of the first convolution", minimum=1)
    seed: int = option(0, help="of the weights", minimum=0)


def photographs(options):
    """The files of the set, in order. Raises DataError."""
    folder = Path(options.root)
    found = sorted(it for it in folder.rglob("*") if it.suffix.lower() in SUFFIXES)
    if not found:
        raise DataError(f"there are no photographs in {options.root!r}; see dataset.root")
    return found


def fields(options):
    side, coarse = options.size, options.size // options.factor
    return {
        "sample": Field(kind="image", shape=(options.channels, side, side), dtype="uint8"),
        "coarse": Field(kind="image", shape=(options.channels, coarse, coarse), dtype="uint8"),
    }


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="super-resolution",
        summary="Crops of photographs, each with a coarse copy (Ledig et al., 2017)",
        build="ganforge_srgan.crops:Crops",
        options=CropsOptions,
        check_available=photographs,
        fields=fields,
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="srresnet",
        summary="Residual network, enlarged by pixel shuffle at its end (Ledig et al., 2017)",
        build="ganforge_srgan.networks:SRResNet",
        options=GeneratorOptions,
        shapes=(ImageShapes(minimum=16, multiple_of=8),),
        inputs="image",
        sampler="field",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="srgan",
        summary="Eight convolutions and two linear layers (Ledig et al., 2017)",
        build="ganforge_srgan.networks:Discriminator",
        options=DiscriminatorOptions,
        shapes=(ImageShapes(minimum=16),),
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="random-features",
        summary="Distance in the features of a fixed convolutional network with random weights",
        build="ganforge_srgan.features:RandomFeatures",
        options=FeaturesOptions,
        trains=("generator",),
        reads=("samples", "reconstruction"),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="srresnet",
        summary="Super-resolution by the absolute error alone: what SRGAN starts from",
        source="Ledig et al., 2017; Wang et al., 2018",
        file="ganforge_srgan:srresnet.toml",
    )
    yield RecipeSpec(
        name="srgan",
        summary="Super-resolution by a perceptual and an adversarial loss",
        source="Ledig et al., 2017",
        file="ganforge_srgan:srgan.toml",
    )
