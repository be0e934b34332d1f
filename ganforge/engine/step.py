"""One discriminator update and one generator update (Goodfellow et al., 2014, algorithm 1).

Notation: G generator, E its encoder where it has one, D discriminator, x real samples, z generator
inputs, y class labels.

The gradient of an update is asked for one network's parameters only: the other network needs no
flags switched and computes no weight gradients. Losses and norms stay on the device; nothing here
waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganforge.contracts import Batch, Inputs
from ganforge.errors import PluginError, listed
from ganforge.plugin.schedule import Progress

from .finite import FiniteGuard, total_norm
from .noise import Noise
from .objective import Network, Objective

BEGINNING = Progress(step=0, num_steps=1, images=0)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network in training, its optimizer, and the parameters that want a gradient."""

    network: nn.Module
    optimizer: Optimizer
    parameters: Sequence[nn.Parameter]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a batch: x with y, and z with its y. `fake` is G(z) where it is known already.

    `noise` is added to what D judges. `progress` is how far the run is.
    """

    real: Batch
    inputs: Inputs
    fake: Tensor | None = None
    noise: Noise | None = None
    progress: Progress = BEGINNING


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """How the networks of a run are connected.

    `encodes`: x is reconstructed as G(E(x)), rather than as G(z) of a z that was made of x.
    `codes`: D tells E(x) from z (Makhzani et al., 2015), rather than G(z) from x.
    `joint`: D scores both in one batch in its update.
    """

    encodes: bool = False
    codes: bool = False
    joint: bool = False


USUAL = Wiring()

#: what an update leaves for the log, by name: scalars on the device, detached, or numbers
Metrics = dict[str, Tensor | float]


class View:
    """The `ganforge.Step` of one update: computed when first read, and once.

    With `differentiable`, what D judges wants a gradient in D's update, so that a term can
    differentiate D with respect to it.
    """

    def __init__(
        self,
        network: Network,
        part: Part,
        generator: nn.Module,
        discriminator: nn.Module | None,
        wiring: Wiring = USUAL,
        *,
        differentiable: bool = False,
    ) -> None:
        self._trains_generator = network == "generator"
        self._part = part
        self._generator = generator
        self._discriminator = discriminator
        self._wiring = wiring
        self._differentiable = differentiable

    @property
    def progress(self) -> Progress:
        return self._part.progress

    @property
    def real(self) -> Tensor:
        return self._part.real.samples

    @property
    def labels(self) -> Tensor | None:
        return self._part.real.labels

    @property
    def inputs(self) -> Tensor:
        return self._part.inputs.values

    @property
    def fake_labels(self) -> Tensor | None:
        return self._part.inputs.labels

    @cached_property
    def fake(self) -> Tensor:
        if self._part.fake is not None:
            return self._part.fake if self._trains_generator else self._part.fake.detach()
        with torch.set_grad_enabled(self._trains_generator):
            return generate(self._generator, self._part.inputs)

    @cached_property
    def codes(self) -> Tensor:
        with torch.set_grad_enabled(self._trains_generator):
            return encode(self._generator, self._part.real)

    @cached_property
    def reconstruction(self) -> Tensor:
        if not self._wiring.encodes:
            return self.fake
        with torch.set_grad_enabled(self._trains_generator):
            return generate(self._generator, Inputs(self.codes, self.labels))

    @cached_property
    def judged_real(self) -> Tensor:
        return self._judged(self.inputs if self._wiring.codes else self.real)

    @cached_property
    def judged_fake(self) -> Tensor:
        return self._judged(self.codes if self._wiring.codes else self.fake)

    @property
    def judged_real_labels(self) -> Tensor | None:
        return self.fake_labels if self._wiring.codes else self.labels

    @property
    def judged_fake_labels(self) -> Tensor | None:
        return self.labels if self._wiring.codes else self.fake_labels

    def _judged(self, samples: Tensor) -> Tensor:
        return samples.detach().requires_grad_() if self._differentiable else samples

    @cached_property
    def real_scores(self) -> Tensor:
        if self._wiring.joint and not self._trains_generator:
            return self._joint_scores[: len(self.judged_real)]
        # In G's update D(x) is a constant: no graph is kept for it.
        with torch.set_grad_enabled(not self._trains_generator):
            return self.critic(self.judged_real, self.judged_real_labels)

    @cached_property
    def fake_scores(self) -> Tensor:
        if self._wiring.joint and not self._trains_generator:
            return self._joint_scores[len(self.judged_real) :]
        return self.critic(self.judged_fake, self.judged_fake_labels)

    @cached_property
    def _joint_scores(self) -> Tensor:
        labels = None
        if self.judged_real_labels is not None and self.judged_fake_labels is not None:
            labels = torch.cat([self.judged_real_labels, self.judged_fake_labels])
        return self.critic(torch.cat([self.judged_real, self.judged_fake]), labels)

    def critic(self, samples: Tensor, labels: Tensor | None = None) -> Tensor:
        assert self._discriminator is not None, "compatibility.py lets no such run begin"
        if self._part.noise is not None:
            samples = self._part.noise.added_to(samples)
        return score(self._discriminator, samples, labels)

    def read_scores(self) -> Metrics:
        """The scores that some term has read, by the name of their metric."""
        read = {"score/real": "real_scores", "score/fake": "fake_scores"}
        return {
            metric: self.__dict__[attribute].detach().mean()
            for metric, attribute in read.items()
            if attribute in self.__dict__
        }


def generate(generator: nn.Module, inputs: Inputs) -> Tensor:
    """G(z), or G(z, y) in a conditional run."""
    samples: Tensor = (
        generator(inputs.values)
        if inputs.labels is None
        else generator(inputs.values, inputs.labels)
    )
    return samples


def encode(generator: nn.Module, real: Batch) -> Tensor:
    """E(x), or E(x, y) in a conditional run."""
    encoder: Callable[..., Tensor] = generator.encode  # type: ignore[assignment]
    return encoder(real.samples) if real.labels is None else encoder(real.samples, real.labels)


def score(discriminator: nn.Module, samples: Tensor, labels: Tensor | None) -> Tensor:
    """D(x), or D(x, y) in a conditional run."""
    scores: Tensor = discriminator(samples) if labels is None else discriminator(samples, labels)
    return scores


def discriminator_update(
    discriminator: Trained,
    generator: nn.Module,
    objective: Objective,
    parts: Sequence[Part],
    guard: FiniteGuard,
    step: int,
    wiring: Wiring = USUAL,
) -> Metrics:
    """One step of D's optimizer on x and G(z), without gradient for G."""
    differentiable = objective.differentiates_gradient(step)
    views = [
        View(
            "discriminator",
            part,
            generator,
            discriminator.network,
            wiring,
            differentiable=differentiable,
        )
        for part in parts
    ]
    metrics = _update("discriminator", discriminator, objective, views, guard, step)
    if objective.constraints:
        with torch.no_grad():
            objective.constrain(discriminator.network)
    return metrics | views[-1].read_scores()


