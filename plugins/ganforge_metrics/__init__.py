"""Measures of generated samples: moments, modes, features, neighbours, classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ganforge import (
    ANY_SHAPES,
    ImageShapes,
    MetricSpec,
    PointShapes,
    SequenceShapes,
    VectorShapes,
    VideoShapes,
    VoxelShapes,
    hookimpl,
    option,
)


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


@dataclass(frozen=True, kw_only=True)
class KernelOptions:
    subsets: int = option(100, help="subsets that are drawn of both sides", minimum=1)
    subset_size: int = option(
        1000, help="samples in a subset; half of them all where there are fewer", minimum=2
    )


@dataclass(frozen=True, kw_only=True)
class ManifoldOptions:
    k: int = option(3, help="which nearest neighbour, for precision and recall", minimum=1)
    density_k: int = option(5, help="which nearest neighbour, for density and coverage", minimum=1)


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    splits: int = option(10, help="parts that are scored one by one", minimum=1)


@dataclass(frozen=True, kw_only=True)
class MemorisationOptions:
    level: float = option(
        0.01,
        help="share of held-out real samples that are taken for copies and repeats themselves",
        above=0.0,
        below=0.5,
    )


@dataclass(frozen=True, kw_only=True)
class NgramOptions:
    longest: int = option(4, help="tokens in the longest n-grams", minimum=1, maximum=8)


@dataclass(frozen=True, kw_only=True)
class CloudOptions:
    clouds: int = option(100, help="clouds that are compared, of either side", minimum=2)
    points: int = option(256, help="points that are looked at in each", minimum=1)


@dataclass(frozen=True, kw_only=True)
class VolumeOptions:
    volumes: int = option(500, help="volumes that are compared one by one", minimum=2)


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
        better={"mae": "lower"},
    )
    yield MetricSpec(
        name="moments",
        summary="Mean and spread of generated samples beside those of real ones",
        build="ganforge_metrics.moments:Moments",
        shapes=(VectorShapes(),),
        better={"mean_distance": "lower", "covariance_error": "lower"},
    )
    yield MetricSpec(
        name="kl",
        summary="KL divergences of few dimensions, by nearest neighbours (Wang et al., 2009)",
        build="ganforge_metrics.divergence:KullbackLeibler",
        options=KLOptions,
        shapes=(VectorShapes(),),
        better={"forward": "lower", "reverse": "lower"},
    )
    yield MetricSpec(
        name="modes",
        summary="How much of a Gaussian mixture is covered, and how well (VEEGAN, PacGAN)",
        build="ganforge_metrics.modes:Modes",
        options=ModesOptions,
        shapes=(VectorShapes(),),
        reads=("mixture",),
        better={
            "modes": "higher",
            "strict_modes": "higher",
            "high_quality": "higher",
            "kl": "lower",
            "smallest_share": "higher",
        },
    )
    yield MetricSpec(
        name="fid",
        summary="Fréchet distance of features (Heusel et al., 2017): FID if they are Inception's",
        build="ganforge_metrics.frechet:FrechetDistance",
        shapes=ANY_SHAPES,
        reads=("features",),
        better={"fid": "lower"},
    )
    yield MetricSpec(
        name="class-fid",
        summary="Fréchet distance of features within classes: the mean (intra-FID), the worst",
        build="ganforge_metrics.frechet:ClassFrechetDistance",
        shapes=ANY_SHAPES,
        reads=("features", "labels", "fake_labels"),
        better={"mean": "lower", "worst": "lower"},
    )
    yield MetricSpec(
        name="kid",
        summary="Kernel distance of features (Bińkowski et al., 2018), unbiased, over subsets",
        build="ganforge_metrics.kernel_distance:KernelDistance",
        options=KernelOptions,
        shapes=ANY_SHAPES,
        reads=("features",),
        better={"mean": "lower"},
    )
    yield MetricSpec(
        name="prdc",
        summary="Precision, recall, density and coverage of features (Kynkäänniemi, Naeem et al.)",
        build="ganforge_metrics.manifolds:Manifolds",
        options=ManifoldOptions,
        shapes=ANY_SHAPES,
        reads=("features",),
        better=dict.fromkeys(("precision", "recall", "density", "coverage"), "higher"),
    )
    yield MetricSpec(
        name="memorisation",
        summary="Copies of training samples, and repeats, beside real samples held out of training",
        build="ganforge_metrics.memorisation:Memorisation",
        options=MemorisationOptions,
        shapes=ANY_SHAPES,
        reads=("features", "training"),
        better={"nn_ratio": "higher", "copies": "lower", "repeats": "lower"},
    )
    yield MetricSpec(
        name="classifier-score",
        summary="The Inception Score's formula on an extractor's logits (Salimans et al., 2016)",
        build="ganforge_metrics.class_scores:ClassifierScore",
        options=ScoreOptions,
        shapes=ANY_SHAPES,
        reads=("logits",),
        better={"mean": "higher"},
    )
    yield MetricSpec(
        name="classes",
        summary="Classes that a classifier finds: how many, how evenly, how surely",
        build="ganforge_metrics.class_scores:Classes",
        shapes=ANY_SHAPES,
        reads=("logits",),
        better={
            "classes": "higher",
            "entropy": "higher",
            "kl": "lower",
            "confidence": "higher",
            "sure": "higher",
        },
    )
    yield MetricSpec(
        name="class-spread",
        summary="Variation within a class, generated over real: 1 where none has collapsed",
        build="ganforge_metrics.class_spread:ClassSpread",
        shapes=(ImageShapes(), VectorShapes()),
        reads=("labels", "fake_labels"),
        better={"mean": "higher", "smallest": "higher"},
    )
    yield MetricSpec(
        name="label-agreement",
        summary="Samples in which a classifier sees the class they were made for; the worst class",
        build="ganforge_metrics.class_scores:LabelAgreement",
        shapes=ANY_SHAPES,
        reads=("class_logits", "fake_labels"),
        better={"accuracy": "higher", "worst_class": "higher"},
    )
    yield MetricSpec(
        name="stacked-modes",
        summary="Modes of 1,000 of three stacked digits, KL and confidence (Unrolled GAN, VEEGAN)",
        build="ganforge_metrics.class_scores:StackedModes",
        shapes=(ImageShapes(),),
        reads=("class_logits",),
        features="channel-classifier",
        better={"modes": "higher", "kl": "lower", "confidence": "higher"},
        usual=False,
    )
    yield MetricSpec(
        name="columns",
        summary="Columns of a table one by one and in pairs: Kolmogorov-Smirnov, total variation",
        build="ganforge_metrics.tables:Columns",
        shapes=(VectorShapes(),),
        better=dict.fromkeys(("columns", "worst_column", "pairs"), "lower"),
    )
    yield MetricSpec(
        name="spectrum",
        summary="Spectra, autocorrelation and log bands of sound and time series",
        build="ganforge_metrics.spectra:Spectrum",
        shapes=(SequenceShapes(),),
        better=dict.fromkeys(
            ("log_spectral_distance", "autocorrelation", "frechet_log_bands"), "lower"
        ),
    )
    yield MetricSpec(
        name="n-grams",
        summary="Jensen-Shannon divergence of the n-grams of text, and the share of unique texts",
        build="ganforge_metrics.ngrams:Ngrams",
        options=NgramOptions,
        shapes=(SequenceShapes(),),
        better={
            **dict.fromkeys((f"js{n}" for n in range(1, 9)), "lower"),
            "unique": "higher",
        },
    )
    yield MetricSpec(
        name="motion",
        summary="Frames of videos and the differences between them; no FVD, which takes a network",
        build="ganforge_metrics.motion:Motion",
        shapes=(VideoShapes(),),
        better=dict.fromkeys(("brightness", "contrast", "motion", "acceleration"), "lower"),
    )
    yield MetricSpec(
        name="clouds",
        summary="Point clouds by Chamfer distance: MMD, coverage, 1-NN accuracy (PointFlow)",
        build="ganforge_metrics.shapes:Clouds",
        options=CloudOptions,
        shapes=(PointShapes(),),
        better={"mmd": "lower", "coverage": "higher", "nearest_accuracy": "lower"},
    )
    yield MetricSpec(
        name="volumes",
        summary="Volumes by what they fill: JSD of cells, MMD, coverage, 1-NN accuracy",
        build="ganforge_metrics.shapes:Volumes",
        options=VolumeOptions,
        shapes=(VoxelShapes(),),
        better={
            "jsd": "lower",
            "filled": "lower",
            "mmd": "lower",
            "coverage": "higher",
            "nearest_accuracy": "lower",
        },
    )
