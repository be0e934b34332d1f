"""The mathematics of the systems for what is no picture, and the files that come of them."""

from __future__ import annotations

import csv
import struct
import wave
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from ganforge import Field, Observed, Problem, Progress
from tests.engine.steps import make_update
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


def people(place: Workshop) -> tuple[Any, list[dict[str, str]]]:
    """The data set of a table, and the rows of its file."""
    hooks, table = (import_module(f"ganforge_ctgan{it}") for it in ("", ".table"))
    rows = list(csv.DictReader(Path("people.csv").read_text(encoding="utf-8").splitlines()))
    return table.Table(None, hooks.TableOptions(file="people.csv")), rows


def test_the_fit_of_a_column_finds_its_modes():
    mixture = import_module("ganforge_ctgan.mixture")
    torch.manual_seed(0)
    values = torch.cat([torch.randn(400) + 8, 4 * torch.randn(200) + 60])
    modes = mixture.fitted(values, 10)
    assert len(modes.means) == 2
    assert modes.means.tolist() == pytest.approx([8, 60], abs=0.7)
    assert modes.stds.tolist() == pytest.approx([1, 4], rel=0.15)
    assert modes.weights.tolist() == pytest.approx([2 / 3, 1 / 3], abs=0.01)
    assert len(mixture.fitted(torch.randn(500), 10).means) == 1
    assert mixture.fitted(torch.full((50,), 3.0), 10).means.tolist() == [3.0]


def test_a_coded_table_leads_back_to_its_rows(workshop: Callable[[System], Workshop]):
    table, rows = people(workshop(SYSTEMS["CTGAN"]))
    age, height, city, member = table.fit.facts["columns"]
    assert (age["decimals"], height["decimals"]) == (0, 2)
    for column in (age, height):
        coded = table.rows[:, column["start"] : column["start"] + column["size"]].double()
        offset, scale = torch.tensor(column["modes"])[coded[:, 1:].argmax(1)].unbind(1)
        found = (coded[:, 0] * scale + offset).tolist()
        expected = [float(row[column["name"]]) for row in rows]
        assert found == pytest.approx(expected, abs=1e-4)
    assert city["values"] == ["Bergen, west", "Ny-Ålesund", "Oslo"]
    numbers = table.rows[:, member["start"] : member["start"] + 2].argmax(1).tolist()
    assert [member["values"][it] for it in numbers] == [row["member"] for row in rows]


def test_training_by_sampling_draws_rare_values_and_rows_that_have_them(
    workshop: Callable[[System], Workshop],
):
    table, rows = people(workshop(SYSTEMS["CTGAN"]))
    drawn = table.draw(20_000, torch.Generator().manual_seed(0))
    chosen, classes = drawn.others["chosen"], table.fields["chosen"].classes
    start = table.fit.facts["columns"][2]["start"]  # behind the cities are the two of membership
    assert (drawn.samples[torch.arange(20_000), start + chosen] == 1).all()
    counts = Counter(f"{name}={row[name]}" for name in ("city", "member") for row in rows)
    logs = torch.tensor([counts[name] + 1 for name in classes]).log()
    expected = torch.cat([it / it.sum() for it in logs.split([3, 2])]) / 2
    shares = torch.bincount(chosen) / 20_000
    assert torch.allclose(shares, expected, atol=0.01)
    # Without data beside it the sampler asks for values as frequent as they are.
    problem = Problem(
        sample=table.fields["sample"],
        conditions={"chosen": table.fields["chosen"]},
        fit=table.fit,
    )
    hooks, networks = (import_module(f"ganforge_ctgan{it}") for it in ("", ".networks"))
    sampler = networks.TableNormal(problem, hooks.SamplerOptions())
    inputs = sampler.sample(20_000, generator=torch.Generator().manual_seed(0))
    shares = torch.bincount(inputs.others["chosen"]) / 20_000
    expected = torch.tensor([counts[name] for name in classes]) / 1200
    assert torch.allclose(shares, expected, atol=0.01)


def test_choices_are_as_frequent_as_their_softmax_says(workshop: Callable[[System], Workshop]):
    network = workshop(SYSTEMS["CTGAN"]).train("run").assembly.training.sides.generator.network
    logits = torch.tensor([1.0, 0.0, -2.0])
    last = network.eval().layers[-1]
    last.weight.data.zero_()
    part = network.choices[2]  # after the modes of two columns
    last.bias.data[part] = logits
    inputs = torch.randn(50_000, 6 + network.size, generator=torch.Generator().manual_seed(0))
    rows, trace = network.trace(inputs, label=torch.zeros(50_000, dtype=torch.int64))
    assert torch.allclose(trace["logits"][0, part], logits)
    shares = torch.bincount(rows[:, part].argmax(1)) / 50_000
    assert torch.allclose(shares, logits.softmax(0), atol=0.01)
    assert torch.allclose(rows[:, part].sum(1), torch.ones(50_000), atol=1e-5)


