"""The mathematics of StyleGAN2, progressive growing and FastGAN, by hand."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ganforge import Problem, Progress
from tests.systems.architectures import SYSTEMS
from tests.systems.components import built, networks
from tests.systems.harness import System, Workshop

Prepare = Callable[[System], Workshop]


@pytest.fixture
def prepared(workshop: Prepare) -> Callable[[str], Workshop]:
    return lambda name: workshop(SYSTEMS[name])


# StyleGAN2


def test_no_truncation_is_all_and_truncation_0_is_the_picture_of_the_mean(
    prepared: Callable[[str], Workshop],
):
    workshop = prepared("StyleGAN2")
    trained = workshop.train("run")
    _, _, average = networks(trained)
    arrays = {}
    for truncation in ("", "1", "0"):
        told = ["--truncation", truncation] if truncation else []
        answer = workshop.cli(
            "sample", trained.run.path, "--device", "cpu", "--num", 3, "--out", "a.npz", *told
        )
        assert answer.code == 0, answer.err
        with np.load("a.npz") as found:
            arrays[truncation] = torch.from_numpy(found["samples"])
    assert torch.equal(arrays[""], arrays["1"])
    assert not torch.equal(arrays["1"][0], arrays["1"][1])
    with torch.inference_mode():
        styles = average.mean_style.expand(1, average.num_styles, -1)
        mean = average.eval().synthesis(styles).clamp(-1, 1)
    assert torch.allclose(arrays["0"], mean.expand(3, -1, -1, -1), atol=1e-6)


def stylegan2(**options: Any) -> nn.Module:
    problem = Problem(sample_shape=(1, 8, 8), input_shape=(6,))
    small = {"maximum": 4, "style_size": 5, "mapping_layers": 2}
    return built("generator", "stylegan2", problem, **(small | options))


def test_the_mean_of_w_follows_what_is_mapped_in_training_alone(
    prepared: Callable[[str], Workshop],
):
    prepared("StyleGAN2")
    network, latents = stylegan2(mean_decay=0.9), torch.randn(4, 6)
    expected = 0.1 * network.mapping(latents).mean(0)
    network(latents)
    assert torch.allclose(network.mean_style, expected)
    network.eval()(latents)
    assert torch.allclose(network.mean_style, expected)


def test_mixed_styles_are_one_latents_first_and_anothers_from_some_layer_on(
    prepared: Callable[[str], Workshop],
):
    prepared("StyleGAN2")
    ones, twos = torch.ones(200, 4, 5), torch.full((200, 5), 2.0)
    always = stylegan2(mixing=1.0).mixed(ones, twos)
    assert set(map(tuple, always[:, :, 0].tolist())) == {
        (1.0, 2.0, 2.0, 2.0),
        (1.0, 1.0, 2.0, 2.0),
        (1.0, 1.0, 1.0, 2.0),
    }
    assert torch.equal(always, always[:, :, :1].expand(-1, -1, 5))
    half = stylegan2(mixing=0.5).mixed(ones, twos)
    assert 60 < int((half == 1).all(2).all(1).sum()) < 140


def test_noise_counts_as_its_strength_is_learnt(prepared: Callable[[str], Workshop]):
    prepared("StyleGAN2")
    network, latents = stylegan2(mixing=0.0), torch.randn(2, 6)
    strengths = [layer.strength for layer in network.layers]
    assert [it.item() for it in strengths] == [0.0, 0.0, 0.0]
    assert torch.equal(network(latents), network(latents))
    network(latents).square().sum().backward()
    assert all(it.grad != 0 for it in strengths)
    with torch.no_grad():
        strengths[0].fill_(1.0)
    assert not torch.equal(network(latents), network(latents))
    network.eval()
    assert torch.equal(network(latents), network(latents))


def test_path_lengths_of_a_linear_synthesis(prepared: Callable[[str], Workshop]):
    """Of images A w the length |A^T y| / √(H W) is that of the noise, mapped back."""
    prepared("StyleGAN2")
    problem = Problem(sample_shape=(1, 2, 3), input_shape=(4,))
    loss = built("loss", "path-length", problem, gamma=3.0, decay=0.9)
    loss.mean.fill_(0.5)
    matrix, styles = torch.randn(6, 4), torch.randn(5, 2, 4, requires_grad=True)
    noted: dict[str, torch.Tensor] = {}
    # The two layers of a sample count 1 and 2 times.
    images = (styles[:, 0] + 2 * styles[:, 1]) @ matrix.T
    step: Any = SimpleNamespace(
        fake=images.view(5, 1, 2, 3),
        trace={"generated.styles": styles}.get,
        progress=SimpleNamespace(value=float),
        note=noted.__setitem__,
    )
    torch.manual_seed(3)
    value = loss.generator_loss(step)
    torch.manual_seed(3)
    noise = torch.randn(5, 1, 2, 3).view(5, 6)
    lengths = ((noise @ matrix).square().sum(1) / 6 * (1 + 4) / 2).sqrt()
    assert torch.allclose(noted["lengths"], lengths)
    assert torch.allclose(value, 3 * (lengths - 0.5).square().mean())
    loss.observe(SimpleNamespace(noted=noted))
    assert torch.allclose(loss.mean, 0.9 * torch.tensor(0.5) + 0.1 * lengths.mean())
    loss.observe(SimpleNamespace(noted={}))
    assert torch.allclose(loss.mean, 0.9 * torch.tensor(0.5) + 0.1 * lengths.mean())


# Progressive growing


def grown(images: int, side: int = 16) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator of `side` pixels after so many images, in phases of 10."""
    problem = Problem(sample_shape=(1, side, side), input_shape=(6,))
    options = {"maximum": 4, "phase_images": 10}
    generator = built("generator", "progressive", problem, **options)
    discriminator = built("discriminator", "progressive", problem, **options)
    for network in (generator, discriminator):
        tell(network, images)
    return generator, discriminator


