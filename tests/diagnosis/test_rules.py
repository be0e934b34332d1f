"""The rules on synthetic curves: what each names, what it leaves alone, and on what it hangs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganforge.diagnosis.diagnosis import diagnose
from ganforge.diagnosis.findings import Finding
from ganforge.diagnosis.rules import RULES
from ganforge.plugin.base_specs import FINDINGS

from .curves import HEALTHY, curve, then


def found(lines: list[dict[str, float]]) -> list[str]:
    return [finding.name for finding in diagnose(lines).findings]


def only(lines: list[dict[str, float]]) -> Finding:
    (finding,) = diagnose(lines).findings
    return finding


def test_there_is_a_rule_for_every_finding_that_specs_can_name() -> None:
    assert tuple(rule.name for rule in RULES) == FINDINGS


def test_nothing_is_said_of_a_run_that_is_well() -> None:
    assert found(curve(60)) == []


def test_weights_that_explode_are_divergence_at_once_and_the_only_thing_said() -> None:
    lines = curve(20, weight_growth_generator=1e6, ranking=1, relative_gradient_generator=0)
    finding = only(lines)
    assert (finding.name, finding.step) == ("divergence", 25)
    assert "the weights of the generator are 1e+06 times as large" in finding.text
    assert finding.numbers == {"weight_growth/generator": 1e6}


def test_a_loss_that_grows_a_thousandfold_and_stays_is_divergence() -> None:
    lines = then(curve(10), 8, loss_discriminator=7e14)
    assert only(lines).text == "the discriminator's loss is 7e+14, and was 1.2 at the beginning"
    assert only(lines).step == 25 * 16


def test_one_bad_line_is_no_divergence() -> None:
    lines = then(then(curve(10), 3, loss_discriminator=7e14), 20)
    assert found(lines) == []


def test_scores_that_run_away_from_each_other_are_divergence_whatever_the_loss() -> None:
    lines = then(curve(6), 8, score_real=2e5, score_fake=-2e5, loss_discriminator=1.0)
    assert "gap between the scores" in only(lines).text


def test_scores_that_drift_together_are_none() -> None:
    # A Wasserstein critic is defined up to a constant.
    assert found(then(curve(6), 20, score_real=1e6 + 3, score_fake=1e6, loss_generator=-1e6)) == []


def test_a_critic_of_data_of_a_large_scale_may_have_large_scores() -> None:
    large = {"diversity_real": 500.0, "diversity": 450.0}
    lines = then(curve(6, **large), 20, score_real=9e3, score_fake=0, **large)
    assert found(lines) == []


def test_a_discriminator_without_anything_left_to_learn_has_won() -> None:
    finding = only(then(curve(10), 6, ranking=1, relative_gradient_discriminator=0.01))
    assert (finding.name, finding.step) == ("discriminator-won", 400)
    assert "tells 100.0% of all pairs" in finding.text


def test_a_discriminator_that_tells_all_apart_and_still_learns_has_not_won() -> None:
    assert found(curve(40, ranking=1, relative_gradient_discriminator=0.4)) == []


def test_a_gradient_that_is_gone_while_the_discriminator_tells_is_named() -> None:
    finding = only(then(curve(10), 6, ranking=1, relative_gradient_generator=0.002))
    assert finding.name == "vanishing-gradient"
    assert "0.002 times what it began with" in finding.text


def test_a_small_gradient_is_convergence_where_nothing_is_told_apart() -> None:
    gone = {"relative_gradient_generator": 0.001, "relative_gradient_discriminator": 0.001}
    assert found(curve(40, ranking=0.52, **gone)) == []


def test_a_gradient_that_is_gone_at_the_ends_of_the_range_is_named_without_scores() -> None:
    lines = curve(40, relative_gradient_generator=0.001, saturated=0.99)
    lines = [{k: v for k, v in it.items() if k != "ranking"} for it in lines]
    assert "99% of the values" in only(lines).text


def test_an_autoencoder_whose_gradient_falls_is_well() -> None:
    kept = (
        "step",
        "loss/generator",
        "relative_gradient/generator",
        "diversity/generated",
        "diversity/real",
    )
    lines = curve(60, relative_gradient_generator=0.004, loss_generator=0.001)
    assert found([{key: it[key] for key in kept} for it in lines]) == []


def test_samples_that_fall_together_are_a_collapse() -> None:
    finding = only(then(curve(6), 4, diversity=0.02, diversity_within_classes=0.02))
    assert (finding.name, finding.step) == ("collapse", 250)
    assert "differ by 0.02, after 0.45 before, real ones by 0.48" in finding.text


def test_a_generator_has_time_to_find_its_way() -> None:
    lines = curve(10, diversity=0.05)
    assert found(lines) == []
    assert found(then(lines, 20)) == []
    assert found(then(lines, 1, diversity=0.05)) == ["collapse"]


def test_a_generator_that_still_finds_its_way_has_not_collapsed() -> None:
    lines = [line for n in range(60) for line in curve(1, diversity=0.02 + 0.001 * n)]
    lines = [{**line, "step": 25 * n} for n, line in enumerate(lines, 1)]
    assert found(lines) == []


def test_samples_of_a_class_that_are_all_alike_are_another_finding() -> None:
    finding = only(curve(12, diversity_within_classes=0.03))
    assert finding.name == "collapse-within-classes"
    assert "samples of one class differ by 0.03, real ones by 0.35" in finding.text


def test_data_without_diversity_has_no_collapse() -> None:
    assert found(curve(40, diversity=0.0, diversity_real=0.0)) == []


def test_samples_on_top_of_the_training_data_are_memorisation() -> None:
    assert found(curve(2, nearest=0.1)) == ["memorisation"]
    assert found(curve(1, nearest=0.1)) == []
    assert found(curve(40, nearest=0.3)) == []


def test_a_collapse_onto_one_training_sample_is_a_collapse_and_no_memorisation() -> None:
    assert found(curve(12, nearest=0.01, diversity=0.01)) == ["collapse"]


def test_data_with_repeats_cannot_be_told_to_be_memorised() -> None:
    assert found(curve(40, nearest=0.0, nearest_real=0.0)) == []


def test_each_is_said_once_however_long_it_lasts() -> None:
    assert found(curve(100, diversity=0.01)) == ["collapse"]
    lines = then(then(curve(6), 8, diversity=0.01), 20)
    assert found(then(lines, 20, diversity=0.01)) == ["collapse"]


def test_what_was_evaluated_is_not_taken_for_a_line_of_a_step() -> None:
    lines = [it for one in curve(30) for it in (one, {"step": one["step"], "metric/fid": 1e9})]
    assert found(lines) == []


scales = st.floats(1e-6, 1e6)


@given(scale=scales)
def test_no_rule_about_samples_hangs_on_the_scale_of_the_data(scale: float) -> None:
    names = [it for it in HEALTHY if it.startswith(("diversity", "nearest"))]
    for lines in (
        curve(20),
        then(curve(6), 4, diversity=0.02),
        curve(12, diversity_within_classes=0.03),
        curve(4, nearest=0.1),
    ):
        scaled = [{k: v * (scale if k in names else 1) for k, v in it.items()} for it in lines]
        assert found(scaled) == found(lines)


@given(scale=scales, offset=st.floats(-1e3, 1e3))
def test_no_rule_about_the_game_hangs_on_the_scale_of_scores_in_a_healthy_run(
    scale: float, offset: float
) -> None:
    lines = [
        {
            **it,
            "score/real": it["score/real"] * scale + offset,
            "score/fake": it["score/fake"] * scale + offset,
            "loss/discriminator": it["loss/discriminator"] * scale,
        }
        for it in curve(30)
    ]
    assert found(lines) == []


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(list(HEALTHY)),
            st.floats(allow_nan=False, allow_infinity=False) | st.just(0.0),
        ),
        max_size=30,
    )
)
def test_whatever_the_numbers_are_each_finding_comes_once_with_a_sentence(
    changed: list[dict[str, float]],
) -> None:
    lines = [
        {"step": 25 * number, "loss/generator": 1.0, **one} for number, one in enumerate(changed, 1)
    ]
    names = found(lines)
    assert len(set(names)) == len(names)
    for finding in diagnose(lines).findings:
        assert finding.text
        assert "\n" not in finding.sentence


@given(cut=st.integers(0, 30))
def test_a_run_that_goes_on_says_what_it_would_have_said(cut: int) -> None:
    lines = then(then(curve(8), 10, diversity=0.02), 12, weight_growth_generator=1e5)
    whole = diagnose(lines)
    resumed = diagnose(lines[:cut])
    later = [it for line in lines[cut:] for it in resumed.observe(line)]
    before = diagnose(lines[:cut]).findings
    assert [*before, *later] == whole.findings
    assert [it.name for it in whole.findings] == ["collapse", "divergence"]


@pytest.mark.parametrize("side", ["generator", "discriminator"])
def test_a_run_of_an_older_version_is_held_against_its_first_line(side: str) -> None:
    norms = [10.0, 9.0, *[0.01] * 8]
    lines = [
        {"step": 25 * n, "loss/generator": 1, f"gradient_norm/{side}": it, "ranking": 1}
        for n, it in enumerate(norms, 1)
    ]
    wanted = "vanishing-gradient" if side == "generator" else "discriminator-won"
    assert found(lines) == [wanted]


def test_what_cannot_be_told_is_named_with_the_quantities_that_are_absent() -> None:
    diagnosis = diagnose([{"step": 25, "loss/generator": 1.0}])
    untold = {rule.name: absent for rule, absent in diagnosis.untold}
    assert untold["collapse"] == ["diversity/generated", "diversity/real"]
    assert untold["memorisation"] == ["nearest/generated", "nearest/real"]
    assert "divergence" not in untold
    assert diagnose(curve(1)).untold == []


def test_a_long_run_costs_no_more_for_each_line_than_a_short_one() -> None:
    began = time.process_time()
    assert found(curve(20_000)) == []
    # Below a second; going through the values of one quantity after each line takes 15.
    assert time.process_time() - began < 10