def test_the_discriminator_judges_packs_and_is_told_all_in_them(
    workshop: Callable[[System], Workshop],
):
    training = workshop(SYSTEMS["CTGAN"]).train("run").assembly.training
    (draw,) = training.feed.draws(training.feed.real(0), 0, 0)
    critic = training.sides.discriminator.network.eval()
    update = replace(
        make_update("discriminator", training.sides.generator.network, critic),
        discriminator_keywords=training.keywords["discriminator"],
        generator_keywords=training.keywords["generator"],
    )
    (step,) = training.game.steps(update, draw)
    rows, chosen = draw.batch.samples, draw.batch.others["chosen"]
    assert (len(rows), step.real.shape) == (8, (2, 40))
    assert torch.equal(step.real[1], rows[4:].flatten())
    expected = critic(rows.view(2, 40), labels=chosen.view(2, 4))
    assert torch.equal(step.real_scores, expected)
    # The penalty is on the gradient of a pack, whose norm is that of all in it.
    penalty = next(it.loss for it in training.objective.terms if "gradient" in it.name)
    torch.manual_seed(3)
    found = penalty.discriminator_loss(step)
    torch.manual_seed(3)
    between = torch.lerp(step.real, step.fake, torch.rand(2, 1)).requires_grad_()
    scores = critic(between, labels=chosen.view(2, 4))
    (gradients,) = torch.autograd.grad(scores.sum(), between)
    expected = 10 * (gradients.norm(dim=1) - 1).square().mean()
    assert found.item() == pytest.approx(expected.item())


def test_the_chosen_value_is_asked_for_by_cross_entropy(workshop: Callable[[System], Workshop]):
    table, _ = people(workshop(SYSTEMS["CTGAN"]))
    problem = Problem(sample=table.fields["sample"], fit=table.fit)
    loss = import_module("ganforge_ctgan.chosen").ChosenValue(problem, None)
    logits = torch.randn(3, 10)
    chosen = torch.tensor([0, 2, 4])  # two cities, and the second value of membership
    step = Mock(fake_conditions={"chosen": chosen}, trace=lambda name: logits)
    city, member = logits[:, 5:8].log_softmax(1), logits[:, 8:10].log_softmax(1)
    expected = -(city[0, 0] + city[1, 2] + member[2, 1]) / 3
    assert float(loss.generator_loss(step)) == pytest.approx(float(expected))


def test_a_table_comes_back_with_its_columns_and_values(workshop: Callable[[System], Workshop]):
    out = sampled(workshop(SYSTEMS["CTGAN"]), "rows.csv", "--condition", "chosen=member=yes")
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 6
    assert [*rows[0]][:4] == ["age", "height", "city", "member"]
    for row in rows:
        assert row["age"] == str(int(row["age"]))
        assert -10 < int(row["age"]) < 100
        assert 1 < float(row["height"]) < 3
        assert row["city"] in ("Oslo", "Bergen, west", "Ny-Ålesund")
        assert row["member"] in ("yes", "no")


def test_the_temperature_follows_the_schedule(workshop: Callable[[System], Workshop]):
    place = workshop(SYSTEMS["Gumbel-softmax text"])
    trainer = place.trainer("run", "training.steps=100")
    sides = trainer.assembly.training.sides
    networks = (sides.generator.network, sides.ema.module)
    found = []
    for step in (40, 70, 100):
        trainer.assembly.training.schedules.set(trainer.assembly.training.progress(step))
        found += [network.temperature for network in networks]
    assert found == pytest.approx([1.0, 1.0, 0.1, 0.1, 0.01, 0.01])


def test_characters_are_soft_in_training_and_draws_in_evaluation():
    networks, hooks = (import_module(f"ganforge_gumbeltext{it}") for it in (".networks", ""))
    sample = Field(kind="sequence", shape=(3, 2))
    problem = Problem(sample=sample, input_shape=(3, 2))
    network = networks.Generator(problem, hooks.GeneratorOptions(hidden=4))
    logits = torch.tensor([1.0, 0.0, -2.0])
    network.logits.weight.data.zero_()
    network.logits.bias.data = logits
    sampler = networks.GumbelNoise(problem)
    noise = sampler.sample(50_000, generator=torch.Generator().manual_seed(0)).values
    assert noise.mean().item() == pytest.approx(0.5772, abs=0.01)  # Euler's constant
    network.temperature = 0.5
    soft = network(noise[:5])
    assert torch.allclose(soft, ((logits[:, None] + noise[:5]) / 0.5).softmax(1))
    hard = network.eval()(noise)
    assert torch.equal(hard.sum(1), torch.ones(50_000, 2))
    shares = hard.mean((0, 2))
    assert torch.allclose(shares, logits.softmax(0), atol=0.01)


def test_lines_come_back_as_text(workshop: Callable[[System], Workshop]):
    place = workshop(SYSTEMS["Gumbel-softmax text"])
    assembly = place.trainer("real").assembly
    texts = Path("lines.txt").read_text(encoding="utf-8").splitlines()
    real = assembly.format.format.texts(assembly.data.batches.batch(0).samples)
    assert {*real} <= {*texts}
    made = sampled(place, "made.txt").read_text(encoding="utf-8").splitlines()
    assert len(made) == 6
    assert all(len(line) <= 12 and {*line} <= {*"".join(texts)} for line in made)


def test_the_likelihood_of_a_text_is_that_of_each_character_after_those_before():
    networks, hooks = (import_module(f"ganforge_gumbeltext{it}") for it in (".networks", ""))
    problem = Problem(sample=Field(kind="sequence", shape=(3, 2)), input_shape=(3, 2))
    network = networks.Generator(problem, hooks.GeneratorOptions(hidden=4)).eval()
    texts = torch.cartesian_prod(torch.arange(3), torch.arange(3))
    samples = torch.nn.functional.one_hot(texts, 3).transpose(1, 2).float()
    likelihoods = (2 * network.log_likelihood(samples)).exp()  # of both characters together
    assert likelihoods.sum().item() == pytest.approx(1)
    noise = networks.GumbelNoise(problem).sample(40_000, generator=torch.Generator()).values
    drawn = network(noise).argmax(1) @ torch.tensor([3, 1])
    assert torch.allclose(torch.bincount(drawn, minlength=9) / 40_000, likelihoods, atol=0.01)
