"""What all bundled augmentations keep to, and instance noise."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ganforge_augmentations
from ganforge import Field, Observed
from ganforge.testing.fixtures.waiting import HostNeverWaits

from .augmenting import PROGRESS, apply, build, images

#: each in a form that changes every sample
STRONG = {
    "instance-noise": {"std": 0.3},
    "diffaugment": {},
    "ada": {"target": 0.0, "p": 1.0},
}
#: each in a form that changes none, without the host knowing so of `ada`
IDLE = {
    "instance-noise": {"std": 0.0},
    "diffaugment": {"p": 0.0},
    "ada": {},
}
SOURCES = sorted(Path(ganforge_augmentations.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("name", STRONG)
@given(
    batch=st.integers(1, 3),
    channels=st.sampled_from([1, 2, 3, 5]),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    dtype=st.sampled_from([torch.float32, torch.float64, torch.bfloat16]),
)
@settings(max_examples=40, deadline=None)
def test_shape_and_dtype_stay_and_numbers_are_finite(name, batch, channels, height, width, dtype):
    samples = images(batch, channels, height, width, dtype=dtype)
    augmented = apply(build(name, (channels, height, width), **STRONG[name]), samples)
    assert augmented.shape == samples.shape
    assert augmented.dtype == dtype
    assert augmented.isfinite().all()


@pytest.mark.parametrize("name", STRONG)
def test_the_memory_format_stays_and_does_not_change_the_numbers(name):
    samples = images(4, 3, 9, 7)
    augmentation = build(name, (3, 9, 7), **STRONG[name])
    contiguous = apply(augmentation, samples)
    channels_last = apply(augmentation, samples.to(memory_format=torch.channels_last))
    assert contiguous.is_contiguous()
    assert channels_last.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(contiguous, channels_last, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", STRONG)
def test_the_same_seed_gives_the_same_and_another_seed_another(name):
    samples, augmentation = images(4, 3, 8, 8), build(name, **STRONG[name])
    first = apply(augmentation, samples)
    assert torch.equal(first, apply(augmentation, samples))
    assert torch.equal(first, apply(build(name, **STRONG[name]), samples))
    assert not torch.equal(first, apply(augmentation, samples, seed=1))


@pytest.mark.parametrize("name", STRONG)
def test_nothing_but_the_given_generator_is_drawn_from(name):
    before = torch.random.get_rng_state()
    apply(build(name, **STRONG[name]), images(4, 3, 8, 8))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("name", STRONG)
def test_every_sample_is_changed_by_itself(name):
    samples = images(1, 3, 8, 8).repeat(6, 1, 1, 1)
    augmentation = build(name, **STRONG[name])
    augmented = apply(augmentation, samples)
    assert len({tuple(it.flatten().tolist()) for it in augmented}) == 6
    changed = samples.clone()
    changed[2] = images(3, 8, 8, seed=9)
    again = apply(augmentation, changed)
    others = [0, 1, 3, 4, 5]
    assert torch.equal(again[others], augmented[others])
    assert not torch.equal(again[2], augmented[2])


@pytest.mark.parametrize("name", STRONG)
def test_samples_are_left_as_they_were(name):
    samples = images(4, 3, 8, 8)
    apply(build(name, **STRONG[name]), samples)
    assert torch.equal(samples, images(4, 3, 8, 8))


@pytest.mark.parametrize("name", IDLE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 5, 9), (4, 7, 7)])
def test_with_probability_zero_it_is_the_identity_to_the_bit(name, dtype, shape):
    samples = images(5, *shape, dtype=dtype)
    assert torch.equal(apply(build(name, shape, **IDLE[name]), samples), samples)


@pytest.mark.parametrize("name", STRONG)
@pytest.mark.parametrize("shape", [(3, 4, 4), (1, 3, 5)])
def test_it_can_be_differentiated_twice(name, shape):
    augmentation = build(name, shape, **STRONG[name])
    samples = images(2, *shape, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: apply(augmentation, x), samples)
    assert torch.autograd.gradgradcheck(lambda x: apply(augmentation, x), samples)


@pytest.mark.parametrize("name", STRONG)
def test_a_gradient_penalty_is_that_of_the_sample_before_it(name):
    """D(T x) of a linear T has the gradient T' w, and the penalty |T' w|^2 the slope 2 T T' w."""
    augmentation = build(name, (1, 4, 5), **STRONG[name])
    samples = images(1, 1, 4, 5, dtype=torch.float64).requires_grad_()
    weights = images(1, 1, 4, 5, dtype=torch.float64, seed=1).requires_grad_()
    score = (weights * apply(augmentation, samples)).sum()
    (gradient,) = torch.autograd.grad(score, samples, create_graph=True)
    gradient.square().sum().backward()
    transform = torch.autograd.functional.jacobian(lambda x: apply(augmentation, x), samples)
    matrix, flat = transform.reshape(20, 20), weights.detach().flatten()
    torch.testing.assert_close(gradient.flatten(), matrix.T @ flat)
    torch.testing.assert_close(weights.grad.flatten(), 2 * matrix @ matrix.T @ flat)


