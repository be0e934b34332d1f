"""Measures of generated samples: reconstruction error, moments, divergence and mode coverage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ganforge import ImageShapes, MetricSpec, VectorShapes, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class KLOptions:
    k: int = option(
        5, help="which nearest neighbour: more vary less, and blur what is fine", minimum=1
    )


@dataclass(frozen=True, kw_only=True)
class ModesOptions:
    threshold: float = option(
        3.0,
        help="standard deviations from its mode's mean within which a sample is of high quality",
        above=0.0,
    )
    share: float = option(
        0.2,
        help="part of its fair share of high-quality samples that a mode needs to count as strict",
        above=0.0,
        maximum=1.0,
    )


@hookimpl
def ganforge_metrics() -> Iterable[MetricSpec]:
    yield MetricSpec(
        name="mae",
        summary="Mean absolute error of what is made of real samples; images on a [0, 1] scale",
        build="ganforge_metrics.reconstruction:MeanAbsoluteError",
        shapes=(
            ImageShapes(),
            VectorShapes(),
        ),
        reads=("reconstruction",),
    )
    yield MetricSpec(
        name="moments",
        summary="Mean and spread of generated samples beside those of real ones",
        build="ganforge_metrics.moments:Moments",
        shapes=(VectorShapes(),),
    )
    yield MetricSpec(
        name="kl",
        summary="KL divergences of few dimensions, by nearest neighbours (Wang et al., 2009)",
        build="ganforge_metrics.divergence:KullbackLeibler",
        options=KLOptions,
        shapes=(VectorShapes(),),
    )
    yield MetricSpec(
        name="modes",
        summary="How much of a Gaussian mixture is covered, and how well (VEEGAN, PacGAN)",
        build="ganforge_metrics.modes:Modes",
        options=ModesOptions,
        shapes=(VectorShapes(),),
        reads=("mixture",),
    )
