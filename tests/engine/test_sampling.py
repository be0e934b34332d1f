"""What a generator is fed: a function of the seed, whatever else is asked for."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganforge import (
    Batch,
    Game,
    GeneratorSpec,
    Inputs,
    LatentSampler,
    NoOptions,
    Problem,
    Sampler,
    SamplerSpec,
)
from ganforge.config.run_config import Selection
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.engine.generation import CHUNK, Source
from ganforge.errors import PluginError, UsageError
from ganforge.pictures.chosen_format import ChosenFormat
from ganforge.plugin.fields import grouped
from ganforge.plugin.registry import Component, Plugin
from ganforge.sampling.trained_generator import TrainedGenerator, draw
from ganforge.testing.fixtures.reference import Pixels, samples_format

CPU = torch.device("cpu")
PROBLEM = Problem(sample_shape=(2,), input_shape=(3,), num_classes=4)
UNTOLD = Problem(sample_shape=(2,), input_shape=(3,))


class Normal(LatentSampler):
    def latents(self, n, generator):
        return torch.randn(n, 3, generator=generator)


class Noisy(Sampler):
    """Real samples with noise of its own on each."""

    def sample(self, n, *, generator, real=None):
        assert len(real.samples) == n
        noise = torch.randn(n, 1, generator=generator)
        return Inputs(torch.cat([real.samples, noise], 1), real.labels)


def source(sampler, *, network=None, problem=PROBLEM, **spec):
    """Where the samples of a generator come from, with a sampler of this spec."""
    spec = SamplerSpec(
        name="normal", summary="s", build="m:f", input_shape=lambda options, fields: (3,), **spec
    )
    plugin = Plugin(name="p", package="p", version="1", module="m", bundled=False)
    generator = GeneratorSpec(name="cut", summary="s", build="m:f")
    return Source(
        network=network or Cut(),
        generator=Selection(
            component=Component(spec=generator, plugin=plugin), options=NoOptions()
        ),
        game=Game(problem),
        sampler=sampler,
        selection=Selection(component=Component(spec=spec, plugin=plugin), options=NoOptions()),
        keywords=grouped(problem.conditions),
        device=CPU,
    )


def fed(sampler, num, *, seed=0, labels=None, real=None):
    told = {} if labels is None else {"label": labels}
    chunks = [
        *source(sampler).inputs(Randomness(seed, CPU), "sample", num, conditions=told, real=real)
    ]
    assert sum(map(len, chunks)) == num
    labels = None if chunks[0].labels is None else torch.cat([it.labels for it in chunks])
    return torch.cat([chunk.values for chunk in chunks]), labels


def real_batch(num):
    samples = torch.arange(2.0 * num).view(num, 2)
    return Batch(samples, torch.arange(num) % 4)


def trained(sampler, *, network=None, problem=PROBLEM, **spec):
    return TrainedGenerator(
        problem=problem,
        source=source(sampler, network=network, problem=problem, **spec),
        execution=Execution(device=CPU),
        format=ChosenFormat(component=samples_format().component, format=Pixels(problem)),
    )


class Cut(torch.nn.Module):
    def forward(self, inputs, *, label):
        return inputs[:, :2] + 100 * label[:, None]


@settings(max_examples=30)
@given(st.integers(1, 200), st.integers(1, 200))
def test_fewer_inputs_are_the_first_of_more(one, other):
    few, many = sorted((one, other))
    for sampler, asked in ((Normal(PROBLEM), {}), (Noisy(PROBLEM), {"real": real_batch(200)})):
        values, labels = fed(sampler, many, **asked)
        first, first_labels = fed(sampler, few, **asked)
        assert torch.equal(first, values[:few])
        assert torch.equal(first_labels, labels[:few])


def test_labels_replace_those_drawn_and_change_no_latent():
    wanted = torch.arange(CHUNK + 6) % 3
    usual, drawn = fed(Normal(PROBLEM), CHUNK + 6)
    values, labels = fed(Normal(PROBLEM), CHUNK + 6, labels=wanted)
    assert torch.equal(values, usual)
    assert torch.equal(labels, wanted)
    assert not torch.equal(drawn, wanted)


def test_input_i_is_made_of_real_sample_i_in_every_chunk():
    real = real_batch(CHUNK + 9)
    values, labels = fed(Noisy(PROBLEM), CHUNK + 6, real=real)
    assert torch.equal(values[:, :2], real.samples[: CHUNK + 6])
    assert torch.equal(labels, real.labels[: CHUNK + 6])
    assert len(values[:, 2].unique()) == CHUNK + 6


def test_samples_are_made_for_the_labels_asked():
    wanted = torch.tensor([3, 0, 3])
    samples, labels = draw(trained(Normal(PROBLEM)), num=3, seed=1, labels=wanted)
    latents, _ = fed(Normal(PROBLEM), 3, seed=1)
    assert torch.equal(samples, latents[:, :2] + 100 * wanted[:, None])
    assert torch.equal(labels, wanted)


def test_a_sampler_that_goes_by_labels_is_given_those_asked():
    class OfLabels(Normal):
        def sample(self, n, *, generator, real=None):
            assert real.samples.shape == (n, 2)
            return Inputs(real.labels[:, None].expand(n, 3).float(), real.labels)

    wanted = torch.arange(CHUNK + 1) % 4
    sampler = trained(OfLabels(PROBLEM), reads=("labels",))
    samples, _ = draw(sampler, num=CHUNK + 1, seed=0, labels=wanted)
    assert torch.equal(samples[:, 0], 101.0 * wanted)


@pytest.mark.parametrize(
    ("generator", "asked", "message"),
    [
        (
            trained(Noisy(PROBLEM), reads=("samples",)),
            {},
            "this generator is fed with real samples, and there are none",
        ),
        (
            trained(Normal(UNTOLD), problem=UNTOLD),
            {"labels": torch.tensor([1])},
            "this generator was trained without labels",
        ),
        (
            trained(Normal(PROBLEM)),
            {"truncation": 1.0},
            "no truncation with the sampler 'normal': its inputs cannot be truncated",
        ),
    ],
)
def test_what_cannot_be_done_is_the_users_error(generator, asked, message):
    with pytest.raises(UsageError, match=message):
        draw(generator, num=1, seed=0, **asked)


def test_a_generator_that_makes_another_shape_is_at_fault():
    class Wide(torch.nn.Module):
        def forward(self, inputs, *, label):
            return inputs

    generator = trained(Normal(PROBLEM), network=Wide())
    with pytest.raises(PluginError, match=r"samples of shape \[3\] instead of \[2\]"):
        draw(generator, num=1, seed=0)


def test_a_generator_that_gives_one_sample_for_all_is_at_fault():
    class One(torch.nn.Module):
        def forward(self, inputs, *, label):
            return inputs[:1, :2]

    generator = trained(Normal(PROBLEM), network=One())
    with pytest.raises(PluginError, match="gave 1 samples of 5 inputs"):
        draw(generator, num=5, seed=0)


def test_a_sampler_that_returns_nothing_is_named():
    class Nothing(Sampler):
        def sample(self, n, *, generator, real=None):
            return None

    with pytest.raises(PluginError, match=r"the sampler 'normal' of p 1 must return .*Inputs"):
        draw(trained(Nothing(PROBLEM)), num=5, seed=0)
