"""Loss terms that are wrong in one way each, and fail the check of that way alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, mse_loss, softplus

from ganforge import Loss, LossSpec, Schedule, ScoreLoss, averaged, input_gradients, option
from ganforge.testing import check_component
from ganforge.testing.checks import loss_conduct, loss_declarations, losses, penalties
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import checks_in, perform_all

MODULES = (losses, penalties, loss_declarations, loss_conduct)
CHECKS = [it for module in MODULES for it in checks_in(module)]


class Correct(ScoreLoss):
    """The non-saturating loss, from which the wrong ones differ in one point."""

    def discriminator(self, real_scores, fake_scores):
        return softplus(-real_scores).mean() + softplus(fake_scores).mean()

    def generator(self, fake_scores):
        return softplus(-fake_scores).mean()


class Penalty(Loss):
    """A correct zero-centred penalty."""

    def discriminator_loss(self, step):
        gradients = input_gradients(step.real_scores, step.real)
        return gradients.flatten(1).square().sum(1).mean()


class Vector(Correct):
    def generator(self, fake_scores):
        return softplus(-fake_scores).mean()[None]


class Overflowing(Correct):
    def generator(self, fake_scores):
        return -torch.sigmoid(fake_scores).log().mean()


class RoundedAway(Correct):
    """Its smallest distance from 1 is lost in bfloat16."""

    def discriminator(self, real_scores, fake_scores):
        near = -(1 - torch.sigmoid(fake_scores.clamp(max=15))).log()
        fake = torch.where(fake_scores > 15, fake_scores, near)
        return softplus(-real_scores).mean() + fake.mean()


class OneTensorAlone(Correct):
    def generator_loss(self, step):
        return softplus(-step.fake_scores).mean()


class NoPatches(Correct):
    def generator(self, fake_scores):
        return softplus(-fake_scores).view(len(fake_scores)).mean()


class ImagesAlone(Loss):
    def generator_loss(self, step):
        return avg_pool2d(step.fake, 2).square().mean()


class Unlabelled(Penalty):
    def discriminator_loss(self, step):
        between = torch.lerp(step.real, step.fake, 0.5).detach().requires_grad_()
        gradients = input_gradients(step.discriminate(between, {}), between)
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
        return super().discriminator(real_scores, fake_scores) * len(real_scores)


class Reconstruction(Loss):
    def generator_loss(self, step):
        return mse_loss(step.reconstruction, step.samples)


class Identity(Loss):
    """A quantity of some games."""

    def generator_loss(self, step):
        return mse_loss(step.identity, step.samples)


class Features(Loss):
    """Feature matching (Salimans et al., 2016)."""

    def generator_loss(self, step):
        real, fake = step.trace("real.features"), step.trace("fake.features")
        return mse_loss(fake.mean(0), real.mean(0).detach())


class Part(Loss):
    """As far as a mutual-information term goes without a network of its own."""

    def generator_loss(self, step):
        return (step.part("code").mean(1) * step.trace("fake.code").mean(1)).mean()


class Captioned(Loss):
    """A field of the data set."""

    def generator_loss(self, step):
        return mse_loss(step.fake, step.conditions["mask"])


class ByField(Loss):
    """The field `label`, whatever the networks are told."""

    def generator_loss(self, step):
        return (step.fake.flatten(1).mean(1) * step.conditions["label"]).mean()


class PathLength(Loss):
    """The generator differentiated twice (Karras et al., 2020)."""

    def generator_loss(self, step):
        w = step.trace("generated.w")
        (slopes,) = torch.autograd.grad(step.fake.square().sum(), w, create_graph=True)
        return slopes.square().mean()


class Consistent(Loss):
    """D of another view, in the generator's update."""

    def generator_loss(self, step):
        scores = step.discriminate(0.9 * step.fake, step.fake_conditions)
        scores = scores if isinstance(scores, list) else [scores]
        return torch.stack([it.square().mean() for it in scores]).sum()


class Projecting(Correct):
    """It owns a network."""

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__()
        self.head = nn.Linear(math.prod(problem.sample_shape), 2)
        self.frozen = nn.Linear(2, 2).requires_grad_(False)

    def generator_loss(self, step):
        projected = self.frozen(self.head(step.fake.flatten(1)))
        return super().generator_loss(step) + 0.01 * projected.square().mean()


class IdleHead(Projecting):
    def generator_loss(self, step):
        return Correct.generator_loss(self, step)


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
        size = averaged(lambda scores: scores.square().mean(), step.real_scores)
        return super().discriminator_loss(step) + size


class InPlace(Correct):
    def generator_loss(self, step):
        step.real.clamp_(-0.9, 0.9)
        return super().generator_loss(step)


class Backward(Correct):
    def generator(self, fake_scores):
        value = super().generator(fake_scores)
        value.backward(retain_graph=True)
        return value


class Counting(Correct):
    """It would count the parts of a batch."""

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def discriminator_loss(self, step):
        self.calls += 1
        return super().discriminator_loss(step)


class Adapting(Correct):
    """Correct: a margin that follows the scores."""

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__()
        self.register_buffer("margin", torch.zeros(()))

    def observe(self, observed):
        if observed.real_scores is not None:
            self.margin.lerp_(observed.real_scores.mean(), 0.1)

    def discriminator(self, real_scores, fake_scores):
        return super().discriminator(real_scores - self.margin, fake_scores)


class Remembering(Adapting):
    average = 0.0

    def observe(self, observed):
        super().observe(observed)
        if observed.real_scores is not None:
            self.average = 0.9 * self.average + 0.1 * observed.real_scores.mean().item()


