"""Networks of the literature, with what their papers train them with, as plugins."""

from __future__ import annotations

from pathlib import Path

from tests.systems.harness import System, write_images
from tests.systems.regularisation import two_classes


def pictures(folder: Path) -> None:
    write_images(folder / "pictures", num=20)


PICTURES = ("dataset.root=pictures", "dataset.size=8", "dataset.channels=1")

SYSTEMS: dict[str, System] = {
    "StyleGAN2": System(
        package="ganforge-stylegan2",
        recipe="stylegan2",
        settings=(
            *PICTURES,
            "sampler.size=8",
            "generator.maximum=4",
            "generator.style_size=8",
            "generator.mapping_layers=2",
            "discriminator.maximum=4",
            "loss.r1.every=2",
            "loss.path-length.every=2",
        ),
        data=pictures,
        sample=("--truncation", "0.5"),
        options={
            "generator/stylegan2": {"maximum": 8, "style_size": 16, "mapping_layers": 2},
            "discriminator/stylegan2": {"maximum": 8},
        },
        # Minibatch deviation lets samples influence each other's scores, as in the paper.
        warning="r1 penalises the gradient of each sample's score",
        shape=(1, 8, 8),
    ),
    "progressive growing": System(
        package="ganforge-progressive",
        recipe="progressive",
        # 32 images: 4 pixels for 8 of them, 8 pixels faded in with 16, and grown for the last 8.
        settings=(
            *PICTURES,
            "sampler.size=8",
            *(
                f"{side}.{setting}"
                for side in ("generator", "discriminator")
                for setting in ("maximum=4", "phase_images=12")
            ),
        ),
        data=pictures,
        shape=(1, 8, 8),
        options={
            "generator/progressive": {"maximum": 8},
            "discriminator/progressive": {"maximum": 8},
        },
        # Minibatch deviation lets samples influence each other's scores, as in the paper.
        warning="gradient-penalty penalises the gradient of each sample's score",
    ),
    "FastGAN": System(
        package="ganforge-fastgan",
        recipe="fastgan",
        settings=(
            *PICTURES,
            "dataset.size=64",
            "sampler.size=8",
            "generator.width=4",
            "discriminator.width=4",
        ),
        data=pictures,
        shape=(1, 64, 64),
        options={"generator/fastgan": {"width": 4}, "discriminator/fastgan": {"width": 4}},
    ),
    "ACGAN": System(
        package="ganforge-acgan",
        recipe="acgan",
        settings=(*PICTURES, "generator.width=2", "discriminator.width=2"),
        data=two_classes,
        sample=("--condition", "label=dogs"),
        shape=(1, 8, 8),
        options={"generator/acgan": {"width": 4}},
    ),
    "InfoGAN": System(
        package="ganforge-infogan",
        recipe="infogan",
        settings=(
            "sampler.noise=5",
            "generator.width=4",
            "discriminator.width=2",
            "discriminator.features=16",
            "loss.information.features=16",
        ),
        shape=(1, 32, 32),
        options={
            "discriminator/infogan": {"width": 4, "features": 16},
            "loss/information": {"features": 16},
        },
    ),
    "VQGAN": System(
        package="ganforge-vqgan",
        recipe="vqgan",
        settings=(
            *PICTURES,
            "dataset.size=32",
            "generator.width=4",
            "generator.tokens=8",
            "generator.token_size=4",
            "discriminator.width=2",
            "loss.random-perceptual.width=2",
            "loss.hinge.start=1",
        ),
        data=pictures,
        sample=("--dataset", "digits"),
        options={
            "generator/vqgan": {"width": 4, "tokens": 8, "token_size": 4},
            "discriminator/vqgan": {"width": 4},
            "loss/random-perceptual": {"width": 4},
        },
        shape=(1, 32, 32),
    ),
}
