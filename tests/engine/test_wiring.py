"""How the networks of a run are connected: penalties, codes, one batch for both, instance noise."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.nn.functional import softplus

from ganforge import Problem
from ganforge.config.settings import InstanceNoiseSettings
from ganforge.engine.noise import Noise, noise_std
from ganforge.engine.step import Part, View, Wiring
from ganforge.errors import ConfigError

from .conftest import TINY, TINY_DCGAN

AAE = (
    "generator.name=adversarial-autoencoder",
    "generator.widths=[4,8]",
    "discriminator.name=mlp",
    "discriminator.hidden=[16]",
    "sampler.size=4",
    "dataset.size=8",
    "training.batch_size=8",
    "training.steps=6",
    "training.discriminate=codes",
    "execution.device=cpu",
    "output.grid_samples=4",
)


def first_part(assembly, noise=None):
    real = assembly.batches.batch(0)
    inputs = assembly.sampler.sample(
        8, generator=assembly.randomness.generator("inputs", 0, 0, 0), real=real
    )
    return Part(real=real._replace(labels=None), inputs=inputs, noise=noise)


def weights(network):
    return [parameter.detach().clone() for parameter in network.parameters()]


def test_penalties_and_loss_add_up_to_the_update_written_out_by_hand(make_trainer):
    """RpGAN + R1 + R2 (Huang et al., 2024), the penalties every second step, twice as heavy."""
    trainer = make_trainer(
        "loss.r1.gamma=0.7",
        "loss.r1.every=2",
        "loss.r2.gamma=0.7",
        "loss.r2.every=2",
        losses=("rpgan", "r1", "r2"),
    )
    a = trainer.assembly
    generator = copy.deepcopy(a.generator.network)
    critic = copy.deepcopy(a.discriminator.network)
    g_adam = torch.optim.Adam(generator.parameters(), 4e-4, (0.5, 0.999), fused=True)
    d_adam = torch.optim.Adam(critic.parameters(), 4e-4, (0.5, 0.999), fused=True)
    for step in range(3):
        real = a.batches.batch(step).samples.clone().requires_grad_()
        z = a.sampler.sample(8, generator=a.randomness.generator("inputs", step, 0, 0)).values
        fake = generator(z).detach().requires_grad_()
        real_scores, fake_scores = critic(real), critic(fake)
        loss = softplus(fake_scores - real_scores).mean()
        if step % 2 == 0:
            for scores, samples in ((real_scores, real), (fake_scores, fake)):
                (slope,) = torch.autograd.grad(scores.sum(), samples, create_graph=True)
                loss = loss + 2 * 0.35 * slope.square().flatten(1).sum(1).mean()
        d_adam.zero_grad()
        loss.backward(inputs=list(critic.parameters()))
        d_adam.step()
        z = a.sampler.sample(8, generator=a.randomness.generator("inputs", step, 1, 0)).values
        loss = softplus(critic(real.detach()).detach() - critic(generator(z))).mean()
        g_adam.zero_grad()
        loss.backward(inputs=list(generator.parameters()))
        g_adam.step()
        trainer.train_step()
    for ours, theirs in ((a.generator.network, generator), (a.discriminator.network, critic)):
        for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-7)


def test_real_samples_want_a_gradient_in_the_steps_of_a_penalty_only(make_trainer):
    trainer = make_trainer("loss.r1.every=3", losses=("nonsat", "r1"))
    assert [trainer.assembly.objective.differentiates_gradient(step) for step in range(4)] == [
        True,
        False,
        False,
        True,
    ]
    plain = make_trainer(name="plain").assembly.objective
    assert not any(plain.differentiates_gradient(step) for step in range(4))


def test_a_penalty_on_a_discriminator_with_batch_statistics_is_a_warning(make_trainer):
    with pytest.warns(UserWarning, match="r1 penalises the gradient of each sample's score, and"):
        make_trainer(base=TINY_DCGAN, losses=("nonsat", "r1"))
    make_trainer(
        "discriminator.normalisation=none",
        base=TINY_DCGAN,
        losses=("nonsat", "r1"),
        name="without",
    )


def test_one_batch_for_both_gives_the_scores_of_two(make_trainer):
    a = make_trainer().assembly
    part = first_part(a)
    networks = (a.generator.network, a.discriminator.network)
    apart = View("discriminator", part, *networks, Wiring())
    joint = View("discriminator", part, *networks, Wiring(joint=True))
    torch.testing.assert_close(joint.real_scores, apart.real_scores)
    torch.testing.assert_close(joint.fake_scores, apart.fake_scores)
    sizes = []
    handle = a.discriminator.network.register_forward_pre_hook(
        lambda module, given: sizes.append(len(given[0]))
    )
    joint = View("discriminator", part, *networks, Wiring(joint=True))
    assert joint.real_scores.shape == joint.fake_scores.shape == (8,)
    assert sizes == [16]
    in_generator = View("generator", part, *networks, Wiring(joint=True))
    assert in_generator.fake_scores.shape == (8,)
    assert sizes == [16, 8]
    handle.remove()


def test_a_discriminator_with_batch_statistics_refuses_one_batch_for_both(make_config):
    with pytest.raises(ConfigError, match=r"training\.joint_batch.*scores a sample by the whole"):
        make_config("generator.name=dcgan", "training.joint_batch=true")
    config = make_config(
        "generator.name=dcgan", "training.joint_batch=true", "discriminator.normalisation=none"
    )
    assert config.training.joint_batch


def test_the_discriminator_of_an_adversarial_autoencoder_tells_codes_from_latents(make_trainer):
    trainer = make_trainer(base=AAE, losses=("mse", "nonsat"))
    a = trainer.assembly
    part = first_part(a)
    view = View("generator", part, a.generator.network, a.discriminator.network, a.wiring)
    assert view.judged_real is part.inputs.values
    assert view.judged_fake is view.codes
    assert view.codes.shape == (8, 4)
    assert view.reconstruction.shape == (8, 1, 8, 8)
    assert torch.equal(view.fake_scores, a.discriminator.network(view.codes))
    before = weights(a.generator.network), weights(a.discriminator.network)
    trainer.train_step()
    for old, network in zip(before, (a.generator.network, a.discriminator.network), strict=True):
        changed = [not torch.equal(o, n) for o, n in zip(old, network.parameters(), strict=True)]
        assert all(changed)


def test_codes_are_judged_without_a_sample_being_made(make_trainer):
    """In the discriminator's update of an adversarial autoencoder nothing is decoded."""
    a = make_trainer(base=AAE, losses=("mse", "nonsat")).assembly
    decoded = []
    a.generator.network.register_forward_hook(lambda *_: decoded.append(1))
    view = View(
        "discriminator", first_part(a), a.generator.network, a.discriminator.network, a.wiring
    )
    a.objective("discriminator", view, 0)
    assert decoded == []
    assert not view.codes.requires_grad


