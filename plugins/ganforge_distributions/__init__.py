"""Distributions of vectors to learn: Gaussian mixtures, a box and a spiral, drawn without end.

This module is read to list the data sets, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ganforge import DatasetSpec, Field, hookimpl

from .options import (
    GridOptions,
    MixtureOptions,
    NormalOptions,
    RingOptions,
    SwissRollOptions,
    UniformOptions,
)


def _vector(options: NormalOptions | MixtureOptions | UniformOptions) -> Mapping[str, Field]:
    return {"sample": Field(kind="vector", shape=(options.dimension,))}


def _plane(options: RingOptions | GridOptions | SwissRollOptions) -> Mapping[str, Field]:
    return {"sample": Field(kind="vector", shape=(2,))}


@hookimpl
def ganforge_datasets() -> Iterable[DatasetSpec]:
    yield DatasetSpec(
        name="normal",
        summary="One Gaussian, the same along every axis",
        build="ganforge_distributions.mixtures:normal",
        options=NormalOptions,
        fields=_vector,
        gives=("mixture",),
    )
    yield DatasetSpec(
        name="mixture",
        summary="A mixture of Gaussians whose weights, means and standard deviations are given",
        build="ganforge_distributions.mixtures:mixture",
        options=MixtureOptions,
        fields=_vector,
        gives=("mixture",),
    )
    yield DatasetSpec(
        name="ring",
        summary="8 Gaussians on a circle, the 2-D ring of VEEGAN and PacGAN",
        build="ganforge_distributions.mixtures:ring",
        options=RingOptions,
        fields=_plane,
        gives=("mixture",),
    )
    yield DatasetSpec(
        name="grid",
        summary="25 Gaussians in a square, the 2-D grid of VEEGAN and PacGAN",
        build="ganforge_distributions.mixtures:grid",
        options=GridOptions,
        fields=_plane,
        gives=("mixture",),
    )
    yield DatasetSpec(
        name="uniform",
        summary="Every number uniform between two bounds",
        build="ganforge_distributions.continuous:Uniform",
        options=UniformOptions,
        fields=_vector,
    )
    yield DatasetSpec(
        name="swiss-roll",
        summary="A spiral in the plane (Gulrajani et al., 2017)",
        build="ganforge_distributions.continuous:SwissRoll",
        options=SwissRollOptions,
        fields=_plane,
    )
