"""Symptoms: what is measured between steps is what it is called, and changes nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
import torch

from ganforge.engine.signals import StopRequest
from ganforge.engine.step import train_step
from ganforge.engine.symptoms import _nearest, _saturated, _spread
from ganforge.engine.trainer import Trainer

MakeTrainer = Callable[..., Trainer]


def test_spread_is_the_root_of_the_mean_variance_of_a_value() -> None:
    samples = torch.randn(5000, 3, 2, generator=torch.manual_seed(0)) * 2 + 7
    found = _spread(samples, None, "real")
    assert found.keys() == {"diversity/real"}
    assert found["diversity/real"].item() == pytest.approx(2, rel=0.02)


def test_spread_within_classes_leaves_out_what_lies_between_them() -> None:
    random = torch.manual_seed(0)
    labels = torch.arange(6).repeat_interleave(8)
    centres = 10 * torch.randn(6, 500, generator=random)
    samples = centres[labels] + torch.randn(48, 500, generator=random)
    found = _spread(samples, labels, "generated")
    assert found["diversity_within_classes/generated"].item() == pytest.approx(1, rel=0.02)
    assert found["diversity/generated"] > 8
    alike = _spread(centres[labels], labels, "generated")
    assert alike["diversity_within_classes/generated"].item() == pytest.approx(0, abs=1e-5)


def test_one_sample_of_each_class_has_no_spread_within_it() -> None:
    assert "diversity_within_classes/real" not in _spread(torch.eye(3), torch.arange(3), "real")


def test_saturated_is_the_share_of_values_at_the_ends() -> None:
    assert _saturated(torch.tensor([-1.0, 1.0, 0.999, 0.5, -0.98])).item() == pytest.approx(0.6)


def test_nearest_is_a_root_mean_square_and_leaves_a_sample_itself_out() -> None:
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 4.5]])
    assert _nearest(points[:1], points[1:]).item() == pytest.approx(5 / math.sqrt(2))
    assert _nearest(points, points, same=True).tolist() == pytest.approx(
        [5 / math.sqrt(2), 0.5 / math.sqrt(2), 0.5 / math.sqrt(2)]
    )


def lines(trainer: Trainer) -> list[dict[str, float]]:
    return [json.loads(line) for line in trainer.run.metrics.read_text().splitlines()]


def test_a_line_has_ratios_and_every_fifty_steps_what_samples_are_like(
    make_trainer: MakeTrainer,
) -> None:
    trainer = make_trainer("training.steps=110", "output.log_every=10")
    assert trainer.train() == "finished"
    found = lines(trainer)
    measured = [int(it["step"]) for it in found if "diversity/generated" in it]
    assert measured == [50, 100, 110]
    assert all(0 <= it["ranking"] <= 1 for it in found)
    assert all(it["weight_growth/generator"] > 0.5 for it in found)
    assert all(it["relative_gradient/discriminator"] > 0 for it in found)
    real = {it["diversity/real"] for it in found if "diversity/real" in it}
    assert len(real) == 1
    assert "nearest/generated" not in found[0]  # 1,797 samples are too many to search


def test_a_few_training_samples_are_searched_for_copies(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer("training.steps=20", "evaluation.holdout=0.99")
    trainer.train()
    last = lines(trainer)[-1]
    assert last["nearest/generated"] > 0
    assert 0 < last["nearest/real"] < 1


def test_a_conditional_generator_is_measured_within_classes(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer("training.steps=6", "training.conditional=true")
    trainer.train()
    last = lines(trainer)[-1]
    assert 0 < last["diversity_within_classes/real"] < last["diversity/real"]
    assert last["diversity_within_classes/generated"] > 0


def test_a_resumed_run_is_held_against_its_own_beginning(make_trainer: MakeTrainer) -> None:
    settings = ("training.steps=12", "output.log_every=4", "output.checkpoint_every=6")
    straight = make_trainer(*settings, name="straight")
    straight.train()
    stopped = make_trainer(*settings, name="resumed")
    stopped.train(StopRequest(lambda: "interrupted" if stopped.step == 6 else None))
    resumed = make_trainer(*settings, name="resumed")
    resumed.resume()
    assert resumed.symptoms.state() == stopped.symptoms.state()
    resumed.train()
    clock = {"seconds", "cpu_seconds", "images_per_second"}
    runs = [
        [{k: v for k, v in line.items() if k not in clock} for line in lines(it)]
        for it in (straight, resumed)
    ]
    assert runs[0] == runs[1]


def test_ranking_is_the_share_of_pairs_that_scores_put_in_order(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer()
    found = {}
    for metrics in train_step(trainer.assembly.training, 0, ranked=True):
        found |= metrics
    assert 0 <= float(found["ranking"]) <= 1
    for metrics in train_step(trainer.assembly.training, 1):
        assert "ranking" not in metrics


def test_what_is_measured_changes_no_weight(make_trainer: MakeTrainer) -> None:
    weights = []
    for every in (1, 50):
        name = f"every-{every}"
        trainer = make_trainer("training.steps=60", f"output.log_every={every}", name=name)
        trainer.train()
        network = trainer.assembly.training.sides.generator.network
        weights.append([it.detach().clone() for it in network.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*weights, strict=True))
