"""Differentiable augmentation for data-efficient training (Zhao et al., 2020, arXiv:2006.10738)."""

from dataclasses import dataclass

from ganforge import AugmentationSpec, ImageShapes, RecipeSpec, hookimpl, option

TRANSFORMS = ("color", "translation", "cutout")


@dataclass(frozen=True, kw_only=True)
class Options:
    policy: tuple[str, ...] = option(
        TRANSFORMS, help="transforms, in the order in which they are applied", choices=TRANSFORMS
    )
    translation: float = option(
        0.125, help="largest shift, as a share of each side", minimum=0.0, below=1.0
    )
    cutout: float = option(0.5, help="sides of the hole, as a share", above=0.0, maximum=1.0)


@hookimpl
def ganforge_augmentations():
    yield AugmentationSpec(
        name="data-efficient",
        summary="Colour, translation and cutout (Zhao et al., 2020)",
        build="ganforge_diffaug.augmentation:Augment",
        options=Options,
        shapes=(ImageShapes(minimum=2),),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="data-efficient",
        summary="A GAN of some hundreds of images, by augmentation of real and fake alike",
        source="Zhao et al., 2020",
        file="ganforge_diffaug:data-efficient.toml",
    )
