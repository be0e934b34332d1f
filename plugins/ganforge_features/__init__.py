"""Feature extractors: what the bundled ones are called, what they take, where they are built.

This module is read to list them, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ganforge import (
    ANY_SHAPES,
    FeaturesSpec,
    ImageShapes,
    SequenceShapes,
    VideoShapes,
    VoxelShapes,
    hookimpl,
    option,
)

from .availability import check_efficientnet, check_inception


@dataclass(frozen=True, kw_only=True)
class RandomOptions:
    size: int = option(128, help="number of features", minimum=1)
    seed: int = option(0, help="seed of the weights", minimum=0, maximum=2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions:
    size: int = option(128, help="number of features", minimum=1)
    width: int = option(32, help="channels of the first layer", minimum=1)
    steps: int = option(400, help="updates in which it is trained, of 128 samples", minimum=1)


@dataclass(frozen=True, kw_only=True)
class InceptionOptions:
    weights: str | None = option(
        None, help="file of the weights; unset: where torch keeps what it has downloaded"
    )
    download: bool = option(False, help="fetch the weights if they are not there, 91 MB")


@hookimpl
def ganforge_features() -> Iterable[FeaturesSpec]:
    yield FeaturesSpec(
        name="identity",
        summary="The numbers of a sample themselves, in one row",
        build="ganforge_features.identity:Identity",
        shapes=ANY_SHAPES,
    )
    yield FeaturesSpec(
        name="random",
        summary="An untrained network: sees differences, and not what they mean to people",
        build="ganforge_features.untrained:build",
        options=RandomOptions,
        shapes=ANY_SHAPES,
    )
    yield FeaturesSpec(
        name="classifier",
        summary="A small network, trained when it is needed to tell the data's own classes apart",
        build="ganforge_features.classifier:Classifier",
        options=ClassifierOptions,
        shapes=(ImageShapes(), SequenceShapes(), VideoShapes(), VoxelShapes()),
        logits=True,
        needs_labels=True,
    )
    yield FeaturesSpec(
        name="channel-classifier",
        summary="A classifier of each channel by itself, for stacks such as stacked-mnist",
        build="ganforge_features.channels:ChannelClassifier",
        options=ClassifierOptions,
        shapes=(ImageShapes(),),
        logits=True,
        needs_labels=True,
    )
    yield FeaturesSpec(
        name="efficientnet-lite0",
        summary="EfficientNet-Lite0, trained on ImageNet; its weights come in a package",
        build="ganforge_features.efficientnet:build",
        shapes=(ImageShapes(channels=(1, 3)),),
        logits=True,
        check_available=check_efficientnet,
    )
    yield FeaturesSpec(
        name="inception",
        summary="Inception v3 of 2015, through which papers report FID; of torch-fidelity",
        build="ganforge_features.inception:build",
        options=InceptionOptions,
        shapes=(ImageShapes(channels=(1, 3)),),
        logits=True,
        check_available=check_inception,
    )
