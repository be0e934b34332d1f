"""The samples that are trained on, evenly among them, as evaluations read them."""

from __future__ import annotations

import pytest
import torch

from ganforge import Batch, EndlessDataset, Field, InMemoryDataset, MapDataset
from ganforge.config.settings import DataSettings
from ganforge.data.batches import open_batches
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness

CPU = torch.device("cpu")
FIELDS = {
    "sample": Field(kind="vector", shape=(1,)),
    "label": Field(kind="category", classes=("a", "b")),
}
NUM = 20


class Read(MapDataset):
    classes = ("a", "b")

    def __len__(self):
        return NUM

    def __getitem__(self, index):
        return torch.tensor([float(index)]), index % 2


class Drawn(EndlessDataset):
    classes = ("a", "b")

    def draw(self, n, generator):
        return Batch(torch.randn(n, 1, generator=generator), torch.zeros(n, dtype=torch.int64))


def in_memory():
    values = torch.arange(float(NUM)).unsqueeze(1)
    return InMemoryDataset(values, torch.arange(NUM) % 2, ("a", "b"))


def opened(dataset, seed=0, holdout=0.0):
    return open_batches(
        dataset,
        FIELDS,
        batch_size=4,
        execution=Execution(device=CPU),
        randomness=Randomness(seed, CPU),
        num_workers=0,
        holdout=holdout,
        settings=DataSettings(),
    )


@pytest.mark.parametrize("make", [in_memory, Read])
def test_they_lie_evenly_in_the_order_of_the_set_whatever_the_seed(make):
    for seed in (0, 1):
        batches = opened(make(), seed)
        assert (batches.num_samples, batches.num_held_out) == (NUM, NUM)
        found = torch.cat([batches.trained_on(it, 4, 10).samples for it in (0, 4, 8)]).flatten()
        assert found.tolist() == [*range(0, NUM, 2)]
        whole = batches.trained_on(0, NUM, NUM)
        assert whole.samples.flatten().tolist() == [*range(NUM)]
        assert torch.equal(whole.others["label"], torch.arange(NUM) % 2)


@pytest.mark.parametrize("make", [in_memory, Read])
def test_none_of_them_is_held_out(make):
    batches = opened(make(), seed=3, holdout=0.25)
    assert (batches.num_samples, batches.num_held_out) == (15, 5)
    trained = batches.trained_on(0, 15, 15).samples.flatten().tolist()
    held = batches.held_out(0, 5).samples.flatten().tolist()
    assert sorted([*trained, *held]) == [*range(NUM)]
    assert trained == sorted(trained)


def test_an_endless_set_draws_them_the_same_each_time():
    batches = opened(Drawn())
    assert (batches.num_samples, batches.num_held_out) == (None, None)
    first, again, other = (batches.trained_on(it, 8, 100).samples for it in (0, 0, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(batches.trained_on(96, 8, 100)) == 4
    assert not torch.equal(first, batches.held_out(0, 8).samples)
