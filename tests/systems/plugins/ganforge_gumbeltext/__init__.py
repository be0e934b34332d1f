"""Text by Gumbel-softmax: a choice of characters that has a gradient.

Kusner and Hernández-Lobato, 2016, arXiv:1611.04051; the loss, the annealing and the discriminator's
representations are those of Nie et al., 2019 (RelGAN).
"""

from dataclasses import dataclass
from pathlib import Path

from ganforge import (
    DataError,
    DatasetSpec,
    DiscriminatorSpec,
    Field,
    FormatSpec,
    GameSpec,
    GeneratorSpec,
    LossSpec,
    RecipeSpec,
    SamplerSpec,
    Schedule,
    SequenceShapes,
    hookimpl,
    option,
)


@dataclass(frozen=True, kw_only=True)
class LineOptions:
    file: str = option(help="a text file, UTF-8", mutable=True)
    length: int = option(32, help="characters of a sample; longer lines are left out", minimum=1)


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    hidden: int = option(128, help="units of the LSTM", minimum=1)
    temperature: float | Schedule = option(
        Schedule(from_=1.0, to=0.01, shape="exponential"),
        help="of the Gumbel-softmax in training",
        above=0.0,
        scheduled=True,
    )


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    representations: int = option(8, help="embeddings of a text, each with a score", minimum=1)
    embedding: int = option(8, help="numbers of an embedded character", minimum=1)
    filters: int = option(64, help="filters of each width", minimum=1)
    widths: tuple[int, ...] = option((2, 3, 4), help="characters that a filter sees", minimum=1)


def check_file(options):
    if not Path(options.file).is_file():
        raise DataError(f"there is no file {options.file}; name one with dataset.file")


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="lines",
        summary="The lines of a text file, as one-hot characters",
        build="ganforge_gumbeltext.lines:Lines",
        options=LineOptions,
        check_available=check_file,
        fields=lambda options: {"sample": Field(kind="sequence", format="lines")},
        path_option="file",
    )


@hookimpl
def ganforge_formats():
    yield FormatSpec(
        name="lines",
        summary="One-hot characters as lines of text",
        build="ganforge_gumbeltext.written:LinesFormat",
        kinds=("sequence",),
        suffixes=(".png", ".npz", ".txt"),
    )


@hookimpl
def ganforge_samplers():
    yield SamplerSpec(
        name="gumbel",
        summary="Gumbel noise, a number for each character at each place",
        build="ganforge_gumbeltext.networks:GumbelNoise",
        inputs="sequence",
        input_shape=lambda options, fields: fields["sample"].known_shape,
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="gumbel-text",
        summary="LSTM that chooses by Gumbel-softmax (Kusner and Hernández-Lobato, 2016)",
        build="ganforge_gumbeltext.networks:Generator",
        options=GeneratorOptions,
        shapes=(SequenceShapes(),),
        inputs="sequence",
        methods=("log_likelihood",),
        sampler="gumbel",
        discriminator="text-filters",
        game="text",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="text-filters",
        summary="Filters over several embeddings of a text (Nie et al., 2019)",
        build="ganforge_gumbeltext.networks:Discriminator",
        options=DiscriminatorOptions,
        shapes=(SequenceShapes(),),
        patches=True,
        batch_independent=True,
    )


@hookimpl
def ganforge_games():
    yield GameSpec(
        name="text",
        summary="The usual game of a generator that knows the likelihood of a text",
        build="ganforge_gumbeltext.likelihood:TextGame",
        provides=("log_likelihood",),
        calls=("log_likelihood",),
        meanings={"log_likelihood": "log p(x) of each text, under G"},
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="likelihood",
        summary="Maximum likelihood of real texts, to begin with",
        build="ganforge_gumbeltext.likelihood:Likelihood",
        trains=("generator",),
        reads=("log_likelihood",),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="gumbel-text",
        summary="Lines of text, character by character",
        source="Kusner and Hernández-Lobato, 2016, and Nie et al., 2019",
        file="ganforge_gumbeltext:gumbel-text.toml",
    )
