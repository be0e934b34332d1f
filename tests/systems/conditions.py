"""Systems that are told something, or that make one thing of another, as plugins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from tests.systems.harness import NUM_SAMPLES, System, write_images

SIDE = 32
NUM_ATTRIBUTES = 40
NUM_OF_MAP = 3  # classes of a pixel
NUM_OF_CAPTION = 6  # numbers of an embedding
NARROW = ("generator.width=2", "discriminator.width=2")
SMALL = (f"dataset.size={SIDE}", "dataset.channels=1", *NARROW)
TWO_SETS = ("dataset.root=paintings", "dataset.source=photographs", "data.shift=2", *SMALL)
FROM_INPUTS = ("--dataset", "inputs")


def two_folders(folder: Path) -> None:
    """Targets and inputs of the same names."""
    write_images(folder / "targets", side=SIDE)
    write_images(folder / "sources", side=SIDE)


def halves(folder: Path) -> None:
    """Pictures that hold a target on their left and an input on their right."""
    two_folders(folder)
    (folder / "both").mkdir()
    for path in sorted((folder / "targets").iterdir()):
        with Image.open(path) as left, Image.open(folder / "sources" / path.name) as right:
            both = np.concatenate([np.asarray(left), np.asarray(right)], axis=1)
        Image.fromarray(both).save(folder / "both" / path.name)


def two_sets(folder: Path) -> None:
    """Two sets of different sizes, in which nothing belongs together."""
    write_images(folder / "paintings", num=20, side=SIDE)
    write_images(folder / "photographs", num=13, side=SIDE)


def inputs(folder: Path) -> None:
    """Pictures to translate, of which no targets are there."""
    write_images(folder / "inputs", num=6, side=SIDE)


def photographs(folder: Path) -> None:
    write_images(folder / "photographs", num=5, side=2 * SIDE)


def small_images(folder: Path) -> None:
    """Pictures to enlarge, of which nothing finer is there."""
    write_images(folder / "inputs", num=6, side=SIDE // 4)


def faces(folder: Path) -> None:
    """Pictures, and a CSV file with forty attributes of each."""
    write_images(folder / "faces", num=20)
    signs = np.random.default_rng(0).choice([-1, 1], (20, NUM_ATTRIBUTES))
    names = ",".join(f"Attribute_{it}" for it in range(NUM_ATTRIBUTES))
    rows = [
        f"{number:02d}.png,{','.join(map(str, row))}" for number, row in enumerate(signs.tolist())
    ]
    text = "\n".join([f"image_id,{names}", *rows])
    (folder / "list_attr_celeba.csv").write_text(text, encoding="utf-8")


def captioned(folder: Path) -> None:
    """Pictures of noise in one file, with a vector each."""
    noise = np.random.default_rng(0)
    images = noise.integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)
    captions = noise.standard_normal((20, NUM_OF_CAPTION), dtype=np.float32)
    np.savez(folder / "birds.npz", images=images, captions=captions)


def captions(folder: Path) -> None:
    """A vector for each sample that is asked for."""
    noise = np.random.default_rng(1)
    vectors = noise.standard_normal((NUM_SAMPLES, NUM_OF_CAPTION), dtype=np.float32)
    np.save(folder / "wanted.npy", vectors)


def segmented(folder: Path) -> None:
    """Pictures of noise, and a map of each, whose pixels are one of three classes."""
    write_images(folder / "photographs")
    (folder / "maps").mkdir()
    classes = np.random.default_rng(0)
    for path in (folder / "photographs").iterdir():
        numbers = classes.integers(0, NUM_OF_MAP, (8, 8), dtype=np.uint8)
        Image.fromarray(numbers).save(folder / "maps" / path.name)


def maps(folder: Path) -> None:
    """A map for each sample that is asked for, one-hot."""
    numbers = np.random.default_rng(1).integers(0, NUM_OF_MAP, (NUM_SAMPLES, 8, 8))
    np.save(
        folder / "wanted.npy", np.eye(NUM_OF_MAP, dtype=np.float32)[numbers].transpose(0, 3, 1, 2)
    )


def pictures(folder: Path) -> None:
    write_images(folder / "pictures")


PIX2PIX = System(
    package="ganforge-pix2pix",
    recipe="pix2pix",
    settings=("dataset.root=targets", "dataset.source=sources", "data.shift=2", *SMALL),
    data=two_folders,
    sample=FROM_INPUTS,
    inputs=inputs,
    shape=(1, SIDE, SIDE),
)
SRRESNET = System(
    package="ganforge-srgan",
    recipe="srresnet",
    settings=(
        "dataset.root=photographs",
        f"dataset.size={SIDE}",
        "dataset.channels=1",
        "dataset.crops=4",
        "generator.width=2",
        "generator.blocks=2",
    ),
    data=photographs,
    sample=FROM_INPUTS,
    inputs=small_images,
    shape=(1, SIDE, SIDE),
    options={
        "dataset/super-resolution": {"root": "photographs", "size": SIDE},
        "generator/srresnet": {"width": 4, "blocks": 2},
        "discriminator/srgan": {"width": 4, "hidden": 8},
    },
)

SYSTEMS: dict[str, System] = {
    "pix2pix of two folders": PIX2PIX,
    "pix2pix of halves": replace(
        PIX2PIX,
        settings=("dataset.root=both", "dataset.split=right", "data.shift=2", *SMALL),
        data=halves,
    ),
    "CycleGAN": System(
        package="ganforge-cyclegan",
        recipe="cyclegan",
        settings=(*TWO_SETS, "generator.blocks=2", "game.pool=6"),
        options={
            "generator/cyclegan": {"width": 4, "blocks": 2},
            "discriminator/cyclegan": {"width": 4},
        },
        data=two_sets,
        sample=FROM_INPUTS,
        inputs=inputs,
        shape=(1, SIDE, SIDE),
    ),
    "CUT": System(
        package="ganforge-cut",
        recipe="cut",
        settings=(
            *TWO_SETS,
            "generator.blocks=5",
            "loss.patch-nce.channels=[4, 8, 8, 8]",
            "loss.patch-nce.size=4",
            "loss.patch-nce.patches=16",
        ),
        options={
            "generator/cut": {"width": 4, "blocks": 5},
            "discriminator/cut": {"width": 4},
            "loss/patch-nce": {"channels": [8, 16, 16, 16], "size": 4, "patches": 16},
        },
        data=two_sets,
        sample=FROM_INPUTS,
        inputs=inputs,
        shape=(1, SIDE, SIDE),
    ),
    "SRResNet": SRRESNET,
    "SRGAN": replace(
        SRRESNET,
        recipe="srgan",
        settings=(*SRRESNET.settings, "discriminator.width=2", "discriminator.hidden=4"),
    ),
    "forty attributes": System(
        package="ganforge-attributes",
        recipe="faces-by-attributes",
        settings=("dataset.root=faces", "dataset.size=8", "dataset.channels=1", *NARROW),
        data=faces,
        sample=("--condition", "attributes=" + ",".join(["1", "-1"] * (NUM_ATTRIBUTES // 2))),
        shape=(1, 8, 8),
        options={
            "dataset/faces": {"root": "faces"},
            "generator/attributes": {"width": 4},
            "discriminator/attributes": {"width": 4},
        },
    ),
    "StackGAN": System(
        package="ganforge-stackgan",
        recipe="stackgan-stage-1",
        settings=(
            "dataset.file=birds.npz",
            "dataset.size=8",
            "dataset.channels=1",
            "generator.code=3",
            "discriminator.code=3",
            *NARROW,
        ),
        data=captioned,
        sample=("--condition", "caption=wanted.npy"),
        inputs=captions,
        shape=(1, 8, 8),
        options={
            "dataset/captioned": {"file": "birds.npz", "size": 8, "channels": 1},
        },
    ),
    "SPADE": System(
        package="ganforge-spade",
        recipe="spade",
        settings=(
            "dataset.root=photographs",
            "dataset.maps=maps",
            f"dataset.classes={NUM_OF_MAP}",
            "dataset.size=8",
            "dataset.channels=1",
            "generator.hidden=4",
            *NARROW,
        ),
        data=segmented,
        sample=("--condition", "map=wanted.npy"),
        inputs=maps,
        shape=(1, 8, 8),
        options={
            "generator/spade": {"width": 4, "hidden": 8},
            "discriminator/spade": {"width": 4},
            "dataset/segmented": {
                "root": "photographs",
                "maps": "maps",
                "classes": NUM_OF_MAP,
                "size": 8,
                "channels": 1,
            },
        },
    ),
    "VAE-GAN": System(
        package="ganforge-vaegan",
        recipe="vae-gan",
        settings=(
            "dataset.root=pictures",
            "dataset.size=8",
            "dataset.channels=1",
            "sampler.size=4",
            "generator.hidden=8",
            "discriminator.hidden=8",
            *NARROW,
        ),
        data=pictures,
        shape=(1, 8, 8),
        options={
            "generator/vae": {"width": 4, "hidden": 16},
            "discriminator/vae-gan": {"width": 4, "hidden": 16},
        },
    ),
    "BiGAN": System(
        package="ganforge-bigan",
        recipe="bigan",
        settings=(
            "dataset.name=images",
            "dataset.root=pictures",
            "dataset.size=8",
            "dataset.channels=1",
            "sampler.size=4",
            "generator.hidden=8",
            "discriminator.hidden=8",
        ),
        data=pictures,
        shape=(1, 8, 8),
    ),
}
