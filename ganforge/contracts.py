"""The contracts between the engine and the components that a plugin builds.

Notation: `B` batch, `N` data set size, `Z` latent size, `C H W` image, `D` vector size, `K`
classes. Samples are float32 in [-1, 1] wherever a network or a loss sees them.

A **generator** is an `nn.Module` whose `forward(inputs [B, *input_shape])` gives samples
`[B, *sample_shape]`; a **discriminator** gives samples `[B, *sample_shape]` unbounded scores `[B]`
(patch scores `[B, h, w]` are allowed). A conditional network takes `labels [B]`, int64 in [0, K),
as its second argument. A generator whose spec says `encodes` also has a method
`encode(samples [B, *sample_shape], labels)` that gives codes `[B, *input_shape]`. The other kinds
derive from the classes below.

The engine owns time, device and gradient: no component calls `backward`, moves itself to a device
or draws from a random state other than the generator that it is given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from .formats import Drawn as Drawn
from .formats import Format as Format
from .problem import Fit, Problem


class Batch(NamedTuple):
    """Real samples `[B, *sample_shape]`, float32 in [-1, 1], and their labels `[B]` or None."""

    samples: Tensor
    labels: Tensor | None


class Inputs(NamedTuple):
    """Generator inputs `[B, *input_shape]` and the labels `[B]` to generate, or None."""

    values: Tensor
    labels: Tensor | None


class Step(Protocol):
    """A view of the current update of one network, as a loss term sees it.

    Everything is computed when it is first read, and once. In the discriminator's update the fake
    samples carry no gradient; in the generator's they do.
    """

    @property
    def real(self) -> Tensor:
        """Real samples `[B, *sample_shape]`."""

    @property
    def labels(self) -> Tensor | None:
        """The labels `[B]` of the real samples in a conditional run, else None."""

    @property
    def inputs(self) -> Tensor:
        """What the generator was fed, `[B, *input_shape]`."""

    @property
    def fake(self) -> Tensor:
        """Generated samples `[B, *sample_shape]`."""

    @property
    def fake_labels(self) -> Tensor | None:
        """The labels `[B]` that the fake samples were generated for, else None."""

    @property
    def codes(self) -> Tensor:
        """What a generator that encodes makes of `real`, `[B, *input_shape]`."""

    @property
    def reconstruction(self) -> Tensor:
        """What the generator makes of `real`, `[B, *sample_shape]`, sample by sample.

        G(encode(x)) for a generator that encodes, else `fake`, whose inputs the sampler has made of
        `real`.
        """

    @property
    def judged_real(self) -> Tensor:
        """What the discriminator is to take for real: `real`; `inputs` where it judges codes."""

    @property
    def judged_fake(self) -> Tensor:
        """What the discriminator is to take for fake: `fake`; `codes` where it judges codes."""

    @property
    def judged_real_labels(self) -> Tensor | None:
        """The labels `[B]` of `judged_real` in a conditional run, else None."""

    @property
    def judged_fake_labels(self) -> Tensor | None:
        """The labels `[B]` of `judged_fake` in a conditional run, else None."""

    @property
    def real_scores(self) -> Tensor:
        """The discriminator's scores of `judged_real`, `[B]` or `[B, h, w]`."""

    @property
    def fake_scores(self) -> Tensor:
        """The discriminator's scores of `judged_fake`, `[B]` or `[B, h, w]`."""

    def critic(self, samples: Tensor, labels: Tensor | None = None) -> Tensor:
        """The discriminator's scores of other samples, for penalties."""


def input_gradients(scores: Tensor, samples: Tensor) -> Tensor:
    """The gradient `[B, *sample_shape]` of each score with respect to its own sample.

    It can be differentiated again. `scores` are those of `samples`, which need a gradient: those of
    a step do where the term's spec says `double_backward`, in the discriminator's update. Samples
    must not influence each other's scores, or the gradient is that of the sum.
    """
    (gradients,) = torch.autograd.grad(scores.sum(), samples, create_graph=True)
    return gradients


