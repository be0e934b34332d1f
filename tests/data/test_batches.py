"""The data path: counted, exact, and the same from memory and from workers."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganforge import Batch, DataError, EndlessDataset, Field, InMemoryDataset, MapDataset
from ganforge.data.batches import open_batches
from ganforge.data.order import Order
from ganforge.data.scaling import to_unit_range
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.errors import PluginError

CPU = torch.device("cpu")


def images(count=20, channels=3, side=4):
    generator = torch.Generator().manual_seed(1)
    shape = (count, channels, side, side)
    return torch.randint(256, shape, dtype=torch.uint8, generator=generator)


def fields_of(dataset):
    """The fields of a set of byte images or of vectors, with its label where it has classes."""
    shape = (3, 4, 4)
    if isinstance(dataset, InMemoryDataset):
        shape = tuple(dataset.samples.shape[1:])
    if isinstance(dataset, EndlessDataset):
        shape = (2,)
    found = {"sample": Field.of_shape(shape)}
    if dataset.classes is not None:
        found["label"] = Field(kind="category", classes=dataset.classes)
    return found


def opened(
    dataset, batch_size=8, seed=0, num_workers=0, channels_last=True, fields=None, holdout=0.0
):
    return open_batches(
        dataset,
        fields_of(dataset) if fields is None else fields,
        holdout=holdout,
        label="the dataset 'd' of p 1",
        batch_size=batch_size,
        execution=Execution(device=CPU, channels_last=channels_last),
        randomness=Randomness(seed, CPU),
        num_workers=num_workers,
    )


class Slow(MapDataset):
    """The same pictures, read one by one."""

    classes = ("even", "odd")

    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index], index % 2


@given(
    num_samples=st.integers(1, 50),
    batch_size=st.integers(1, 70),
    seed=st.integers(0, 2**63 - 1),
    passes=st.integers(1, 3),
)
def test_every_pass_holds_every_sample_once(num_samples, batch_size, seed, passes):
    order = Order(num_samples, batch_size, Randomness(seed, CPU))
    total = passes * num_samples
    number = -(-total // batch_size)
    seen = torch.cat([order.indices(n, CPU) for n in range(number)])
    assert len(seen) == number * batch_size
    for start in range(0, total, num_samples):
        assert sorted(seen[start : start + num_samples].tolist()) == list(range(num_samples))


@given(numbers=st.lists(st.integers(0, 30), min_size=1, max_size=10))
def test_a_batch_does_not_depend_on_what_was_asked_before(numbers):
    fresh = [Order(7, 3, Randomness(5, CPU)).indices(n, CPU).tolist() for n in numbers]
    one = Order(7, 3, Randomness(5, CPU))
    assert [one.indices(n, CPU).tolist() for n in numbers] == fresh


def test_passes_and_seeds_differ_in_order():
    order = Order(100, 100, Randomness(0, CPU))
    first, second = order.indices(0, CPU), order.indices(1, CPU)
    other = Order(100, 100, Randomness(1, CPU)).indices(0, CPU)
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)


def test_unit_range_is_exact_at_both_ends_and_monotonic():
    levels = torch.arange(256, dtype=torch.uint8)
    values = to_unit_range(levels)
    assert values[0] == -1.0
    assert values[255] == 1.0
    assert (values.diff() > 0).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("channels_last", [True, False])
def test_in_memory_images_are_normalised_in_the_memory_format(channels, channels_last):
    samples = images(channels=channels)
    batch = opened(InMemoryDataset(samples), channels_last=channels_last).batch(0)
    wanted = torch.channels_last if channels_last else torch.contiguous_format
    indices = Order(20, 8, Randomness(0, CPU)).indices(0, CPU)
    assert batch.samples.dtype == torch.float32
    assert batch.samples.shape == (8, channels, 4, 4)
    assert batch.samples.is_contiguous(memory_format=wanted)
    torch.testing.assert_close(batch.samples, samples[indices].float() / 127.5 - 1)
    assert batch.labels is None


@pytest.mark.parametrize("num_workers", [0, 2])
def test_loaded_batches_equal_those_in_memory(num_workers):
    samples = images()
    labels = torch.arange(20) % 2
    memory = opened(InMemoryDataset(samples, labels, ("even", "odd")))
    loaded = opened(Slow(samples), num_workers=num_workers)
    for number in (0, 1, 2, 7, 3):  # a jump forward and one back
        expected, found = memory.batch(number), loaded.batch(number)
        assert torch.equal(expected.samples, found.samples)
        assert torch.equal(expected.labels, found.labels)
        assert found.samples.is_contiguous(memory_format=torch.channels_last)
    loaded.close()


def test_loading_leaves_the_global_random_state_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    opened(Slow(images())).batch(0)
    assert torch.equal(before, torch.get_rng_state())


def test_endless_batches_are_a_function_of_their_number():
    class Noise(EndlessDataset):
        def draw(self, n, generator):
            return Batch(torch.randn(n, 2, generator=generator), None)

    one, other = opened(Noise()), opened(Noise())
    third = [one.batch(number) for number in range(3)][2]
    assert torch.equal(third.samples, other.batch(2).samples)
    assert not torch.equal(third.samples, other.batch(1).samples)
    assert one.num_samples is None


def test_vectors_keep_their_values():
    samples = torch.randn(5, 3)
    batch = opened(InMemoryDataset(samples), batch_size=5).batch(0)
    assert sorted(batch.samples[:, 0].tolist()) == sorted(samples[:, 0].tolist())


def test_a_set_without_samples_is_an_error():
    with pytest.raises(DataError, match="no samples"):
        opened(InMemoryDataset(torch.empty(0, 1, 4, 4, dtype=torch.uint8)))


@pytest.mark.parametrize(
    ("samples", "labels", "classes", "message"),
    [
        (torch.zeros(2), None, None, "must be uint8 or float32"),
        (torch.zeros(2, 3, dtype=torch.float64), None, None, "float32"),
        (torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64), None, "come together"),
        (torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64), ("a",), r"int64 \[2\]"),
        (torch.zeros(2, 3), torch.tensor([0, 1]), ("a",), r"in \[0, 1\)"),
    ],
)
def test_an_in_memory_set_says_what_it_takes(samples, labels, classes, message):
    with pytest.raises(ValueError, match=message):
        InMemoryDataset(samples, labels, classes)


RANGES = {"image": (3, 4, 4), "sequence": (2, 7), "video": (1, 3, 4, 4), "voxels": (1, 4, 4, 4)}


class Read(MapDataset):
    """Items of a set in memory, by field."""

    def __init__(self, **values):
        self.values = values

    def __len__(self):
        return len(self.values["sample"])

    def __getitem__(self, index):
        paired = {name: it for name, it in self.values.items() if name != "other"}
        return {name: values[index] for name, values in paired.items()}

    def value(self, name, index):
        return self.values[name][index]

    def size(self, name):
        return len(self.values[name])


class Drawn(EndlessDataset):
    """A distribution over the items of a set in memory."""

    def __init__(self, **values):
        self.values = values

    def draw(self, n, generator):
        rows = torch.randint(len(self.values["sample"]), (n,), generator=generator)
        samples, *others = (values[rows] for values in self.values.values())
        return Batch(samples, **dict(zip([*self.values][1:], others, strict=True)))


@pytest.mark.parametrize("kind", RANGES)
@pytest.mark.parametrize("make", ["memory", "read", "drawn"])
def test_float_data_of_any_rank_is_brought_to_the_range_of_networks(kind, make):
    generator = torch.Generator().manual_seed(0)
    samples = torch.rand(20, *RANGES[kind], generator=generator) * 300 - 100
    field = Field(kind=kind, shape=RANGES[kind], range=(-100.0, 200.0))
    dataset = {
        "memory": lambda: InMemoryDataset(samples),
        "read": lambda: Read(sample=samples),
        "drawn": lambda: Drawn(sample=samples),
    }[make]()
    batches = opened(dataset, fields={"sample": field})
    batch = batches.batch(0).samples
    assert batch.dtype == torch.float32
    assert batch.shape == (8, *RANGES[kind])
    assert -1.0 <= batch.min() < -0.9
    assert 0.9 < batch.max() <= 1.0
    if make != "drawn":
        rows = Order(20, 8, Randomness(0, CPU)).indices(0, CPU)
        torch.testing.assert_close(batch, (samples[rows] + 100) / 150 - 1)
        held = opened(dataset, fields={"sample": field}, holdout=0.25)
        assert held.num_samples == 15
        assert len(held.held_out(0, 99)) == 5


@pytest.mark.parametrize("make", ["memory", "read", "drawn"])
def test_the_other_fields_of_a_batch_belong_to_its_samples(make):
    samples = torch.arange(20.0)[:, None]
    values = {
        "sample": samples,
        "label": torch.arange(20) % 4,
        "caption": samples.expand(20, 5) * 2,
    }
    fields = {
        "sample": Field(kind="vector", shape=(1,)),
        "label": Field(kind="category", classes=tuple("abcd")),
        "caption": Field(kind="vector", shape=(5,)),
    }
    dataset = {
        "memory": lambda: InMemoryDataset(
            samples, values["label"], tuple("abcd"), others={"caption": values["caption"]}
        ),
        "read": lambda: Read(**values),
        "drawn": lambda: Drawn(**values),
    }[make]()
    for batch in (
        opened(dataset, fields=fields).batch(1),
        opened(dataset, fields=fields).held_out(0, 7),
    ):
        number = batch.samples[:, 0].long()
        assert torch.equal(batch.labels, number % 4)
        assert torch.equal(batch.others["caption"], batch.samples.expand(-1, 5) * 2)
    alone = opened(dataset, fields={"sample": fields["sample"]}).batch(0)
    assert alone.others == {}


@pytest.mark.parametrize("make", ["memory", "read"])
def test_a_field_of_its_own_is_shuffled_by_itself(make):
    """Two sets side by side: each pass over either holds each of its values once."""
    samples, others = torch.arange(12.0)[:, None], torch.arange(100.0, 108.0)[:, None]
    fields = {
        "sample": Field(kind="vector", shape=(1,)),
        "other": Field(kind="vector", shape=(1,), paired=False),
    }
    dataset = (
        InMemoryDataset(samples, others={"other": others})
        if make == "memory"
        else Read(sample=samples, other=others)
    )
    batches = opened(dataset, batch_size=4, fields=fields)
    seen = [batches.batch(number) for number in range(6)]
    first = torch.cat([it.samples for it in seen[:3]]).flatten()
    assert sorted(first.tolist()) == samples.flatten().tolist()
    for start in (0, 2, 4):
        half = torch.cat([it.others["other"] for it in seen[start : start + 2]]).flatten()
        assert sorted(half.tolist()) == others.flatten().tolist()
    pairs = {(it.samples[0].item(), it.others["other"][0].item()) for it in seen}
    assert len(pairs) > 1
    assert torch.equal(
        opened(dataset, batch_size=4, fields=fields).batch(5).samples, seen[5].samples
    )
    assert len(batches.held_out(0, 99)) == 8


def test_values_that_are_not_as_declared_name_the_data_set():
    dataset = InMemoryDataset(torch.zeros(4, 3), others={"caption": torch.zeros(4, 2)})
    sample = Field(kind="vector", shape=(3,))
    for fields, complaint in (
        (
            {"sample": Field(kind="vector", shape=(2,))},
            r"give samples of shape \[N, 2\], .* \[4, 3\]",
        ),
        ({"sample": sample, "text": sample}, "declares the field 'text', and does not have it"),
        (
            {"sample": sample, "caption": Field(kind="vector", shape=(5,))},
            r"values of the field 'caption' of shape \[N, 5\]",
        ),
    ):
        with pytest.raises(PluginError, match=f"the dataset 'd' of p 1 .*{complaint}"):
            opened(dataset, fields=fields)


class Breaks(Read):
    error = None

    def __getitem__(self, index):
        if index == 3:
            raise self.error
        return super().__getitem__(index)


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (DataError("the file x.png is damaged"), DataError, "^the file x.png is damaged$"),
        (
            KeyError("gone"),
            PluginError,
            "the dataset 'd' of p 1 cannot give item 3: KeyError: 'gone'",
        ),
    ],
)
def test_what_goes_wrong_while_reading_keeps_its_kind(num_workers, error, raised, message):
    dataset = Breaks(sample=torch.zeros(6, 2))
    dataset.error = error
    fields = {"sample": Field(kind="vector", shape=(2,))}
    batches = opened(dataset, batch_size=6, num_workers=num_workers, fields=fields)
    with pytest.raises(raised, match=message):
        batches.batch(0)
    batches.close()


def test_a_drawn_batch_must_be_one():
    class Nothing(EndlessDataset):
        def draw(self, n, generator):
            return None

    with pytest.raises(
        PluginError, match=r"the dataset 'd' of p 1 must draw a ganforge\.Batch, not"
    ):
        opened(Nothing()).batch(0)


def test_what_is_not_shuffled_is_held_out_in_the_order_of_the_set():
    order = Order(10, 3, Randomness(0, CPU), shuffled=False)
    assert order.held_out(0, 4).tolist() == [0, 1, 2, 3]
    assert order.held_out(8, 4).tolist() == [8, 9]
    some = Order(10, 3, Randomness(0, CPU), holdout=0.3, shuffled=False)
    assert some.held_out(0, 9).tolist() == [0, 1, 2]
    assert sorted(some.shuffled(0, CPU).tolist()) == [3, 4, 5, 6, 7, 8, 9]
