"""The manifest of a data set, for each kind of set, and what of two is told apart."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from ganforge.contracts import Batch, EndlessDataset, FileRecord, InMemoryDataset, MapDataset
from ganforge.contracts.datasets import StreamDataset
from ganforge.data import manifest
from ganforge.data.comparing import differences, moved_classes
from ganforge.data.manifest import Manifest, take_manifest
from ganforge.plugin.fields import Field

IMAGES = {"sample": Field(kind="image", shape=(1, 2, 2), dtype="uint8")}
LABELLED = IMAGES | {"label": Field(kind="category", classes=("a", "b"))}
VECTORS = {"sample": Field(kind="vector", shape=(3,))}


def pictures(num: int = 300) -> Tensor:
    return torch.arange(num * 4).remainder(251).to(torch.uint8).view(num, 1, 2, 2)


class Items(MapDataset):
    def __init__(self, values: Tensor, labels: Tensor, *, named: bool) -> None:
        self.values, self.labels, self.named = values, labels, named
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> Mapping[str, Tensor | int] | tuple[Tensor, int]:
        self.asked.append(index)
        if self.named:
            return {"sample": self.values[index], "label": int(self.labels[index])}
        return self.values[index], int(self.labels[index])


class Files(InMemoryDataset):
    def __init__(self, records: Mapping[str, FileRecord]) -> None:
        super().__init__(pictures(len(records)))
        self.records = records

    def file_records(self) -> Mapping[str, FileRecord]:
        return self.records


def test_a_set_in_memory_is_looked_at_in_256_places() -> None:
    labels = torch.arange(300) % 2
    taken = take_manifest(InMemoryDataset(pictures(), labels, ("a", "b")), LABELLED)
    assert (taken.num_samples, taken.classes) == (300, {"label": ("a", "b")})
    assert {name: len(it) for name, it in taken.marks.items()} == {"sample": 256, "label": 256}
    other = take_manifest(InMemoryDataset(pictures(), 1 - labels, ("a", "b")), LABELLED)
    assert differences(taken, other) == [
        "256 of 256 values of 'label' that were compared are others"
    ]
    # The numbers are others, and mean the same.
    renumbered = LABELLED | {"label": Field(kind="category", classes=("b", "a"))}
    same = take_manifest(InMemoryDataset(pictures(), 1 - labels, ("b", "a")), renumbered)
    assert differences(taken, same) == []


@pytest.mark.parametrize("named", [True, False])
def test_of_a_set_that_is_read_16_items_are(named: bool) -> None:
    labels = torch.arange(1000) % 2
    items = Items(pictures(1000), labels, named=named)
    taken = take_manifest(items, LABELLED)
    assert len(items.asked) == 16
    assert items.asked[-1] > 900
    values = pictures(1000)
    values[items.asked[3]] = 255
    changed = take_manifest(Items(values, labels, named=named), LABELLED)
    assert differences(taken, changed) == [
        "1 of 16 values of 'sample' that were compared are others"
    ]


def test_floats_are_compared_as_far_as_machines_agree() -> None:
    values = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    taken = take_manifest(InMemoryDataset(values), VECTORS)
    near = take_manifest(InMemoryDataset(values + 1e-6), VECTORS)
    other = take_manifest(InMemoryDataset(values * 1.1), VECTORS)
    assert differences(taken, near) == []
    assert differences(taken, other) == [
        "40 of 40 values of 'sample' that were compared are others"
    ]


def test_an_endless_set_is_drawn_from_where_it_gives_whole_numbers() -> None:
    class Drawn(EndlessDataset):
        def __init__(self, shift: int) -> None:
            self.shift = shift

        def draw(self, n: int, generator: torch.Generator) -> Batch:
            drawn = torch.randint(0, 100, (n, 1, 2, 2), generator=generator) + self.shift
            return Batch(drawn.to(torch.uint8))

    class Normal(EndlessDataset):
        def draw(self, n: int, generator: torch.Generator) -> Batch:
            return Batch(torch.randn(n, 3, generator=generator))

    taken = take_manifest(Drawn(0), IMAGES)
    assert taken.num_samples is None
    assert differences(taken, take_manifest(Drawn(0), IMAGES)) == []
    assert differences(taken, take_manifest(Drawn(1), IMAGES)) == [
        "16 of 16 values of 'sample' that were compared are others"
    ]
    assert take_manifest(Normal(), VECTORS).marks == {"sample": []}


def test_a_stream_is_left_alone() -> None:
    class Stream(StreamDataset):
        def __iter__(self):
            raise AssertionError("its beginning may be anywhere")

    assert take_manifest(Stream(), VECTORS).marks == {"sample": []}


def test_a_manifest_is_a_document() -> None:
    records = {"a/\udcff.png": FileRecord(3, 7, "a"), "b.png": FileRecord(4, 8)}
    for dataset, fields in (
        (Files(records), IMAGES),
        (InMemoryDataset(pictures(), torch.arange(300) % 2, ("a", "b")), LABELLED),
        (InMemoryDataset(torch.randn(4, 3)), VECTORS),
    ):
        taken = take_manifest(dataset, fields)
        again = Manifest.from_json(json.loads(json.dumps(taken.to_json())))
        assert differences(taken, again) == []
        assert again.digest == taken.digest
        assert len(taken.digest) == 32


def test_of_very_many_files_a_digest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "MOST_FILES", 2)
    records = {f"{n}.png": FileRecord(3, n) for n in range(3)}
    taken = take_manifest(Files(records), IMAGES)
    assert taken.files == {}
    assert differences(taken, take_manifest(Files(records), IMAGES)) == []
    records["0.png"] = FileRecord(3, 9)
    other = take_manifest(Files(records), IMAGES)
    assert differences(taken, other) == ["its files are others (3 in place of 3)"]


def test_classes_have_moved_where_most_of_their_files_have() -> None:
    def manifest_of(*labels: str, content: int = 0) -> Manifest:
        records = {f"{it}/{n}.png": FileRecord(3, content or n, it) for n, it in enumerate(labels)}
        return take_manifest(Files(records), IMAGES)

    before = manifest_of("a", "a", "a", "b", "b")
    assert moved_classes(before, manifest_of("a", "a", "b", "b", "b")) == []
    assert moved_classes(before, manifest_of("b", "b", "a", "b", "b")) == [
        "2 of 3 files of 'a' are 'b' now"
    ]
    # A new name is no class that they could be taken for.
    assert moved_classes(before, manifest_of("c", "c", "c", "b", "b")) == []
    # Of files that are all alike none can be followed.
    alike = [manifest_of(*labels, content=5) for labels in ("aab", "bba")]
    assert moved_classes(*alike) == []