def generator_update(
    generator: Trained,
    discriminator: nn.Module | None,
    objective: Objective,
    parts: Sequence[Part],
    guard: FiniteGuard,
    step: int,
    wiring: Wiring = USUAL,
) -> Metrics:
    """One step of G's optimizer through D(G(z)), without weight gradients for D."""
    views = [View("generator", part, generator.network, discriminator, wiring) for part in parts]
    return _update("generator", generator, objective, views, guard, step)


def _update(
    network: Network,
    trained: Trained,
    objective: Objective,
    views: Sequence[View],
    guard: FiniteGuard,
    step: int,
) -> Metrics:
    """Backward over the parts, one optimizer step; the values of the terms, averaged over parts."""
    for parameter in trained.parameters:
        parameter.grad = None
    means: dict[str, Tensor] = {}
    for view in views:
        values = objective(network, view, step)
        if not values:
            return {}
        total = objective.total(values, view.progress)
        if len(views) > 1:  # a small operation costs as much as a small layer
            total = total / len(views)
        if not total.requires_grad:
            raise _independent(network, values)
        total.backward(inputs=trained.parameters)  # type: ignore[no-untyped-call]
        for name, value in values.items():
            share = value.detach() if len(views) == 1 else value.detach() / len(views)
            means[name] = means[name] + share if name in means else share
    gradients = [p.grad for p in trained.parameters if p.grad is not None]
    if not gradients:  # it depends on some weights, and on none of this network's
        raise _independent(network, means)
    norm = total_norm(gradients)
    guard.judge(network, step, means, norm)
    trained.optimizer.step()
    metrics: Metrics = {f"loss/{network}/{name}": value for name, value in means.items()}
    metrics[f"loss/{network}"] = objective.total(means, views[-1].progress)
    metrics[f"gradient_norm/{network}"] = norm
    return metrics


def _independent(network: Network, values: Iterable[str]) -> PluginError:
    names = listed([repr(name) for name in values])
    return PluginError(f"the {network}'s loss {names} does not depend on its weights")