@pytest.mark.parametrize("name", STRONG)
def test_the_host_does_not_wait_for_the_device(name):
    augmentation = build(name, **STRONG[name])
    samples = images(4, 3, 8, 8).to(memory_format=torch.channels_last).requires_grad_()
    generator = torch.Generator().manual_seed(0)
    scores = images(4)
    observed = Observed(
        side="discriminator",
        real_scores=scores,
        fake_scores=scores,
        batch_size=4,
        progress=PROGRESS,
    )
    with HostNeverWaits("it is tested"):
        augmented = augmentation(samples, generator, PROGRESS)
        (gradient,) = torch.autograd.grad(augmented.square().sum(), samples, create_graph=True)
        torch.autograd.grad(gradient.square().sum(), samples)
        for _ in range(5):
            augmentation.observe(observed)
        augmentation.metrics()


@pytest.mark.parametrize("path", SOURCES, ids=lambda it: it.name)
def test_no_module_reads_a_number_from_the_device(path):
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & {"item", "tolist", "cpu", "numpy", "nonzero", "to_list"}


# --- instance noise -----------------------------------------------------------------------------


def test_noise_has_the_standard_deviation_and_no_bias():
    samples = images(64, 3, 16, 16)
    noise = apply(build("instance-noise", (3, 16, 16), std=0.25), samples) - samples
    # 49,152 numbers: the mean is within 5 standard errors of 0, the deviation within 2 %
    assert abs(noise.mean().item()) < 5 * 0.25 / 49152**0.5
    assert noise.std().item() == pytest.approx(0.25, rel=0.02)
    neighbours = torch.stack([noise[..., 1:].flatten(), noise[..., :-1].flatten()])
    assert abs(torch.corrcoef(neighbours)[0, 1].item()) < 0.03


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("vector", (2,)),
        ("sequence", (1, 9)),
        ("points", (7, 3)),
        ("image", (3, 8, 8)),
        ("video", (3, 4, 8, 8)),
    ],
)
def test_noise_is_added_to_samples_of_any_kind(kind, shape):
    samples = images(3, *shape)
    noise = torch.randn(samples.shape, generator=torch.Generator().manual_seed(0))
    augmentation = build("instance-noise", Field(kind=kind, shape=shape), std=0.5)
    torch.testing.assert_close(apply(augmentation, samples), samples + 0.5 * noise)


def test_noise_leaves_the_gradient_alone():
    samples = images(2, 3, 8, 8).requires_grad_()
    augmented = apply(build("instance-noise", std=2.0), samples)
    (gradient,) = torch.autograd.grad(augmented.sum(), samples)
    assert torch.equal(gradient, torch.ones_like(samples))