def tell(network: nn.Module, images: int) -> None:
    network.set_progress(Progress(step=images, num_steps=100, images=images))


@pytest.mark.parametrize(
    ("images", "level", "alpha"),
    [
        (0, 0, 1.0),
        (9, 0, 1.0),
        (10, 1, 0.0),
        (15, 1, 0.5),
        (20, 1, 1.0),
        (30, 2, 0.0),
        (39, 2, 0.9),
        (40, 2, 1.0),
        (50, 2, 1.0),
        (73, 2, 1.0),
    ],
)
def test_sizes_are_faded_in_one_after_the_other(
    prepared: Callable[[str], Workshop], images: int, level: int, alpha: float
):
    prepared("progressive growing")
    for network in grown(images):
        assert (network.growth.level, network.growth.alpha) == (level, alpha)


def test_at_alpha_0_the_grown_networks_are_the_smaller_ones(prepared: Callable[[str], Workshop]):
    prepared("progressive growing")
    generator, discriminator = grown(29)
    latents = torch.randn(3, 6)
    before = generator(latents)
    scores = discriminator(before)
    # Of 8 pixels, each of which is a square of two.
    assert torch.equal(
        before, before[:, :, ::2, ::2].repeat_interleave(2, 2).repeat_interleave(2, 3)
    )
    for network in (generator, discriminator):
        tell(network, 30)
    assert generator.growth.level == 2
    assert torch.equal(generator(latents), before)
    assert torch.allclose(discriminator(before), scores, atol=1e-6)
    for network in (generator, discriminator):
        tell(network, 35)
    assert not torch.equal(generator(latents), before)
    assert not torch.allclose(discriminator(before), scores, atol=1e-6)


def test_real_images_are_as_coarse_and_as_faded_as_made_ones(
    prepared: Callable[[str], Workshop],
):
    prepared("progressive growing")
    generator, _ = grown(0, side=8)
    images = torch.arange(64.0).view(1, 1, 8, 8)
    means = images.view(1, 1, 4, 2, 4, 2).mean((3, 5))
    coarse = means.repeat_interleave(2, 2).repeat_interleave(2, 3)
    for seen, expected in ((0, coarse), (10, coarse), (15, (coarse + images) / 2), (20, images)):
        tell(generator, seen)
        assert torch.equal(generator.coarsened(images), expected)


