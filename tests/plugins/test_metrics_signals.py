"""Measures of signals, videos and shapes: known answers, and what each is to see."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganforge import DataError, Field, NoOptions, Problem
from ganforge_metrics import CloudOptions, VolumeOptions
from ganforge_metrics.matching import matched
from ganforge_metrics.motion import Motion, wasserstein
from ganforge_metrics.shapes import Clouds, Volumes, chamfer_distances, jaccard_distances
from ganforge_metrics.spectra import Spectrum, bands

from .measured import Looked, gaussian

RATE = 1000


def problem_of(kind, shape, **facts) -> Problem:
    return Problem(sample=Field(kind=kind, shape=shape, **facts), input_shape=(2,))


def tones(n: int, frequency: float, seed: int, length: int = 512, level: float = 1.0) -> Tensor:
    """Sines `[n, 1, T]` with a phase at random, and a little noise."""
    generator = torch.Generator().manual_seed(seed)
    phases = 2 * math.pi * torch.rand(n, 1, 1, generator=generator)
    sines = torch.sin(2 * math.pi * frequency * torch.arange(length) / RATE + phases)
    return level * (sines + 0.1 * torch.randn(n, 1, length, generator=generator))


def spectrum(real, fake, rate=RATE):
    metric = Spectrum(problem_of("sequence", tuple(real.shape[1:]), rate=rate), NoOptions())
    return metric.measure(Looked(real=real, fake=fake))


@pytest.mark.parametrize("rate", [RATE, None])
def test_equal_tones_agree_and_others_do_not(rate):
    real = tones(60, 100, 0)
    floor, other = spectrum(real, tones(60, 100, 1), rate), spectrum(real, tones(60, 170, 1), rate)
    assert floor["log_spectral_distance"] < 1
    assert floor["autocorrelation"] < 0.02
    for name, value in other.items():
        assert value > 5 * floor[name], name


def test_a_gain_is_a_shift_in_decibels_and_leaves_the_autocorrelation():
    real = tones(60, 100, 0)
    found = spectrum(real, 2 * real)
    assert found["log_spectral_distance"] == pytest.approx(20 * math.log10(2), rel=1e-3)
    assert found["autocorrelation"] == pytest.approx(0, abs=1e-3)


def test_the_autocorrelation_of_white_noise_and_of_a_walk():
    noise = gaussian(400, 100, 0)[:, None]
    walk = noise.clone()
    for step in range(1, 100):
        walk[:, :, step] = 0.9 * walk[:, :, step - 1] + math.sqrt(1 - 0.81) * noise[:, :, step]
    expected = sum(0.9**lag for lag in range(1, 65)) / 64  # of the walk; that of the noise is 0
    assert spectrum(walk, noise, None)["autocorrelation"] == pytest.approx(expected, abs=0.03)


def test_one_sample_again_and_again_is_seen_by_the_bands():
    real = torch.cat([tones(30, 100, 0), tones(30, 200, 1)])
    again = real[:1].expand(60, -1, -1)
    assert (
        spectrum(real, again)["frechet_log_bands"]
        > 10
        * (spectrum(real, torch.cat([tones(30, 100, 2), tones(30, 200, 3)]))["frechet_log_bands"])
    )


def test_bands_cover_all_frequencies_and_low_ones_more_finely():
    even, mel = bands(257, None), bands(257, 16_000)
    assert even.shape == mel.shape == (32, 257)
    for filters in (even, mel):
        assert bool((filters[:, 1:-1].sum(0) > 0).all())
        assert bool((filters.sum(1) > 0).all())
    centres = mel.argmax(1).diff()
    assert int(centres[-1]) > 4 * int(centres[0])
    assert bands(5, None).shape == (2, 5)


def test_text_has_no_spectrum():
    with pytest.raises(ValueError, match="'spectrum' is for signals, and these samples are text"):
        Spectrum(problem_of("sequence", (4, 9), format="text"), NoOptions())


def motion(real, fake):
    return Motion(problem_of("video", tuple(real.shape[1:])), NoOptions()).measure(
        Looked(real=real, fake=fake)
    )


def videos(n: int, speed: float, seed: int) -> Tensor:
    """A bright column that moves to the right `[n, 1, 6, 8, 32]`."""
    generator = torch.Generator().manual_seed(seed)
    starts = torch.rand(n, 1, 1, generator=generator) * 8
    places = starts + speed * torch.arange(6)[:, None]
    column = (torch.arange(32) - places).abs().clamp_max(2)
    return (1 - column)[:, None, :, None, :].expand(-1, -1, -1, 8, -1)


def test_frozen_and_faster_videos_are_seen_between_frames_alone():
    real = videos(80, 1.0, 0)
    same, frozen, fast = (motion(real, videos(80, it, 1)) for it in (1.0, 0.0, 3.0))
    assert same["motion_ratio"] == pytest.approx(1, abs=0.05)
    assert frozen["motion_ratio"] == 0
    assert fast["motion_ratio"] > 1.3
    assert frozen["motion"] > 10 * same["motion"]
    assert frozen["brightness"] < 0.05
    assert motion(real, real + 0.5) == {
        "brightness": pytest.approx(0.5, abs=1e-5),
        "contrast": pytest.approx(0, abs=1e-5),
        "motion": pytest.approx(0, abs=1e-5),
        "acceleration": pytest.approx(0, abs=1e-5),
        "motion_ratio": pytest.approx(1, abs=1e-5),
    }
    assert [*motion(real[:, :, :2], real[:, :, :2])] == [
        "brightness",
        "contrast",
        "motion",
        "motion_ratio",
    ]
    with pytest.raises(ValueError, match="needs videos of two frames or more"):
        motion(real[:, :, :1], real[:, :, :1])


def test_the_wasserstein_distance_in_one_dimension():
    one, other = gaussian(3000, 1, 0)[:, 0], gaussian(2000, 1, 1, mean=2.0)[:, 0]
    assert wasserstein(one, other) == pytest.approx(2, abs=0.1)
    assert wasserstein(torch.zeros(3), torch.ones(7)) == 1


def plain_chamfer(one: Tensor, other: Tensor) -> float:
    squares = (one[:, None] - other).square().sum(2)
    return (squares.min(1).values.mean() + squares.min(0).values.mean()).item()


def test_the_chamfer_distance_is_that_of_the_definition():
    clouds, others = gaussian(60, 3, 0).view(4, 15, 3), gaussian(50, 3, 1).view(5, 10, 3)
    found = chamfer_distances(clouds, others)
    assert found.shape == (4, 5)
    for i in range(4):
        for j in range(5):
            assert found[i, j].item() == pytest.approx(
                plain_chamfer(clouds[i], others[j]), rel=1e-5
            )


def ellipsoids(n: int, seed: int, num_points: int = 40) -> Tensor:
    points = gaussian(n * num_points, 3, seed).view(n, num_points, 3)
    axes = 0.5 + torch.rand(n, 1, 3, generator=torch.Generator().manual_seed(seed))
    return axes * points / points.norm(dim=2, keepdim=True)


def clouds(real, fake, **options):
    metric = Clouds(problem_of("points", tuple(real.shape[1:])), CloudOptions(**options))
    return metric.measure(Looked(real=real, fake=fake))


def test_clouds_of_one_kind_cannot_be_told_apart_and_others_can():
    real = ellipsoids(80, 0)
    same, squashed = clouds(real, ellipsoids(80, 1)), clouds(real, ellipsoids(80, 1) * 0.3)
    one = clouds(real, ellipsoids(1, 1).expand(80, -1, -1))
    copied = clouds(real, real.clone())
    assert same["nearest_accuracy"] == pytest.approx(0.5, abs=0.15)
    assert same["coverage"] > 0.5
    assert squashed["nearest_accuracy"] > 0.95
    assert squashed["mmd"] > 3 * same["mmd"]
    assert one["coverage"] == pytest.approx(1 / 80)
    assert one["nearest_accuracy"] > 0.9
    assert copied == {"mmd": pytest.approx(0, abs=1e-6), "coverage": 1, "nearest_accuracy": 0}
    # Some of the clouds and of the points give about the same.
    some = clouds(real, ellipsoids(80, 1), clouds=60, points=30)
    assert some["nearest_accuracy"] == pytest.approx(0.5, abs=0.2)


def test_matching_counts_as_the_papers_do():
    # On a line: two real samples are nearest to generated ones, of which one is far out.
    real, fake = torch.tensor([[0.0], [10.0], [20.0]]), torch.tensor([[1.0], [2.0], [90.0]])

    def distances(one, other):
        return (one[:, None] - other).norm(dim=2)

    found = matched(real, fake, distances)
    assert found["mmd"] == pytest.approx((1 + 8 + 18) / 3)
    assert found["coverage"] == pytest.approx(2 / 3)  # 0 by two of them, 20 by the far one
    # Nearest others: 0 -> 1 (other); 10 -> 2 (other); 20 -> 10; 1 -> 0 or 2; 2 -> 1; 90 -> 20.
    assert found["nearest_accuracy"] == pytest.approx(3 / 6)


def balls(n: int, radius: float, seed: int) -> Tensor:
    """Volumes `[n, 1, 8, 8, 8]` in [-1, 1], with a ball whose centre is drawn."""
    generator = torch.Generator().manual_seed(seed)
    centres = 3 + 2 * torch.rand(n, 3, 1, 1, 1, generator=generator)
    grid = torch.stack(torch.meshgrid(*[torch.arange(8.0)] * 3, indexing="ij"))
    inside = (grid - centres).norm(dim=1, keepdim=True) < radius
    return 2 * inside.float() - 1


def volumes(real, fake):
    field = Field(kind="voxels", shape=tuple(real.shape[1:]), range=(0.0, 1.0))
    metric = Volumes(Problem(sample=field, input_shape=(2,)), VolumeOptions())
    return metric.measure(Looked(real=real, fake=fake))


def test_volumes_that_are_filled_alike_and_otherwise():
    real = balls(100, 2.5, 0)
    same, larger = volumes(real, balls(100, 2.5, 1)), volumes(real, balls(100, 3.5, 1))
    shifted = volumes(real, balls(100, 2.5, 1).roll(3, dims=4))
    assert same["jsd"] < 0.02
    assert same["filled"] < 0.02
    assert same["nearest_accuracy"] < 0.65
    assert larger["filled"] > 10 * same["filled"]
    assert shifted["jsd"] > 10 * same["jsd"]
    assert shifted["filled"] == pytest.approx(same["filled"], abs=0.01)
    assert shifted["nearest_accuracy"] > 0.95
    empty = volumes(real, torch.full_like(real, -1.0))
    assert empty["mmd"] == pytest.approx(1)
    assert math.isfinite(empty["jsd"])


def test_the_jaccard_distance_counts_cells():
    one = torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 0]])
    other = torch.tensor([[1.0, 0, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0]])
    expected = torch.tensor([[2 / 3, 1, 0], [1, 0, 1]])
    torch.testing.assert_close(jaccard_distances(one, other), expected)


def test_one_shape_is_nothing_to_compare():
    with pytest.raises(DataError, match="two clouds or more are needed"):
        clouds(ellipsoids(1, 0), ellipsoids(9, 0))
