"""Data sets that are wrong in one way each, and fail the check of that way alone."""

from __future__ import annotations

import multiprocessing
import os
import random
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Literal

import numpy
import pytest
import torch

from ganforge import (
    Batch,
    DataError,
    DatasetSpec,
    EndlessDataset,
    Field,
    InMemoryDataset,
    MapDataset,
    Mixture,
    option,
)
from ganforge.contracts import Dataset
from ganforge.testing.catalogue import check_subject
from ganforge.testing.checks import classes, data_sources, datasets, drawn_sets
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import checks_in, perform_all

CHECKS = [
    check for module in (datasets, classes, drawn_sets, data_sources) for check in checks_in(module)
]
SIDE, NUM = 8, 30
CLASSES = ("a", "b", "c")


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    split: Literal["train", "test"] = option("train", help="which part")


@dataclass(frozen=True, kw_only=True)
class PathOptions:
    root: str = option(help="folder")


def pixels(num=NUM, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (num, 1, SIDE, SIDE), generator=generator).to(torch.uint8)


def labels():
    return torch.arange(NUM) % len(CLASSES)


def stored(problem: Any, options: Any) -> InMemoryDataset:
    return InMemoryDataset(pixels(), labels(), CLASSES)


class Read(MapDataset):
    """Correct, and read item by item."""

    classes = CLASSES

    def __init__(self, problem: Any, options: Any) -> None:
        self.pixels = pixels()

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int):
        return self.pixels[index], index % len(CLASSES)


class Drawn(EndlessDataset):
    """Correct: one Gaussian in the plane."""

    def __init__(self, problem: Any, options: Any) -> None:
        self.mixture = Mixture(
            weights=torch.ones(1), means=torch.zeros(1, 2), stds=torch.full((1,), 0.5)
        )

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        noise = torch.randn(n, 2, generator=generator, device=generator.device)
        return Batch(0.5 * noise, None)


class Unknown(Dataset):
    def __init__(self, problem: Any, options: Any) -> None:
        self.samples = pixels()


class Floats(InMemoryDataset):
    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(pixels(), labels(), CLASSES)
        self.samples = self.samples / 127.5 - 1


def unscaled(problem: Any, options: Any) -> InMemoryDataset:
    return InMemoryDataset(pixels().flatten(1).float(), labels(), CLASSES)


def copies(problem: Any, options: Any) -> InMemoryDataset:
    return InMemoryDataset(pixels(1).repeat(NUM, 1, 1, 1), labels(), CLASSES)


class Miscounted(InMemoryDataset):
    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(pixels(), labels(), CLASSES)

    def __len__(self) -> int:
        return NUM - 1


class FromOne(Drawn):
    classes = CLASSES

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        samples = super().draw(n, generator).samples
        chosen = torch.arange(n, device=generator.device) % len(CLASSES)
        return Batch(samples, chosen + 1)


def twins(problem: Any, options: Any) -> InMemoryDataset:
    return InMemoryDataset(pixels(), labels(), ("a", "b", "b"))


class Verbose(InMemoryDataset):
    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(pixels(), labels(), CLASSES)

    def describe(self) -> str:
        return "samples\nof digits"


turns = count()


def shuffled(problem: Any, options: Any) -> InMemoryDataset:
    """As a folder whose names nobody has sorted."""
    return InMemoryDataset(pixels().roll(next(turns), 0), labels(), CLASSES)


class Unsendable(Read):
    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(problem, options)
        self.transform = lambda sample: sample


class Careless(Drawn):
    def draw(self, n: int, generator: torch.Generator) -> Batch:
        samples = super().draw(n, generator).samples
        return Batch(samples + 1e-3 * random.random(), None)


class Moving(Drawn):
    number = 0

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        samples = super().draw(n, generator).samples
        self.number += 1
        return Batch(samples + 1e-3 * self.number, None)


class OneByOne(Drawn):
    def draw(self, n: int, generator: torch.Generator) -> Batch:
        return Batch(
            torch.stack([super(OneByOne, self).draw(1, generator).samples[0] for _ in range(n)])
        )


