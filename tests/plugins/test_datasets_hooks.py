"""What the bundled data sets say of themselves, before anything is loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ganforge_datasets
import ganforge_images
from ganforge import DatasetSpec, Field
from ganforge.plugin.options import describe, parse

SPECS: dict[str, DatasetSpec] = {
    spec.name: spec
    for plugin in (ganforge_datasets, ganforge_images)
    for spec in plugin.ganforge_datasets()
}


def options_of(name: str, **given: object) -> Any:
    options, complaints = parse(SPECS[name].options, given)
    assert complaints == {}
    return options


def test_the_names() -> None:
    torchvision = ["mnist", "fashion-mnist", "kmnist", "cifar10"]
    of_programs, stacked = ["python"], ["stacked-mnist", "stacked-digits"]
    images = ["images", "image-pairs"]
    assert list(SPECS) == ["digits", *torchvision, *of_programs, *stacked, *images]


def test_listing_and_checking_import_nothing_heavy(tmp_path: Path) -> None:
    program = """
import json, sys
import ganforge_datasets, ganforge_images
from ganforge import DataError
for spec in [*ganforge_datasets.ganforge_datasets(), *ganforge_images.ganforge_datasets()]:
    given = {"root": sys.argv[1]} if "root" in spec.options.__dataclass_fields__ else {}
    if spec.handed_over:
        given["fields"] = '{"sample": {"kind": "vector", "shape": [2]}}'
    if spec.name == "image-pairs":
        given["source"] = sys.argv[1]
    options = spec.options(**given)
    spec.fields(options)
    if spec.check_available is not None:
        try:
            spec.check_available(options)
        except DataError:
            pass
heavy = {"torch", "torchvision", "numpy", "PIL"}
print(json.dumps(sorted(heavy & {name.partition(".")[0] for name in sys.modules})))
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == []


@pytest.mark.parametrize(
    ("name", "given", "shape"),
    [
        ("digits", {}, (1, 16, 16)),
        ("digits", {"size": 8}, (1, 8, 8)),
        ("mnist", {"size": 28}, (1, 28, 28)),
        ("fashion-mnist", {}, (1, 28, 28)),
        ("kmnist", {}, (1, 28, 28)),
        ("cifar10", {"size": 64}, (3, 64, 64)),
        ("images", {"root": "x"}, (3, 64, 64)),
        ("images", {"root": "x", "size": 48, "height": 96, "channels": 1}, (1, 96, 48)),
    ],
)
def test_the_options_give_the_fields(
    name: str, given: dict[str, object], shape: tuple[int, ...]
) -> None:
    """Images of bytes, and labels; a folder of images may turn out to have none."""
    assert SPECS[name].fields(options_of(name, **given)) == {
        "sample": Field(kind="image", shape=shape, dtype="uint8"),
        "label": Field(kind="category", optional=name == "images"),
    }


@pytest.mark.parametrize(
    ("given", "channels", "paired"),
    [
        ({"source": "y"}, 3, True),
        ({"source": "y", "channels": 1}, 1, True),
        ({"source": "y", "channels": 1, "source_channels": 3}, 3, True),
        ({"split": "left", "source_channels": 1}, 1, True),
        ({"source": "y", "pairing": "none"}, 3, False),
    ],
)
def test_pairs_have_a_source_of_the_size_of_the_samples(
    given: dict[str, object], channels: int, paired: bool
) -> None:
    options = options_of("image-pairs", root="x", size=48, height=96, **given)
    fields = SPECS["image-pairs"].fields(options)
    assert fields == {
        "sample": Field(kind="image", shape=(options.channels, 96, 48), dtype="uint8"),
        "source": Field(kind="image", shape=(channels, 96, 48), dtype="uint8", paired=paired),
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "source must be given: a folder or zip file of inputs; or split, where each picture"),
        ({"source": "y", "split": "left"}, "source and split exclude each other"),
        ({"split": "left", "pairing": "none"}, "pairing = none is for two sets, and split gives"),
    ],
)
def test_pairs_say_where_the_sources_are(given: dict[str, object], message: str) -> None:
    options, complaints = parse(SPECS["image-pairs"].options, {"root": "x", **given})
    assert options is None
    assert complaints[""].startswith(message)


def test_options_that_leave_the_samples_alone_are_mutable() -> None:
    mutable = {
        name: [field.name for field in describe(spec.options) if field.mutable]
        for name, spec in SPECS.items()
    }
    assert mutable["digits"] == []
    assert mutable["mnist"] == mutable["cifar10"] == ["root", "download"]
    assert mutable["images"] == ["root", "memory_limit"]
    assert mutable["image-pairs"] == ["root", "memory_limit", "source"]


def test_a_path_on_the_command_line_is_the_root_of_images() -> None:
    assert {name: spec.path_option for name, spec in SPECS.items() if spec.path_option} == {
        "images": "root"
    }


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "root"),
        ({"root": "x", "fit": "squeeze"}, "fit"),
        ({"root": "x", "background": [0, 0, 256]}, "background"),
        ({"root": "x", "max_pixels": 10**9}, "max_pixels"),
        ({"root": "x", "size": 0}, "size"),
    ],
)
def test_options_out_of_range_are_named(given: dict[str, object], named: str) -> None:
    assert list(parse(SPECS["images"].options, given)[1]) == [named]


def test_two_channels_are_refused() -> None:
    _, complaints = parse(SPECS["images"].options, {"root": "x", "channels": 2})
    assert complaints == {"channels": "2 is not allowed: one of 1 and 3"}