def test_the_gradient_by_a_large_image_is_that_by_the_small_one(
    prepared: Callable[[str], Workshop],
):
    """So the gradient penalty does not change with the size that was reached."""
    prepared("progressive growing")
    _, discriminator = grown(0, side=16)
    small = torch.randn(1, 1, 4, 4)
    large = small.repeat_interleave(4, 2).repeat_interleave(4, 3).requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(large).sum(), large)
    _, smaller = grown(0, side=4 * 2)
    smaller.load_state_dict(
        {name: discriminator.state_dict()[name] for name in smaller.state_dict()}
    )
    medium = small.repeat_interleave(2, 2).repeat_interleave(2, 3).requires_grad_()
    (expected,) = torch.autograd.grad(smaller(medium).sum(), medium)
    assert expected.norm() > 0
    assert torch.allclose(gradient.norm(), expected.norm())


def test_the_run_grows_and_its_generator_remembers(prepared: Callable[[str], Workshop]):
    trainer = prepared("progressive growing").trainer("run")
    seen = []
    for _ in range(4):
        trainer.train_step()
        seen.append([(it.growth.level, it.growth.alpha) for it in networks(trainer)])
    stages = [(0, 1.0), (0, 1.0), (1, pytest.approx(4 / 12)), (1, 1.0)]
    assert seen == [[stage] * 3 for stage in stages]


# FastGAN


def test_decoders_see_real_images_alone(prepared: Callable[[str], Workshop]):
    trainer = prepared("FastGAN").trainer("run")
    _, discriminator, _ = networks(trainer)
    calls: list[str] = []
    discriminator.score.register_forward_hook(lambda *_: calls.append("score"))
    discriminator.decode_whole.register_forward_hook(lambda *_: calls.append("decode"))
    trainer.train_step()
    # Real and fake in the discriminator's update, fake in the generator's: one pass of each.
    assert sorted(calls) == ["decode", "score", "score", "score"]


def test_a_quarter_of_the_picture_is_decoded_from_that_quarter_of_the_features(
    prepared: Callable[[str], Workshop],
):
    prepared("FastGAN")
    problem = Problem(sample_shape=(1, 64, 64), input_shape=(6,))
    network = built("discriminator", "fastgan", problem, width=4).eval()
    images, read = torch.randn(2, 1, 64, 64), []
    network.decode_part.register_forward_pre_hook(lambda _, given: read.append(given[0]))
    with torch.no_grad():
        features = network.to_16(images)
        scores, trace = network.trace(images)
        assert torch.equal(network(images), scores)
    assert features.shape[2:] == (16, 16)
    halves = [slice(0, 32), slice(32, 64)]
    places = [
        (row, column)
        for row in (0, 1)
        for column in (0, 1)
        if torch.equal(trace["shown"][1], images[:, :, halves[row], halves[column]])
    ]
    ((row, column),) = places
    rows, columns = slice(8 * row, 8 * row + 8), slice(8 * column, 8 * column + 8)
    assert torch.equal(read[0], features[:, :, rows, columns])
    means = images.view(2, 1, 32, 2, 32, 2).mean((3, 5))
    assert torch.allclose(trace["shown"][0], means, atol=1e-6)
    assert [it.shape for it in trace["decoded"]] == [(2, 1, 32, 32)] * 2


def test_features_are_excited_by_those_of_a_sixteenth_of_their_size(
    prepared: Callable[[str], Workshop],
):
    prepared("FastGAN")
    problem = Problem(sample_shape=(1, 128, 128), input_shape=(6,))
    network = built("generator", "fastgan", problem, width=4)
    sides = []
    for excitation in network.excitations.values():
        excitation.register_forward_hook(
            lambda _, given, made: sides.append(
                (*(it.shape[-1] for it in given), bool((made.abs() <= given[1].abs()).all()))
            )
        )
    network(torch.randn(2, 6))
    assert sides == [(4, 64, True), (8, 128, True)]
