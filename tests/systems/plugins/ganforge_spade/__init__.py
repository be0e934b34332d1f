"""SPADE: images of segmentation maps. Park et al., 2019, arXiv:1903.07291."""

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


@dataclass(frozen=True, kw_only=True)
class SegmentedOptions:
    root: str = option(help="folder of images", mutable=True)
    maps: str = option(
        help="folder of PNG files of the same names, whose pixels are the numbers of classes",
        mutable=True,
    )
    classes: int = option(help="how many classes there are", minimum=2, maximum=256)
    size: int = option(256, help="height and width", minimum=8)
    channels: int = option(3, help="3 for colour, 1 for grey", choices=(1, 3))


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(64, help="channels before the image", minimum=1)
    hidden: int = option(128, help="channels between the map and its gain and bias", minimum=1)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(64, help="channels of the first convolution", minimum=1)
    scales: int = option(2, help="resolutions that an image is looked at in", minimum=1, maximum=3)


def files(options):
    """The images and their maps, by name without suffix. Raises DataError."""
    found = []
    for key, name in (("root", options.root), ("maps", options.maps)):
        found.append({path.stem: path for path in Path(name).glob("*.*")})
        if not found[-1]:
            raise DataError(f"there are no files in {name!r}; see dataset.{key}")
    images, maps = found
    if images.keys() != maps.keys():
        alone = min(images.keys() ^ maps.keys())
        raise DataError(f"{alone!r} is in one of {options.root!r} and {options.maps!r} alone")
    return [(images[name], maps[name]) for name in sorted(images)]


def fields(options):
    sides = (options.size, options.size)
    return {
        "sample": Field(kind="image", shape=(options.channels, *sides), dtype="uint8"),
        # One-hot, as it is: 0 and 1 are no shades of grey.
        "map": Field(kind="image", shape=(options.classes, *sides), dtype="float32"),
    }


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="segmented",
        summary="Images with a map of classes each",
        build="ganforge_spade.segmented:Segmented",
        options=SegmentedOptions,
        check_available=files,
        fields=fields,
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="spade",
        summary="Residual blocks whose normalisation follows a map (Park et al., 2019)",
        build="ganforge_spade.networks:Generator",
        options=GeneratorOptions,
        shapes=(ImageShapes(minimum=8, square=True, power_of_two=True),),
        conditions=("image",),
        required=("image",),
        discriminator="spade",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="spade",
        summary="Patches of an image beside its map, in several resolutions (Wang et al., 2018)",
        build="ganforge_spade.networks:Discriminator",
        options=DiscriminatorOptions,
        shapes=(ImageShapes(minimum=8),),
        conditions=("image",),
        required=("image",),
        gives=("features",),
        patches=True,
        several=True,
        batch_independent=True,
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="feature-distance",
        summary="Features of the discriminator as those of the real image (Wang et al., 2018)",
        build="ganforge_spade.features:FeatureDistance",
        trains=("generator",),
        reads=("real.features", "fake.features"),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="spade",
        summary="Images of segmentation maps, by spatially adaptive normalisation",
        source="Park et al., 2019",
        file="ganforge_spade:spade.toml",
    )