class Loss(nn.Module):
    """One term of the objective; the objective is the sum of the terms that a run names.

    A term implements either or both of the two losses, each a scalar that is the mean over the
    batch. State (an adaptive weight, say) belongs in buffers, so that it is moved, saved and
    resumed.
    """

    def discriminator_loss(self, step: Step) -> Tensor | None:
        """The term's share of the discriminator's loss, a scalar; None where it has none."""
        return None

    def generator_loss(self, step: Step) -> Tensor | None:
        """The term's share of the generator's loss, a scalar; None where it has none."""
        return None

    def constrain_discriminator(self, discriminator: nn.Module) -> None:
        """Called without gradient after each optimizer step of the discriminator.

        For constraints on weights, such as clipping. The usual term has none.
        """


class ScoreLoss(Loss):
    """A term that is two functions of scores, which most adversarial losses are."""

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """The discriminator's loss, a scalar, from scores of the same shape."""
        raise NotImplementedError(f"{type(self).__name__} must define discriminator()")

    def generator(self, fake_scores: Tensor) -> Tensor:
        """The generator's loss, a scalar."""
        raise NotImplementedError(f"{type(self).__name__} must define generator()")

    def discriminator_loss(self, step: Step) -> Tensor:
        return self.discriminator(step.real_scores, step.fake_scores)

    def generator_loss(self, step: Step) -> Tensor:
        return self.generator(step.fake_scores)


class Sampler(ABC):
    """Draws what the generator is fed."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    @abstractmethod
    def sample(self, n: int, *, generator: torch.Generator, real: Batch | None = None) -> Inputs:
        """`n` inputs `[n, *input_shape]` with labels `[n]`, or None where the run has no classes.

        Everything is drawn from `generator` and lies on `generator.device`. `real` is the batch of
        the same update, of n samples. It is None when a trained generator is sampled from, unless
        the sampler's spec says `paired`.
        """

    def truncated(self, threshold: float) -> Sampler:
        """This sampler, with every latent drawn from [-threshold, threshold] (Brock et al., 2019).

        Raises ValueError where truncation has no meaning.
        """
        raise ValueError("its inputs cannot be truncated")


class LatentSampler(Sampler):
    """A sampler whose inputs are latents, independent of the real batch.

    In a conditional run the labels are those of the real batch, so that fake and real classes are
    equally frequent, and uniform over the classes where there is no real batch.
    """

    @abstractmethod
    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` latents `[n, Z]`, float32, drawn from `generator` on its device."""

    def sample(self, n: int, *, generator: torch.Generator, real: Batch | None = None) -> Inputs:
        latents = self.latents(n, generator)
        if self.problem.num_classes is None:
            return Inputs(latents, None)
        if real is not None and real.labels is not None:
            return Inputs(latents, real.labels)
        labels = torch.randint(
            self.problem.num_classes, (n,), generator=generator, device=generator.device
        )
        return Inputs(latents, labels)


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """A Gaussian mixture of M modes, float32.

    Weights `[M]` that sum to 1, means `[M, D]`, and the standard deviation `[M]` of each mode along
    every axis.
    """

    weights: Tensor
    means: Tensor
    stds: Tensor


class Dataset:
    """What the three kinds of data set share.

    `classes` are the names of the K classes, or None where the samples have no labels; `mixture`
    holds the modes of a Gaussian mixture, where the set is one; `fit` what the set has learnt from
    its data, where it has.
    """

    classes: tuple[str, ...] | None = None
    mixture: Mixture | None = None
    fit: Fit | None = None

    def describe(self) -> str:
        """One line for the person who starts a run: how many samples, of which classes."""
        return "endless samples"


