"""Metrics between steps, the held-out share of the data, and the pictures of each kind of run."""

from __future__ import annotations

import json

import pytest
import torch

from ganforge import Field, InMemoryDataset
from ganforge.config.layers import Layer, Names, from_settings
from ganforge.config.resolve import resolve
from ganforge.data.batches import open_batches
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.engine.evaluation import measure
from ganforge.errors import ConfigError, DataError, UsageError
from ganforge.plugin.discovery import discover

from .conftest import TINY, trainer_in

RING = (
    "generator.name=mlp",
    "generator.hidden=[16]",
    "discriminator.hidden=[16]",
    "sampler.size=2",
    "dataset.name=ring",
    "training.batch_size=8",
    "training.steps=6",
    "execution.device=cpu",
    "evaluation.every=3",
    "evaluation.num_samples=100",
)
AUTOENCODER = (
    "generator.name=autoencoder",
    "generator.widths=[4,8]",
    "dataset.size=8",
    "training.batch_size=8",
    "training.steps=6",
    "execution.device=cpu",
    "evaluation.holdout=0.2",
    "evaluation.num_samples=100",
    "output.grid_samples=4",
)


def lines(trainer):
    return [json.loads(line) for line in trainer.run.metrics.read_text().splitlines()]


def test_a_metric_is_measured_when_it_is_due_and_at_the_end(make_trainer):
    trainer = make_trainer(base=RING, metrics=("modes",))
    trainer.train()
    evaluations = [line for line in lines(trainer) if "metric/modes/modes" in line]
    assert [line["step"] for line in evaluations] == [3, 6]
    assert all(0 <= line["metric/modes/high_quality"] <= 1 for line in evaluations)
    assert evaluations[0]["images"] == 24
    assert "metric/modes/modes" in trainer.observer.seen[-1]


def test_a_metric_named_like_its_only_number_is_called_after_it(make_trainer):
    trainer = make_trainer(base=AUTOENCODER, losses=("mse",), metrics=("mae",))
    found = measured(trainer.assembly)
    assert set(found) == {"metric/mae"}
    assert 0 < found["metric/mae"] < 1
    assert found == measured(trainer.assembly)


def test_the_error_is_that_of_the_held_out_samples(make_trainer):
    a = make_trainer(base=AUTOENCODER, losses=("mse",), metrics=("mae",)).assembly
    assert a.data.batches.num_samples == 1797 - 359
    real = a.data.batches.held_out(0, 100).samples
    network = a.source.network.eval()
    with torch.inference_mode():
        error = (network(real) - real).abs().mean().item() / 2
    assert measured(a)["metric/mae"] == pytest.approx(error, rel=1e-5)


def test_measuring_changes_nothing_of_the_training(make_trainer):
    settings = (*AUTOENCODER, "evaluation.every=1")
    watched = make_trainer(base=settings, losses=("mse",), metrics=("mae",), name="watched")
    plain = make_trainer(base=settings, losses=("mse",), name="plain")
    watched.train()
    plain.train()
    left = watched.assembly.training.sides.generator.network.state_dict()
    right = plain.assembly.training.sides.generator.network.state_dict()
    assert all(torch.equal(left[name], right[name]) for name in left)
    assert watched.assembly.training.sides.generator.network.training


def measured(assembly):
    found, failed = measure(assembly, assembly.metrics)
    assert failed == []
    return found


FAULTY = """
from ganforge import MetricSpec, hookimpl

@hookimpl
def ganforge_metrics():
    for name in ("broken", "vague", "endless"):
        yield MetricSpec(name=name, summary="A test's", build=f"ganforge_faulty:{name}")

def made(measure):
    from ganforge import Metric
    return type("Faulty", (Metric,), {"measure": measure})()

def broken(problem, options):
    return made(lambda self, evaluation: 1 / 0)

def vague(problem, options):
    return made(lambda self, evaluation: "good")

def endless(problem, options):
    return made(lambda self, evaluation: {"endless": float("inf")})
"""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("broken", "the metric 'broken' of ganforge-faulty 1.0 failed: ZeroDivisionError"),
        ("vague", "must give finite numbers by name, not 'good'"),
        ("endless", "must give finite numbers by name, not {'endless': inf}"),
    ],
)
def test_a_metric_that_fails_is_a_warning_and_is_left_out(name, why, fake_plugin, tmp_path):
    fake_plugin("ganforge-faulty", FAULTY)
    layers = [
        from_settings([*AUTOENCODER, "evaluation.every=2"]),
        Layer(tables={"loss": Names(("mse",)), "metric": Names((name, "mae"))}, whole=True),
    ]
    trainer = trainer_in(tmp_path / "run", resolve(layers, discover().registry))
    with pytest.warns(UserWarning, match="training goes on without this metric") as told:
        trainer.train()
    assert [why in str(it.message) for it in told] == [True]
    assert [line["step"] for line in lines(trainer) if "metric/mae" in line] == [2, 4, 6]


