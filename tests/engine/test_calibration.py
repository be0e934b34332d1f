"""Calibration of scores: a log density ratio is found whatever the scale."""

from __future__ import annotations

import pytest
import torch

from ganforge.sampling.calibration import calibrate
from ganforge.sampling.trained_pair import per_sample


def sides(num: int = 20_000) -> tuple[torch.Tensor, torch.Tensor]:
    """x of N(1, 1) and of N(-1, 1), whose log density ratio is 2 x."""
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, num, generator=generator)
    return real + 1, fake - 1


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (10.0, 3.0), (0.01, -5.0)])
def test_the_log_ratio_is_found_at_every_scale(scale: float, shift: float):
    real, fake = sides()
    found = calibrate(scale * real + shift, scale * fake + shift)
    assert found.slope * scale == pytest.approx(2.0, abs=0.08)
    assert found.slope * shift + found.intercept == pytest.approx(0.0, abs=0.05)
    assert abs(found.diagnostic) < 3


def test_sides_of_different_sizes_count_alike():
    real, fake = sides()
    found = calibrate(real[:2000], fake)
    assert found.slope == pytest.approx(2.0, abs=0.25)
    assert found.intercept == pytest.approx(0.0, abs=0.15)


def test_scores_that_tell_the_sides_apart_for_sure_have_a_finite_slope():
    found = calibrate(torch.linspace(1, 2, 100), torch.linspace(-2, -1, 100))
    assert 0 < found.slope < 100


def test_scores_that_say_nothing_have_no_slope():
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 20_000, generator=generator)
    assert calibrate(real, fake).slope == pytest.approx(0.0, abs=0.05)


def test_patches_and_lists_are_averaged():
    patches = torch.arange(8.0).view(2, 1, 2, 2)
    assert per_sample(patches, 2).tolist() == [1.5, 5.5]
    assert per_sample([patches, torch.tensor([0.5, 0.5])], 2).tolist() == [1.0, 3.0]
