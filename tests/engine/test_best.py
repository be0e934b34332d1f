"""The best checkpoint by a metric: which it is, what is kept of it, and that resuming finds it."""

from __future__ import annotations

import json

import pytest
import torch

from ganforge.config.layers import Layer, Names, from_settings
from ganforge.config.resolve import resolve
from ganforge.engine.best import BestSoFar
from ganforge.engine.signals import StopRequest
from ganforge.errors import ConfigError
from ganforge.plugin.discovery import discover
from ganforge.runs.run import Run
from ganforge.storage import tensor_file

from .conftest import trainer_in

RING = (
    "generator.name=mlp",
    "generator.hidden=[16]",
    "discriminator.hidden=[16]",
    "sampler.size=2",
    "dataset.name=ring",
    "training.batch_size=8",
    "training.steps=24",
    "execution.device=cpu",
    "evaluation.every=2",
    "evaluation.num_samples=200",
    "output.checkpoint_every=6",
    "output.keep_checkpoints=1",
)


def config_of(*settings, metrics=("fid", "modes")):
    names = Layer(tables={"metric": Names(metrics)})
    return resolve([from_settings([*RING, *settings]), names], discover().registry)


def measured(trainer, name):
    lines = [json.loads(line) for line in trainer.run.metrics.read_text().splitlines()]
    return {it["step"]: it[f"metric/{name}"] for it in lines if f"metric/{name}" in it}


def generator(path):
    return tensor_file.read(path, "generator")[0]


@pytest.mark.parametrize(
    ("best", "name", "choose"),
    [("fid", "fid", min), ("modes/high_quality", "modes/high_quality", max)],
)
def test_the_best_generator_and_its_checkpoint_stay_beside_the_last(tmp_path, best, name, choose):
    trainer = trainer_in(tmp_path / "run", config_of(f'evaluation.best="{best}"'))
    trainer.train()
    values = measured(trainer, name)
    value = choose(values.values())
    step = next(step for step, it in values.items() if it == value)
    run = Run(trainer.run.path)
    assert run.best == {"number": f"metric/{name}", "value": value, "step": step}
    assert sorted(it for it, _ in run.checkpoints) == sorted({step, 24})
    kept, _ = tensor_file.read(trainer.run.checkpoint(step), "checkpoint")
    stored = generator(trainer.run.best)
    averaged = {k.replace("ema/", "generator/"): v for k, v in kept.items() if k.startswith("ema/")}
    assert averaged.keys() == {k for k in stored if k.startswith("generator/")}
    assert all(torch.equal(stored[k], v) for k, v in averaged.items())


@pytest.mark.parametrize("stop", range(1, 24, 5))
def test_a_resumed_run_has_the_same_best(tmp_path, stop):
    config = config_of("evaluation.best=fid")
    straight = trainer_in(tmp_path / "straight", config)
    straight.train()
    left = trainer_in(tmp_path / "left", config)
    left.train(StopRequest(lambda: left.step >= stop and "interrupted"))
    resumed = trainer_in(tmp_path / "left", config)
    resumed.resume()
    resumed.train()
    assert Run(left.run.path).best == Run(straight.run.path).best
    ours, theirs = generator(left.run.best), generator(straight.run.best)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert [it for it, _ in left.run.list_checkpoints()] == [
        it for it, _ in straight.run.list_checkpoints()
    ]


def test_killed_before_it_was_written_the_best_is_written_when_resumed(tmp_path):
    config = config_of("evaluation.best=fid", "training.steps=2")
    trainer = trainer_in(tmp_path / "run", config)
    trainer.train()
    expected = generator(trainer.run.best)
    trainer.run.best.unlink()
    resumed = trainer_in(tmp_path / "run", config)
    resumed.resume()
    assert all(torch.equal(it, expected[name]) for name, it in generator(trainer.run.best).items())


def test_another_number_begins_anew(tmp_path):
    trainer = trainer_in(tmp_path / "run", config_of("evaluation.best=fid", "training.steps=6"))
    trainer.train()
    other = trainer_in(tmp_path / "run", config_of("evaluation.best=modes/kl", "training.steps=8"))
    other.resume()
    assert other.best.best is None
    other.train()
    best = Run(trainer.run.path).best
    assert best is not None
    assert (best["number"], best["step"]) == ("metric/modes/kl", 8)


def test_the_first_of_equal_values_is_the_best():
    so_far = BestSoFar(config_of("evaluation.best=modes/modes"))
    offered = [(1, 3.0), (2, 2.0), (3, 3.0), (4, 4.0)]
    better = [so_far.offer(step, {"metric/modes/modes": value}) for step, value in offered]
    assert better == [True, False, False, True]
    assert so_far.offer(5, {"metric/fid": 0.0}) is False
    assert so_far.step == 4


@pytest.mark.parametrize(
    ("best", "metrics", "message"),
    [
        ("fdi", ("fid",), "no metric of this run is called 'fdi'; did you mean 'fid'"),
        ("kid", ("fid",), "no metric of this run is called 'kid'"),
        ("fid", (), "no metric of this run is called 'fid'; there are none"),
        ("modes/std_ratio", ("modes",), "'modes/std_ratio' is not one number of"),
    ],
)
def test_what_has_no_best_is_an_error_before_training(best, metrics, message):
    with pytest.raises(ConfigError, match=message):
        config_of(f'evaluation.best="{best}"', metrics=metrics)


def test_a_number_that_is_called_like_its_metric_is_what_the_metric_means():
    so_far = BestSoFar(config_of("evaluation.best=modes"))
    assert so_far.offer(1, {"metric/modes/modes": 3.0})
    assert not so_far.offer(2, {"metric/modes/modes": 2.0})


def test_the_best_can_be_sampled_and_evaluated(tmp_path, cli):
    trainer = trainer_in(tmp_path / "run", config_of("evaluation.best=fid"))
    trainer.train()
    answer = cli("sample", trainer.run.path, "--best", "--out", tmp_path / "best.npz")
    assert answer.code == 0, answer.err
    answer = cli("evaluate", trainer.run.path, "--best", "--metric", "fid", "--num", 100, "--json")
    assert answer.code == 0, answer.err
    plain = trainer_in(tmp_path / "plain", config_of(metrics=()))
    plain.train()
    answer = cli("sample", plain.run.path, "--best")
    assert (answer.code, "has kept no best generator" in answer.text) == (2, True)
