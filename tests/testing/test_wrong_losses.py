"""Loss terms that are wrong in one way each, and fail the check of that way alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, binary_cross_entropy, cross_entropy, mse_loss, softplus

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


class Scored(Penalty):
    """A term that lets the discriminator score the samples `points`, told `conditions`."""

    def discriminator_loss(self, step):
        real, fake = step.real.detach(), step.fake.detach()
        points = torch.lerp(real, fake, self.weights(real)).requires_grad_()
        scores = step.discriminate(points, self.conditions(step))
        return self.penalty(input_gradients(scores, points).flatten(1).norm(dim=1)).mean()

    def weights(self, real):
        return torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)

    def conditions(self, step):
        return step.real_conditions

    def penalty(self, norms):
        return (norms - 1).square()


class AnothersConditions(Scored):
    def conditions(self, step):
        return {name: it.roll(1, 0) for name, it in step.real_conditions.items()}


class OtherSidesConditions(Loss):
    """Consistency of fakes (Zhao et al., 2020), told what the real samples are."""

    def discriminator_loss(self, step):
        scores = step.discriminate(0.9 * step.fake, step.real_conditions)
        return averaged(lambda it, other: (it - other).square().mean(), scores, step.fake_scores)


class OneWeight(Scored):
    """One interpolation weight for the whole batch."""

    def weights(self, real):
        return torch.rand((), device=real.device)


class Rewarding(Scored):
    """The sign of a reward."""

    def penalty(self, norms):
        return -(norms - 1).square()


class MeanOfPixels(Penalty):
    def discriminator_loss(self, step):
        return input_gradients(step.real_scores, step.real).square().mean()


class NormOfColours(Penalty):
    """The norm along the wrong axis: at each pixel, over its colours."""

    def discriminator_loss(self, step):
        norms = (input_gradients(step.real_scores, step.real).square().sum(1) + 1e-12).sqrt()
        return (norms - 1).square().mean()


class OfTheMeanScore(Penalty):
    """The gradient of the mean score is as many times smaller as there are samples."""

    def discriminator_loss(self, step):
        mean = averaged(lambda scores: scores.mean(), step.real_scores)
        (gradients,) = torch.autograd.grad(mean, step.real, create_graph=True)
        norms = (gradients.flatten(1).square().sum(1) + 1e-12).sqrt()
        return (norms - 1).square().mean()


class PenaltyOfTheMeanScore(Penalty):
    def discriminator_loss(self, step):
        mean = averaged(lambda scores: scores.mean(), step.real_scores)
        (gradients,) = torch.autograd.grad(mean, step.real, create_graph=True)
        return gradients.flatten(1).square().sum(1).mean()


class NotRecorded(Penalty):
    """A penalty without create_graph trains nobody."""

    def discriminator_loss(self, step):
        score = averaged(lambda scores: scores.sum(), step.real_scores)
        (gradients,) = torch.autograd.grad(score, step.real, retain_graph=True)
        return gradients.flatten(1).square().sum(1).mean()


class OfProbabilities(Correct):
    """Cross-entropy of a sigmoid where scores are taken already."""

    def discriminator(self, real_scores, fake_scores):
        real, fake = torch.sigmoid(real_scores), torch.sigmoid(fake_scores)
        return super().discriminator(real, fake)


class BinaryOfProbabilities(Correct):
    def discriminator(self, real_scores, fake_scores):
        real, fake = (torch.sigmoid(it.float()) for it in (real_scores, fake_scores))
        with torch.autocast("cpu", enabled=False):
            return binary_cross_entropy(real, torch.ones_like(real)) + binary_cross_entropy(
                fake, torch.zeros_like(fake)
            )


class DetachedReal(Correct):
    def discriminator(self, real_scores, fake_scores):
        return super().discriminator(real_scores.detach(), fake_scores)


class DetachedFake(Correct):
    def generator(self, fake_scores):
        return super().generator(fake_scores.detach())


class OtherSidesLoss(Correct):
    """The generator is given the discriminator's loss."""

    def generator_loss(self, step):
        return self.discriminator_loss(step)


class SumOfPatches(Correct):
    def discriminator(self, real_scores, fake_scores):
        number = real_scores[0].numel()
        return super().discriminator(real_scores, fake_scores) * number


