"""Columns of tables against counting, and text against its definition."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganforge import Field, Fit, NoOptions, Problem
from ganforge_metrics import NgramOptions
from ganforge_metrics.ngrams import Ngrams, js_divergence
from ganforge_metrics.tables import Columns, ks_statistic

from .measured import Looked, gaussian

FACTS = {
    "columns": [
        {"name": "age", "kind": "number", "start": 0},
        {"name": "city", "kind": "category", "start": 1, "size": 3, "values": ["a", "b", "c"]},
        {"name": "member", "kind": "category", "start": 4, "size": 1, "values": ["no", "yes"]},
    ]
}


def problem_of(dimension: int, facts: dict | None = None) -> Problem:
    fit = None if facts is None else Fit(facts=facts, tensors={"scale": torch.full((1,), 50.0)})
    return Problem(sample=Field(kind="vector", shape=(dimension,)), input_shape=(2,), fit=fit)


def columns(real, fake, facts=None):
    metric = Columns(problem_of(real.shape[1], facts), NoOptions())
    return metric.measure(Looked(real=real, fake=fake))


@settings(deadline=None, max_examples=50)
@given(
    one=st.lists(st.integers(0, 9), min_size=1, max_size=30),
    other=st.lists(st.integers(0, 9), min_size=1, max_size=30),
)
def test_the_statistic_is_the_largest_gap_of_the_distribution_functions(one, other):
    gaps = [
        abs(sum(x <= it for x in one) / len(one) - sum(x <= it for x in other) / len(other))
        for it in range(10)
    ]
    found = ks_statistic(torch.tensor(one).double(), torch.tensor(other).double())
    assert found == pytest.approx(max(gaps))


def row(age: float, city: int, member: bool) -> list[float]:
    return [age, *(1.0 if it == city else 0.0 for it in range(3)), 1.0 if member else -1.0]


def test_columns_of_all_kinds_and_their_pairs():
    real = torch.tensor([row(0.1 * it, it % 2, it % 4 < 2) for it in range(40)])
    assert columns(real, real, FACTS) == {"columns": 0, "worst_column": 0, "pairs": 0}
    fake = real.clone()
    fake[:10, 1:4] = torch.tensor([0.0, 0.0, 1.0])  # a quarter lives in c
    found = columns(real, fake, FACTS)
    assert found["worst_column"] == pytest.approx(0.25)
    assert found["columns"] == pytest.approx(0.25 / 3)
    # The two pairs with a city differ by that quarter, the third not at all.
    assert found["pairs"] == pytest.approx(2 * 0.25 / 3)


def test_what_is_right_column_by_column_is_seen_in_pairs():
    real = torch.tensor([row(0.0, it % 2, it % 2 == 0) for it in range(40)])
    fake = torch.tensor([row(0.0, it % 2, it % 4 < 2) for it in range(40)])
    found = columns(real, fake, FACTS)
    assert found["columns"] == 0
    assert found["pairs"] == pytest.approx(0.5 / 3)


def test_pairs_of_numbers_are_correlations():
    real = gaussian(4000, 3, 0)
    real[:, 1] = 0.8 * real[:, 0] + 0.6 * real[:, 1]
    fake = gaussian(3000, 3, 1)
    fake[:, 2] = 7.0  # which is constant
    expected = [
        (torch.corrcoef(real.T)[a, b] - torch.corrcoef(fake.T)[a, b]).abs().item() / 2
        if b < 2
        else torch.corrcoef(real.T)[a, b].abs().item() / 2
        for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    assert columns(real, fake)["pairs"] == pytest.approx(sum(expected) / 3, abs=1e-6)
    assert columns(real, real * 1e-3 + 5)["pairs"] == pytest.approx(0, abs=1e-3)
    assert [*columns(real[:, :1], fake[:, :1])] == ["columns", "worst_column"]


def texts(tokens: list[list[int]], num_tokens: int = 4) -> torch.Tensor:
    """One-hot sequences `[N, K, T]`, with noise that leaves the largest number where it is."""
    hot = torch.nn.functional.one_hot(torch.tensor(tokens), num_tokens).movedim(2, 1).float()
    return hot + 0.3 * torch.rand(hot.shape, generator=torch.Generator().manual_seed(0))


def ngrams(real, fake, **options):
    field = Field(kind="sequence", shape=tuple(real.shape[1:]), format="text")
    metric = Ngrams(Problem(sample=field, input_shape=(2,)), NgramOptions(**options))
    return metric.measure(Looked(real=real, fake=fake))


def test_the_divergence_of_jensen_and_shannon_in_bits():
    assert js_divergence(torch.tensor([0, 1]), torch.tensor([2, 3])) == pytest.approx(1)
    assert js_divergence(torch.tensor([5, 9]), torch.tensor([9, 5, 5, 9])) == 0
    # Shares (1, 0) and (1/2, 1/2), whose middle is (3/4, 1/4).
    expected = 0.5 * math.log2(4 / 3) + 0.5 * (0.5 * math.log2(2 / 3) + 0.5 * math.log2(2))
    assert js_divergence(torch.tensor([1]), torch.tensor([1, 7])) == pytest.approx(expected)


def test_n_grams_see_the_order_that_single_tokens_do_not():
    real, fake = texts([[0, 1, 2, 3]] * 5), texts([[3, 2, 1, 0]] * 5)
    assert ngrams(real, fake) == {
        "js1": 0,
        "js2": pytest.approx(1),
        "js3": pytest.approx(1),
        "js4": pytest.approx(1),
        "unique": 0,
    }
    assert ngrams(real, texts([[0, 1, 2, 3], [0, 1, 2, 0]]), longest=2)["unique"] == 1


def test_what_is_no_text_is_refused():
    sound = Field(kind="sequence", shape=(2, 40), rate=8000)
    with pytest.raises(ValueError, match="'n-grams' is for one-hot sequences"):
        Ngrams(Problem(sample=sound, input_shape=(2,)), NgramOptions())
    many = Field(kind="sequence", shape=(60_000, 8))
    with pytest.raises(ValueError, match="n-grams of 4 of 60,000 tokens are too many to number"):
        Ngrams(Problem(sample=many, input_shape=(2,)), NgramOptions())
