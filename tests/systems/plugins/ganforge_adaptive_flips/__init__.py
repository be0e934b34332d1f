"""Adaptive discriminator augmentation with a small pipeline (Karras et al., 2020)."""

from dataclasses import dataclass

from ganforge import AugmentationSpec, ImageShapes, RecipeSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    target: float = option(0.6, help="mean sign of the real scores to hold", above=0.0, below=1.0)
    interval: int = option(4, help="updates between two adjustments", minimum=1)
    adjust_images: int = option(
        500_000, help="real images that it takes the probability from 0 to 1", minimum=1
    )


@hookimpl
def ganforge_augmentations():
    yield AugmentationSpec(
        name="adaptive-flips",
        summary="Flips, quarter turns, shifts and light, as overfitting asks (Karras et al., 2020)",
        build="ganforge_adaptive_flips.augmentation:AdaptiveFlips",
        options=Options,
        shapes=(ImageShapes(minimum=2, square=True),),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="adaptive-flips",
        summary="A GAN of some thousands of images, augmented as much as overfitting asks",
        source="Karras et al., 2020",
        file="ganforge_adaptive_flips:adaptive-flips.toml",
    )
