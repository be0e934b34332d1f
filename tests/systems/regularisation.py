"""Penalties, regularisers and augmentations of the literature, as plugins."""

from __future__ import annotations

from pathlib import Path

from tests.systems.harness import System, write_images


def two_classes(folder: Path) -> None:
    for name in ("cats", "dogs"):
        write_images(folder / "pictures" / name, num=10)


PICTURES = ("dataset.root=pictures", "dataset.size=8", "dataset.channels=1")
NARROW = ("generator.width=2", "discriminator.width=2")

SYSTEMS: dict[str, System] = {
    "SNGAN with projection": System(
        package="ganforge-sngan",
        recipe="sngan",
        settings=(*PICTURES, *NARROW),
        data=two_classes,
        shape=(1, 8, 8),
    ),
}
