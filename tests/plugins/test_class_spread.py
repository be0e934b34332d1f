"""The spread within a class, against arithmetic, and in runs of the bundled networks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ganforge import DataError, NoOptions, Problem
from ganforge_metrics.class_spread import ClassSpread, spreads
from tests.conftest import Command

VECTORS = Problem(sample_shape=(3,), input_shape=(2,))


@dataclass
class Told:
    real: Tensor
    labels: Tensor
    fake: Tensor
    fake_labels: Tensor


def measured(**tensors: Tensor) -> dict[str, float]:
    return dict(ClassSpread(VECTORS, NoOptions()).measure(Told(**tensors)))


def drawn(*widths: float) -> tuple[Tensor, Tensor]:
    """4,000 samples of each class `[N, 3]`, whose deviation per axis is its width."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(len(widths)).repeat(4000)
    noise = torch.randn(len(labels), 3, generator=generator)
    return 10.0 * labels[:, None] + torch.tensor(widths)[labels, None] * noise, labels


def test_the_spread_is_the_root_of_the_summed_variance() -> None:
    samples, labels = drawn(1.0, 2.0)
    found = spreads(samples, labels)
    assert found == pytest.approx({0: 3**0.5, 1: 2 * 3**0.5}, rel=0.02)
    wanted = {k: samples[labels == k].double().var(0).sum().sqrt().item() for k in (0, 1)}
    assert found == pytest.approx(wanted, rel=1e-9)


def test_a_class_that_collapses_is_seen_and_its_distance_from_others_is_not() -> None:
    real, labels = drawn(1.0, 1.0, 1.0)
    fake, fake_labels = drawn(1.0, 1.0, 0.05)
    found = measured(real=real, labels=labels, fake=3 * fake, fake_labels=fake_labels)
    assert found["smallest"] == pytest.approx(0.15, rel=0.02)
    assert found["mean"] == pytest.approx((3 + 3 + 0.15) / 3, rel=0.02)
    same = measured(real=real, labels=labels, fake=real, fake_labels=labels)
    assert same == {"mean": 1.0, "smallest": 1.0}


def test_a_class_of_one_sample_says_nothing() -> None:
    real, labels = torch.randn(5, 3), torch.tensor([0, 0, 0, 0, 4])
    found = measured(real=real, labels=labels, fake=real, fake_labels=labels)
    assert found == {"mean": 1.0, "smallest": 1.0}
    with pytest.raises(DataError, match="two samples of a class"):
        measured(real=real, labels=torch.arange(5), fake=real, fake_labels=labels)


@pytest.mark.slow
@pytest.mark.parametrize("generator", ["dcgan", "conditional", "mlp"])
def test_classes_do_not_collapse_by_default(cli: Command, tmp_path: Path, generator: str) -> None:
    run = tmp_path / "run"
    answer = cli(
        *("train", "--generator", generator, "--conditional", "--steps", 700, "--out", run),
        *("--metric", "class-spread", "--set", "evaluation.every=700", "--seed", 11),
    )
    assert answer.code == 0, answer.err
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    last = next(line for line in reversed(lines) if "metric/class-spread/mean" in line)
    # 0.06 where the label is joined to the latents of dcgan and there is no penalty.
    assert last["metric/class-spread/mean"] > 0.6
    assert last["metric/class-spread/smallest"] > 0.5
