"""Metrics of features in a run: what they look through, and that training is the same."""

from __future__ import annotations

import json

import pytest
import torch

from ganforge.config.layers import Flag, Layer, Names, from_settings, from_text
from ganforge.config.resolve import resolve
from ganforge.engine.assemble import assemble
from ganforge.engine.evaluation import Evaluator
from ganforge.engine.resuming import resume_config
from ganforge.errors import ConfigError
from ganforge.plugin.discovery import discover
from ganforge.storage import tensor_file
from ganforge_features.untrained import RandomConvolutions

from .conftest import TINY, trainer_in

DIGITS = (*TINY, "evaluation.every=3", "evaluation.num_samples=60")


def chosen(*, metrics=(), features=None):
    tables = {"metric": Names(metrics, Flag("--metric"))} if metrics is not None else {}
    if features is not None:
        tables["features"] = Names(features, Flag("--features"))
    return Layer(tables=tables)


def config_of(*layers, settings=DIGITS):
    return resolve([from_settings(settings), *layers], discover(third_party=False).registry)


def looks(config):
    return {it.config_name: it.features and it.features.config_name for it in config.metrics}


@pytest.mark.parametrize(
    ("settings", "metrics", "features", "found"),
    [
        ((), ("fid", "mae-free"), None, None),
        ((), ("fid", "kid"), None, {"fid": "classifier", "kid": "classifier"}),
        ((), ("fid",), ("random",), {"fid": "random"}),
        (
            (),
            ("fid", "classes"),
            ("random",),
            {"fid": "random", "classes": "classifier"},
        ),
        (
            ("metric.kid.features=identity",),
            ("fid", "kid"),
            ("random",),
            {"fid": "random", "kid": "identity"},
        ),
        (
            ("generator.name=mlp", "dataset.name=ring", "sampler.size=2"),
            ("fid", "modes"),
            None,
            {"fid": "identity", "modes": None},
        ),
    ],
)
def test_a_metric_looks_through_what_is_named_or_what_is_usual(settings, metrics, features, found):
    base = settings if "dataset.name=ring" in settings else (*DIGITS, *settings)
    if found is None:
        with pytest.raises(ConfigError, match="there is no metric called 'mae-free'"):
            config_of(chosen(metrics=metrics, features=features), settings=base)
        return
    config = config_of(chosen(metrics=metrics, features=features), settings=base)
    assert looks(config) == found
    # Read again it is the same, whatever is usual then.
    again = resolve([from_text(config.to_toml(), "run")], discover(third_party=False).registry)
    assert looks(again) == found
    values = [{key: it.value for key, it in made.values().items()} for made in (config, again)]
    assert values[0] == values[1]


@pytest.mark.parametrize(
    ("settings", "metrics", "features", "message"),
    [
        ((), ("fid",), ("idntity",), "no feature extractor called 'idntity'; did you mean"),
        ((), ("fid",), ("random", "identity"), "no metric of this run looks through the extractor"),
        ((), (), ("random",), "no metric of this run looks through the extractor 'random'"),
        (("metric.fid.features=rndom",), ("fid",), None, "no feature extractor called 'rndom'"),
        (("features.random.size=3",), ("fid",), None, "'random' is not part of this run"),
        (("features.random.sise=3",), ("fid",), ("random",), "did you mean 'size'"),
        (("metric.classes.features=random",), ("classes",), None, "gives no scores of classes"),
        (("metric.mae.features=random",), ("mae",), None, "looks through no extractor"),
        ((), ("memorisation",), None, "this run holds nothing out; set evaluation.holdout"),
    ],
)
def test_what_cannot_be_looked_through_is_an_error_before_training(
    settings, metrics, features, message
):
    with pytest.raises(ConfigError, match=message):
        config_of(chosen(metrics=metrics, features=features), settings=(*DIGITS, *settings))


def test_other_metrics_on_resuming_need_no_extractor_that_is_left(tmp_path):
    registry = discover(third_party=False).registry
    trainer = trainer_in(
        tmp_path / "run", config_of(chosen(metrics=("fid",), features=("random",)))
    )
    config, changes = resume_config(trainer.run, [chosen(metrics=("kid",))], registry)
    assert looks(config) == {"kid": "random"}
    assert changes["metric"] == {"from": ["fid"], "to": ["kid"]}
    config, changes = resume_config(
        trainer.run, [chosen(metrics=None, features=("identity",))], registry
    )
    assert looks(config) == {"fid": "identity"}
    assert changes["features"] == {"from": ["random"], "to": ["identity"]}
    given = Layer(tables={"metric": Names(())})
    assert resume_config(trainer.run, [given], registry)[0].features == ()


def final_state(trainer):
    return tensor_file.read(trainer.run.checkpoint(6), "checkpoint")[0]


@pytest.mark.parametrize("features", ["classifier", "random"])
def test_looking_through_an_extractor_changes_nothing_of_the_training(tmp_path, features):
    plain = trainer_in(tmp_path / "plain", config_of(chosen()))
    plain.train()
    measured = trainer_in(
        tmp_path / "measured",
        config_of(
            chosen(metrics=("fid", "kid"), features=(features,)),
            settings=(
                *DIGITS,
                *(["features.classifier.steps=3"] if features == "classifier" else []),
                "metric.kid.subsets=3",
            ),
        ),
    )
    measured.train()
    ours, theirs = final_state(measured), final_state(plain)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    lines = [json.loads(it) for it in measured.run.metrics.read_text().splitlines()]
    assert [it["step"] for it in lines if "metric/fid" in it] == [3, 6]


def test_what_is_seen_of_real_samples_is_extracted_once(monkeypatch):
    seen = []
    plain = RandomConvolutions.extract
    monkeypatch.setattr(
        RandomConvolutions,
        "extract",
        lambda self, samples: seen.append(len(samples)) or plain(self, samples),
    )
    assembly = assemble(config_of(chosen(metrics=("fid", "prdc"), features=("random",))))
    evaluator = Evaluator(assembly)
    first, failed = evaluator.measure(assembly.metrics)
    assert failed == []
    after_one = sum(seen)
    assert evaluator.measure(assembly.metrics)[0] == first
    assert sum(seen) == after_one + 60  # the generated ones alone
