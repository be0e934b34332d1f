"""Faces by their attributes, as in CelebA (Liu et al., 2015), and networks that are told them.

Gauthier, 2014, "Conditional generative adversarial nets for convolutional face generation", with
the conditioning of Miyato and Koyama, 2018, arXiv:1802.05637.
"""

from dataclasses import dataclass
from pathlib import Path

from ganforge import (
    DataError,
    DatasetSpec,
    DiscriminatorSpec,
    Field,
    GeneratorSpec,
    ImageShapes,
    RecipeSpec,
    hookimpl,
    option,
)

SHAPES = (ImageShapes(minimum=8, square=True, power_of_two=True),)


@dataclass(frozen=True, kw_only=True)
class FacesOptions:
    root: str = option(help="folder of images", mutable=True)
    attributes: str = option(
        "list_attr_celeba.csv",
        help="CSV file: a name of an image in each row, then 1 or -1 for each attribute",
        mutable=True,
    )
    columns: tuple[str, ...] = option((), help="attributes to tell; all that there are if empty")
    size: int = option(64, help="height and width", minimum=1)
    channels: int = option(3, help="3 for colour, 1 for grey", choices=(1, 3))


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    width: int = option(64, help="feature maps of the narrowest layer", minimum=1)


def check_files(options):
    if not Path(options.root).is_dir():
        raise DataError(f"there is no folder {options.root!r}; see dataset.root")
    if not Path(options.attributes).is_file():
        raise DataError(f"there is no file {options.attributes!r}; see dataset.attributes")


def fields(options):
    # How many columns there are is known once the file is read.
    shape = (len(options.columns),) if options.columns else None
    return {
        "sample": Field(
            kind="image", shape=(options.channels, options.size, options.size), dtype="uint8"
        ),
        "attributes": Field(kind="vector", shape=shape),
    }


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="faces",
        summary="A folder of images, and a CSV file with attributes of each, as CelebA",
        build="ganforge_attributes.faces:Faces",
        options=FacesOptions,
        check_available=check_files,
        fields=fields,
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="attributes",
        summary="Residual network whose normalisation follows a vector (Miyato and Koyama, 2018)",
        build="ganforge_attributes.networks:Generator",
        options=NetworkOptions,
        shapes=SHAPES,
        conditions=("vector",),
        required=("vector",),
        discriminator="attributes",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="attributes",
        summary="Residual network that projects a vector (Miyato and Koyama, 2018)",
        build="ganforge_attributes.networks:Discriminator",
        options=NetworkOptions,
        shapes=SHAPES,
        conditions=("vector",),
        required=("vector",),
        batch_independent=True,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="faces-by-attributes",
        summary="Both networks are told the forty attributes of CelebA as one vector",
        source="Gauthier, 2014; Miyato and Koyama, 2018",
        file="ganforge_attributes:faces.toml",
    )