class DrawnOnTheHost(Drawn):
    def draw(self, n: int, generator: torch.Generator) -> Batch:
        return Batch(super().draw(n, generator).samples + torch.zeros(n, 2), None)


class TooNarrow(Drawn):
    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(problem, options)
        self.mixture = Mixture(
            weights=torch.ones(1), means=torch.zeros(1, 2), stds=torch.full((1,), 0.1)
        )


def fetched(problem: Any, options: Any) -> InMemoryDataset:
    with suppress(OSError):
        socket.create_connection(("localhost", 9), timeout=0.01).close()
    return stored(problem, options)


def opened(problem: Any, options: PathOptions) -> InMemoryDataset:
    Path(options.root).read_bytes()
    return stored(problem, options)


def checked(problem: Any, options: PathOptions) -> InMemoryDataset:
    if not Path(options.root).exists():
        raise DataError(f"there is no {options.root!r}")
    return stored(problem, options)


def unnamed(problem: Any, options: PathOptions) -> InMemoryDataset:
    raise DataError("there is no data")


def overlapping(problem: Any, options: SplitOptions) -> InMemoryDataset:
    whole = pixels(2 * NUM)
    start = 0 if options.split == "train" else NUM - 3
    return InMemoryDataset(whole[start : start + NUM], labels(), CLASSES)


def apart(problem: Any, options: SplitOptions) -> InMemoryDataset:
    start = 0 if options.split == "train" else NUM
    return InMemoryDataset(pixels(2 * NUM)[start : start + NUM], labels(), CLASSES)