class Forgetting(Adapting):
    """What is not persistent is not in a checkpoint."""

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(problem, options)
        self.register_buffer("margin", torch.zeros(()), persistent=False)


class AlwaysScored(Adapting):
    def observe(self, observed):
        self.margin.lerp_(observed.real_scores.mean(), 0.1)


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


D = ("discriminator",)
G = ("generator",)
PENALTY = {"trains": D, "double_backward": D}
WEIGHED = {**PENALTY, "options": Options}
ALONE = {"trains": G, "reads": ()}
RECONSTRUCTION = {"trains": G, "reads": ("samples", "reconstruction")}
FEATURES = {"trains": G, "reads": ("real.features", "fake.features")}
BOTH = ("real_scores", "fake_scores")

WRONG = [
    (Vector, {}, "value-is-a-scalar"),
    (Correct, {"trains": D}, "trains-the-declared-networks"),
    (Penalty, {"double_backward": D}, "trains-the-declared-networks"),
    (Overflowing, {}, "value-is-finite-at-extreme-scores"),
    (RoundedAway, {}, "value-is-finite-in-bfloat16"),
    (NoPatches, {}, "patch-scores-are-accepted"),
    (OneTensorAlone, {}, "lists-of-scores-are-accepted"),
    (ImagesAlone, ALONE, "vectors-are-accepted"),
    (Unlabelled, PENALTY, "conditions-reach-the-networks"),
    (RealPushedDown, {}, "discriminator-wants-real-scores-high"),
    (FakePushedUp, {}, "discriminator-wants-fake-scores-low"),
    (FakePushedDown, {}, "generator-wants-fake-scores-high"),
    (Summed, {}, "value-is-a-mean-over-the-batch"),
    (Projecting, {}, "own-parameters-are-trained"),
    (IdleHead, {"parameters": "generator"}, "own-parameters-are-trained"),
    (Correct, {"parameters": "generator"}, "own-parameters-are-trained"),
    (Correct, {"reads": ("real_scores",)}, "reads-are-as-declared"),
    (Correct, {"reads": (*BOTH, "reconstruction")}, "reads-are-as-declared"),
    (Correct, {"reads": (*BOTH, "labels")}, "reads-are-as-declared"),
    (Correct, {"reads": (*BOTH, "fake.features")}, "reads-are-as-declared"),
    (Reconstruction, {"trains": G, "reads": ("samples",)}, "reads-are-as-declared"),
    (Reconstruction, {"trains": G, "reads": (*BOTH, "reconstruction")}, "reads-are-as-declared"),
    (Identity, {"trains": G, "reads": ("samples",)}, "reads-are-as-declared"),
    (Identity, {"trains": G, "reads": ("identity", "codes")}, "reads-are-as-declared"),
    (Features, {"trains": G, "reads": ("real.features",)}, "reads-are-as-declared"),
    (Part, {"trains": G, "reads": ("fake.code",)}, "reads-are-as-declared"),
    (Consistent, ALONE, "reads-are-as-declared"),
    (Penalty, {"trains": D}, "double-backward-is-as-declared"),
    (OwnLeaf, {"trains": D}, "double-backward-is-as-declared"),
    (Correct, {"double_backward": D}, "double-backward-is-as-declared"),
    (PathLength, {"trains": G, "reads": ("generated.w",)}, "double-backward-is-as-declared"),
    (SteepAtZero, PENALTY, "constant-critic-has-a-constant-penalty"),
    (ByTheScore, PENALTY, "constant-critic-has-a-constant-penalty"),
    (InPlace, {}, "step-is-left-unchanged"),
    (Backward, {}, "backward-is-left-to-the-engine"),
    (Counting, {}, "state-rests-in-a-call"),
    (Remembering, {}, "state-lies-in-buffers"),
    (Forgetting, {}, "state-lies-in-buffers"),
    (AlwaysScored, {}, "updates-without-scores-are-observed"),
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
    ("built", "said"),
    [
        (Correct, {}),
        (Penalty, PENALTY),
        (OwnLeaf, PENALTY),
        (Weighed, WEIGHED),
        (Adapting, {}),
        (Projecting, {"parameters": "generator"}),
        (Reconstruction, RECONSTRUCTION),
        (Identity, {"trains": G, "reads": ("identity", "samples")}),
        (Features, FEATURES),
        (Part, {"trains": G, "reads": ("inputs.code", "fake.code")}),
        (ByField, {"trains": G, "reads": ("label",)}),
        (Captioned, {"trains": G, "reads": ("mask",)}),
        (PathLength, {"trains": G, "reads": ("generated.w",), "double_backward": G}),
        (Consistent, {"trains": G, "reads": ("fake_scores",)}),
    ],
)
def test_a_correct_loss_fails_none_and_trains(built, said):
    results = check_component(spec(built, **said))
    assert [(it.check, it.message) for it in results if it.failed] == []
    assert {it.check for it in results if it.status == "passed"} >= {
        "reads-are-as-declared",
        "trains-with-reference-partners",
        "resumes-to-the-bit",
    }
    assert {it.check for it in results} > {check.name for check in CHECKS}


def test_every_check_has_a_wrong_loss():
    assert {check for _, _, check in WRONG} == {check.name for check in CHECKS}


def test_a_loss_that_needs_labels_is_checked_in_conditional_runs():
    results = perform_all(CHECKS, subject_of(spec(Conditional, reads=(*BOTH, "labels"))))
    assert [(it.check, it.message) for it in results if it.failed] == []


class Conditional(Correct):
    def discriminator_loss(self, step):
        assert step.labels is not None
        return super().discriminator_loss(step)
