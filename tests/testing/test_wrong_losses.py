"""Loss terms that are wrong in one way each, and fail the check of that way alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, mse_loss, softplus

from ganforge import Loss, LossSpec, Schedule, ScoreLoss, input_gradients, option
from ganforge.testing.checks.losses import CHECKS
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import perform_all

ONE = ("discriminator",)
OTHER = ("generator",)


class Correct(ScoreLoss):
    """The non-saturating loss, from which the wrong ones differ in one point."""

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__()

    def discriminator(self, real_scores, fake_scores):
        return softplus(-real_scores).mean() + softplus(fake_scores).mean()

    def generator(self, fake_scores):
        return softplus(-fake_scores).mean()


class Penalty(Loss):
    """A correct zero-centred penalty."""

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__()

    def discriminator_loss(self, step):
        gradients = input_gradients(step.real_scores, step.real)
        return gradients.flatten(1).square().sum(1).mean()


class Vector(Correct):
    def generator(self, fake_scores):
        return softplus(-fake_scores)


class Overflowing(Correct):
    def generator(self, fake_scores):
        return -torch.sigmoid(fake_scores).log().mean()


class RoundedAway(Correct):
    """Its smallest distance from 1 is lost in bfloat16."""

    def discriminator(self, real_scores, fake_scores):
        fake = torch.sigmoid(fake_scores).clamp(max=1 - 1e-5)
        return softplus(-real_scores).mean() - (1 - fake).log().mean()


class NoPatches(Correct):
    def generator(self, fake_scores):
        values = softplus(-fake_scores)
        return torch.dot(values, torch.full_like(values, 1 / len(values)))


class ImagesAlone(Loss):
    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__()

    def generator_loss(self, step):
        return avg_pool2d(step.fake, 2).square().mean()


class Unlabelled(Penalty):
    def discriminator_loss(self, step):
        between = torch.lerp(step.real, step.fake, 0.5).detach().requires_grad_()
        gradients = input_gradients(step.discriminate(between), between)
        return gradients.flatten(1).square().sum(1).mean()


class RealPushedDown(Correct):
    def discriminator(self, real_scores, fake_scores):
        return softplus(real_scores).mean() + softplus(fake_scores).mean()


class FakePushedUp(Correct):
    def discriminator(self, real_scores, fake_scores):
        return softplus(-real_scores).mean() + softplus(-fake_scores).mean()


class FakePushedDown(Correct):
    def generator(self, fake_scores):
        return softplus(fake_scores).mean()


class Summed(Correct):
    def discriminator(self, real_scores, fake_scores):
        return softplus(-real_scores).sum() + softplus(fake_scores).sum()


class Reconstruction(Loss):
    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__()

    def generator_loss(self, step):
        return mse_loss(step.reconstruction, step.real)


class OwnLeaf(Penalty):
    """A gradient at a leaf of its own, which raises nothing where none was announced."""

    def discriminator_loss(self, step):
        leaf = step.real.detach().requires_grad_()
        gradients = input_gradients(step.discriminate(leaf, step.real_conditions), leaf)
        return gradients.flatten(1).square().sum(1).mean()


class SteepAtZero(Penalty):
    """The slope of a norm is infinite at zero."""

    def discriminator_loss(self, step):
        gradients = input_gradients(step.real_scores, step.real)
        return (gradients.flatten(1).square().sum(1).sqrt() - 1).square().mean()


class ByTheScore(Penalty):
    """A penalty that a constant critic escapes by its constant."""

    def discriminator_loss(self, step):
        return super().discriminator_loss(step) + step.real_scores.square().mean()


class InPlace(Correct):
    def generator_loss(self, step):
        step.real.clamp_(-0.9, 0.9)
        return super().generator_loss(step)


class Backward(Correct):
    def generator(self, fake_scores):
        value = super().generator(fake_scores)
        value.backward(retain_graph=True)
        return value


class Remembering(Correct):
    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(problem, options)
        self.average = 0.0

    def discriminator(self, real_scores, fake_scores):
        self.average = 0.9 * self.average + 0.1 * real_scores.mean().item()
        return super().discriminator(real_scores, fake_scores)


class Forgetting(Correct):
    """What is not persistent is not in a checkpoint."""

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(problem, options)
        self.register_buffer("calls", torch.zeros(()), persistent=False)

    def discriminator(self, real_scores, fake_scores):
        self.calls += 1
        return super().discriminator(real_scores, fake_scores) + self.calls


class Unseeded(Correct):
    def generator(self, fake_scores):
        generator = torch.Generator()
        generator.seed()
        noise = torch.rand(fake_scores.shape, generator=generator, device=fake_scores.device)
        return softplus(-fake_scores + noise).mean()


class OnTheHost(Correct):
    def generator(self, fake_scores):
        return (softplus(-fake_scores) * torch.ones(fake_scores.shape)).mean()


class NewWeights(Correct):
    def constrain_discriminator(self, discriminator):
        for module in discriminator.modules():
            if isinstance(module, nn.Linear):
                module.weight = nn.Parameter(module.weight.clamp(-0.1, 0.1))


@dataclass(frozen=True, kw_only=True)
class Options:
    gamma: float | Schedule = option(1.0, help="weight", scheduled=True)


class Weighed(Penalty):
    """A penalty whose weight may follow a schedule."""

    def __init__(self, problem: Any, options: Options) -> None:
        super().__init__(problem, options)
        self.gamma = options.gamma

    def discriminator_loss(self, step):
        return step.progress.value(self.gamma) * super().discriminator_loss(step)


class WeighedOnce(Weighed):
    def discriminator_loss(self, step):
        return self.gamma * Penalty.discriminator_loss(self, step)


class WeighedOtherwise(Weighed):
    def discriminator_loss(self, step):
        weight = 2.0 if isinstance(self.gamma, Schedule) else self.gamma
        return weight * Penalty.discriminator_loss(self, step)


def spec(built: type, **said: Any) -> LossSpec:
    return LossSpec(name="wrong", summary="A loss", build=f"{__name__}:{built.__name__}", **said)


PENALTY = {"trains": ONE, "double_backward": True}
WEIGHED = {**PENALTY, "options": Options}
ALONE = {"trains": OTHER, "needs_discriminator": False}

WRONG = [
    (Vector, {}, "value-is-a-scalar"),
    (Correct, {"trains": ONE}, "trains-the-declared-networks"),
    (Penalty, {"double_backward": True}, "trains-the-declared-networks"),
    (Overflowing, {}, "value-is-finite-at-extreme-scores"),
    (RoundedAway, {}, "value-is-finite-in-bfloat16"),
    (NoPatches, {}, "patch-scores-are-accepted"),
    (ImagesAlone, ALONE, "vectors-are-accepted"),
    (Unlabelled, PENALTY, "labels-reach-the-critic"),
    (RealPushedDown, {}, "discriminator-wants-real-scores-high"),
    (FakePushedUp, {}, "discriminator-wants-fake-scores-low"),
    (FakePushedDown, {}, "generator-wants-fake-scores-high"),
    (Summed, {}, "value-is-a-mean-over-the-batch"),
    (Correct, {"needs_discriminator": False}, "scores-are-read-as-declared"),
    (
        Reconstruction,
        {"trains": OTHER, "needs_reconstruction": True},
        "scores-are-read-as-declared",
    ),
    (Reconstruction, ALONE, "reconstruction-is-read-as-declared"),
    (Correct, {"needs_reconstruction": True}, "reconstruction-is-read-as-declared"),
    (Penalty, {"trains": ONE}, "double-backward-is-as-declared"),
    (OwnLeaf, {"trains": ONE}, "double-backward-is-as-declared"),
    (Correct, {"double_backward": True}, "double-backward-is-as-declared"),
    (SteepAtZero, PENALTY, "constant-critic-has-a-constant-penalty"),
    (ByTheScore, PENALTY, "constant-critic-has-a-constant-penalty"),
    (InPlace, {}, "step-is-left-unchanged"),
    (Backward, {}, "backward-is-left-to-the-engine"),
    (Remembering, {}, "state-lies-in-buffers"),
    (Forgetting, {}, "state-lies-in-buffers"),
    (Unseeded, {}, "same-step-has-the-same-value"),
    (OnTheHost, {}, "value-lies-on-the-steps-device"),
    (NewWeights, {}, "constraint-keeps-the-weights"),
    (WeighedOnce, WEIGHED, "scheduled-options-take-schedules"),
    (WeighedOtherwise, WEIGHED, "scheduled-options-take-schedules"),
]


@pytest.mark.parametrize(
    ("built", "said", "check"), WRONG, ids=[f"{it.__name__}-{check}" for it, _, check in WRONG]
)
def test_a_wrong_loss_fails_its_own_check_and_no_other(built, said, check):
    results = perform_all(CHECKS, subject_of(spec(built, **said)))
    assert [(it.check, it.message) for it in results if it.failed and it.check != check] == []
    assert [it.check for it in results if it.failed] == [check]


@pytest.mark.parametrize(
    ("built", "said"), [(Correct, {}), (Penalty, PENALTY), (OwnLeaf, PENALTY), (Weighed, WEIGHED)]
)
def test_a_correct_loss_fails_none(built, said):
    results = perform_all(CHECKS, subject_of(spec(built, **said)))
    assert [(it.check, it.message) for it in results if it.failed] == []
    assert len(results) == len(CHECKS)


def test_every_check_has_a_wrong_loss():
    assert {check for _, _, check in WRONG} == {check.name for check in CHECKS}


def test_a_loss_that_needs_labels_is_checked_in_conditional_runs():
    results = perform_all(CHECKS, subject_of(spec(Conditional, needs_labels=True)))
    assert [(it.check, it.message) for it in results if it.failed] == []


class Conditional(Correct):
    def discriminator_loss(self, step):
        assert step.labels is not None
        return super().discriminator_loss(step)