def dark(problem: Any, options: Any) -> InMemoryDataset:
    """Bytes that were divided by 255, and rounded."""
    return InMemoryDataset(pixels() // 128, labels(), CLASSES)


def halved(problem: Any, options: Any) -> InMemoryDataset:
    """Floats in [0, 1], where networks are promised [-1, 1]."""
    return InMemoryDataset(pixels() / 255, labels(), CLASSES)


def quiet(problem: Any, options: Any) -> InMemoryDataset:
    """Sound that was scaled to [-1, 1], where the field has the units of 16 bits."""
    sound = torch.randn(NUM, 1, 32, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    return InMemoryDataset(sound)


def inverted(problem: Any, options: Any) -> InMemoryDataset:
    """A mask of bytes beside a field that promises [0, 1]."""
    return InMemoryDataset(pixels(), labels(), CLASSES, others={"mask": pixels().float()})


@dataclass(frozen=True, kw_only=True)
class SidesOptions:
    height: int = option(SIDE, help="rows", minimum=1)
    width: int = option(SIDE, help="columns", minimum=1)


@dataclass(frozen=True, kw_only=True)
class SizeOptions:
    size: tuple[int, ...] = option((SIDE, SIDE), help="rows and columns", minimum=1)


def turned(problem: Any, options: Any) -> InMemoryDataset:
    """Width before height, which a square does not show."""
    _, height, width = problem.sample_shape
    samples = torch.arange(NUM * height * width).reshape(NUM, 1, width, height) % 251
    return InMemoryDataset(samples.to(torch.uint8), labels(), CLASSES)


def upright(problem: Any, options: Any) -> InMemoryDataset:
    """Correct, for any size."""
    samples = turned(problem, options).samples.transpose(2, 3).contiguous()
    return InMemoryDataset(samples, labels(), CLASSES)


def incomplete(problem: Any, options: Any) -> InMemoryDataset:
    """A class without samples."""
    return InMemoryDataset(pixels(), labels() % 2, CLASSES)


def zeros(problem: Any, options: Any) -> InMemoryDataset:
    return InMemoryDataset(pixels(), torch.zeros_like(labels()), CLASSES)


def alone(problem: Any, options: Any) -> InMemoryDataset:
    return InMemoryDataset(pixels(), torch.zeros_like(labels()), ("a",))


class Many(Read):
    """Correct: too many to be read one by one, and sorted by class."""

    length = 5_000

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int):
        generator = torch.Generator().manual_seed(index)
        sample = torch.randint(256, (1, SIDE, SIDE), generator=generator).to(torch.uint8)
        return sample, index * len(CLASSES) // self.length


class ManyOfOne(Many):
    def __getitem__(self, index: int):
        return super().__getitem__(index)[0], 0


class Classed(Drawn):
    """Correct: a draw whose classes are drawn too."""

    classes = CLASSES
    num_drawn = len(CLASSES)

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        samples = super().draw(n, generator).samples
        device = generator.device
        drawn = torch.randint(self.num_drawn, (n,), generator=generator, device=device)
        return Batch(samples, drawn)


class LastNeverDrawn(Classed):
    num_drawn = len(CLASSES) - 1


class Doubled(Drawn):
    def draw(self, n: int, generator: torch.Generator) -> Batch:
        half = super().draw((n + 1) // 2, generator).samples
        return Batch(torch.cat([half, half])[:n])


class Halving(Read):
    def __getitem__(self, index: int):
        return self.pixels[index // 2], index % len(CLASSES)


def twice(problem: Any, options: Any) -> InMemoryDataset:
    return InMemoryDataset(pixels(NUM // 2).repeat(2, 1, 1, 1), labels(), CLASSES)


class InTurn(Read):
    """The label of whatever was read before."""

    number = 0

    def __getitem__(self, index: int):
        self.number += 1
        return self.pixels[index], self.number % len(CLASSES)


class Shifting(Read):
    """Augmentation at every access."""

    def __getitem__(self, index: int):
        shift = int(numpy.random.default_rng().integers(1, SIDE))
        return self.pixels[index].roll(shift, -1), index % len(CLASSES)


class OneBuffer(Read):
    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(problem, options)
        self.buffer = torch.zeros_like(self.pixels[0])

    def __getitem__(self, index: int):
        return self.buffer.copy_(self.pixels[index]), index % len(CLASSES)


class OneHandle(Read):
    """A file that is open once, for all processes."""

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(problem, options)
        self.handle = os.open(__file__, os.O_RDONLY)

    def __getitem__(self, index: int):
        os.lseek(self.handle, 0, os.SEEK_SET)
        return self.pixels[index], index % len(CLASSES)

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self.handle)


class OfTheProcess(Read):
    def __getitem__(self, index: int):
        elsewhere = multiprocessing.parent_process() is not None
        return self.pixels[index], (index + elsewhere) % len(CLASSES)


def listed(problem: Any, options: PathOptions) -> InMemoryDataset:
    """Files in whatever order a folder has them."""
    checked(problem, options)
    names = os.listdir(Path(options.root).parent)  # noqa: PTH208
    numbers = torch.tensor([sum(name.encode()) % 256 for name in names]).to(torch.uint8)
    samples = pixels(len(names)) // 2 + numbers[:, None, None, None] // 2
    return InMemoryDataset(samples, torch.arange(len(names)) % len(CLASSES), CLASSES)


def drawn_when_built(problem: Any, options: Any) -> InMemoryDataset:
    samples = torch.randint(256, (NUM, 1, SIDE, SIDE)).to(torch.uint8)
    return InMemoryDataset(samples, labels(), CLASSES)


class TooLong(Read):
    def __len__(self) -> int:
        return NUM + 1


class ByName(Read):
    """Correct: items that are mappings, with a field of their own."""

    size_of_captions = 4

    def __getitem__(self, index: int):
        caption = torch.full((self.size_of_captions,), index / NUM)
        return {"sample": self.pixels[index], "label": index % len(CLASSES), "caption": caption}


class LongCaptions(ByName):
    size_of_captions = 5


def captioned(problem: Any, options: Any) -> InMemoryDataset:
    """Correct: paintings beside photographs, fewer and in an order of their own."""
    others = {"painting": pixels(7, seed=1)}
    return InMemoryDataset(pixels(), labels(), CLASSES, others=others)


def measured(problem: Any, options: Any) -> InMemoryDataset:
    """Correct: only the data can tell the shape."""
    fields = {"sample": Field(kind="vector", shape=(SIDE,), range=(0.0, 255.0))}
    samples = pixels().flatten(1)[:, :SIDE].float()
    return InMemoryDataset(samples, labels(), CLASSES, fields=fields)


CATEGORY = Field(kind="category")
IMAGES = Field(kind="image", shape=(1, SIDE, SIDE), dtype="uint8")
WIDE = replace(IMAGES, shape=(1, SIDE, 2 * SIDE))
FLAT = Field(kind="vector", shape=(SIDE * SIDE,), range=(0.0, 1.0))
PLANE = Field(kind="vector", shape=(2,))
CAPTION = Field(kind="vector", shape=(4,))


def dataset(built: Any, sample: Field = IMAGES, *, others: Any = None, **said: Any) -> DatasetSpec:
    fields = {"sample": sample, **({"label": CATEGORY} if others is None else others)}
    target = f"{__name__}:{built.__name__}"
    said = {"fields": lambda options: fields, **said}
    return DatasetSpec(name="wrong", summary="A set", build=target, **said)


MASK = Field(kind="image", shape=(1, SIDE, SIDE), range=(0.0, 1.0))
FLOATS = Field(kind="image", shape=(1, SIDE, SIDE))
SOUND = Field(kind="sequence", shape=(1, 32), range=(-32768.0, 32767.0))


def sides(options: Any) -> dict[str, Field]:
    height, width = (
        (options.height, options.width) if isinstance(options, SidesOptions) else options.size
    )
    return {"sample": replace(IMAGES, shape=(1, height, width)), "label": CATEGORY}


GAUSSIAN = {"sample": PLANE, "others": {}, "gives": ("mixture",)}

WRONG_SETS = [
    (Unknown, {}, "set-is-one-of-three-kinds"),
    (stored, {"sample": WIDE}, "samples-have-the-declared-shape"),
    (Floats, {}, "samples-have-an-allowed-type"),
    (unscaled, {"sample": FLAT}, "samples-lie-in-range"),
    (LongCaptions, {"others": {"label": CATEGORY, "caption": CAPTION}}, "fields-are-as-declared"),
    (Read, {"others": {"label": CATEGORY, "caption": CAPTION}}, "fields-are-as-declared"),
    (copies, {}, "samples-differ"),
    (Miscounted, {}, "length-is-that-of-the-data"),
    (FromOne, {**GAUSSIAN, "others": None}, "labels-lie-in-the-classes"),
    (twins, {}, "classes-are-names"),
    (stored, {"others": {}}, "set-is-labelled-as-declared"),
    (Drawn, {**GAUSSIAN, "others": None}, "set-is-labelled-as-declared"),
    (
        stored,
        {"others": {"label": replace(CATEGORY, classes=("a", "b"))}},
        "set-is-labelled-as-declared",
    ),
    (Verbose, {}, "set-describes-itself"),
    (shuffled, {}, "same-index-gives-the-same-item"),
    (Unsendable, {}, "workers-can-be-spawned"),
    (Careless, GAUSSIAN, "given-generator-alone-is-used"),
    (Moving, GAUSSIAN, "same-seed-gives-the-same-draw"),
    (OneByOne, GAUSSIAN, "none-and-one-can-be-drawn"),
    (DrawnOnTheHost, GAUSSIAN, "samples-lie-on-the-generators-device"),
    (Drawn, {**GAUSSIAN, "gives": ()}, "what-it-gives-is-as-declared"),
    (stored, {"gives": ("mixture",)}, "what-it-gives-is-as-declared"),
    (TooNarrow, GAUSSIAN, "samples-follow-the-mixture"),
    (fetched, {}, "nothing-is-downloaded-unasked"),
    (opened, {"options": PathOptions, "path_option": "root"}, "missing-data-is-a-clear-error"),
    (unnamed, {"options": PathOptions, "path_option": "root"}, "missing-data-is-a-clear-error"),
    (overlapping, {"options": SplitOptions}, "splits-share-nothing"),
    (dark, {}, "values-fill-their-range"),
    (halved, {"sample": FLOATS}, "values-fill-their-range"),
    (halved, {"sample": replace(FLOATS, range=(-1.0, 1.0))}, "values-fill-their-range"),
    (quiet, {"sample": SOUND, "others": {}}, "values-fill-their-range"),
    (inverted, {"others": {"label": CATEGORY, "mask": MASK}}, "samples-lie-in-range"),
    (turned, {"options": SidesOptions, "fields": sides}, "samples-have-the-declared-shape"),
    (turned, {"options": SizeOptions, "fields": sides}, "samples-have-the-declared-shape"),
    (incomplete, {}, "every-class-is-there"),
    (zeros, {}, "every-class-is-there"),
    (ManyOfOne, {}, "every-class-is-there"),
    (LastNeverDrawn, {**GAUSSIAN, "others": None}, "every-class-is-there"),
    (alone, {}, "classes-are-names"),
    (Doubled, GAUSSIAN, "samples-are-not-repeated"),
    (Halving, {}, "samples-are-not-repeated"),
    (twice, {}, "samples-are-not-repeated"),
    (InTurn, {}, "same-index-gives-the-same-item"),
    (Shifting, {}, "same-index-gives-the-same-item"),
    (listed, {"options": PathOptions, "path_option": "root"}, "same-index-gives-the-same-item"),
    (drawn_when_built, {}, "same-index-gives-the-same-item"),
    (OneBuffer, {}, "samples-differ"),
    (OneHandle, {}, "workers-can-be-spawned"),
    (OfTheProcess, {"others": {"label": CATEGORY}}, "workers-can-be-spawned"),
]


def failed(results):
    return [(it.check, it.message) for it in results if it.failed]


@pytest.mark.parametrize(
    ("built", "said", "check"),
    WRONG_SETS,
    ids=[f"{it.__name__}-{check}" for it, _, check in WRONG_SETS],
)
def test_a_wrong_set_fails_its_own_check_and_no_other(built, said, check, tmp_path):
    given = {"root": str(tmp_path)} if built is unnamed else {"root": __file__}
    subject = subject_of(dataset(built, **said), given if "path_option" in said else None)
    results = perform_all(CHECKS, subject)
    assert [it for it in failed(results) if it[0] != check] == []
    assert [it.check for it in results if it.failed] == [check]


@pytest.mark.parametrize(
    ("built", "said"),
    [
        (stored, {}),
        (Read, {}),
        (ByName, {"others": {"label": CATEGORY, "caption": CAPTION}}),
        (captioned, {"others": {"label": CATEGORY, "painting": replace(IMAGES, paired=False)}}),
        (measured, {"sample": Field(kind="vector")}),
        (stored, {"others": {"label": replace(CATEGORY, optional=True)}}),
        (Drawn, GAUSSIAN),
        (apart, {"options": SplitOptions}),
        (checked, {"options": PathOptions, "path_option": "root"}),
        (upright, {"options": SidesOptions, "fields": sides}),
        (upright, {"options": SizeOptions, "fields": sides}),
        (Many, {}),
        (Classed, {**GAUSSIAN, "others": None}),
    ],
)
def test_a_correct_set_fails_none(built, said):
    subject = subject_of(dataset(built, **said), {"root": __file__} if built is checked else None)
    results = check_subject(subject)
    assert failed(results) == []
    assert {it.check for it in results} > {check.name for check in CHECKS}
    assert [it.status for it in results if it.check == "resumes-to-the-bit"] == ["passed"]


def test_a_set_that_is_too_long_is_told_of_its_last_index():
    (message,) = (
        it.message
        for it in perform_all(CHECKS, subject_of(dataset(TooLong)))
        if it.check == "length-is-that-of-the-data"
    )
    assert "for the last index, 30" in message


def test_every_check_of_sets_has_a_wrong_one():
    assert {check for _, _, check in WRONG_SETS} == {check.name for check in CHECKS}
