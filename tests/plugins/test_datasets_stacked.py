"""Stacks of three grey images: their classes, their distribution, and the two protocols."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganforge import DataError, EndlessDataset, InMemoryDataset, Problem
from ganforge_datasets import digits, stacked
from ganforge_datasets.options import DigitsOptions, StackedDigitsOptions, StackedOptions
from ganforge_datasets.stacked import Stacks, stacked_classes
from tests.torchvision_files import write_mnist


def problem(size: int) -> Problem:
    return Problem(sample_shape=(3, size, size), input_shape=(4,))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def embedded(num_stacks: int | None = None) -> Stacks | InMemoryDataset:
    return stacked.embedded(problem(8), StackedDigitsOptions(size=8, num_stacks=num_stacks))


def test_each_channel_is_a_digit_and_the_class_names_all_three() -> None:
    grey = digits.build(Problem(sample_shape=(1, 8, 8), input_shape=(4,)), DigitsOptions(size=8))
    assert grey.labels is not None
    stacks = embedded()
    drawn = stacks.draw(200, generator())
    assert drawn.samples.shape == (200, 3, 8, 8)
    assert drawn.samples.dtype == torch.uint8
    label_of = {
        image.numpy().tobytes(): str(label)
        for image, label in zip(grey.samples, grey.labels.tolist(), strict=True)
    }
    assert drawn.labels is not None
    for stack, label in zip(drawn.samples, drawn.labels.tolist(), strict=True):
        shown = "".join(label_of[channel.numpy().tobytes()] for channel in stack)
        assert stacks.classes is not None
        assert stacks.classes[label] == shown
        assert label == int(shown)


def test_channels_are_drawn_independently_and_evenly() -> None:
    drawn = embedded().draw(60_000, generator(1))
    assert drawn.labels is not None
    counts = drawn.labels.bincount(minlength=1000).double()
    shares = torch.tensor([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]).double() / 1797
    expected = 60_000 * torch.einsum("a,b,c->abc", shares, shares, shares).flatten()
    statistic = ((counts - expected).square() / expected).sum().item()
    assert abs(statistic - 999) < 4 * (2 * 999) ** 0.5  # of a chi-squared law with 999 degrees


def test_a_set_is_endless_unless_a_number_is_given() -> None:
    assert isinstance(embedded(), EndlessDataset)
    assert embedded().describe() == "endless stacks of three of 1,797 images, in 1,000 classes"
    fixed, again = embedded(12_000), embedded(12_000)
    assert isinstance(fixed, InMemoryDataset)
    assert isinstance(again, InMemoryDataset)
    assert len(fixed) == 12_000
    assert torch.equal(fixed.samples, again.samples)
    assert fixed.classes == embedded().classes


def test_too_few_stacks_to_have_every_class_are_refused() -> None:
    with pytest.raises(DataError, match=r"500 stacks are too few: \d+ of the 1,000 classes have"):
        embedded(500)


def test_classes_of_one_letter_are_read_as_one_and_words_as_a_list() -> None:
    assert stacked_classes(("0", "1"))[:3] == ("000", "001", "010")
    assert stacked_classes(("bag", "T-shirt/top"))[1] == "bag, bag, T-shirt/top"


@pytest.mark.parametrize(("source", "first"), [("mnist", "000"), ("kmnist", "o, o, o")])
def test_sets_of_torchvision_are_stacked(source: str, first: str, tmp_path: Path) -> None:
    images = torch.from_numpy(write_mnist(tmp_path, source)["t10k"])
    options = StackedOptions(source=source, root=str(tmp_path), split="test")  # type: ignore[arg-type]
    stacks = stacked.mnist(problem(32), options)
    assert stacks.classes is not None
    assert stacks.classes[0] == first
    drawn = stacks.draw(20, generator())
    assert (drawn.samples[:, :, :2] == 0).all()  # the border
    inside = {it.numpy().tobytes() for it in drawn.samples[:, :, 2:30, 2:30].flatten(0, 1)}
    assert inside <= {it.to(torch.uint8).numpy().tobytes() for it in images}