class InMemoryDataset(Dataset):
    """Samples that fit in memory, in one tensor.

    `samples` is uint8 `[N, C, H, W]` for images, in [0, 255], or float32 `[N, D]` for vectors, in
    [-1, 1]; `labels` is int64 `[N]` in [0, K). Raises ValueError for anything else.
    """

    def __init__(
        self,
        samples: Tensor,
        labels: Tensor | None = None,
        classes: tuple[str, ...] | None = None,
    ) -> None:
        images = samples.dtype == torch.uint8 and samples.dim() == 4
        vectors = samples.dtype == torch.float32 and samples.dim() == 2
        if not (images or vectors):
            raise ValueError(
                "samples must be uint8 [N, C, H, W] or float32 [N, D], not "
                f"{samples.dtype} {list(samples.shape)}"
            )
        if (labels is None) != (classes is None):
            raise ValueError("labels and class names come together or not at all")
        if labels is not None and classes is not None:
            if labels.dtype != torch.int64 or labels.shape != samples.shape[:1]:
                raise ValueError(
                    f"labels must be int64 [{len(samples)}], not {labels.dtype} "
                    f"{list(labels.shape)}"
                )
            if len(labels) and (int(labels.min()) < 0 or int(labels.max()) >= len(classes)):
                raise ValueError(f"labels must lie in [0, {len(classes)})")
        self.samples = samples
        self.labels = labels
        self.classes = classes

    def __len__(self) -> int:
        return len(self.samples)

    def describe(self) -> str:
        if self.labels is None or self.classes is None:
            return count_line(len(self), None)
        counts = torch.bincount(self.labels, minlength=len(self.classes)).tolist()
        return count_line(len(self), dict(zip(self.classes, counts, strict=True)))


class MapDataset(Dataset, torch.utils.data.Dataset[tuple[Tensor, int]]):
    """Samples that are read one by one, by worker processes.

    `self[i]` gives the same `(sample, label)` whenever it is asked: a uint8 tensor `[C, H, W]` or a
    float32 tensor `[D]`, and an integer label (0 where there are no classes). Instances are sent to
    worker processes.
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__()")

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__()")

    def describe(self) -> str:
        return count_line(len(self), None)


class EndlessDataset(Dataset, ABC):
    """A distribution to draw from, rather than a stored set."""

    @abstractmethod
    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """`n` fresh samples `[n, *sample_shape]`, float32, drawn from `generator` on its device."""


class Evaluation(Protocol):
    """A generator and real data between steps, as a metric sees them: N samples of each.

    Real samples are held out of training where the run holds some out. The generator is the
    averaged one, in evaluation mode. Everything is on the device, without gradient, and computed
    when it is first read, once.
    """

    @property
    def dataset(self) -> Dataset:
        """The data set of the run."""

    @property
    def real(self) -> Tensor:
        """Real samples `[N, *sample_shape]`, float32."""

    @property
    def labels(self) -> Tensor | None:
        """The labels `[N]` of the real samples in a conditional run, else None."""

    @property
    def fake(self) -> Tensor:
        """Generated samples `[N, *sample_shape]`, float32."""

    @property
    def fake_labels(self) -> Tensor | None:
        """The labels `[N]` that the fake samples were generated for, else None."""

    @property
    def reconstruction(self) -> Tensor:
        """What the generator makes of `real`, `[N, *sample_shape]`, sample by sample."""


class Metric(ABC):
    """A measure of how good the samples are."""

    @abstractmethod
    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        """Numbers by name. A metric with one number may name it as it likes, its own name best."""


class Callback:
    """Told of a run's progress, never within a step. What it raises is a warning, and its end.

    A method that a callback does not need stays as it is.
    """

    def started(self, run_directory: Path, step: int, config: Mapping[str, Any]) -> None:
        """Training begins, or goes on after `step` steps; what was told of later ones is void.

        `config` holds every value of the configuration by its dotted key.
        """

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """A line of `metrics.jsonl`, after `step` steps."""

    def picture(self, step: int, picture: Tensor) -> None:
        """The sample grid after `step` steps, uint8 `[H, W, C]` on the CPU."""

    def saved(self, step: int, checkpoint: Path) -> None:
        """A checkpoint was written."""

    def ended(self, state: str) -> None:
        """The session is over: `finished`, `interrupted`, `terminated`, `preempted` or `failed`."""


def count_line(total: int, class_counts: Mapping[str, int] | None) -> str:
    """`1,797 samples in 10 classes: 0 (178), 1 (182), ...`"""
    if class_counts is None:
        return f"{total:,} samples"
    shown = [f"{name} ({count:,})" for name, count in list(class_counts.items())[:20]]
    more = f" and {len(class_counts) - 20} more" if len(class_counts) > 20 else ""
    return f"{total:,} samples in {len(class_counts)} classes: {', '.join(shown)}{more}"
