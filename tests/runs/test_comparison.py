"""What of several runs may be averaged, and what is said instead."""

from __future__ import annotations

import json
import statistics

import pytest

from ganforge.errors import UsageError
from ganforge.plugin.measure_specs import Direction
from ganforge.plugin.registry import Registry
from ganforge.runs.comparison import Comparison, compare
from ganforge.runs.measures import chosen_series, directions, total
from ganforge.runs.run import Run

from .conftest import MakeRun


def better(name: str) -> Direction | None:
    return {"metric/fid": "lower", "metric/modes/high_quality": "higher"}.get(name)  # type: ignore[return-value]


def fid(*values: float) -> dict[int, dict[str, float]]:
    return {(it + 1) * 50: {"metric/fid": value} for it, value in enumerate(values)}


def cells(comparison: Comparison, name: str = "metric/fid") -> list[dict[int, float]]:
    return [group.metrics[name].values for group in comparison.groups]


def test_runs_that_differ_in_their_seed_alone_are_one_row(make_run: MakeRun) -> None:
    runs = [
        Run(make_run(f"{loss}-{seed}", losses=(loss,), seed=seed, metrics=fid(9, 4 + seed)))
        for loss in ("nonsat", "hinge")
        for seed in (0, 1, 2)
    ]
    found = compare(runs, better)
    assert found.keys == {"loss": "loss"}
    assert [group.settings for group in found.groups] == [{"loss": "nonsat"}, {"loss": "hinge"}]
    cell = found.groups[0].metrics["metric/fid"]
    assert (cell.n, cell.mean, cell.std) == (3, 5.0, statistics.stdev([4, 5, 6]))
    assert found.notes == ()


def test_the_last_value_or_the_best(make_run: MakeRun) -> None:
    values = {50: {"metric/fid": 3.0, "metric/kl": 1.0}, 100: {"metric/fid": 7.0, "metric/kl": 2.0}}
    runs = [Run(make_run(str(seed), seed=seed, metrics=values)) for seed in (0, 1)]
    assert cells(compare(runs, better)) == [{0: 7.0, 1: 7.0}]
    best = compare(runs, better, which="best")
    assert cells(best) == [{0: 3.0, 1: 3.0}]
    assert cells(best, "metric/kl") == [{0: 2.0, 1: 2.0}]
    assert best.notes == ("the last value of what has no direction: kl",)
    with pytest.raises(UsageError, match=r"no metric here says which direction is better \(kl\)"):
        compare(runs, better, which="best", metrics=["kl"])


def test_a_run_that_is_behind_is_left_out_and_named(make_run: MakeRun) -> None:
    runs = [
        Run(make_run("a", seed=0, metrics=fid(9, 4))),
        Run(make_run("b", seed=1, metrics=fid(9), step=50, state="interrupted")),
    ]
    (group,) = compare(runs, better).groups
    assert group.runs == (0,)
    assert group.metrics["metric/fid"].std is None
    assert compare(runs, better).notes == (
        "left out, as others of its group are at step 100: b is interrupted, at step 50 of 100",
    )


def test_a_group_that_is_not_finished_says_so(make_run: MakeRun) -> None:
    runs = [
        Run(make_run("a", metrics=fid(9), step=50, state="interrupted")),
        Run(make_run("b", losses=("hinge",), metrics=fid(9, 5))),
    ]
    found = compare(runs, better)
    assert [group.step for group in found.groups] == [50, 100]
    assert found.notes == ("a is interrupted, at step 50 of 100",)


def test_a_metric_that_a_run_lacks_or_has_of_another_step_is_named(make_run: MakeRun) -> None:
    runs = [
        Run(make_run("a", seed=0, metrics=fid(9, 4))),
        Run(make_run("b", seed=1, metrics={100: {"loss/generator": 1.0}})),
        Run(make_run("c", seed=2, metrics=fid(9))),
    ]
    found = compare(runs, better)
    assert cells(found) == [{0: 4.0}]
    assert found.notes == (
        "b is left out of fid: not measured",
        "c is left out of fid: not of the same step",
    )


def test_options_are_compared_among_runs_of_the_same_component(make_run: MakeRun) -> None:
    r1 = "[loss.r1]\ngamma = {}"
    runs = [
        Run(make_run("a")),
        Run(make_run("b", more=r1.format(0.1))),
        Run(make_run("c", more=r1.format(1.0), seed=1)),
    ]
    found = compare(runs, better)
    assert list(found.keys) == ["loss", "loss.r1.gamma"]
    assert [[*group.settings.values()] for group in found.groups] == [
        ["nonsat", "-"],
        ["nonsat + r1", "0.1"],
        ["nonsat + r1", "1.0"],
    ]
    assert [*compare(runs[:2], better).keys] == ["loss"]


