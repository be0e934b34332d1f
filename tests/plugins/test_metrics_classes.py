"""What a classifier says of samples, from logits whose answers are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganforge import DataError, NoOptions, Problem
from ganforge_metrics import ScoreOptions
from ganforge_metrics.class_scores import (
    Classes,
    ClassifierScore,
    LabelAgreement,
    StackedModes,
    split_scores,
)

from .measured import Looked, gaussian

PROBLEM = Problem(sample_shape=(2,), input_shape=(2,))
NONE = NoOptions()


def sure_of(labels: Tensor, num_classes: int, certainty: float = 50.0) -> Tensor:
    """Logits of a classifier that has no doubt, or as much as `certainty` leaves."""
    return certainty * torch.nn.functional.one_hot(labels, num_classes).float()


def test_the_score_is_the_formula_of_the_paper():
    logits = gaussian(40, 5, 0)
    shares = logits.double().softmax(1)
    mean = shares.mean(0)
    divergences = [
        sum(p * math.log(p / m) for p, m in zip(row, mean, strict=True)) for row in shares
    ]
    expected = math.exp(sum(divergences) / len(divergences))
    assert split_scores(logits, 1).tolist() == [pytest.approx(expected)]
    parts = split_scores(logits, 4)
    assert parts.tolist() == [
        pytest.approx(split_scores(part, 1).item()) for part in logits.split(10)
    ]


def test_the_score_goes_from_one_to_the_number_of_classes():
    labels = torch.arange(200) // 50  # class by class
    metric = ClassifierScore(PROBLEM, ScoreOptions(splits=2))
    found = metric.measure(Looked(fake=sure_of(labels, 4)))
    assert found["mean"] == pytest.approx(4, rel=0.02)
    alone = metric.measure(Looked(fake=sure_of(torch.zeros(200).long(), 4)))
    assert alone == {"mean": pytest.approx(1), "std": pytest.approx(0, abs=1e-9)}
    assert metric.measure(Looked(fake=torch.zeros(200, 4)))["mean"] == pytest.approx(1)
    with pytest.raises(DataError, match="with 2 splits needs as many samples, and there are 1"):
        metric.measure(Looked(fake=torch.zeros(1, 4)))


def test_classes_are_counted_and_weighed():
    real = sure_of(torch.arange(400) % 4, 4)
    fake = sure_of(torch.tensor([0] * 60 + [1] * 30 + [2] * 10), 4, certainty=math.log(3))
    found = Classes(PROBLEM, NONE).measure(Looked(real=real, fake=fake))
    shares = (0.6, 0.3, 0.1)
    assert found == {
        "classes": 3.0,
        "entropy": pytest.approx(-sum(p * math.log(p) for p in shares) / math.log(4)),
        "kl": pytest.approx(sum(p * math.log(4 * p) for p in shares)),
        "confidence": pytest.approx(3 / 6),
        "sure": 0.0,
    }
    perfect = Classes(PROBLEM, NONE).measure(Looked(real=real, fake=real))
    assert perfect == {
        "classes": 4.0,
        "entropy": pytest.approx(1),
        "kl": pytest.approx(0, abs=1e-12),
        "confidence": pytest.approx(1),
        "sure": 1.0,
    }


def test_a_class_that_real_samples_lack_has_a_price():
    real = sure_of(torch.zeros(99).long(), 2)
    found = Classes(PROBLEM, NONE).measure(Looked(real=real, fake=sure_of(torch.ones(9).long(), 2)))
    assert found["kl"] == pytest.approx(math.log(101))


def test_agreement_with_labels_and_the_worst_class():
    labels = torch.arange(30) % 3
    seen = labels.clone()
    seen[:6] = torch.tensor([0, 0, 0, 0, 1, 2])  # one wrong of class 1, and one of class 2
    looked = Looked(fake=sure_of(seen, 5), labels=labels, fake_labels=labels)
    found = LabelAgreement(PROBLEM, NONE).measure(looked)
    wrong = int((seen != labels).sum())
    assert wrong == 2
    assert found == {"accuracy": pytest.approx(28 / 30), "worst_class": pytest.approx(0.9)}


def test_stacked_modes_of_perfect_collapsed_and_doubtful_generators():
    metric = StackedModes(PROBLEM, NONE)
    draws = torch.randint(1000, (26_000,), generator=torch.Generator().manual_seed(0))
    perfect = metric.measure(Looked(fake=sure_of(draws, 1000)))
    assert perfect["modes"] == 1000
    assert perfect["kl"] == pytest.approx(999 / 52_000, rel=0.2)
    assert perfect["confidence"] == pytest.approx(1)
    one = metric.measure(Looked(fake=sure_of(torch.full((500,), 7), 1000)))
    assert one == {
        "modes": 1.0,
        "kl": pytest.approx(math.log(1000)),
        "confidence": one["confidence"],
    }
    blobs = metric.measure(Looked(fake=sure_of(draws, 1000, certainty=1.0)))
    assert blobs["kl"] == perfect["kl"]
    assert blobs["confidence"] < 0.01
