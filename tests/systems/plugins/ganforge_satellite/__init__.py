"""Images of all bands of Sentinel-2, in the units of the instrument.

The data is that of EuroSAT: Helber et al., 2019, arXiv:1709.00029.
"""

from dataclasses import dataclass
from pathlib import Path

from ganforge import (
    DataError,
    DatasetSpec,
    Field,
    ImageShapes,
    MetricSpec,
    RecipeSpec,
    hookimpl,
    option,
)

BANDS = ("1", "2", "3", "4", "5", "6", "7", "8", "8A", "9", "10", "11", "12")
RANGE = (0.0, 10_000.0)  # ten thousand times the reflectance


@dataclass(frozen=True, kw_only=True)
class SceneOptions:
    root: str = option("scenes", help="folder of .npy files, [13, H, W]", mutable=True)
    size: int = option(64, help="height and width of a scene", minimum=1)


def check_scenes(options):
    if next(Path(options.root).glob("*.npy"), None) is None:
        raise DataError(f"there are no .npy files in {options.root!r}; see dataset.root")


def scene_fields(options):
    shape = (len(BANDS), options.size, options.size)
    return {"sample": Field(kind="image", shape=shape, range=RANGE)}


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="scenes",
        summary="A folder of images of the thirteen bands of Sentinel-2",
        build="ganforge_satellite.scenes:Scenes",
        options=SceneOptions,
        check_available=check_scenes,
        fields=scene_fields,
        path_option="root",
    )


@hookimpl
def ganforge_metrics():
    yield MetricSpec(
        name="spectra",
        summary="Mean spectrum and covariance of the bands, pixel by pixel",
        build="ganforge_satellite.spectra:Spectra",
        shapes=(ImageShapes(),),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="satellite",
        summary="All thirteen bands of 64 x 64 pixels",
        source="Radford et al., 2015, on the data of Helber et al., 2019",
        file="ganforge_satellite:satellite.toml",
    )
