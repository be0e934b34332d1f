"""CTGAN: tables of numbers and categories.

Xu et al., 2019, arXiv:1907.00503, with the packing of Lin et al., 2018, arXiv:1712.04086.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from ganforge import (
    DataError,
    DatasetSpec,
    DiscriminatorSpec,
    Field,
    GameSpec,
    GeneratorSpec,
    LossSpec,
    RecipeSpec,
    SamplerSpec,
    VectorShapes,
    hookimpl,
    option,
)

CHOSEN = "chosen"  # the field of the data set: a column, and a value of it
FREQUENCIES = "chosen_frequencies"  # of its classes, in the fit


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    file: str = option(help="a .csv file whose first row has names", mutable=True)
    categories: tuple[str, ...] = option((), help="columns of numbers that are categories")
    modes: int = option(10, help="largest number of modes of a column of numbers", minimum=1)


@dataclass(frozen=True, kw_only=True)
class SamplerOptions:
    size: int = option(128, help="latent size Z", minimum=1)


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    hidden: tuple[int, ...] = option((256, 256), help="units of each residual layer", minimum=1)
    temperature: float = option(0.2, help="of the Gumbel-softmax", above=0.0)


@dataclass(frozen=True, kw_only=True)
class CriticOptions:
    hidden: tuple[int, ...] = option((256, 256), help="units of each layer", minimum=1)
    dropout: float = option(0.5, help="share of units left out", minimum=0.0, below=1.0)


@dataclass(frozen=True, kw_only=True)
class PackedOptions:
    size: int = option(10, help="samples in a pack", minimum=1)


def check_file(options):
    if not Path(options.file).is_file():
        raise DataError(f"there is no file {options.file}; name one with dataset.file")


def pack_of(options, sample, input_shape):
    first, *others = sample.known_shape
    return replace(sample, shape=(options.size * first, *others))


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="mixed-table",
        summary="Rows of a .csv file, by training-by-sampling: a column and a value, then a row",
        build="ganforge_ctgan.table:Table",
        options=TableOptions,
        check_available=check_file,
        fields=lambda options: {
            "sample": Field(kind="vector", format="table"),
            CHOSEN: Field(kind="category"),
        },
        path_option="file",
    )


@hookimpl
def ganforge_samplers():
    yield SamplerSpec(
        name="table-normal",
        summary="Normal numbers for the latent and the choices, and conditions as in the data",
        build="ganforge_ctgan.networks:TableNormal",
        options=SamplerOptions,
        input_shape=lambda options, fields: (options.size + fields["sample"].known_shape[0],),
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="ctgan",
        summary="Residual layers, and Gumbel-softmax for choices (Xu et al., 2019)",
        build="ganforge_ctgan.networks:Generator",
        options=GeneratorOptions,
        shapes=(VectorShapes(),),
        conditions=("label",),
        gives=("logits",),
        sampler="table-normal",
        discriminator="ctgan",
        game="packed",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="ctgan",
        summary="Perceptron with dropout, told the choice of every row (Xu et al., 2019)",
        build="ganforge_ctgan.networks:Critic",
        options=CriticOptions,
        shapes=(VectorShapes(),),
        conditions=("label", "labels"),
        batch_independent=True,
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="chosen-value",
        summary="Cross-entropy of the chosen column with the chosen value (Xu et al., 2019)",
        build="ganforge_ctgan.chosen:ChosenValue",
        trains=("generator",),
        reads=("generated.logits", CHOSEN),
    )


@hookimpl
def ganforge_games():
    yield GameSpec(
        name="packed",
        summary="The discriminator judges several samples at once (Lin et al., 2018)",
        build="ganforge_ctgan.packing:Packed",
        options=PackedOptions,
        judged=pack_of,
        packing=lambda options: options.size,
        pairs=(("a pack of x", "a pack of G(z)"),),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="ctgan",
        summary="A table of numbers and categories, written back as it was given",
        source="Xu et al., 2019",
        file="ganforge_ctgan:ctgan.toml",
    )
