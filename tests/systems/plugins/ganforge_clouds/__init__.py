"""The GAN on raw point clouds, whose discriminator knows no order of the points.

Achlioptas et al., 2018, arXiv:1707.02392.
"""

from dataclasses import dataclass
from pathlib import Path

from ganforge import (
    DataError,
    DatasetSpec,
    DiscriminatorSpec,
    Field,
    GeneratorSpec,
    MetricSpec,
    PointShapes,
    RecipeSpec,
    SamplerSpec,
    hookimpl,
    option,
)

SHAPES = (PointShapes(),)


@dataclass(frozen=True, kw_only=True)
class CloudOptions:
    root: str = option("clouds", help="folder of .npy files, float [N, 3]", mutable=True)
    points: int = option(2048, help="points of a sample, of which files may have more", minimum=1)


@dataclass(frozen=True, kw_only=True)
class LatentOptions:
    size: int = option(128, help="latent size Z", minimum=1)
    std: float = option(0.2, help="standard deviation", above=0.0)


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    hidden: tuple[int, ...] = option((64, 128, 512, 1024), help="units of each layer", minimum=1)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    point: tuple[int, ...] = option(
        (64, 128, 256, 256, 512), help="units of each layer before the maximum", minimum=1
    )
    cloud: tuple[int, ...] = option((128, 64), help="units of each layer after it", minimum=1)


def check_clouds(options):
    if next(Path(options.root).glob("*.npy"), None) is None:
        raise DataError(f"there are no .npy files in {options.root!r}; see dataset.root")


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="clouds",
        summary="A folder of point clouds, each within the unit ball",
        build="ganforge_clouds.clouds:Clouds",
        options=CloudOptions,
        check_available=check_clouds,
        fields=lambda options: {"sample": Field(kind="points", shape=(options.points, 3))},
        path_option="root",
    )


@hookimpl
def ganforge_samplers():
    yield SamplerSpec(
        name="narrow-normal",
        summary="Latents from N(0, std^2)",
        build="ganforge_clouds.networks:NarrowNormal",
        options=LatentOptions,
        input_shape=lambda options, fields: (options.size,),
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="r-gan",
        summary="Perceptron from latents to all points (Achlioptas et al., 2018)",
        build="ganforge_clouds.networks:Generator",
        options=GeneratorOptions,
        shapes=SHAPES,
        sampler="narrow-normal",
        discriminator="r-gan",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="r-gan",
        summary="One perceptron for every point, and the maximum (Qi et al., 2017)",
        build="ganforge_clouds.networks:Discriminator",
        options=DiscriminatorOptions,
        shapes=SHAPES,
        batch_independent=True,
    )


@hookimpl
def ganforge_metrics():
    yield MetricSpec(
        name="chamfer",
        summary="Coverage and minimum matching distance by the Chamfer distance",
        build="ganforge_clouds.metric:Chamfer",
        shapes=SHAPES,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="r-gan",
        summary="Clouds of 2048 points",
        source="Achlioptas et al., 2018",
        file="ganforge_clouds:r-gan.toml",
    )
