"""The hooks that a plugin may implement, one per kind of component.

Each hook takes no argument, so that none can drift, and yields spec records. They are called once,
while names are resolved, and never inside the training step.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from ganforge.plugin.base_specs import Spec
from ganforge.plugin.specs import (
    AugmentationSpec,
    CallbackSpec,
    DatasetSpec,
    DiscriminatorSpec,
    FeaturesSpec,
    FormatSpec,
    GameSpec,
    GeneratorSpec,
    LossSpec,
    MetricSpec,
    OptimizerSpec,
    RecipeSpec,
    RefinementSpec,
    SamplerSpec,
)

PROJECT = "ganforge"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def ganforge_generators() -> Iterable[GeneratorSpec]:
    """Networks that turn inputs `[B, *input_shape]` into samples `[B, *sample_shape]`."""
    return ()


@hookspec
def ganforge_discriminators() -> Iterable[DiscriminatorSpec]:
    """Networks that give samples `[B, *sample_shape]` unbounded scores `[B]`."""
    return ()


@hookspec
def ganforge_losses() -> Iterable[LossSpec]:
    """Terms of the objective."""
    return ()


@hookspec
def ganforge_datasets() -> Iterable[DatasetSpec]:
    """Sources of real samples."""
    return ()


@hookspec
def ganforge_samplers() -> Iterable[SamplerSpec]:
    """Sources of generator inputs."""
    return ()


@hookspec
def ganforge_refinements() -> Iterable[RefinementSpec]:
    """Refinements: better samples of a trained pair, by what its discriminator says."""
    return ()


@hookspec
def ganforge_games() -> Iterable[GameSpec]:
    """Ways to connect the networks of a run."""
    return ()


@hookspec
def ganforge_augmentations() -> Iterable[AugmentationSpec]:
    """Transformations of what the discriminator is shown."""
    return ()


@hookspec
def ganforge_metrics() -> Iterable[MetricSpec]:
    """Measures of the samples, taken between steps."""
    return ()


@hookspec
def ganforge_features() -> Iterable[FeaturesSpec]:
    """Feature extractors, through which metrics look at samples."""
    return ()


@hookspec
def ganforge_callbacks() -> Iterable[CallbackSpec]:
    """Callbacks that are told of a run's progress, such as loggers."""
    return ()


@hookspec
def ganforge_optimizers() -> Iterable[OptimizerSpec]:
    """Optimizers, which move the weights along their gradients."""
    return ()


@hookspec
def ganforge_formats() -> Iterable[FormatSpec]:
    """Ways to show samples as pictures and to write them to files."""
    return ()


@hookspec
def ganforge_recipes() -> Iterable[RecipeSpec]:
    """Configurations to be run by name."""
    return ()


#: hook name -> the type of record that it yields
HOOKS: dict[str, type[Spec]] = {
    "ganforge_generators": GeneratorSpec,
    "ganforge_discriminators": DiscriminatorSpec,
    "ganforge_losses": LossSpec,
    "ganforge_datasets": DatasetSpec,
    "ganforge_samplers": SamplerSpec,
    "ganforge_refinements": RefinementSpec,
    "ganforge_games": GameSpec,
    "ganforge_augmentations": AugmentationSpec,
    "ganforge_metrics": MetricSpec,
    "ganforge_features": FeaturesSpec,
    "ganforge_callbacks": CallbackSpec,
    "ganforge_optimizers": OptimizerSpec,
    "ganforge_formats": FormatSpec,
    "ganforge_recipes": RecipeSpec,
}
