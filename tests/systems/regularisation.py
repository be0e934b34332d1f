"""Penalties, regularisers and augmentations of the literature, as plugins."""

from __future__ import annotations

from pathlib import Path

from tests.systems.harness import System, write_images


def two_classes(folder: Path) -> None:
    for name in ("cats", "dogs"):
        write_images(folder / "pictures" / name, num=10)


def pictures(folder: Path) -> None:
    write_images(folder / "pictures")


PICTURES = ("dataset.root=pictures", "dataset.size=8", "dataset.channels=1")
NETWORKS = ("generator", "discriminator")
NARROW = ("generator.width=2", "discriminator.width=2")
#: for recipes that use the bundled DCGAN, which makes nothing smaller
DCGAN = (*PICTURES, "dataset.name=images", "dataset.size=32", *NARROW)

COSINE = "until_images=32, shape='cosine'}"
FALLING = (
    *(f"loss.{it}.gamma={{from=0.05, to=0.005, {COSINE}" for it in ("r1", "r2")),
    *(f"{it}_optimizer.learning_rate={{from=2e-4, to=5e-5, {COSINE}" for it in NETWORKS),
    *(f"{it}_optimizer.betas={{from=[0.0, 0.9], to=[0.0, 0.99], {COSINE}" for it in NETWORKS),
    f"augmentation.ada.p={{from=0.0, to=0.55, {COSINE}",
    f"ema.half_life={{from=0, to=20, {COSINE}",
)

SYSTEMS: dict[str, System] = {
    "SNGAN with projection": System(
        package="ganforge-sngan",
        recipe="sngan",
        settings=("dataset.name=images", *PICTURES, *NARROW),
        data=two_classes,
        shape=(1, 8, 8),
        options={it: {"width": 4} for it in ("generator/sngan", "discriminator/sngan")},
    ),
    "DRAGAN": System(
        package="ganforge-dragan",
        recipe="dragan",
        settings=DCGAN,
        data=pictures,
        shape=(1, 32, 32),
    ),
    "LeCam": System(
        package="ganforge-lecamgan",
        recipe="lecam",
        # From the middle on, so that a resumed run needs the means of the steps before.
        settings=(*DCGAN, "loss.lecam-divergence.start=2"),
        data=pictures,
        shape=(1, 32, 32),
    ),
    "orthogonal regularisation": System(
        package="ganforge-orthogonal",
        recipe="orthogonal",
        settings=DCGAN,
        data=pictures,
        shape=(1, 32, 32),
    ),
    "top-k training": System(
        package="ganforge-topk",
        recipe="top-k-mixture",
        settings=("generator.hidden=[8]", "discriminator.hidden=[8]"),
        shape=(2,),
    ),
    "feature matching": System(
        package="ganforge-feature-matching",
        recipe="feature-matching",
        settings=DCGAN,
        data=pictures,
        shape=(1, 32, 32),
    ),
    "bCR": System(
        package="ganforge-bcr",
        recipe="bcr",
        settings=DCGAN,
        data=pictures,
        shape=(1, 32, 32),
    ),
    "gradient normalisation": System(
        package="ganforge-gngan",
        recipe="gn-gan",
        settings=DCGAN,
        data=pictures,
        shape=(1, 32, 32),
    ),
    "DiffAugment": System(
        package="ganforge-diffaug",
        recipe="data-efficient",
        settings=DCGAN,
        data=pictures,
        shape=(1, 32, 32),
    ),
    "ADA": System(
        package="ganforge-adaptive-flips",
        recipe="adaptive-flips",
        # It adapts in each of the few steps, and by much.
        settings=(
            *DCGAN,
            "augmentation.adaptive-flips.interval=1",
            "augmentation.adaptive-flips.adjust_images=20",
        ),
        data=pictures,
        shape=(1, 32, 32),
    ),
    "SAGAN": System(
        package="ganforge-sagan",
        recipe="sagan",
        settings=(
            *PICTURES,
            "dataset.size=16",
            *NARROW,
            "generator.attention=8",
            "discriminator.attention=8",
            "ema.half_life=16",
        ),
        data=two_classes,
        shape=(1, 16, 16),
        options={
            "generator/sagan": {"width": 4, "attention": 8},
            "discriminator/sagan": {"width": 4, "attention": 8},
        },
    ),
    "R3GAN": System(
        package="ganforge-r3gan",
        recipe="r3gan",
        settings=(
            "dataset.name=images",
            *PICTURES,
            *(f"{it}.{key}" for it in NETWORKS for key in ("width=8", "blocks=1")),
            # Schedules of as many images as the few steps have.
            *FALLING,
        ),
        data=two_classes,
        shape=(1, 8, 8),
        options={
            "generator/r3gan": {"width": 8, "blocks": 1},
            "discriminator/r3gan": {"width": 8, "blocks": 1},
        },
    ),
}
