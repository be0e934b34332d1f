"""The data path: counted, exact, and the same from memory and from workers."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganforge import Batch, EndlessDataset, InMemoryDataset, MapDataset
from ganforge.data.batches import Order, open_batches, to_unit_range
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.errors import DataError

CPU = torch.device("cpu")


def images(count=20, channels=3, side=4):
    generator = torch.Generator().manual_seed(1)
    shape = (count, channels, side, side)
    return torch.randint(256, shape, dtype=torch.uint8, generator=generator)


def opened(dataset, batch_size=8, seed=0, num_workers=0, channels_last=True):
    return open_batches(
        dataset,
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
        (torch.zeros(2, 1, 4, 4), None, None, "must be uint8"),
        (torch.zeros(2, 3, dtype=torch.float64), None, None, "float32"),
        (torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64), None, "come together"),
        (torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64), ("a",), r"int64 \[2\]"),
        (torch.zeros(2, 3), torch.tensor([0, 1]), ("a",), r"in \[0, 1\)"),
    ],
)
def test_an_in_memory_set_says_what_it_takes(samples, labels, classes, message):
    with pytest.raises(ValueError, match=message):
        InMemoryDataset(samples, labels, classes)