def test_noise_falls_to_nothing_where_it_is_told_to():
    settings = InstanceNoiseSettings(std=0.4, until=0.5)
    assert [noise_std(settings, step, 100) for step in (0, 25, 50, 99)] == [0.4, 0.2, 0.0, 0.0]
    assert noise_std(InstanceNoiseSettings(), 0, 100) == 0.0


def test_noise_has_its_standard_deviation_and_its_own_generator():
    state = torch.get_rng_state()
    noise = Noise(0.25, 7, torch.device("cpu"))
    first = noise.added_to(torch.zeros(20_000))
    assert first.std().item() == pytest.approx(0.25, rel=0.03)
    assert first.mean().item() == pytest.approx(0.0, abs=0.01)
    assert not torch.equal(first, noise.added_to(torch.zeros(20_000)))
    assert torch.equal(first, Noise(0.25, 7, torch.device("cpu")).added_to(torch.zeros(20_000)))
    assert torch.equal(torch.get_rng_state(), state)


def test_the_discriminator_sees_noise_and_the_terms_see_samples(make_trainer):
    trainer = make_trainer("instance_noise.std=0.5", base=TINY)
    a = trainer.assembly
    seen = []
    a.discriminator.network.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    parts = trainer._parts(a.batches.batch(0), 0)
    view = View("discriminator", parts[0], a.generator.network, a.discriminator.network, a.wiring)
    scores = view.real_scores
    assert scores.shape == (8,)
    assert (seen[0] - view.real).std().item() == pytest.approx(0.5, rel=0.1)
    trainer.step = a.num_steps
    assert trainer._noise(0, 0) is None


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (
            ("generator.name=mlp", "training.discriminate=codes"),
            "the generator 'mlp' has no encoder, so there are no codes to judge",
        ),
        (
            ("generator.name=autoencoder", "training.joint_batch=true"),
            "is for the discriminator, and there is none",
        ),
        (
            ("generator.name=autoencoder", "instance_noise.std=0.1"),
            "is for the discriminator, and there is none",
        ),
        (
            ("generator.name=adversarial-autoencoder", "discriminator.name=dcgan", *AAE[-4:-2]),
            "the discriminator 'dcgan' handles images only, not vectors, and it is to judge codes",
        ),
    ],
)
def test_what_cannot_be_connected_is_an_error(make_config, settings, complaint):
    losses = ("mse", "nonsat") if "autoencoder" in settings[0] else ("nonsat",)
    if complaint.startswith("is for"):
        losses = ("mse",)
    with pytest.raises(ConfigError) as caught:
        make_config(*settings, losses=losses)
    assert complaint in str(caught.value)


def test_a_code_has_the_shape_of_a_latent(make_trainer):
    a = make_trainer(base=AAE, losses=("mse", "nonsat")).assembly
    assert a.config.judged_shape == a.problem.input_shape == (4,)
    assert a.problem == Problem(sample_shape=(1, 8, 8), input_shape=(4,))
