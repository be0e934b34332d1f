"""Loss terms that read what only their own plugin's components give, and are checked with these."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, l1_loss

from ganforge import (
    DiscriminatorSpec,
    Game,
    GameSpec,
    GeneratorSpec,
    ImageShapes,
    LatentSampler,
    Loss,
    LossSpec,
    SamplerSpec,
    Step,
)
from ganforge.testing.checks import loss_conduct, loss_declarations, losses, penalties
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import checks_in, perform_all

MODULES = (losses, penalties, loss_declarations, loss_conduct)
CHECKS = [it for module in MODULES for it in checks_in(module)]
SIDE = 8
SHAPES = (ImageShapes(minimum=SIDE, maximum=SIDE, channels=(1,)),)
G = ("generator",)


class Maps(nn.Module):
    """Scores, with a list of feature maps and logits of the classes that it is not told."""

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.second = nn.Conv2d(4, 8, 3, stride=2, padding=1)
        self.last = nn.Linear(32, 1)
        self.classes = nn.Linear(32, 16)

    def forward(self, samples):
        return self.trace(samples)[0]

    def trace(self, samples):
        first = self.first(samples).relu()
        second = self.second(first).relu()
        code = second.flatten(1)
        given = {"maps": [first, second], "logits": self.classes(code)}
        return self.last(code)[:, 0], given


class Variational(nn.Module):
    """A decoder with an encoder to a mean and a log variance."""

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__()
        self.size = problem.input_shape[0]
        self.encoder = nn.Linear(SIDE * SIDE, 2 * self.size)
        self.decoder = nn.Linear(self.size, SIDE * SIDE)

    def forward(self, inputs):
        return self.decoder(inputs).tanh().view(-1, 1, SIDE, SIDE)

    def posterior(self, samples):
        return self.encoder(samples.flatten(1)).chunk(2, dim=1)


class PosteriorStep(Step):
    @cached_property
    def posterior(self):
        with torch.set_grad_enabled(self.update.trains_generator):
            return self.update.generator.posterior(self.samples)

    @property
    def mean(self):
        return self.posterior[0]

    @property
    def log_variance(self):
        return self.posterior[1]


class Posterior(Game):
    step_class = PosteriorStep


class Categories(LatentSampler):
    """Noise, and a category with one number a class."""

    def latents(self, n, generator):
        noise = torch.randn(n, 3, generator=generator, device=generator.device)
        classes = torch.randint(5, (n,), generator=generator, device=generator.device)
        return torch.cat([noise, nn.functional.one_hot(classes, 5).float()], 1)


class Matching(Loss):
    """Feature matching over a list of maps (Wang et al., 2018)."""

    def generator_loss(self, step):
        real, fake = step.trace("real.maps"), step.trace("fake.maps")
        pairs = zip(fake, real, strict=True)
        return torch.stack([l1_loss(ours, theirs.detach()) for ours, theirs in pairs]).sum()


class Auxiliary(Loss):
    """An auxiliary classifier (Odena et al., 2017)."""

    def discriminator_loss(self, step):
        return cross_entropy(step.trace("real.logits"), step.labels)

    def generator_loss(self, step):
        return cross_entropy(step.trace("fake.logits"), step.fake_labels)


class Divergence(Loss):
    """KL(q(z|x) || N(0, I)) (Kingma and Welling, 2014, appendix B)."""

    def generator_loss(self, step):
        mean, log_variance = step.mean, step.log_variance
        terms = 1 + log_variance - mean.square() - log_variance.exp()
        return -0.5 * terms.sum(1).mean()


class Information(Loss):
    """A category is to be found in what was made of it (Chen et al., 2016)."""

    def generator_loss(self, step):
        part = step.part("category")
        assert (part.sum(1) == 1).all()
        return cross_entropy(step.trace("fake.logits"), part.argmax(1))


def spec(kind: type, built: type, **said: Any) -> Any:
    return kind(name="mine", summary="Mine", build=f"{__name__}:{built.__name__}", **said)


CRITIC = spec(DiscriminatorSpec, Maps, shapes=SHAPES, gives=("maps", "logits"))
DECODER = spec(GeneratorSpec, Variational, shapes=SHAPES, methods=("posterior",))
GAME = spec(
    GameSpec,
    Posterior,
    provides=("mean", "log_variance"),
    calls=("posterior",),
    conditions=False,
)
SAMPLER = spec(
    SamplerSpec,
    Categories,
    input_shape=lambda options, fields: (8,),
    parts=lambda options: {"noise": 3, "category": 5},
)
PARTNERS = (CRITIC, DECODER, GAME, SAMPLER)


def results(built: type, *partners: Any, **said: Any) -> list[Any]:
    subject = subject_of(spec(LossSpec, built, **said))
    return perform_all(CHECKS, replace(subject, partners=tuple(map(subject_of, partners))))


@pytest.mark.parametrize(
    ("built", "said"),
    [
        (Matching, {"trains": G, "reads": ("real.maps", "fake.maps")}),
        (Auxiliary, {"reads": ("real.logits", "fake.logits", "labels", "fake_labels")}),
        (Divergence, {"trains": G, "reads": ("mean", "log_variance")}),
        (Information, {"trains": G, "reads": ("inputs.category", "fake.logits")}),
    ],
)
def test_a_term_is_checked_with_what_its_plugin_gives(built, said):
    found = results(built, *PARTNERS, **said)
    assert [(it.check, it.message) for it in found if it.failed] == []
    passed = {it.check for it in found if it.status == "passed"}
    assert passed >= {
        "value-is-a-scalar",
        "trains-the-declared-networks",
        "reads-are-as-declared",
        "same-step-has-the-same-value",
        "value-lies-on-the-steps-device",
    }


def test_another_kind_of_samples_is_no_matter_where_the_partners_take_none():
    found = results(Matching, *PARTNERS, trains=G, reads=("real.maps", "fake.maps"))
    (vectors,) = [it for it in found if it.check == "vectors-are-accepted"]
    assert (vectors.status, vectors.message) == (
        "skipped",
        "no partners of its plugin take vectors",
    )


class Refusing(Maps):
    def __init__(self, problem: Any, options: Any) -> None:
        raise ValueError("never")


def test_a_term_whose_partners_all_refuse_has_not_passed():
    refusing = replace(CRITIC, build=f"{__name__}:Refusing")
    found = results(Matching, refusing, trains=G, reads=("real.maps", "fake.maps"))
    failed = {it.check: it.message for it in found if it.failed}
    assert failed.keys() == {"value-is-a-scalar"}
    assert "discriminator/mine is no partner" in failed["value-is-a-scalar"]
    assert not any(it.status == "passed" for it in found)


class OfFourNumbers(Loss):
    def generator_loss(self, step):
        return step.fake.view(-1, 4).square().mean() + step.fake.view(-1, 7).mean()


def test_an_error_of_a_loss_shows_the_shapes_that_it_was_given():
    first = results(OfFourNumbers, trains=G, reads=("fake",))[0]
    assert first.check == "value-is-a-scalar"
    assert "the generator's loss raised RuntimeError: shape '[-1, 7]' is invalid" in first.message
    assert "test_partners_of_losses.py, line" in first.message
    assert "for samples [4, 3, 16, 16] and inputs [4, 6]" in first.message
