"""The classifier of channels: what it learns of stacks, and how its channels are put together."""

from __future__ import annotations

import pytest
import torch

from ganforge import DataError, Problem
from ganforge_datasets import stacked
from ganforge_datasets.options import StackedDigitsOptions
from ganforge_features import ClassifierOptions
from ganforge_features.channels import ChannelClassifier
from ganforge_metrics.class_scores import class_counts


def built(num_classes: int, channels: int = 3, **options: int) -> ChannelClassifier:
    problem = Problem(sample_shape=(channels, 8, 8), input_shape=(4,), num_classes=num_classes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ChannelClassifier(problem, ClassifierOptions(**options))


def test_logits_are_those_of_triples_in_the_order_of_digits():
    network = built(64).eval()
    samples = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = network.extract(samples)
    assert found.logits is not None
    assert found.logits.shape == (5, 64)
    assert found.features.shape == (5, 3 * 128)
    torch.testing.assert_close(found.logits.exp().sum(1), torch.ones(5))
    channels = [network.one.extract(samples[:, c : c + 1]).logits for c in range(3)]
    logs = [it.log_softmax(1) for it in channels if it is not None]
    for a, b, c in ((0, 0, 0), (3, 1, 2), (1, 3, 0)):
        expected = logs[0][:, a] + logs[1][:, b] + logs[2][:, c]
        torch.testing.assert_close(found.logits[:, 16 * a + 4 * b + c], expected)


def test_it_learns_ten_digits_from_stacks_of_a_thousand_classes():
    problem = Problem(sample_shape=(3, 8, 8), input_shape=(4,), num_classes=1000)
    stacks = stacked.embedded(problem, StackedDigitsOptions(size=8))
    assert isinstance(stacks, stacked.Stacks)
    generator = torch.Generator().manual_seed(0)
    drawn = stacks.draw(1500, generator)
    assert drawn.labels is not None
    network = built(1000, width=8, size=32, steps=150)
    samples = drawn.samples.float() / 127.5 - 1
    network.fit(samples, drawn.labels, generator)
    network.eval()
    logits = network.extract(samples[:500]).logits
    assert logits is not None
    assert (logits.argmax(1) == drawn.labels[:500]).double().mean() > 0.8  # all three are right
    assert network.facts["accuracy"] > 0.95  # type: ignore[operator]
    assert "each channel by itself, trained on the data's own labels; accuracy 9" in (
        network.describe()
    )
    same = network.extract(samples[:500, :1].expand(-1, 3, -1, -1)).logits
    assert same is not None
    found = class_counts(same).nonzero()[:, 0].tolist()
    assert sum(number % 111 == 0 for number in found) == 10  # 000, 111, ... 999
    assert len(found) < 14


@pytest.mark.parametrize(("num_classes", "channels"), [(10, 3), (999, 3), (1, 1), (8, 2)])
def test_classes_that_are_no_stacks_are_refused(num_classes, channels):
    with pytest.raises(DataError, match=f"for stacks of {channels} images of k classes"):
        built(num_classes, channels)


def test_one_channel_is_a_classifier():
    network = built(10, channels=1).eval()
    samples = torch.zeros(2, 1, 8, 8)
    logits = network.extract(samples).logits
    expected = network.one.extract(samples).logits
    assert logits is not None
    assert expected is not None
    torch.testing.assert_close(logits, expected.log_softmax(1))
