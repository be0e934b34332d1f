"""How the networks of a run are connected: games, penalties, one batch for both."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.nn.functional import softplus

from ganforge import Problem, Step
from ganforge.errors import ConfigError

from .conftest import TINY_DCGAN
from .steps import make_update, weights

AAE = (
    "generator.name=adversarial-autoencoder",
    "generator.widths=[4,8]",
    "discriminator.name=mlp",
    "discriminator.hidden=[16]",
    "sampler.size=4",
    "dataset.size=8",
    "training.batch_size=8",
    "training.steps=6",
    "training.conditional=false",
    "game.judge=codes",
    "execution.device=cpu",
    "output.grid_samples=4",
)


def first_step(assembly, side, **settings):
    """The first step of a run in an update of one side."""
    training = assembly.training
    (draw,) = training.feed.draws(training.feed.real(0), 0, 0)
    networks = (training.sides.generator.network, training.sides.discriminator.network)
    (step,) = training.game.steps(make_update(side, *networks, **settings), draw)
    return step


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
    generator = copy.deepcopy(a.training.sides.generator.network)
    critic = copy.deepcopy(a.training.sides.discriminator.network)
    g_adam = torch.optim.Adam(generator.parameters(), 4e-4, (0.5, 0.999), fused=True)
    d_adam = torch.optim.Adam(critic.parameters(), 4e-4, (0.5, 0.999), fused=True)
    for step in range(3):
        real = a.data.batches.batch(step).samples.clone().requires_grad_()
        z = a.training.feed.sampler.sample(
            8, generator=a.training.randomness.generator("inputs", step, 0, 0)
        ).values
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
        z = a.training.feed.sampler.sample(
            8, generator=a.training.randomness.generator("inputs", step, 1, 0)
        ).values
        loss = softplus(critic(real.detach()).detach() - critic(generator(z))).mean()
        g_adam.zero_grad()
        loss.backward(inputs=list(generator.parameters()))
        g_adam.step()
        trainer.train_step()
    for ours, theirs in (
        (a.training.sides.generator.network, generator),
        (a.training.sides.discriminator.network, critic),
    ):
        for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-7)


def test_real_samples_want_a_gradient_in_the_steps_of_a_penalty_only(make_trainer, monkeypatch):
    trainer = make_trainer("loss.r1.every=3", losses=("nonsat", "r1"))
    wanted = []
    steps = Step.__init__

    def noting(self, update, draw):
        wanted.append((update.side, update.differentiable))
        steps(self, update, draw)

    monkeypatch.setattr(Step, "__init__", noting)
    for _ in range(4):
        trainer.train_step()
    assert [it for side, it in wanted if side == "discriminator"] == [True, False, False, True]
    assert not any(it for side, it in wanted if side == "generator")


def test_a_penalty_on_a_discriminator_with_batch_statistics_is_a_warning(make_trainer):
    with pytest.warns(UserWarning, match="r1 penalises the gradient of each sample's score, and"):
        make_trainer("discriminator.normalisation=batch", base=TINY_DCGAN, losses=("nonsat", "r1"))
    make_trainer(base=TINY_DCGAN, losses=("nonsat", "r1"), name="without")


def test_one_batch_for_both_gives_the_scores_of_two(make_trainer):
    a = make_trainer().assembly
    apart = first_step(a, "discriminator")
    joint = first_step(a, "discriminator", joint=True)
    torch.testing.assert_close(joint.real_scores, apart.real_scores)
    torch.testing.assert_close(joint.fake_scores, apart.fake_scores)
    sizes = []
    handle = a.training.sides.discriminator.network.register_forward_pre_hook(
        lambda module, given: sizes.append(len(given[0]))
    )
    joint = first_step(a, "discriminator", joint=True)
    assert joint.real_scores.shape == joint.fake_scores.shape == (8,)
    assert sizes == [16]
    in_generator = first_step(a, "generator", joint=True)
    assert in_generator.fake_scores.shape == (8,)
    assert sizes == [16, 8]
    handle.remove()


def test_a_discriminator_with_batch_statistics_refuses_one_batch_for_both(make_config):
    with pytest.raises(ConfigError, match=r"training\.joint_batch.*scores a sample by the whole"):
        make_config(
            "generator.name=dcgan", "training.joint_batch=true", "discriminator.normalisation=batch"
        )
    config = make_config("generator.name=dcgan", "training.joint_batch=true")
    assert config.training.joint_batch


def test_the_discriminator_of_an_adversarial_autoencoder_tells_codes_from_latents(make_trainer):
    trainer = make_trainer(base=AAE, losses=("mse", "nonsat"))
    a = trainer.assembly
    step = first_step(a, "generator")
    discriminator = a.training.sides.discriminator.network
    generator = a.training.sides.generator.network
    assert step.real is step.inputs
    assert step.fake is step.codes
    assert step.codes.shape == (8, 4)
    assert step.reconstruction.shape == step.samples.shape == (8, 1, 8, 8)
    assert torch.equal(step.fake_scores, discriminator(step.codes))
    before = weights(generator), weights(discriminator)
    trainer.train_step()
    for old, network in zip(before, (generator, discriminator), strict=True):
        changed = [not torch.equal(o, n) for o, n in zip(old, network.parameters(), strict=True)]
        assert all(changed)


def test_codes_are_judged_without_a_sample_being_made(make_trainer):
    """In the discriminator's update of an adversarial autoencoder nothing is decoded."""
    a = make_trainer(base=AAE, losses=("mse", "nonsat")).assembly
    decoded = []
    a.training.sides.generator.network.register_forward_hook(lambda *_: decoded.append(1))
    step = first_step(a, "discriminator")
    for term in a.training.objective.due("discriminator", 0):
        term.value("discriminator", step)
    assert decoded == []
    assert not step.codes.requires_grad


@pytest.mark.parametrize(
    ("judge", "made"), [("samples", "generated"), ("reconstructions", "reconstruction")]
)
def test_an_autoencoder_may_be_judged_by_its_samples_or_reconstructions(make_trainer, judge, made):
    base = [it for it in AAE if not it.startswith("game")]
    a = make_trainer(f"game.judge={judge}", base=base, losses=("mse", "nonsat")).assembly
    step = first_step(a, "generator")
    expected = step.draw.generate(step.update)[0] if made == "generated" else step.reconstruction
    assert torch.equal(step.fake, expected)
    assert step.real is step.samples


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (
            ("generator.name=mlp", "game.name=autoencoder"),
            "the game 'autoencoder' needs a generator that can encode, and 'mlp' cannot",
        ),
        (
            ("generator.name=autoencoder", "training.joint_batch=true"),
            "is for the discriminator, and there is none",
        ),
        (
            ("generator.name=adversarial-autoencoder", "discriminator.name=dcgan", *AAE[-4:-2]),
            "the discriminator 'dcgan' handles images only, not vectors, which the game "
            "'autoencoder' gives it to judge",
        ),
        (
            ("generator.name=autoencoder", "game.name=cycle", "discriminator.name=mlp"),
            "the game 'cycle' reads the field 'source', which the data set 'digits' does not have",
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
    assert a.config.judged(a.problem.sample, (4,)).shape == a.problem.input_shape == (4,)
    assert a.problem == Problem(sample_shape=(1, 8, 8), input_shape=(4,))