def numbers(total, holdout, batch_size=7):
    samples = torch.arange(total, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2)
    return open_batches(
        InMemoryDataset(samples.contiguous()),
        {"sample": Field.of_shape(tuple(samples.shape[1:]))},
        batch_size=batch_size,
        execution=Execution(device=torch.device("cpu")),
        randomness=Randomness(3, torch.device("cpu")),
        num_workers=0,
        holdout=holdout,
    )


def values(samples):
    return ((samples[:, 0, 0, 0] + 1) * 127.5).round().long().tolist()


def test_held_out_samples_are_never_trained_on_and_all_others_once_a_pass():
    batches = numbers(100, 0.2)
    held_out = values(batches.held_out(0, 100).samples)
    assert len(held_out) == 20
    assert values(batches.held_out(5, 3).samples) == held_out[5:8]
    trained = [value for n in range(80) for value in values(batches.batch(n).samples)]
    assert batches.num_samples == 80
    assert sorted(trained) == sorted(7 * [v for v in range(100) if v not in held_out])


def test_without_a_held_out_share_training_samples_stand_in():
    batches = numbers(10, 0.0)
    assert sorted(values(batches.held_out(0, 100).samples)) == list(range(10))


def test_a_set_that_is_all_held_out_is_an_error():
    with pytest.raises(DataError, match="no samples besides the 2 held out"):
        numbers(2, 0.9)


def test_an_endless_set_has_nothing_to_hold_out(make_trainer):
    with pytest.raises(UsageError, match=r"evaluation\.holdout: an endless data set has nothing"):
        make_trainer("evaluation.holdout=0.1", base=RING)


@pytest.mark.parametrize(
    ("base", "losses", "metric", "complaint"),
    [
        (TINY, ("nonsat",), "mae", "compares real samples with what the generator makes of them"),
        (TINY, ("nonsat",), "modes", "the metric 'modes' handles vectors only, not images"),
        (RING, ("nonsat",), "nosuch", "there is no metric called 'nosuch'"),
        (
            (*RING, "dataset.name=swiss-roll"),
            ("nonsat",),
            "modes",
            "reads the modes of a Gaussian mixture, which the data set 'swiss-roll' is not",
        ),
    ],
)
def test_a_metric_that_cannot_be_measured_is_an_error(make_config, base, losses, metric, complaint):
    with pytest.raises(ConfigError) as caught:
        make_config(*base, losses=losses, metrics=(metric,))
    assert complaint in str(caught.value)


def test_the_picture_of_vectors_is_drawn(make_trainer):
    trainer = make_trainer(base=RING)
    trainer.train()
    assert trainer.run.sample_grid(6).stat().st_size > 1000
    assert (trainer.run.samples / "real.png").stat().st_size > 1000


def test_the_picture_of_an_autoencoder_has_input_beside_output(make_trainer):
    from PIL import Image

    trainer = make_trainer(base=AUTOENCODER, losses=("mse",))
    trainer.train()
    with Image.open(trainer.run.sample_grid(6)) as sheet:
        wide, high = sheet.size
    assert wide > 1.6 * high


def test_checkpoints_of_stated_epochs_are_kept(make_trainer):
    """A pass over 1,797 samples in batches of 600 is over in the third step."""
    trainer = make_trainer(
        "training.batch_size=600",
        "training.steps=9",
        "output.keep_epochs=[1,2]",
        "output.keep_checkpoints=1",
        "output.checkpoint_every=100",
    )
    assert trainer.assembly.kept_steps == {3, 6}
    trainer.train()
    assert [step for step, _ in trainer.run.list_checkpoints()] == [9, 6, 3]
    with pytest.raises(UsageError, match=r"output\.keep_epochs: an endless data set has no epochs"):
        make_trainer("output.keep_epochs=[1]", base=RING, name="endless")
