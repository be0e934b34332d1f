"""The standard deviation within groups of a batch, against loops over groups and channels."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganforge.nn import MinibatchStd


def groups_of(batch: int, size: int | None) -> list[list[int]]:
    """The samples of each group: as many groups as fit, the first ones with one more."""
    number = 1 if size is None else max(batch // size, 1)
    sizes = [batch // number + (place < batch % number) for place in range(number)]
    starts = [sum(sizes[:place]) for place in range(number)]
    return [list(range(start, start + it)) for start, it in zip(starts, sizes, strict=True)]


def by_loops(features: Tensor, size: int | None, num_features: int) -> Tensor:
    batch, channels, height, width = features.shape
    maps = torch.zeros(batch, num_features, height, width, dtype=features.dtype)
    step = channels // num_features
    for group in groups_of(batch, size):
        for place in range(num_features):
            part = features[group, place * step : (place + 1) * step]
            deviation = (part.var(0, unbiased=False) + 1e-8).sqrt()
            maps[group, place] = deviation.mean()
    return torch.cat([features, maps], 1)


@settings(deadline=None, max_examples=60)
@given(
    batch=st.integers(1, 13),
    size=st.none() | st.integers(2, 5),
    num_features=st.integers(1, 3),
    step=st.integers(1, 2),
)
def test_the_maps_are_the_mean_deviations_of_the_group(batch, size, num_features, step):
    features = torch.randn(batch, num_features * step, 2, 3, dtype=torch.float64)
    block = MinibatchStd(size, num_features=num_features)
    torch.testing.assert_close(block(features), by_loops(features, size, num_features))


@pytest.mark.parametrize(
    ("batch", "sizes"), [(8, [4, 4]), (7, [7]), (9, [5, 4]), (3, [3]), (14, [5, 5, 4]), (1, [1])]
)
def test_a_group_has_four_samples_or_a_few_more(batch, sizes):
    """A sample is moved; those whose maps change are its group."""
    features = torch.randn(batch, 2, 2, 2)
    before = MinibatchStd()(features)[:, -1]
    groups = []
    for number in range(batch):
        moved = features.clone()
        moved[number] += torch.randn(2, 2, 2)
        changed = (MinibatchStd()(moved)[:, -1] != before).flatten(1).any(1)
        groups.append(changed.nonzero().flatten().tolist())
    expected = [group for group in groups_of(batch, 4) for _ in group]
    assert [len(group) for group in groups_of(batch, 4)] == sizes
    assert groups == (expected if batch > 1 else [[]])


def test_real_and_fake_samples_of_one_batch_keep_apart():
    real, fake = torch.randn(8, 2, 2, 2), torch.randn(8, 2, 2, 2)
    block = MinibatchStd()
    torch.testing.assert_close(block(torch.cat([real, fake]))[:8], block(real))


def test_one_sample_has_no_deviation_and_a_finite_gradient():
    features = torch.randn(1, 2, 2, 2, requires_grad=True)
    outputs = MinibatchStd()(features)
    assert outputs[:, 2].max().item() == pytest.approx(1e-4)
    outputs.sum().backward()
    assert torch.equal(features.grad, torch.ones(1, 2, 2, 2))


def test_a_collapsed_generator_shows():
    various, alike = torch.randn(4, 2, 4, 4), torch.randn(1, 2, 4, 4).expand(4, 2, 4, 4)
    assert MinibatchStd()(various)[0, 2, 0, 0] > 0.5
    assert MinibatchStd()(alike)[0, 2, 0, 0] < 0.001


def test_a_group_of_one_and_channels_that_do_not_divide_are_errors():
    with pytest.raises(ValueError, match="group_size must be at least 2, not 1"):
        MinibatchStd(1)
    with pytest.raises(ValueError, match="num_features is 2, and does not divide 3"):
        MinibatchStd(num_features=2)(torch.randn(4, 3, 2, 2))


def test_what_a_block_is_made_of_is_printed():
    assert repr(MinibatchStd()) == "MinibatchStd(group_size=4, num_features=1)"
