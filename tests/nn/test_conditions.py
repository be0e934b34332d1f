"""Labels and vectors as conditions: embeddings, one-hot labels, and what is joined to latents."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import linear

from ganforge.nn import ConditionVectors, JoinedLatents, LabelEmbedding, OneHot


def test_the_vectors_of_classes_are_draws_as_latents_are():
    torch.manual_seed(0)
    embedding = LabelEmbedding(100, 64)
    assert isinstance(embedding, nn.Embedding)
    assert list(embedding.state_dict()) == ["weight"]
    assert embedding(torch.tensor([3, 99])).shape == (2, 64)
    for _ in range(2):
        assert embedding.weight.mean().item() == pytest.approx(0, abs=0.05)
        assert embedding.weight.std().item() == pytest.approx(1, abs=0.05)
        nn.init.zeros_(embedding.weight)
        embedding.reset_parameters()


def test_labels_become_one_hot():
    encoded = OneHot(3)(torch.tensor([2, 0]))
    assert encoded.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert encoded.dtype == torch.float32
    assert repr(OneHot(3)) == "OneHot(num_classes=3)"


@pytest.mark.parametrize("label", [-1, 3])
@pytest.mark.parametrize("build", [OneHot, lambda k: LabelEmbedding(k, 2)])
def test_a_label_that_is_no_class_is_refused(build, label):
    with pytest.raises((IndexError, RuntimeError)):
        build(3)(torch.tensor([label]))


def test_an_unconditional_block_returns_the_latents_and_has_no_state():
    block = JoinedLatents(5)
    latents = torch.randn(2, 5)
    assert block(latents) is latents
    assert block.out_features == 5
    assert list(block.parameters()) == []
    assert block.state_dict() == {}


@settings(deadline=None, max_examples=25)
@given(
    batch=st.integers(0, 4),
    latent=st.integers(1, 6),
    classes=st.integers(1, 5),
    size=st.none() | st.integers(1, 7),
)
def test_the_vector_of_the_class_is_joined_after_the_latents(batch, latent, classes, size):
    block = JoinedLatents(latent, classes, size=size)
    latents, labels = torch.randn(batch, latent), torch.randint(classes, (batch,))
    joined = block(latents, labels)
    assert joined.shape == (batch, block.out_features)
    assert block.out_features == latent + (latent if size is None else size)
    assert torch.equal(joined, torch.cat([latents, block.weight[labels]], 1))


def test_a_network_that_had_an_embedding_loads_its_state():
    """As every bundled generator was: `self.embedding = nn.Embedding(K, Z)`, joined by hand."""

    class Before(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(4, 3)
            self.project = nn.Linear(6, 2)

    class After(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = JoinedLatents(3, 4)
            self.project = nn.Linear(self.embedding.out_features, 2)

    torch.manual_seed(0)
    before = Before()
    torch.manual_seed(0)
    after = After()
    # Even the draws are those of before.
    assert all(map(torch.equal, before.state_dict().values(), after.state_dict().values()))
    nn.init.normal_(before.embedding.weight)
    after.load_state_dict(before.state_dict())
    assert list(before.state_dict()) == list(after.state_dict())
    latents, labels = torch.randn(2, 3), torch.tensor([3, 0])
    expected = before.project(torch.cat([latents, before.embedding(labels)], 1))
    assert torch.equal(after.project(after.embedding(latents, labels)), expected)


def test_a_vector_is_joined_after_a_linear_map():
    block = JoinedLatents(4, condition_size=3, size=2)
    latents, condition = torch.randn(5, 4), torch.randn(5, 3)
    assert block.out_features == 6
    assert block.weight.shape == (2, 3)
    expected = torch.cat([latents, linear(condition, block.weight)], 1)
    assert torch.equal(block(latents, condition), expected)


@pytest.mark.parametrize("condition_size", [1, 5, 200])
def test_a_vector_is_heard_as_loudly_as_the_latents(condition_size):
    torch.manual_seed(0)
    block = JoinedLatents(3, condition_size=condition_size, size=2000)
    joined = block(torch.randn(50, 3), torch.randn(50, condition_size))
    assert joined[:, 3:].std().item() == pytest.approx(1, rel=0.2)


def test_a_label_is_heard_as_loudly_as_the_latents():
    torch.manual_seed(0)
    assert JoinedLatents(100, 100).weight.std().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("block", "condition", "message"),
    [
        (JoinedLatents(2), torch.tensor([1]), r"expects no condition; got torch.int64 \[1\]"),
        (JoinedLatents(2, 3), None, r"expects labels \[B\] of 3 classes; got none"),
        (JoinedLatents(2, condition_size=4), None, r"expects vectors \[B, 4\]; got none"),
    ],
)
def test_a_condition_that_does_not_fit_is_an_error(block, condition, message):
    with pytest.raises(ValueError, match=f"JoinedLatents {message}"):
        block(torch.randn(1, 2), condition)


def test_a_condition_is_labels_or_vectors():
    with pytest.raises(ValueError, match="num_classes and condition_size are given"):
        JoinedLatents(2, 3, condition_size=4)


def test_what_a_block_expects_is_printed():
    assert repr(JoinedLatents(2, 3)) == "JoinedLatents(size=2, condition=labels [B] of 3 classes)"
    assert repr(JoinedLatents(2)) == "JoinedLatents(size=2, condition=no condition)"


def test_the_base_gives_the_vectors_of_a_condition():
    class Shift(ConditionVectors):
        def __init__(self):
            super().__init__(2, 3, None)
            nn.init.ones_(self.weight)

        def forward(self, features, condition):
            return features + self.vectors(condition)

    assert Shift()(torch.zeros(1, 2), torch.tensor([2])).tolist() == [[1, 1]]
