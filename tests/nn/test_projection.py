"""The projection score, against equation 3 and against what networks computed by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ganforge.nn import Projection, ProjectionScore

LABELS = torch.tensor([2, 0, 2, 1])


@settings(deadline=None, max_examples=25)
@given(batch=st.integers(0, 5), features=st.integers(1, 6), classes=st.integers(1, 5))
def test_the_term_is_the_inner_product_with_the_vector_of_the_class(batch, features, classes):
    block = Projection(features, classes)
    h, labels = torch.randn(batch, features), torch.randint(classes, (batch,))
    expected = torch.einsum("bf,bf->b", block.weight[labels], h)
    torch.testing.assert_close(block(h, labels), expected)


def test_the_score_is_that_of_the_paper():
    torch.manual_seed(0)
    block = ProjectionScore(6, 3)
    assert list(block.state_dict()) == ["linear.weight", "linear.bias", "embedding.weight"]
    h = torch.randn(4, 6)
    weights = block.linear.weight + block.embedding.weight[LABELS]
    expected = (weights * h).sum(1) + block.linear.bias
    scores = block(h, LABELS)
    assert scores.shape == (4,)
    torch.testing.assert_close(scores, expected)


def test_without_a_condition_it_is_a_linear_layer():
    block = ProjectionScore(6)
    h = torch.randn(4, 6)
    assert list(block.state_dict()) == ["linear.weight", "linear.bias"]
    assert torch.equal(block(h), block.linear(h).squeeze(1))
    assert torch.equal(Projection(6)(h), torch.zeros(4))


def test_a_vector_condition_is_projected_after_a_linear_map():
    block = Projection(6, condition_size=2)
    h, condition = torch.randn(4, 6), torch.randn(4, 2)
    assert block.weight.shape == (6, 2)
    expected = torch.einsum("bf,fv,bv->b", h, block.weight, condition)
    torch.testing.assert_close(block(h, condition), expected)
    score = ProjectionScore(6, condition_size=2)
    torch.testing.assert_close(
        score(h, condition), score.linear(h).squeeze(1) + score.embedding(h, condition)
    )


def test_the_first_vectors_are_as_large_as_the_weights_of_the_linear_layer():
    torch.manual_seed(0)
    score = ProjectionScore(100, 1000)
    for weight in (score.linear.weight, score.embedding.weight):
        assert 0.09 < weight.abs().max() <= 0.1
    assert score.embedding.weight.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.01)


def test_vectors_of_a_vector_condition_have_that_size_too():
    torch.manual_seed(0)
    block = Projection(100, condition_size=50)
    vectors = block.vectors(torch.randn(200, 50))
    assert vectors.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.05)


def test_a_discriminator_that_had_an_embedding_loads_its_state():
    """As every bundled discriminator was: `self.embedding = nn.Embedding(K, F)`."""
    before = nn.ModuleDict({"score": nn.Linear(3, 1), "embedding": nn.Embedding(4, 3)})
    after = nn.ModuleDict({"score": nn.Linear(3, 1), "embedding": Projection(3, 4)})
    after.load_state_dict(before.state_dict())
    h, labels = torch.randn(2, 3), torch.tensor([3, 0])
    expected = before["score"](h).squeeze(1) + (before["embedding"](labels) * h).sum(1)
    assert torch.equal(after["score"](h).squeeze(1) + after["embedding"](h, labels), expected)


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_no_class_is_refused(label):
    with pytest.raises(IndexError):
        Projection(2, 3)(torch.randn(1, 2), torch.tensor([label]))


def test_a_missing_condition_is_an_error():
    with pytest.raises(ValueError, match=r"Projection expects labels \[B\] of 3 classes; got none"):
        ProjectionScore(2, 3)(torch.randn(1, 2))
