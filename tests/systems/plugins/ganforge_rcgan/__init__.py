"""Recurrent GAN for time series, told of them at every moment or not at all.

Esteban et al., 2017, arXiv:1706.02633.
"""

from dataclasses import dataclass
from pathlib import Path

from ganforge import (
    DataError,
    DatasetSpec,
    DiscriminatorSpec,
    Field,
    GeneratorSpec,
    RecipeSpec,
    SamplerSpec,
    SequenceShapes,
    hookimpl,
    option,
)


@dataclass(frozen=True, kw_only=True)
class SineOptions:
    length: int = option(30, help="moments of a sine", minimum=2)
    signals: int = option(1, help="sines at a time", minimum=1)


@dataclass(frozen=True, kw_only=True)
class SeriesOptions:
    file: str = option(help="a .csv file with a column for each signal", mutable=True)
    length: int = option(30, help="moments of a sample", minimum=2)
    stride: int = option(1, help="moments from one sample to the next", minimum=1)


@dataclass(frozen=True, kw_only=True)
class NoiseOptions:
    size: int = option(5, help="numbers that the generator is fed with at a moment", minimum=1)


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    hidden: int = option(100, help="units of the LSTM", minimum=1)


def sine_fields(options):
    return {
        "sample": Field(
            kind="sequence", shape=(options.signals, options.length), range=(-1.0, 1.0)
        ),
        "frequency": Field(kind="vector", shape=(options.signals,), range=(1.0, 5.0)),
    }


def check_file(options):
    if not Path(options.file).is_file():
        raise DataError(f"there is no file {options.file}; name one with dataset.file")


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="sines",
        summary="Sines of one to five periods, with their frequency",
        build="ganforge_rcgan.series:Sines",
        options=SineOptions,
        fields=sine_fields,
    )
    yield DatasetSpec(
        name="series",
        summary="Windows of the columns of a .csv file, each column scaled to [-1, 1]",
        build="ganforge_rcgan.series:windows",
        options=SeriesOptions,
        check_available=check_file,
        fields=lambda options: {"sample": Field(kind="sequence")},
        path_option="file",
    )


@hookimpl
def ganforge_samplers():
    yield SamplerSpec(
        name="noise-sequence",
        summary="Fresh normal numbers at each moment of a sample",
        build="ganforge_rcgan.networks:NoiseSequence",
        options=NoiseOptions,
        inputs="sequence",
        input_shape=lambda options, fields: (options.size, fields["sample"].known_shape[1]),
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="recurrent",
        summary="LSTM from noise at each moment to a signal (Esteban et al., 2017)",
        build="ganforge_rcgan.networks:Generator",
        options=NetworkOptions,
        shapes=(SequenceShapes(minimum=2),),
        conditions=("label", "vector"),
        inputs="sequence",
        sampler="noise-sequence",
        discriminator="recurrent",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="recurrent",
        summary="LSTM with a score at each moment (Esteban et al., 2017)",
        build="ganforge_rcgan.networks:Discriminator",
        options=NetworkOptions,
        shapes=(SequenceShapes(minimum=2),),
        conditions=("label", "vector"),
        patches=True,
        double_backward=False,  # that of cuDNN's LSTM cannot
        batch_independent=True,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="rcgan",
        summary="Sines of a frequency that is asked for",
        source="Esteban et al., 2017",
        file="ganforge_rcgan:rcgan.toml",
    )
