"""WaveGAN before multi-period discriminators, on clips of sound.

Donahue et al., 2019, arXiv:1802.04208, and Kong et al., 2020 (HiFi-GAN), arXiv:2010.05646.
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
    SequenceShapes,
    hookimpl,
    option,
)

SHAPES = (SequenceShapes(minimum=32, multiple_of=4),)


@dataclass(frozen=True, kw_only=True)
class ClipOptions:
    root: str = option("clips", help="folder of .wav files, 16 bits", mutable=True)
    rate: int = option(16_000, help="sampling rate of the files in Hz", minimum=1)
    length: int = option(16_384, help="samples of a clip, about a second", minimum=1)


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(64, help="channels before the last layer", minimum=1)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(64, help="channels after the first layer of the waveform", minimum=1)
    shuffle: int = option(2, help="largest shift of phase shuffle; 0 is none", minimum=0)
    periods: tuple[int, ...] = option((2, 3, 5, 7, 11), help="of the others", minimum=1)
    period_width: int = option(32, help="channels after their first layer", minimum=1)


def check_clips(options):
    if next(Path(options.root).glob("*.wav"), None) is None:
        raise DataError(f"there are no .wav files in {options.root!r}; see dataset.root")


def clip_fields(options):
    shape = (1, options.length)
    sample = Field(
        kind="sequence", shape=shape, range=(-1.0, 1.0), rate=options.rate, format="audio"
    )
    return {"sample": sample}


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="clips",
        summary="A folder of .wav files, of one length",
        build="ganforge_wavegan.clips:Clips",
        options=ClipOptions,
        check_available=check_clips,
        fields=clip_fields,
        path_option="root",
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="wavegan",
        summary="Transposed convolutions of length 25 (Donahue et al., 2019)",
        build="ganforge_wavegan.networks:Generator",
        options=GeneratorOptions,
        shapes=SHAPES,
        sampler="uniform",
        discriminator="waveform-and-periods",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="waveform-and-periods",
        summary="WaveGAN's with phase shuffle, and one for each period (Kong et al., 2020)",
        build="ganforge_wavegan.networks:Discriminators",
        options=DiscriminatorOptions,
        shapes=SHAPES,
        gives=("features",),
        patches=True,
        several=True,
        batch_independent=True,
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="feature-matching",
        summary="Mean features of all discriminators as those of real sounds",
        build="ganforge_wavegan.matching:FeatureMatching",
        trains=("generator",),
        reads=("real.features", "fake.features"),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="wavegan",
        summary="One second of sound, with multi-period discriminators and feature matching",
        source="Donahue et al., 2019, and Kong et al., 2020",
        file="ganforge_wavegan:wavegan.toml",
    )
