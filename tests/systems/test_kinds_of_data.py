"""The mathematics of the systems for what is no picture, and the files that come of them."""

from __future__ import annotations

import csv
import struct
import wave
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from ganforge import Observed, Problem, Progress
from tests.systems.harness import PLUGINS, System, Workshop
from tests.systems.kinds_of_data import RATE, SYSTEMS


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PLUGINS)


def sampled(place: Workshop, file: str, *extra: str) -> Path:
    """A file of samples of the system, trained for a moment."""
    trained = place.train("run")
    out = place.folder / file
    answer = place.cli("sample", trained.run.path, "--num", 6, "--out", out, *extra)
    assert answer.code == 0, answer.err
    return out


def test_a_wav_has_the_rate_and_the_length_of_the_clips(workshop: Callable[[System], Workshop]):
    folder = sampled(workshop(SYSTEMS["WaveGAN"]), "sounds")
    files = sorted(folder.glob("*.wav"))
    assert len(files) == 6
    with wave.open(str(files[0]), "rb") as file:
        assert (file.getframerate(), file.getnframes()) == (RATE, RATE)
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)


def test_phase_shuffle_shifts_each_sound_by_up_to_n_and_reflects():
    shuffle = import_module("ganforge_wavegan.networks").PhaseShuffle(2)
    torch.manual_seed(0)
    features = torch.arange(5.0).expand(200, 1, 5)
    found = {tuple(row) for row in shuffle(features)[:, 0].int().tolist()}
    shifted = {(0, 1, 2, 3, 4), (1, 0, 1, 2, 3), (2, 1, 0, 1, 2), (1, 2, 3, 4, 3), (2, 3, 4, 3, 2)}
    assert found == shifted
    assert torch.equal(shuffle.eval()(features), features)


def test_a_period_discriminator_sees_every_nth_sample_alone():
    networks = import_module("ganforge_wavegan.networks")
    network = networks.PeriodDiscriminator(3, 1, 1)
    sound = torch.randn(1, 1, 30, requires_grad=True)
    scores, _ = network(sound)
    (gradient,) = torch.autograd.grad(scores[0, :, 1].sum(), sound)
    assert gradient[0, 0, 1::3].any()
    assert not gradient[0, 0, 0::3].any()
    assert not gradient[0, 0, 2::3].any()


def test_a_sine_has_the_frequency_that_it_is_told_with():
    series = import_module("ganforge_rcgan.series")
    hooks = import_module("ganforge_rcgan")
    options = hooks.SineOptions(length=512)
    problem = Problem(sample=hooks.sine_fields(options)["sample"])
    drawn = series.Sines(problem, options).draw(40, torch.Generator().manual_seed(0))
    strongest = torch.fft.rfft(drawn.samples[:, 0]).abs().argmax(1)
    assert (strongest - drawn.others["frequency"][:, 0]).abs().max() < 1
    assert 0.1 <= drawn.samples.abs().amax(2).min() < drawn.samples.abs().max() <= 0.9


def test_a_moment_of_a_series_knows_the_past_alone(workshop: Callable[[System], Workshop]):
    trained = workshop(SYSTEMS["RGAN of a table"]).train("run")
    network = trained.assembly.training.sides.generator.network.eval()
    noise = torch.randn(1, 5, 12)
    later = noise.clone()
    later[:, :, 6:] += 1
    one, other = network(noise)[0], network(later)[0]
    assert torch.equal(one[:, :6], other[:, :6])
    assert not torch.equal(one[:, 6], other[:, 6])


def test_a_series_comes_back_in_its_own_units(workshop: Callable[[System], Workshop]):
    out = sampled(workshop(SYSTEMS["RGAN of a table"]), "made.csv")
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert {"pressure", "current"} <= rows[0].keys()
    assert all(900 < float(row["pressure"]) < 1100 for row in rows)
    assert all(abs(float(row["current"])) < 1e-2 for row in rows)


@pytest.mark.parametrize(("right", "moves"), [(3, True), (4, True), (5, False)])
def test_a_discriminator_waits_where_it_is_right_too_often(right: int, moves: bool):
    hooks = import_module("ganforge_voxgan")
    held = import_module("ganforge_voxgan.held").HeldCrossEntropy(None, hooks.HeldOptions())
    scores = torch.tensor([1.0] * right + [-1.0] * (5 - right))
    for side in ("discriminator", "generator"):  # the generator's update tells it nothing
        both = scores if side == "discriminator" else -scores
        held.observe(
            Observed(
                side=side,
                progress=Progress(step=1, num_steps=2, images=5),
                batch_size=5,
                real_scores=both,
                fake_scores=-both,
            )
        )
    real = torch.zeros(5, requires_grad=True)
    held.discriminator(real, torch.zeros(5)).backward()
    assert bool(real.grad.any()) == moves


def test_the_order_of_points_leaves_the_score(workshop: Callable[[System], Workshop]):
    trained = workshop(SYSTEMS["r-GAN"]).train("run")
    network = trained.assembly.training.sides.discriminator.network
    clouds = trained.assembly.data.batches.batch(0).samples
    turned = clouds[:, torch.randperm(24)]
    assert torch.allclose(network(clouds), network(turned), atol=1e-6)
    assert not torch.allclose(network(clouds), network(clouds * 1.1), atol=1e-6)


def test_coverage_counts_the_real_clouds_that_are_nearest_to_some():
    metric = import_module("ganforge_clouds.metric")
    places = torch.tensor([0.0, 10.0, 20.0, 30.0])
    clouds = places[:, None, None].expand(4, 5, 3)
    evaluation = Mock(real=clouds, fake=clouds[[0, 0, 1]] + 1)
    found = metric.Chamfer(None, None).measure(evaluation)
    assert found["coverage"] == 0.5
    # Twice the squared distances: the shift of 1, and from 10 + 1 to 20 and to 30, in three axes.
    expected = 2 * 3 * (1 + 1 + 9**2 + 19**2) / 4
    assert found["minimum_matching_distance"] == pytest.approx(expected, rel=1e-5)


def test_scenes_are_written_with_all_bands_in_their_units(workshop: Callable[[System], Workshop]):
    file = sampled(workshop(SYSTEMS["thirteen bands"]), "scenes.tiff").read_bytes()
    size = 32 * 32 * 13 * 4  # uncompressed, as float32; the last page ends the file
    pixels = np.frombuffer(file[-size:], "<f4")
    # After four steps they are about the middle of what networks see, 0 in [-1, 1].
    assert 4900 < pixels.min() < pixels.max() < 5100
    directory = struct.unpack_from("<I", file, 4)[0]
    (num_tags,) = struct.unpack_from("<H", file, directory)
    places = range(directory + 2, directory + 2 + 12 * num_tags, 12)
    tags = {it[0]: it[3] for it in (struct.unpack_from("<HHII", file, at) for at in places)}
    assert (tags[256], tags[257], tags[277]) == (32, 32, 13)


def test_spectra_know_a_shift_and_a_scale():
    spectra = import_module("ganforge_satellite.spectra").Spectra(None, None)
    real = torch.randn(50, 13, 8, 8)
    assert spectra.measure(Mock(real=real, fake=real.flip(0)))["distance"] < 1e-9
    shifted = spectra.measure(Mock(real=real, fake=real + 2))
    assert shifted["distance"] == pytest.approx(13 * 4, rel=1e-4)
    # Of Gaussians about 0 the distance is the sum of (s - s')^2.
    wider = spectra.measure(Mock(real=real, fake=real * 3))["distance"]
    assert wider == pytest.approx(13 * 4, rel=0.05)