class SumOfScales(Correct):
    def discriminator_loss(self, step):
        number = len(step.real_scores) if isinstance(step.real_scores, list) else 1
        return super().discriminator_loss(step) * number


class ScoresInPlace(Correct):
    def discriminator(self, real_scores, fake_scores):
        return super().discriminator(real_scores, fake_scores.mul_(1.0))


class ConditionsInPlace(Correct):
    def discriminator_loss(self, step):
        if step.labels is not None:
            step.labels.add_(0)
        return super().discriminator_loss(step)


class RestingByItself(Penalty):
    """It is lazy without a word, and its interval is not what it is multiplied by."""

    def discriminator_loss(self, step):
        value = super().discriminator_loss(step)
        return value if step.progress.step % 16 == 0 else 0 * value


class Auxiliary(Correct):
    """Correct: D classifies (Odena et al., 2017)."""

    def discriminator_loss(self, step):
        return super().discriminator_loss(step) + self.errors(step)

    def errors(self, step):
        real = cross_entropy(step.trace("real.logits"), step.labels)
        return real + cross_entropy(step.trace("fake.logits"), step.fake_labels)


class AuxiliaryOfOthers(Auxiliary):
    def errors(self, step):
        return cross_entropy(step.trace("real.logits"), step.labels.roll(1, 0)) + cross_entropy(
            step.trace("fake.logits"), step.fake_labels
        )


class AuxiliaryOfTheOtherSide(Auxiliary):
    def errors(self, step):
        real = cross_entropy(step.trace("real.logits"), step.labels)
        return real + cross_entropy(step.trace("fake.logits"), step.labels)


class ReconstructionOfOthers(Loss):
    def generator_loss(self, step):
        return mse_loss(step.reconstruction, step.samples.flip(0))


class Noting(Correct):
    """A length in an attribute, which no checkpoint holds."""

    length = 0.0

    def generator_loss(self, step):
        step.note("lengths", step.fake.flatten(1).norm(dim=1))
        return super().generator_loss(step)

    def observe(self, observed):
        for lengths in observed.noted.values():
            self.length = 0.9 * self.length + 0.1 * lengths.mean().item()


class Matching(Loss):
    """Correct: mismatched pairs are to be told from those that belong together."""

    def discriminator_loss(self, step):
        others = {name: it.roll(1, 0) for name, it in step.real_conditions.items()}
        scores = step.discriminate(step.real, others)
        return averaged(lambda it: softplus(it).mean(), scores)


class ModeSeeking(Loss):
    """Correct: pairs of one batch (Mao et al., 2019)."""

    def generator_loss(self, step):
        fake, inputs = step.fake.flatten(1), step.inputs.flatten(1)
        far = (fake - fake.roll(1, 0)).abs().mean(1)
        return ((inputs - inputs.roll(1, 0)).abs().mean(1) / (far + 1e-5)).mean()


class Equilibrium(Loss):
    """Correct: BEGAN (Berthelot et al., 2017), a score being an error of D with its sign turned."""

    def __init__(self, problem, options):
        super().__init__()
        self.register_buffer("k", torch.zeros(()))

    def discriminator_loss(self, step):
        return averaged(
            lambda r, f: self.k * f.mean() - r.mean(), step.real_scores, step.fake_scores
        )

    def generator_loss(self, step):
        return averaged(lambda it: -it.mean(), step.fake_scores)

    def observe(self, observed):
        if observed.side == "discriminator" and observed.real_scores is not None:
            real, fake = -observed.real_scores.mean(), -observed.fake_scores.mean()
            self.k.add_(0.1 * (0.5 * real - fake)).clamp_(0, 1)


class Controller(Loss):
    """Correct: it has no loss, and clips weights the more the further scores are apart."""

    def __init__(self, problem, options):
        super().__init__()
        self.register_buffer("bound", torch.ones(()))

    def observe(self, observed):
        if observed.real_scores is not None and observed.fake_scores is not None:
            apart = observed.real_scores.mean() - observed.fake_scores.mean()
            self.bound.sub_(0.01 * apart.sign()).clamp_(0.01, 1)

    def constrain_discriminator(self, discriminator):
        for parameter in discriminator.parameters():
            parameter.clamp_(-self.bound, self.bound)


