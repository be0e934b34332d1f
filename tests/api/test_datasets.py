"""Data of one's own: what it is taken for, and what it says where it could be several things."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import Dataset, IterableDataset, TensorDataset

import ganforge
from ganforge.contracts import InMemoryDataset
from ganforge.data.batches import open_batches
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness

from .conftest import Train
from .test_training import assert_same_weights, stop_after

CPU = torch.device("cpu")


def first_batch(data: Any, size: int = 4) -> ganforge.Batch:
    """The first batch of data, as networks see it."""
    batches = open_batches(
        data.dataset,
        data.fields,
        batch_size=size,
        execution=Execution(device=CPU),
        randomness=Randomness(0, CPU),
        num_workers=0,
    )
    return batches.batch(0)


class Pairs(Dataset[Any]):
    """A map-style data set of pictures and labels, as those of torchvision."""

    classes = ("even", "odd")

    def __len__(self) -> int:
        return 20

    def __getitem__(self, number: int) -> tuple[Image.Image, int]:
        return Image.new("L", (8, 8), number * 10), number % 2


class Named(Pairs):
    """Items by name."""

    def __getitem__(self, number: int) -> dict[str, Any]:  # type: ignore[override]
        picture, label = super().__getitem__(number)
        return {
            "sample": numpy.asarray(picture)[None],
            "label": self.classes[label],
            "age": torch.tensor([float(number)]),
        }


class Endless(IterableDataset[Any]):
    """An endless stream of vectors."""

    def __iter__(self) -> Iterator[tuple[torch.Tensor, int]]:
        number = 0
        while True:
            yield torch.tensor([number / 100, 1.0]), number % 2
            number += 1


SHAPES = {1: "vector", 2: "sequence", 3: "image", 4: "video"}


@settings(max_examples=60, deadline=None)
@given(
    rank=st.integers(1, 4),
    num=st.integers(1, 5),
    side=st.integers(1, 4),
    dtype=st.sampled_from(["uint8", "float16", "float32", "float64", "int32", "int64", ">f4"]),
    as_tensor=st.booleans(),
)
def test_arrays_of_any_shape_and_type_are_what_their_rank_says(
    rank: int, num: int, side: int, dtype: str, as_tensor: bool
) -> None:
    values = numpy.arange(num * side**rank).reshape(num, *[side] * rank) % 200
    values = values.astype(dtype)
    kind = SHAPES[rank]
    said: dict[str, Any] = {"kind": kind}
    if kind in ("image", "video"):
        said["range"] = (0, 255)
    source = torch.from_numpy(values) if as_tensor and dtype != ">f4" else values
    data = ganforge.dataset(source, **said)
    field = data.fields["sample"]
    assert (field.kind, field.shape) == (kind, tuple(values.shape[1:]))
    assert len(data) == num
    batch = first_batch(data)
    assert batch.samples.dtype == torch.float32
    expected = torch.from_numpy(values.astype("float32"))
    if kind in ("image", "video"):
        assert field.dtype == ("uint8" if dtype == "uint8" else "float32")
        expected = expected / 127.5 - 1
        assert batch.samples.abs().max() <= 1
    assert batch.samples.double().min() >= expected.double().min() - 1e-5
    assert batch.samples.double().max() <= expected.double().max() + 1e-5


def test_values_that_are_as_networks_see_them_stay() -> None:
    samples = torch.rand(6, 1, 4, 4) * 2 - 1
    batch = first_batch(ganforge.dataset(samples), size=6)
    assert torch.equal(batch.samples.sort(0).values, samples.sort(0).values)
    points = torch.randn(6, 2) * 50
    assert torch.equal(
        first_batch(ganforge.dataset(points), size=6).samples.sort(0).values, points.sort(0).values
    )


@pytest.mark.parametrize(
    ("source", "said", "message"),
    [
        (torch.rand(4, 1, 8, 8), {}, "say what is black and what is white, such as range=(0, 1)"),
        (torch.rand(4, 1, 8, 8) * 255, {}, "such as range=(0, 255), or range=(-1, 1)"),
        (torch.rand(4, 1, 8, 8) * 9, {"range": (0, 1)}, "and range=(0, 1) does not hold them"),
        (torch.rand(4, 1, 8, 8), {"range": (1, 0)}, "(1, 0) does not hold them"),
        (torch.zeros(4, 32, 32, 3, dtype=torch.uint8), {}, "looks as if its channels came last"),
        (torch.zeros(4, 28, 28, dtype=torch.uint8), {}, "grey images are [N, 1, H, W]"),
        (torch.full((4, 2), float("nan")), {}, "sample has 8 values that are not finite"),
        (torch.zeros(4), {}, "sample has one number for each sample"),
        (torch.zeros(4, 1, 1, 1, 1, 1), {}, "no kind of field has values of that rank"),
        (
            torch.zeros(4, 3, 8),
            {"kind": "image", "range": (0, 1)},
            "the shape of a field of kind image is like",
        ),
        (torch.zeros(0, 2), {}, "the data has no samples"),
        (numpy.array(["a", "b"]), {}, "sample is no array of numbers"),
        (torch.zeros(4, 2), {"classes": ["a"]}, "classes= are names of labels"),
        (torch.zeros(4, 2), {"labels": [0, 1]}, "'label' has 2 values for 4 samples"),
        (torch.zeros(4, 2), {"labels": [0, 1, 2, -1]}, "label has the number -1"),
        (torch.zeros(4, 2), {"labels": [0.5] * 4}, "label must be whole numbers [N] or names"),
        (torch.zeros(2, 2), {"labels": [0, 2], "classes": "ab"}, "label has the number 2"),
        (torch.zeros(2, 2), {"labels": ["a", "c"], "classes": "ab"}, "which is none of classes"),
        (torch.zeros(2, 2), {"labels": [0, 1], "classes": "aa"}, "two classes have the same name"),
        (torch.zeros(2, 2), {"conditions": {"age": [1.0]}}, "'age' has 1 values for 2 samples"),
        ({"samples": torch.zeros(2, 2)}, {}, "has no 'sample' among its fields"),
        ({1: 2}, {}, "has no 'sample' among its fields"),
        (iter([1, 2]), {}, "give a function that makes it"),
        (Pairs(), {"labels": [1] * 20}, "label beside Pairs"),
        ([], {}, "the data has no samples"),
        (list, {}, "the data has no samples"),
        ([torch.zeros(2), torch.zeros(3)], {}, "'sample' has several shapes ([2], [3])"),
        ([(torch.zeros(2), 2, 3)], {}, "item 0 has 3 values: give (sample, label)"),
        ([{"picture": torch.zeros(2)}], {}, "item 0 has no 'sample' among its values by name"),
        (object(), {}, "object is no data"),
        ("text", {}, "str is no data"),
        (
            torch.zeros(2, 2),
            {"fields": {"sample": ganforge.Field(kind="vector", shape=(3,))}},
            "its field says [3]",
        ),
    ],
)
def test_what_could_mean_several_things_says_how_to_tell(
    source: Any, said: dict[str, Any], message: str
) -> None:
    with pytest.raises(ganforge.UsageError) as caught:
        ganforge.dataset(source, **said)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "classes", "names", "numbers"),
    [
        ([2, 0, 1], None, ("0", "1", "2"), [2, 0, 1]),
        (numpy.array([1, 0, 1], dtype=numpy.uint8), None, ("0", "1"), [1, 0, 1]),
        (torch.tensor([[1], [0], [1]]), ["x", "y"], ("x", "y"), [1, 0, 1]),
        (["b10", "b9", "b10"], None, ("b9", "b10"), [1, 0, 1]),
        (numpy.array(["u", "v", "u"]), ["v", "u"], ("v", "u"), [1, 0, 1]),
        ((0, 1, 0), [3, 7], ("3", "7"), [0, 1, 0]),
    ],
)
def test_labels_are_numbers_or_names(
    labels: Any, classes: Any, names: tuple[str, ...], numbers: list[int]
) -> None:
    data = ganforge.dataset(torch.zeros(3, 2), labels, classes=classes)
    assert data.fields["label"].classes == names
    assert isinstance(data.dataset, InMemoryDataset)
    assert data.dataset.labels is not None
    assert data.dataset.labels.tolist() == numbers
    assert data.dataset.classes == names


def test_other_fields_go_by_name() -> None:
    data = ganforge.dataset(
        {
            "sample": torch.zeros(3, 2),
            "mask": torch.zeros(3, 1, 4, 4, dtype=torch.uint8),
            "age": [20.0, 30.0, 40.0],
            "kind": torch.tensor([0, 2, 1]),
        },
        conditions={"text": torch.zeros(3, 7)},
    )
    found = {name: (field.kind, field.shape) for name, field in data.fields.items()}
    assert found == {
        "sample": ("vector", (2,)),
        "mask": ("image", (1, 4, 4)),
        "age": ("vector", (1,)),
        "kind": ("category", ()),
        "text": ("vector", (7,)),
    }
    assert first_batch(data, 3).others["mask"].unique().tolist() == [-1.0]


LISTED = [Pairs()[number] for number in range(20)]


@pytest.mark.parametrize("source", [Pairs(), LISTED], ids=["map-style", "list"])
def test_items_are_read_by_number(source: Any) -> None:
    said = {} if isinstance(source, Pairs) else {"classes": Pairs.classes}
    data = ganforge.dataset(source, **said)
    assert data.fields["sample"] == ganforge.Field(kind="image", shape=(1, 8, 8), dtype="uint8")
    assert data.fields["label"].classes == ("even", "odd")
    assert len(data) == 20
    batch = first_batch(data, 20)
    assert batch.labels is not None
    numbers = (batch.samples[:, 0, 0, 0] * 127.5 + 127.5).round() // 10
    assert torch.equal(batch.labels, numbers.long() % 2)


def test_items_can_have_values_by_name() -> None:
    data = ganforge.dataset(Named())
    assert [*data.fields] == ["sample", "label", "age"]
    batch = first_batch(data, 20)
    assert batch.labels is not None
    assert (batch.labels == batch.others["age"][:, 0] % 2).all()


def test_labels_without_names_are_not_used() -> None:
    assert [*ganforge.dataset(LISTED).fields] == ["sample"]


def test_a_set_of_tensors_is_taken_whole() -> None:
    data = ganforge.dataset(TensorDataset(torch.zeros(3, 2), torch.tensor([0, 1, 1])))
    assert isinstance(data.dataset, InMemoryDataset)
    assert data.fields["label"].classes == ("0", "1")


@pytest.mark.parametrize(
    "source", [Endless(), lambda: iter(Endless())], ids=["iterable", "function"]
)
def test_a_stream_is_read_from_its_beginning(source: Any) -> None:
    data = ganforge.dataset(source, classes=["even", "odd"])
    with pytest.raises(TypeError, match="has no length"):
        len(data)
    batch = first_batch(data, 6)
    assert batch.samples[:, 0].tolist() == pytest.approx([0, 0.01, 0.02, 0.03, 0.04, 0.05])
    assert batch.labels is not None
    assert batch.labels.tolist() == [0, 1, 0, 1, 0, 1]


def test_a_stream_that_ends_begins_anew_and_can_be_asked_for_any_batch() -> None:
    items = [torch.tensor([number / 10, 0.0]) for number in range(5)]
    data = ganforge.dataset(lambda: (it for it in items))
    batches = open_batches(
        data.dataset,
        data.fields,
        batch_size=3,
        execution=Execution(device=CPU),
        randomness=Randomness(0, CPU),
        num_workers=0,
    )
    expected = {n: [(3 * n + k) % 5 / 10 for k in range(3)] for n in range(7)}
    for number in (0, 0, 1, 4, 2, 6, 0):
        found = batches.batch(number).samples[:, 0].tolist()
        assert found == pytest.approx(expected[number]), number
    assert batches.held_out(1, 7).samples[:, 0].tolist() == pytest.approx(
        [(1 + k) % 5 / 10 for k in range(7)]
    )


@pytest.mark.parametrize(
    "source",
    [Pairs(), Endless(), torch.rand(20, 2) - 0.5],
    ids=["items", "stream", "tensor"],
)
def test_a_run_on_it_goes_on_to_the_bit(train: Train, source: Any) -> None:
    quick = {"execution": {"num_workers": 0, "device": "cpu"}, "device": None}
    whole = train(dataset=source, steps=5, out="whole", **quick)
    train(dataset=source, steps=5, out="parts", stop=stop_after(2), **quick)
    parts = train(resume="parts", dataset=source)
    assert (parts.state, parts.step) == ("finished", 5)
    assert_same_weights(
        whole.run.path / "generator.safetensors", parts.run.path / "generator.safetensors"
    )


def test_workers_read_items(train: Train) -> None:
    with_workers = train(dataset=Pairs(), steps=2, out="with", workers=1)
    without = train(dataset=Pairs(), steps=2, out="without", workers=0)
    assert_same_weights(
        with_workers.run.path / "generator.safetensors", without.run.path / "generator.safetensors"
    )


def test_conditional_training_on_items_by_name(train: Train) -> None:
    result = train(
        dataset=ganforge.dataset(Named(), classes=["even", "odd"]),
        generator={"name": "conditional", "width": 2},
        discriminator={"name": "conditional", "widths": [2]},
        conditional=True,
        workers=0,
        steps=2,
    )
    assert result.generator(device="cpu").classes == ("even", "odd")


@pytest.mark.parametrize("source", ["in memory", "by item", "drawn"])
def test_the_sets_of_the_contracts_need_no_plugin(train: Train, source: str) -> None:
    class ByItem(ganforge.MapDataset):
        classes = ("a", "b")

        def __len__(self) -> int:
            return 12

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            return torch.tensor([index / 12, 0.5]), index % 2

    class Drawn(ganforge.EndlessDataset):
        def draw(self, n: int, generator: torch.Generator) -> ganforge.Batch:
            return ganforge.Batch(torch.randn(n, 2, generator=generator))

    held = {
        "in memory": InMemoryDataset(torch.rand(12, 2), torch.arange(12) % 2, ("a", "b")),
        "by item": ByItem(),
        "drawn": Drawn(),
    }[source]
    data = ganforge.dataset(held)
    assert data.dataset is held
    assert ("label" in data.fields) == (source != "drawn")
    result = train(dataset=held, workers=0, steps=2)
    assert result.run.settings["dataset.name"] == "python"
    assert result.generator(device="cpu").sample(3).shape == (3, 2)


def test_fields_say_what_values_do_not(train: Train, tmp_path: Path) -> None:
    field = ganforge.Field(
        kind="sequence", shape=(1, 64), range=(-1.0, 1.0), rate=8000, format="audio"
    )
    data = ganforge.dataset(torch.rand(12, 1, 64) * 2 - 1, fields={"sample": field})
    generator = train(dataset=data, steps=1).generator(device="cpu")
    generator.save(tmp_path / "sound.wav", generator.sample(2))
    assert (tmp_path / "sound.wav").read_bytes().startswith(b"RIFF")


def test_the_digest_is_of_the_values_and_of_what_they_mean() -> None:
    samples, labels = torch.rand(6, 2), torch.arange(6) % 2
    digest = ganforge.dataset(samples, labels).digest
    assert ganforge.dataset(samples.clone(), labels.numpy()).digest == digest
    assert ganforge.dataset(samples.numpy(), [*labels.tolist()]).digest == digest
    others = {
        ganforge.dataset(samples.flip(0), labels).digest,
        ganforge.dataset(samples, 1 - labels).digest,
        ganforge.dataset(samples, labels, classes=["a", "b"]).digest,
        ganforge.dataset(samples, labels, range=(0, 1)).digest,
        ganforge.dataset(samples).digest,
    }
    assert len({digest, *others}) == 6


def test_random_transforms_are_told_of() -> None:
    class Noisy(Pairs):
        def __getitem__(self, number: int) -> tuple[Any, int]:
            picture, label = super().__getitem__(number)
            return numpy.asarray(picture)[None] ^ random.randrange(1, 255), label

    with pytest.warns(UserWarning, match="is another when it is read again, as random transforms"):
        ganforge.dataset(Noisy())


def test_an_item_that_cannot_be_read_is_named(train: Train) -> None:
    class Broken(Pairs):
        def __getitem__(self, number: int) -> tuple[Any, int]:
            if number == 9:
                raise OSError("gone")
            return super().__getitem__(number)

    with pytest.raises(ganforge.GanforgeError, match="cannot give item 9"):
        train(dataset=Broken(), steps=10, workers=0)

    class Ragged(Pairs):
        def __getitem__(self, number: int) -> tuple[Any, int]:
            picture, label = super().__getitem__(number)
            return (picture.resize((9, 9)) if number == 9 else picture), label

    data = ganforge.dataset(Ragged())
    with pytest.raises(ganforge.GanforgeError, match=r"item 9 has the shape \[1, 9, 9\]"):
        train(dataset=data, steps=10, workers=0)


def test_a_data_set_is_itself() -> None:
    data = ganforge.dataset(torch.zeros(3, 2))
    assert ganforge.dataset(data) is data
