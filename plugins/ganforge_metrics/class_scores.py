"""Scores of generated samples by a classifier: its certainty, their variety, its agreement.

Classifiers are sure of much that is no sample at all, so none of this says that samples look real.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor

from ganforge import DataError, Evaluation, Metric, NoOptions, Problem

from . import ScoreOptions

_SURE = 0.9  # of the probability of one class


class ClassifierScore(Metric):
    """The formula of the Inception Score on the logits of an extractor, as `mean` and `std`.

    It is the Inception Score (Salimans et al., 2016, section 4) where the extractor is `inception`,
    and comparable with nothing else. From 1 to the number of classes; real samples are not looked
    at, and one good sample of each class has the most that there is.
    """

    def __init__(self, problem: Problem, options: ScoreOptions) -> None:
        self.num_splits = options.splits

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        logits = evaluation.fake_features.logits
        assert logits is not None  # the spec says that they are needed
        if len(logits) < self.num_splits:
            raise DataError(
                f"the metric 'classifier-score' with {self.num_splits} splits needs as many "
                f"samples, and there are {len(logits)}; raise evaluation.num_samples"
            )
        # Samples may come class by class, and each part is to have all of them.
        order = torch.randperm(len(logits), generator=torch.Generator().manual_seed(0))
        scores = split_scores(logits[order], self.num_splits)
        return {"mean": scores.mean().item(), "std": scores.std(correction=0).item()}


def split_scores(logits: Tensor, num_splits: int) -> Tensor:
    """exp E KL(p(y|x) || p(y)) of each of so many parts of logits `[N, K]`, float64 `[S]`.

    Parts are of equal numbers, to one, of rows in their order.
    """
    bounds = [len(logits) * split // num_splits for split in range(num_splits + 1)]
    found = []
    for start, stop in pairwise(bounds):
        logs = logits[start:stop].double().log_softmax(1)
        shares = logs.exp()
        mean = shares.mean(0)
        entropy = -torch.special.xlogy(mean, mean).sum()
        found.append((entropy + (shares * logs).sum(1).mean()).exp())
    return torch.stack(found)


class Classes(Metric):
    """The classes that a classifier finds among generated samples, whatever they were made for.

    - `classes`: how many of them there are;
    - `entropy`: that of their histogram over log K: 1 where all are as frequent, 0 where there is
      one alone;
    - `kl`: the divergence in nats of the histogram from that of the real samples, with one added to
      every count of these, so that a class that real samples lack has a large and finite price;
    - `confidence`: the mean probability of the likeliest class;
    - `sure`: the share of samples whose likeliest class has more than .9.
    """

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        pass

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real, fake = evaluation.real_features.logits, evaluation.fake_features.logits
        assert real is not None  # the spec says that they are needed
        assert fake is not None
        expected = class_counts(real) + 1
        found, confidence = class_counts(fake), confidences(fake)
        return {
            "classes": float((found > 0).sum()),
            "entropy": entropy(found),
            "kl": histogram_divergence(found, expected),
            "confidence": confidence.mean().item(),
            "sure": (confidence > _SURE).double().mean().item(),
        }


class LabelAgreement(Metric):
    """Agreement of a classifier of the data's own classes with those that samples were made for.

    `accuracy` over all samples, and `worst_class`, that of the class with the lowest. Of real
    samples it is what the classifier gets. A generator that makes one picture for each class has
    all of it.
    """

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        pass

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        logits, labels = evaluation.fake_features.logits, evaluation.fake_labels
        assert logits is not None  # the spec says that they are needed
        assert labels is not None
        labels = labels.to(logits.device)
        right = (logits.argmax(1) == labels).double()
        counts = labels.bincount(minlength=logits.shape[1])
        rights = labels.bincount(weights=right, minlength=logits.shape[1])
        shares = rights[counts > 0] / counts[counts > 0]
        return {"accuracy": right.mean().item(), "worst_class": shares.min().item()}


class StackedModes(Metric):
    """The protocol of StackedMNIST: which of the modes a classifier finds (Metz et al., 2017).

    - `modes`: the classes that at least one generated sample is recognised as, of 1,000;
    - `kl`: the divergence in nats of their histogram from an even one;
    - `confidence`: the mean probability of the likeliest class.

    The papers report the first two, from 26,000 samples (VEEGAN, Srivastava et al., 2017) or
    25,600 (Metz et al., 2017): a perfect generator has a `kl` of about 999 / 2N, .019. Both can be
    had with blobs, which a classifier takes for something, hence the third.
    """

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        pass

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        logits = evaluation.fake_features.logits
        assert logits is not None  # the spec says that they are needed
        found = class_counts(logits)
        return {
            "modes": float((found > 0).sum()),
            "kl": histogram_divergence(found, torch.ones_like(found)),
            "confidence": confidences(logits).mean().item(),
        }


def class_counts(logits: Tensor) -> Tensor:
    """Numbers of samples of each class, float64 `[K]`."""
    return logits.argmax(1).bincount(minlength=logits.shape[1]).double()


def confidences(logits: Tensor) -> Tensor:
    """The probability `[N]` of each sample's likeliest class."""
    return (logits.amax(1) - logits.logsumexp(1)).exp()


def entropy(counts: Tensor) -> float:
    """That of a histogram over the most that it can be, from 0 to 1; 1 where there is one class."""
    if len(counts) == 1:
        return 1.0
    shares = counts / counts.sum()
    return -float(torch.special.xlogy(shares, shares).sum()) / math.log(len(counts))


def histogram_divergence(counts: Tensor, others: Tensor) -> float:
    """KL of the shares `[K]` of a histogram from those of another, which has no empty class."""
    shares, expected = counts / counts.sum(), others / others.sum()
    return float(torch.special.xlogy(shares, shares / expected).sum())
