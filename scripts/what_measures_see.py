"""Measure sets of real digits that were spoilt in known ways: the table of docs/evaluation.md.

    python scripts/what_measures_see.py
    python scripts/what_measures_see.py --mnist FOLDER

The first uses the digits that come with ganforge, a third of which are trained on, a third held
out, and a third in the place of generated samples; the second 5,000 of MNIST for each.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ganforge import Extracted, Problem
from ganforge.contracts import Dataset
from ganforge_datasets import digits, torchvision_sets
from ganforge_datasets.options import DigitsOptions, TorchvisionOptions
from ganforge_features import ClassifierOptions
from ganforge_features.classifier import Classifier
from ganforge_metrics import KernelOptions, ManifoldOptions, MemorisationOptions, ScoreOptions
from ganforge_metrics.class_scores import Classes, ClassifierScore, LabelAgreement
from ganforge_metrics.frechet import ClassFrechetDistance, FrechetDistance
from ganforge_metrics.kernel_distance import KernelDistance
from ganforge_metrics.manifolds import Manifolds
from ganforge_metrics.memorisation import Memorisation

METRICS = {
    "fid": (FrechetDistance, None),
    "kid": (KernelDistance, KernelOptions()),
    "prdc": (Manifolds, ManifoldOptions()),
    "memorisation": (Memorisation, MemorisationOptions()),
    "classifier-score": (ClassifierScore, ScoreOptions()),
    "classes": (Classes, None),
    "label-agreement": (LabelAgreement, None),
    "class-fid": (ClassFrechetDistance, None),
}
ROWS = (
    "fid",
    "kid/mean",
    "prdc/precision",
    "prdc/recall",
    "prdc/density",
    "prdc/coverage",
    "memorisation/nn_ratio",
    "memorisation/copies",
    "memorisation/repeats",
    "classifier-score/mean",
    "classes/entropy",
    "classes/confidence",
    "label-agreement/accuracy",
    "label-agreement/worst_class",
    "class-fid/mean",
)
#: set -> the rows that are to see what was done to it
SEES = {
    "real": (),
    "blurred": (
        "fid",
        "kid/mean",
        "prdc/precision",
        "prdc/recall",
        "prdc/density",
        "prdc/coverage",
        "classifier-score/mean",
        "classes/confidence",
        "label-agreement/accuracy",
        "label-agreement/worst_class",
        "class-fid/mean",
    ),
    "noisy": ("fid", "kid/mean", "prdc/precision", "prdc/density", "class-fid/mean"),
    "no 8 or 9": (
        "fid",
        "kid/mean",
        "prdc/recall",
        "prdc/coverage",
        "classifier-score/mean",
        "classes/entropy",
    ),
    "memorised": ("memorisation/nn_ratio", "memorisation/copies"),
    "repeated": (
        "fid",
        "kid/mean",
        "prdc/recall",
        "prdc/coverage",
        "memorisation/repeats",
        "class-fid/mean",
    ),
    "mislabelled": (
        "label-agreement/accuracy",
        "label-agreement/worst_class",
        "class-fid/mean",
    ),
}


@dataclass(kw_only=True)
class Samples:
    """Images in [-1, 1], their labels, and what the extractor sees of them."""

    images: Tensor
    labels: Tensor
    seen: Extracted | None = None

    def rows(self, chosen: Tensor) -> Samples:
        return Samples(images=self.images[chosen], labels=self.labels[chosen])


@dataclass(kw_only=True)
class Compared:
    """The evaluation of some samples against held-out and training ones."""

    real_features: Extracted
    fake_features: Extracted
    training_features: Extracted
    labels: Tensor
    fake_labels: Tensor
    dataset: Dataset


def spoilt(real: Samples, training: Samples) -> dict[str, Samples]:
    """Sets in the place of generated samples, nearly all of them as large as `real`."""
    generator, num = torch.Generator().manual_seed(0), len(real.images)

    def some(of: Sequence[int]) -> Tensor:
        """As many rows again, of these alone."""
        return torch.tensor(of)[torch.randint(len(of), (num,), generator=generator)]

    blur = torch.ones(1, 1, 3, 3) / 9
    noise = 0.4 * torch.randn(real.images.shape, generator=generator)
    others = (real.labels + 1 + torch.arange(num) % 9) % 10
    return {
        "real": real,
        "blurred": Samples(
            images=functional.conv2d(real.images + 1, blur, padding=1) - 1, labels=real.labels
        ),
        "noisy": Samples(images=(real.images + noise).clamp(-1, 1), labels=real.labels),
        "no 8 or 9": real.rows(torch.nonzero(real.labels < 8)[:, 0]),
        "memorised": training.rows(torch.arange(num) % len(training.images)),
        "repeated": real.rows(some(range(num // 10))),
        "mislabelled": Samples(images=real.images, labels=others),
    }


def table(
    held_out: Samples, training: Samples, real: Samples, steps: int
) -> dict[str, list[float]]:
    """The numbers of every row, for each of the sets."""
    shape = tuple(real.images.shape[1:])
    problem = Problem(sample_shape=shape, input_shape=(2,), num_classes=10)
    torch.manual_seed(0)
    network = Classifier(problem, ClassifierOptions(steps=steps))
    network.fit(training.images, training.labels, torch.Generator().manual_seed(0))
    network.eval()

    @torch.inference_mode()
    def seen(samples: Samples) -> Extracted:
        return Extracted.joined([network.extract(it) for it in samples.images.split(500)])

    found: dict[str, list[float]] = {name: [] for name in ROWS}
    reference, lesson = seen(held_out), seen(training)
    for samples in spoilt(real, training).values():
        compared = Compared(
            real_features=reference,
            fake_features=seen(samples),
            training_features=lesson,
            labels=held_out.labels,
            fake_labels=samples.labels,
            dataset=Dataset(),
        )
        for name, value in measured(problem, compared).items():
            if name in found:
                found[name].append(value)
    return found


def measured(problem: Problem, compared: Compared) -> Mapping[str, float]:
    """Every number of the metrics, as `kid/mean` or `fid`."""
    numbers: dict[str, float] = {}
    for name, (kind, options) in METRICS.items():
        build: Callable[..., object] = kind
        values = build(problem, options).measure(compared)  # type: ignore[attr-defined]
        numbers |= {name if key == name else f"{name}/{key}": it for key, it in values.items()}
    return numbers


def of_digits() -> dict[str, list[float]]:
    """The table of the digits that come with ganforge."""
    problem = Problem(sample_shape=(1, 8, 8), input_shape=(2,))
    data = digits.build(problem, DigitsOptions(size=8))
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(1))
    thirds = [_samples(data.samples, data.labels, it) for it in order.split(len(data) // 3)]
    return table(*thirds[:3], steps=300)


def of_mnist(root: str) -> dict[str, list[float]]:
    """The table of MNIST, 5,000 of everything."""
    problem = Problem(sample_shape=(1, 28, 28), input_shape=(2,))
    parts = {
        split: torchvision_sets.mnist(
            problem,
            TorchvisionOptions(root=root, size=28, split=split),  # type: ignore[arg-type]
        )
        for split in ("train", "test")
    }
    train, test = parts["train"], parts["test"]
    rows = torch.randperm(len(test), generator=torch.Generator().manual_seed(1))
    learnt = torch.randperm(len(train), generator=torch.Generator().manual_seed(1))[:5000]
    return table(
        _samples(test.samples, test.labels, rows[:5000]),
        _samples(train.samples, train.labels, learnt),
        _samples(test.samples, test.labels, rows[5000:]),
        steps=400,
    )


def _samples(images: Tensor, labels: Tensor | None, rows: Tensor) -> Samples:
    assert labels is not None
    return Samples(images=images[rows].float() / 127.5 - 1, labels=labels[rows])


def markdown(found: Mapping[str, Sequence[float]]) -> str:
    """The table as it stands in the page, what is to be seen in bold."""
    lines = [["measure", *SEES], ["---"] * (1 + len(SEES))]
    for name, values in found.items():
        cells = [
            f"**{value:.3g}**" if name in rows else f"{value:.3g}"
            for value, rows in zip(values, SEES.values(), strict=True)
        ]
        lines.append([f"`{name}`", *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", metavar="FOLDER", help="folder that holds torchvision's MNIST")
    chosen = parser.parse_args()
    print(markdown(of_digits() if chosen.mnist is None else of_mnist(chosen.mnist)))
