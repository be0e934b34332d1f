"""The mathematics of ACGAN, InfoGAN and VQGAN, by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ganforge import Problem
from ganforge.device.execution import Execution
from ganforge.errors import ConfigError, PluginError
from ganforge.plugin.discovery import discover
from ganforge.sampling.trained_generator import feed, make, open_generator
from tests.systems.architectures import SYSTEMS
from tests.systems.components import built, networks
from tests.systems.harness import System, Workshop

Prepare = Callable[[System], Workshop]


@pytest.fixture
def prepared(workshop: Prepare) -> Callable[[str], Workshop]:
    return lambda name: workshop(SYSTEMS[name])


# ACGAN


def test_the_discriminator_is_not_told_what_it_guesses(prepared: Callable[[str], Workshop]):
    trainer = prepared("ACGAN").trainer("run")
    training = trainer.assembly.training
    assert training.keywords == {"generator": {"label": ("label",)}, "discriminator": {}}
    _, discriminator, _ = networks(trainer)
    assert discriminator.classes.out_features == 2
    given = []
    traced = discriminator.trace
    discriminator.trace = lambda *told, **named: given.append((len(told), named)) or traced(*told)
    trainer.train_step()
    # Real and fake in its own update, fake in the generator's, each told the samples alone.
    assert given == [(1, {})] * 3


def test_the_log_likelihoods_of_the_classes(prepared: Callable[[str], Workshop]):
    prepared("ACGAN")
    loss = built("loss", "auxiliary-classifier", Problem(sample_shape=(1, 8, 8), num_classes=2))
    # P(0) = 3/4 for the real sample, P(1) = 1/2 for the fake.
    step: Any = SimpleNamespace(
        trace={
            "real.classes": torch.tensor([[3.0, 1.0]]).log(),
            "fake.classes": torch.zeros(1, 2),
        }.get,
        labels=torch.tensor([0]),
        fake_labels=torch.tensor([1]),
    )
    assert torch.allclose(loss.generator_loss(step), torch.tensor(2.0).log())
    expected = torch.tensor(2.0).log() + torch.tensor(4 / 3).log()
    assert torch.allclose(loss.discriminator_loss(step), expected)


def test_without_a_label_for_the_generator_there_is_nothing_to_guess(
    prepared: Callable[[str], Workshop],
):
    workshop = prepared("ACGAN")
    with pytest.raises(ConfigError, match=r"reads the labels that fakes are made for, and there"):
        workshop.trainer("run", "generator.conditions=[]")


# InfoGAN


def test_a_code_is_varied_with_nothing_but_the_generators_file(
    prepared: Callable[[str], Workshop],
):
    workshop = prepared("InfoGAN")
    alone = workshop.folder / "alone.safetensors"
    shutil.copy(workshop.train("run").run.generator, alone)
    shutil.rmtree(workshop.folder / "runs")
    told = ["--device", "cpu", "--vary", "code.1=-2..2", "--num", 2, "--frames", 5]
    answer = workshop.cli("sample", alone, *told, "--out", "walk.png")
    assert answer.code == 0, answer.err
    opened = open_generator(alone, discover().registry, Execution(device=torch.device("cpu")))
    assert opened.problem.parts == {"noise": (0, 5), "category": (5, 15), "code": (15, 17)}
    (inputs,) = feed(opened, num=2, seed=0)
    with Image.open("walk.png") as picture:
        pixels = torch.from_numpy(np.array(picture.convert("L"))).float()
    for column, value in enumerate((-2.0, -1.0, 0.0, 1.0, 2.0)):
        inputs.values[:, 16] = value
        ((images, _),) = make(opened, [inputs])
        for row, image in enumerate(images):
            top, left = 2 + 34 * row, 2 + 34 * column
            shown = pixels[top : top + 32, left : left + 32]
            assert (shown - (image[0] + 1) * 127.5).abs().max() <= 1


def test_codes_are_a_category_and_numbers_between_bounds(prepared: Callable[[str], Workshop]):
    prepared("InfoGAN")
    component = discover().registry.find("sampler", "infogan")
    options = component.spec.options(noise=3, categories=4, codes=2)
    sampler = component.build(Problem(sample_shape=(1, 8, 8), input_shape=(9,)), options)
    values = sampler.sample(2000, generator=torch.Generator().manual_seed(0)).values
    category, codes = values[:, 3:7], values[:, 7:]
    assert torch.equal(category.sum(1), torch.ones(2000))
    assert torch.equal(category.unique(), torch.tensor([0.0, 1.0]))
    assert (category.sum(0) > 400).all()
    assert codes.min() >= -1
    assert codes.max() < 1
    assert codes.var(0).sub(1 / 3).abs().max() < 0.02


def test_the_bound_of_the_information_by_hand(prepared: Callable[[str], Workshop]):
    prepared("InfoGAN")
    problem = Problem(
        sample_shape=(1, 8, 8), input_shape=(6,), parts={"category": (0, 4), "code": (4, 6)}
    )
    loss = built("loss", "information", problem, features=5, hidden=3, code_weight=0.5)
    for head in (loss.category, loss.code):
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
    step: Any = SimpleNamespace(
        trace=lambda name: torch.randn(2, 5),
        part={
            "category": torch.tensor([[0.0, 1, 0, 0], [0, 0, 0, 1]]),
            "code": torch.tensor([[1.0, 0.0], [0.0, 2.0]]),
        }.get,
    )
    # Q guesses each of four classes alike, and 0 for the codes: (1 + 4) / 2 samples, halved.
    expected = torch.tensor(4.0).log() + 0.5 * 1.25
    assert torch.allclose(loss.generator_loss(step), expected)
    assert torch.allclose(loss.discriminator_loss(step), expected)


def test_q_is_trained_with_the_discriminator(prepared: Callable[[str], Workshop]):
    trainer = prepared("InfoGAN").trainer("run")
    training = trainer.assembly.training
    (term,) = [it for it in training.objective.terms if it.name.endswith("information")]
    own = {id(it) for it in term.loss.parameters()}
    assert own <= {id(it) for it in training.sides["discriminator"].parameters}
    assert own.isdisjoint(id(it) for it in training.sides["generator"].parameters)


def test_features_of_another_size_are_told(prepared: Callable[[str], Workshop]):
    trainer = prepared("InfoGAN").trainer("run", "loss.information.features=8")
    with pytest.raises(PluginError, match=r"features is 8, and the discriminator gives 16"):
        trainer.train_step()


# VQGAN


def tokenizer() -> nn.Module:
    problem = Problem(sample_shape=(1, 32, 32), input_shape=(1, 32, 32))
    return built("generator", "vqgan", problem, width=2, tokens=6, token_size=3)


def test_the_adversarial_term_is_off_before_its_start(prepared: Callable[[str], Workshop]):
    workshop = prepared("VQGAN")
    late = workshop.trainer("late", "loss.hinge.start=2")
    without = workshop.trainer("without", "loss.hinge.weight=0")
    _, judge, *_ = (it.network for it in late.assembly.training.sides.by_name.values())
    before = [it.clone() for it in judge.parameters()]
    for step in range(3):
        for trainer in (late, without):
            trainer.train_step()
        still = all(map(torch.equal, before, judge.parameters()))
        ours, theirs = (
            trainer.assembly.training.sides.generator.network.state_dict()
            for trainer in (late, without)
        )
        same = all(torch.equal(ours[name], theirs[name]) for name in ours)
        assert (still, same) == (step < 2, step < 2)


def test_it_is_balanced_at_the_layer_before_the_image(prepared: Callable[[str], Workshop]):
    trainer = prepared("VQGAN").trainer("run")
    training = trainer.assembly.training
    assert training.last_layer is training.sides.generator.network.to_image.weight
    hinge = training.objective.terms[-1].selection.settings
    assert hinge.balance == "ganforge-vqgan/random-perceptual"


def test_tokens_are_the_nearest_vectors_of_the_codebook(prepared: Callable[[str], Workshop]):
    prepared("VQGAN")
    network, encoded = tokenizer(), torch.randn(4, 3, 2, 5)
    tokens = network.tokens(encoded)
    distances = torch.cdist(encoded.movedim(1, -1).reshape(-1, 3), network.codebook.weight)
    assert torch.equal(tokens.flatten(), distances.argmin(1))
    vectors = network.vectors(tokens)
    assert torch.equal(vectors[1, :, 0, 2], network.codebook.weight[tokens[1, 0, 2]])


def test_the_gradient_goes_straight_through_to_what_was_encoded(
    prepared: Callable[[str], Workshop],
):
    prepared("VQGAN")
    network, images = tokenizer().double(), torch.randn(2, 1, 32, 32).double()
    made, trace = network.trace(images)
    (through,) = torch.autograd.grad(made.square().sum(), trace["encoded"])
    vectors = trace["quantised"].detach().requires_grad_()
    decoded = network.decode(vectors)
    (direct,) = torch.autograd.grad(decoded.square().sum(), vectors)
    assert torch.allclose(decoded, made)
    assert direct.abs().max() > 0
    assert torch.allclose(through, direct)


def test_codes_and_codebook_come_together(prepared: Callable[[str], Workshop]):
    prepared("VQGAN")
    loss = built("loss", "codebook", Problem(sample_shape=(1, 32, 32)), beta=0.5)
    encoded = torch.tensor([[1.0, 4.0]], requires_grad=True)
    quantised = torch.tensor([[2.0, 2.0]], requires_grad=True)
    traces = {"generated.encoded": encoded, "generated.quantised": quantised}
    value = loss.generator_loss(SimpleNamespace(trace=traces.get))
    assert value.item() == 1.5 * (1 + 4) / 2
    value.backward()
    assert torch.equal(quantised.grad, torch.tensor([[1.0, -2.0]]))
    assert torch.equal(encoded.grad, torch.tensor([[-0.5, 1.0]]))


def test_the_frozen_features_are_those_of_every_run(prepared: Callable[[str], Workshop]):
    prepared("VQGAN")
    problem = Problem(sample_shape=(1, 32, 32))
    one = built("loss", "random-perceptual", problem, width=2)
    other = built("loss", "random-perceptual", problem, seed=5, width=2)
    assert all(map(torch.equal, one.parameters(), other.parameters()))
    assert not any(it.requires_grad for it in one.parameters())
    images = torch.randn(2, 1, 32, 32)
    same: Any = SimpleNamespace(reconstruction=images, samples=images)
    assert one.generator_loss(same) == 0
    # Unit features: another contrast is no other picture, but for the absolute error.
    half: Any = SimpleNamespace(reconstruction=images / 2, samples=images)
    expected = (images / 2).abs().mean()
    assert torch.allclose(one.generator_loss(half), expected)