class ControllerWithALoss(Controller):
    def discriminator_loss(self, step):
        return averaged(lambda it: it.square().mean(), step.real_scores)


class Idle(Loss):
    """A term that is nothing at all."""


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
CONTROL = {"trains": (), "reads": ()}
CLASSES = {"reads": (*BOTH, "labels", "fake_labels", "real.logits", "fake.logits")}

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
    (ControllerWithALoss, CONTROL, "trains-the-declared-networks"),
    (Idle, CONTROL, "trains-the-declared-networks"),
    (DetachedReal, {}, "discriminator-wants-real-scores-high"),
    (OtherSidesLoss, {}, "generator-wants-fake-scores-high"),
    (OfProbabilities, {}, "mistaken-discriminator-learns"),
    (BinaryOfProbabilities, {}, "mistaken-discriminator-learns"),
    (SumOfPatches, {}, "patch-scores-are-accepted"),
    (SumOfScales, {}, "lists-of-scores-are-accepted"),
    (OfTheMeanScore, PENALTY, "value-is-a-mean-over-the-batch"),
    (PenaltyOfTheMeanScore, PENALTY, "value-is-a-mean-over-the-batch"),
    (MeanOfPixels, PENALTY, "penalty-does-not-follow-the-resolution"),
    (Rewarding, PENALTY, "penalty-rises-with-the-gradient"),
    (OneWeight, PENALTY, "each-point-has-its-own-draw"),
    (AnothersConditions, PENALTY, "conditions-are-those-of-the-samples"),
    (OtherSidesConditions, {"trains": D}, "conditions-are-those-of-the-samples"),
    (AuxiliaryOfOthers, CLASSES, "labels-are-compared-with-their-samples"),
    (AuxiliaryOfTheOtherSide, CLASSES, "labels-are-compared-with-their-samples"),
    (ReconstructionOfOthers, RECONSTRUCTION, "labels-are-compared-with-their-samples"),
    (RestingByItself, PENALTY, "value-does-not-rest"),
    (ScoresInPlace, {}, "step-is-left-unchanged"),
    (ConditionsInPlace, {"reads": (*BOTH, "labels")}, "step-is-left-unchanged"),
    (Noting, {}, "state-lies-in-buffers"),
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


#: what is wrong in a way that more than one check can see
TWICE_WRONG = [
    (NotRecorded, PENALTY, {"trains-the-declared-networks", "double-backward-is-as-declared"}),
    (DetachedFake, {}, {"trains-the-declared-networks", "generator-wants-fake-scores-high"}),
    (
        NormOfColours,
        PENALTY,
        {"penalty-does-not-follow-the-resolution", "penalty-rises-with-the-gradient"},
    ),
]


@pytest.mark.parametrize(("built", "said", "checks"), TWICE_WRONG)
def test_a_wrong_loss_fails_every_check_that_sees_it(built, said, checks):
    results = perform_all(CHECKS, subject_of(spec(built, **said)))
    assert {it.check for it in results if it.failed} == checks


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
        (Scored, PENALTY),
        (Auxiliary, CLASSES),
        (Matching, {"trains": D}),
        (ModeSeeking, {"trains": G, "reads": ("fake", "inputs")}),
        (Equilibrium, {}),
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


def test_a_term_may_have_no_loss_and_observe_and_constrain():
    results = check_component(spec(Controller, **CONTROL))
    assert [(it.check, it.message) for it in results if it.failed] == []
    assert {it.check for it in results if it.status == "passed"} >= {
        "trains-the-declared-networks",
        "state-lies-in-buffers",
        "updates-without-scores-are-observed",
        "constraint-keeps-the-weights",
        "trains-with-reference-partners",
        "resumes-to-the-bit",
    }


def test_every_check_has_a_wrong_loss():
    assert {check for _, _, check in WRONG} == {check.name for check in CHECKS}


def test_a_loss_that_needs_labels_is_checked_in_conditional_runs():
    results = perform_all(CHECKS, subject_of(spec(Conditional, reads=(*BOTH, "labels"))))
    assert [(it.check, it.message) for it in results if it.failed] == []


class Conditional(Correct):
    def discriminator_loss(self, step):
        assert step.labels is not None
        return super().discriminator_loss(step)