def test_what_is_written_down_makes_no_other_run(make_run: MakeRun) -> None:
    runs = [Run(make_run("a")), Run(make_run("b", seed=1, more="[output]\nlog_every = 1"))]
    (group,) = compare(runs, better).groups
    assert group.runs == (0, 1)


def test_a_metric_that_is_measured_otherwise_is_not_averaged(make_run: MakeRun) -> None:
    runs = [
        Run(make_run("a")),
        Run(make_run("b", seed=1, more='[metric.fid]\nfeatures = "x"', metrics=fid(1, 2))),
    ]
    assert [*compare(runs, better).keys] == []
    runs += [Run(make_run("c", seed=2, more='[metric.fid]\nfeatures = "y"', metrics=fid(1, 2)))]
    assert [*compare(runs, better).keys] == ["metric.fid.features"]


def test_settings_that_differ_together_are_one_column(make_run: MakeRun) -> None:
    both = "[generator_optimizer]\nlr = {0}\n[discriminator_optimizer]\nlr = {1}"
    runs = [Run(make_run(str(it), more=both.format(it, it))) for it in range(2)]
    assert compare(runs, better).keys == {"generator_optimizer.lr": "lr"}
    runs += [Run(make_run("c", more=both.format(0, 1)))]
    assert [*compare(runs, better).keys.values()] == [
        "generator_optimizer.lr",
        "discriminator_optimizer.lr",
    ]


def evaluation(value: float, **more: object) -> str:
    record = {"dataset": "digits", "split": "held-out", "num": 100, "num_real": 90}
    score = {"name": "fid", "value": value, "better": "lower", "features": "random"}
    return json.dumps({**record, "truncation": None, **more, "scores": [score]}) + "\n"


def test_evaluations_after_training_are_compared(make_run: MakeRun) -> None:
    runs = [Run(make_run(str(seed), seed=seed, metrics=fid(9, 4))) for seed in (0, 1)]
    for seed, run in enumerate(runs):
        lines = evaluation(99.0) + evaluation(20.0 + seed) + '{"scores": [{"na'
        run.directory.evaluations.write_text(lines)
    found = compare(runs, better)
    assert found.metrics == ("metric/fid", "evaluated/fid")
    assert cells(found, "evaluated/fid") == [{0: 20.0, 1: 21.0}]
    assert found.notes == ()
    runs[1].directory.evaluations.write_text(evaluation(7.0, num=5000))
    found = compare(runs, better)
    assert found.metrics == ("metric/fid",)
    assert found.notes == (
        "fid (evaluated) is left out, as it was measured differently: 100 samples against 90 of "
        "digits, split held-out, features random (0); 5000 samples against 90 of digits, split "
        "held-out, features random (1)",
    )


def test_the_same_run_twice_is_said(make_run: MakeRun) -> None:
    runs = [Run(make_run("a", metrics=fid(1, 2))), Run(make_run("b", metrics=fid(1, 2)))]
    assert compare(runs, better).notes == ("the same settings and seed, each counted: a, b",)


def test_without_metrics_the_losses_are_compared(make_run: MakeRun) -> None:
    lines = {100: {"loss/generator": 1.0, "loss/discriminator": 2.0, "seconds": 3.0}}
    runs = [Run(make_run("a", metrics=lines)), Run(make_run("b", seed=1, metrics=lines))]
    found = compare(runs, better)
    assert found.metrics == ("loss/generator", "loss/discriminator")
    assert found.groups[0].wall.mean == 3.0
    assert found.groups[0].cpu.mean is None


@pytest.mark.parametrize(
    ("word", "means"),
    [
        ("fid", ["metric/fid"]),
        ("metric/fid", ["metric/fid"]),
        ("modes", ["metric/modes/modes", "metric/modes/kl"]),
        ("kl", ["metric/modes/kl"]),
        ("loss/generator", ["loss/generator"]),
    ],
)
def test_a_word_means_series(word: str, means: list[str]) -> None:
    known = ["loss/generator", "metric/fid", "metric/modes/modes", "metric/modes/kl"]
    assert chosen_series(known, word) == means


def test_a_word_that_means_none() -> None:
    with pytest.raises(UsageError, match="there is no metric 'fdi' here; did you mean 'fid'"):
        chosen_series(["metric/fid"], "fdi")
    with pytest.raises(UsageError, match="these runs have none"):
        chosen_series([], "fid")


def test_a_clock_that_begins_anew_in_each_session_is_summed() -> None:
    assert total([1.0, 5.0, 2.0, 4.0]) == 9.0
    assert total([]) == 0.0


def test_directions_are_those_that_metrics_declare(bundled: Registry) -> None:
    direction = directions(bundled)
    assert direction("metric/mae") == "lower"
    assert direction("metric/modes/high_quality") == "higher"
    assert direction("metric/modes/std_ratio") is None
    assert direction("metric/absent") is None
