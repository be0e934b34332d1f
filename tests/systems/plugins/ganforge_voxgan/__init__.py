"""3D-GAN: voxels by volumetric convolutions.

Wu et al., 2016, arXiv:1610.07584.
"""

from dataclasses import dataclass
from pathlib import Path

from ganforge import (
    DataError,
    DatasetSpec,
    DiscriminatorSpec,
    Field,
    GeneratorSpec,
    LossSpec,
    RecipeSpec,
    VoxelShapes,
    hookimpl,
    option,
)

SHAPES = (VoxelShapes(minimum=8, multiple_of=2),)


@dataclass(frozen=True, kw_only=True)
class VolumeOptions:
    root: str = option("volumes", help="folder of .npy files, [D, H, W] of 0 and 1", mutable=True)
    size: int = option(64, help="each side of a volume", minimum=1)


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    width: int = option(64, help="channels beside the voxels", minimum=1)


@dataclass(frozen=True, kw_only=True)
class HeldOptions:
    accuracy: float = option(0.8, help="above it the discriminator waits", above=0.5, maximum=1.0)


def check_volumes(options):
    if next(Path(options.root).glob("*.npy"), None) is None:
        raise DataError(f"there are no .npy files in {options.root!r}; see dataset.root")


def volume_fields(options):
    shape = (1, options.size, options.size, options.size)
    return {"sample": Field(kind="voxels", shape=shape, range=(0.0, 1.0))}


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="volumes",
        summary="A folder of volumes of voxels, in NumPy files",
        build="ganforge_voxgan.volumes:Volumes",
        options=VolumeOptions,
        check_available=check_volumes,
        fields=volume_fields,
        path_option="root",
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="3d-gan",
        summary="Transposed volumetric convolutions (Wu et al., 2016)",
        build="ganforge_voxgan.networks:Generator",
        options=NetworkOptions,
        shapes=SHAPES,
        discriminator="3d-gan",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="3d-gan",
        summary="Volumetric convolutions with batch normalisation (Wu et al., 2016)",
        build="ganforge_voxgan.networks:Discriminator",
        options=NetworkOptions,
        shapes=SHAPES,
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="held-cross-entropy",
        summary="Cross-entropy whose discriminator waits while too accurate (Wu et al., 2016)",
        build="ganforge_voxgan.held:HeldCrossEntropy",
        options=HeldOptions,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="3d-gan",
        summary="Volumes of 64 x 64 x 64 voxels",
        source="Wu et al., 2016",
        file="ganforge_voxgan:3d-gan.toml",
    )
