"""Augmentations: instance noise, DiffAugment, and adaptive discriminator augmentation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ganforge import ANY_SHAPES, AugmentationSpec, ImageShapes, Schedule, hookimpl, option

Pipeline = Literal["blit", "geom", "color", "bg", "bc", "gc", "bgc"]


@dataclass(frozen=True, kw_only=True)
class InstanceNoiseOptions:
    std: float | Schedule = option(
        Schedule(from_=0.1, to=0.0),
        help="standard deviation of the noise, on samples in [-1, 1]",
        minimum=0.0,
        scheduled=True,
    )


@dataclass(frozen=True, kw_only=True)
class DiffAugmentOptions:
    policy: tuple[str, ...] = option(
        ("color", "translation", "cutout"),
        help="transforms, in the order in which they are applied",
        choices=("color", "translation", "cutout"),
    )
    p: float | Schedule = option(
        1.0,
        help="probability that a transform is applied to a sample, each on its own",
        minimum=0.0,
        maximum=1.0,
        scheduled=True,
    )

    def __post_init__(self) -> None:
        if not self.policy:
            raise ValueError("policy must name at least one transform")
        if len({*self.policy}) < len(self.policy):
            raise ValueError(f"policy names a transform twice: {', '.join(self.policy)}")


@dataclass(frozen=True, kw_only=True)
class AdaptiveOptions:
    pipeline: Pipeline = option(
        "bgc", help="groups of transforms: blit, geom, color, or several by their first letters"
    )
    target: float = option(
        0.6,
        help="mean sign of the real scores to hold; 0 leaves the probability at p",
        minimum=0.0,
        below=1.0,
    )
    p: float | Schedule = option(
        0.0,
        help="probability of each transform at the start, or throughout if target is 0",
        minimum=0.0,
        maximum=1.0,
        scheduled=True,
    )
    max_p: float = option(
        0.8,
        help="largest probability to adapt to; above 0.8, transforms leak into what is generated",
        above=0.0,
        maximum=1.0,
    )
    interval: int = option(
        4, help="discriminator updates between adjustments of the probability", minimum=1
    )
    adjust_images: int = option(
        500_000, help="real images that it takes the probability from 0 to 1", minimum=1
    )

    def __post_init__(self) -> None:
        if isinstance(self.p, Schedule):
            if self.target:
                raise ValueError("p follows the target, and a schedule only where target is 0")
        elif self.target and self.p > self.max_p:
            raise ValueError(f"p ({self.p:g}) must not exceed max_p ({self.max_p:g})")
        elif not self.target and not self.p:
            raise ValueError("target 0 holds the probability at p, which must then be above 0")


@hookimpl
def ganforge_augmentations() -> Iterable[AugmentationSpec]:
    yield AugmentationSpec(
        name="instance-noise",
        summary="Gaussian noise on every number (Sønderby et al., 2017; Arjovsky and Bottou, 2017)",
        build="ganforge_augmentations.instance_noise:InstanceNoise",
        options=InstanceNoiseOptions,
        shapes=ANY_SHAPES,
        remedies=("discriminator-won", "vanishing-gradient"),
    )
    yield AugmentationSpec(
        name="diffaugment",
        summary="Colour, translation and cutout, for training on few images (Zhao et al., 2020)",
        build="ganforge_augmentations.diffaugment:DiffAugment",
        options=DiffAugmentOptions,
        shapes=(ImageShapes(minimum=2),),  # a hole would be all of a single pixel
        remedies=("memorisation", "discriminator-won"),
    )
    yield AugmentationSpec(
        name="ada",
        summary="Transforms whose probability follows overfitting (Karras et al., 2020)",
        build="ganforge_augmentations.ada:AdaptiveAugmentation",
        options=AdaptiveOptions,
        remedies=("memorisation", "discriminator-won"),
    )
