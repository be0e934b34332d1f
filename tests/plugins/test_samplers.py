"""The bundled samplers: latents have their distributions, and real images are altered as said."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganforge import Batch, DataError, Field, Problem
from ganforge.plugin.discovery import discover
from ganforge.plugin.specs import SamplerSpec

REGISTRY = discover(third_party=False, environ={}).registry
INDEPENDENT = ("normal", "uniform", "truncated-normal", "spherical", "class-balanced")
PAIRED = ("reconstruct", "mask", "downscale")
LABELS = torch.tensor([3, 3, 1])


def fields(sample_shape, **others):
    """What a data set gives, as the spec of a sampler is told it."""
    return {"sample": Field.of_shape(sample_shape), **others}


def build(name, *, sample_shape=(3, 8, 8), num_classes=None, **values):
    component = REGISTRY.find(SamplerSpec, name)
    options = component.spec.options(**values)
    input_shape = component.spec.input_shape(options, fields(sample_shape))
    problem = Problem(sample_shape=sample_shape, input_shape=input_shape, num_classes=num_classes)
    return component.build(problem, options)


def latent(name, size=3, num_classes=None, **values):
    """A sampler of latents; classes that it cannot do without are four."""
    if REGISTRY.find(SamplerSpec, name).spec.reads == ("labels",):
        num_classes = num_classes or 4
    return build(name, size=size, num_classes=num_classes, **values)


def draw(sampler, n, seed=0, real=None):
    return sampler.sample(n, generator=torch.Generator().manual_seed(seed), real=real)


def altered(sampler, images, seed=0):
    return draw(sampler, len(images), seed, Batch(images)).values


def images(count=4, shape=(3, 8, 8), seed=0):
    """Images without a number that is exactly grey."""
    noise = torch.rand(count, *shape, generator=torch.Generator().manual_seed(seed))
    return noise * 0.9 + 0.05


def truncated_variance(threshold):
    """Of N(0, 1) within [-t, t]: 1 - 2 t phi(t) / (2 Phi(t) - 1)."""
    density = math.exp(-(threshold**2) / 2) / math.sqrt(2 * math.pi)
    return 1 - 2 * threshold * density / math.erf(threshold / math.sqrt(2))


def test_every_sampler_is_tried_here():
    specs = {component.name: component.spec for component in REGISTRY.of_kind(SamplerSpec)}
    assert set(specs) == {*INDEPENDENT, *PAIRED, "field"}
    assert [name for name, spec in specs.items() if spec.reads == ("samples",)] == list(PAIRED)
    inputs = {name: spec.inputs for name, spec in specs.items()}
    assert [inputs[name] for name in PAIRED] == ["sample", "image", "image"]
    assert [name for name, spec in specs.items() if spec.inputs == "latents"] == list(INDEPENDENT)
    assert [name for name, spec in specs.items() if spec.reads == ("labels",)] == ["class-balanced"]
    assert not any(spec.parts for spec in specs.values())


@pytest.mark.parametrize("name", INDEPENDENT)
@pytest.mark.parametrize("n", [0, 1, 7])
def test_latents_have_their_shape(name, n):
    spec = REGISTRY.find(SamplerSpec, name).spec
    assert spec.input_shape(spec.options(size=5), fields((3, 8, 8))) == (5,)
    values = draw(latent(name, size=5), n).values
    assert values.shape == (n, 5)
    assert values.dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "truncation"),
    [(name, None) for name in (*INDEPENDENT, *PAIRED)]
    + [(name, 0.5) for name in INDEPENDENT if name != "spherical"],
)
def test_samplers_follow_their_generator_alone(name, truncation):
    sampler = build(name, num_classes=4)
    if truncation is not None:
        sampler = sampler.truncated(truncation)
    real = Batch(images(40), torch.arange(40) % 4) if name in PAIRED else None
    state = torch.get_rng_state()
    first, again = draw(sampler, 40, 0, real), draw(sampler, 40, 0, real)
    other = draw(sampler, 40, 1, real)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(first.values, again.values)
    assert torch.equal(first.labels, again.labels)
    assert torch.equal(first.values, other.values) == (name in ("reconstruct", "downscale"))


@pytest.mark.parametrize(
    ("name", "variance", "fourth", "bound"),
    [
        ("normal", 1.0, 3.0, 6.0),
        ("class-balanced", 1.0, 3.0, 6.0),
        ("uniform", 1 / 3, 1 / 5, 1.0),
        # A coordinate on the sphere of radius sqrt Z: E x^4 = 3 Z / (Z + 2).
        ("spherical", 1.0, 3 * 3 / 5, math.sqrt(3) + 1e-5),
    ],
)
def test_latents_have_their_moments(name, variance, fourth, bound):
    latents = draw(latent(name), 40_000).values
    assert latents.mean().item() == pytest.approx(0, abs=0.02)
    assert latents.square().mean().item() == pytest.approx(variance, rel=0.02)
    assert latents.pow(4).mean().item() == pytest.approx(fourth, rel=0.05)
    assert latents.abs().max().item() <= bound
    products = latents.T @ latents / len(latents)
    assert (products - products.diag().diag()).abs().max().item() < 0.03


@pytest.mark.parametrize("threshold", [0.5, 1.0, 2.0])
def test_truncated_normal_latents_have_their_moments(threshold):
    latents = draw(latent("truncated-normal", threshold=threshold), 40_000).values
    assert latents.mean().item() == pytest.approx(0, abs=0.02)
    assert latents.var().item() == pytest.approx(truncated_variance(threshold), rel=0.02)
    assert 0.99 * threshold < latents.abs().max().item() <= threshold
    # Half of the probability lies where the distribution function of |z| is half its last value.
    ordered = latents.abs().flatten().sort().values
    half = math.erf(ordered[len(ordered) // 2].item() / math.sqrt(2))
    assert half == pytest.approx(math.erf(threshold / math.sqrt(2)) / 2, rel=0.02)


@settings(max_examples=50, deadline=None)
@given(
    threshold=st.floats(min_value=1e-3, max_value=50.0),
    narrower=st.floats(min_value=1e-3, max_value=50.0),
    seed=st.integers(min_value=0, max_value=2**31),
)
def test_no_latent_lies_beyond_the_nearest_threshold(threshold, narrower, seed):
    sampler = latent("truncated-normal", size=50, threshold=threshold)
    least = torch.tensor(min(threshold, narrower), dtype=torch.float32)
    assert (draw(sampler, 20, seed).values.abs() <= torch.tensor(threshold)).all()
    assert (draw(sampler.truncated(narrower), 20, seed).values.abs() <= least).all()


def test_the_most_extreme_uniform_numbers_give_finite_latents(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *shape, **_: torch.full(shape, 0.0))
    assert -9 < draw(latent("truncated-normal", threshold=9.0), 1).values.min().item() < -5
    assert draw(latent("normal").truncated(math.inf), 1).values.isfinite().all()
    assert draw(latent("uniform"), 1).values.tolist() == [[-1.0] * 3]
    monkeypatch.setattr(torch, "rand", lambda *shape, **_: torch.full(shape, 1 - 2**-24))
    assert 5 < draw(latent("truncated-normal", threshold=9.0), 1).values.max().item() < 9
    assert draw(latent("uniform"), 1).values.max().item() < 1


@pytest.mark.parametrize("size", [1, 2, 100])
def test_spherical_latents_have_one_length(size):
    lengths = draw(latent("spherical", size=size), 500).values.norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((500,), math.sqrt(size)))


@pytest.mark.parametrize("name", ["normal", "class-balanced"])
def test_normal_latents_can_be_truncated_again(name):
    once = latent(name).truncated(1.0)
    assert draw(once, 20_000).values.var().item() == pytest.approx(truncated_variance(1), rel=0.02)
    for threshold in (0.5, 2.0):
        twice = draw(once.truncated(threshold), 20_000).values
        expected = truncated_variance(min(threshold, 1.0))
        assert twice.var().item() == pytest.approx(expected, rel=0.02)


def test_uniform_latents_can_be_truncated():
    sampler = latent("uniform")
    narrow = draw(sampler.truncated(0.25), 20_000).values
    assert narrow.abs().max().item() <= 0.25
    assert narrow.std().item() == pytest.approx(0.25 / math.sqrt(3), rel=0.02)
    assert torch.equal(
        draw(sampler.truncated(0.25).truncated(0.5), 9).values,
        draw(sampler.truncated(0.25), 9).values,
    )
    assert torch.equal(draw(sampler.truncated(3.0), 9).values, draw(sampler, 9).values)


def test_samplers_without_a_truncation_say_so():
    with pytest.raises(ValueError, match="latents on a sphere all have one length"):
        latent("spherical").truncated(1.0)
    for name in PAIRED:
        with pytest.raises(ValueError, match="its inputs cannot be truncated"):
            build(name).truncated(1.0)


@pytest.mark.parametrize("name", [name for name in INDEPENDENT if name != "class-balanced"])
def test_labels_are_those_of_the_real_batch_or_uniform(name):
    sampler = latent(name, num_classes=4)
    real = Batch(torch.zeros(3, 2), LABELS)
    assert torch.equal(draw(sampler, 3, real=real).labels, LABELS)
    drawn = draw(sampler, 4000).labels
    assert drawn.dtype == torch.int64
    assert torch.bincount(drawn).min().item() > 900
    assert len(torch.bincount(drawn)) == 4
    unconditional = draw(latent(name), 3, real=real)
    assert unconditional.labels is None
    assert torch.equal(unconditional.values, draw(sampler, 3, real=real).values)


def test_labels_stay_uniform_and_balanced_under_truncation():
    drawn = draw(latent("normal", num_classes=4).truncated(1.0), 4000).labels
    assert torch.bincount(drawn).min().item() > 900
    balanced = draw(latent("class-balanced", num_classes=4).truncated(1.0), 4000).labels
    assert torch.bincount(balanced).tolist() == [1000] * 4


@settings(deadline=None)
@given(
    n=st.integers(min_value=0, max_value=40),
    num_classes=st.integers(min_value=1, max_value=12),
    seed=st.integers(min_value=0, max_value=2**31),
)
def test_balanced_classes_differ_by_one_at_most(n, num_classes, seed):
    sampler = latent("class-balanced", num_classes=num_classes)
    labels = draw(sampler, n, seed).labels
    assert labels.dtype == torch.int64
    assert labels.shape == (n,)
    counts = torch.bincount(labels, minlength=num_classes)
    assert len(counts) == num_classes
    assert counts.max().item() - counts.min().item() <= 1


def test_balanced_classes_come_in_random_order_and_the_odd_ones_are_drawn():
    sampler = latent("class-balanced", num_classes=3)
    batches = torch.stack([draw(sampler, 4, seed).labels for seed in range(900)])
    for place in batches.T:  # every class is anywhere
        assert torch.bincount(place, minlength=3).min().item() > 240
    counts = torch.nn.functional.one_hot(batches, 3).sum(1)
    twice = (counts == 2).sum(0)  # the class that is there twice
    assert twice.sum().item() == 900
    assert twice.min().item() > 240
    assert len(batches.unique(dim=0)) == 3 * math.factorial(4) // 2  # all arrangements


def test_balanced_labels_are_not_those_of_the_real_batch_and_latents_are_those_of_normal():
    sampler = latent("class-balanced", num_classes=4)
    real = Batch(torch.zeros(40, 2), torch.full((40,), 3))
    found = draw(sampler, 40, real=real)
    assert torch.bincount(found.labels).tolist() == [10] * 4
    assert torch.equal(found.labels, draw(sampler, 40).labels)
    assert torch.equal(found.values, draw(latent("normal"), 40).values)


@pytest.mark.parametrize("name", PAIRED)
@pytest.mark.parametrize("shape", [(1, 5, 7), (3, 8, 8), (2, 1, 1)])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_paired_inputs_are_shaped_as_samples_which_stay_as_they_are(name, shape, n):
    spec = REGISTRY.find(SamplerSpec, name).spec
    assert spec.input_shape(spec.options(), fields(shape)) == shape
    real = images(n, shape)
    before = real.clone()
    values = altered(build(name, sample_shape=shape), real)
    assert values.shape == real.shape
    assert values.dtype == torch.float32
    assert torch.equal(real, before)


@pytest.mark.parametrize("name", PAIRED)
def test_paired_samplers_need_real_images_and_pass_labels_in_conditional_runs(name):
    real = Batch(images(3), LABELS)
    assert draw(build(name), 3, real=real).labels is None
    assert torch.equal(draw(build(name, num_classes=4), 3, real=real).labels, LABELS)
    with pytest.raises(DataError, match="makes its inputs of real images, and there are none"):
        draw(build(name), 3)


def test_reconstruct_passes_images_on():
    real = images()
    assert torch.equal(altered(build("reconstruct"), real), real)


def hole(masked, real):
    """The mask `[B, H, W]` of what changed, the same in every channel, and grey."""
    changed = masked != real
    assert torch.equal(changed, changed[:, :1].expand_as(changed))
    assert (masked[changed] == 0).all()
    return changed[:, 0]


@settings(max_examples=50, deadline=None)
@given(
    height=st.integers(min_value=1, max_value=12),
    width=st.integers(min_value=1, max_value=12),
    size=st.floats(min_value=0.01, max_value=1.0),
    place=st.sampled_from(["random", "centre"]),
    seed=st.integers(min_value=0, max_value=2**31),
)
def test_the_hole_is_one_rectangle_of_its_size(height, width, size, place, seed):
    real = images(5, (2, height, width))
    changed = hole(altered(build("mask", size=size, place=place), real, seed), real)
    high = min(height, max(1, round(size * height)))
    wide = min(width, max(1, round(size * width)))
    for one in changed:
        rows, columns = one.any(1).nonzero()[:, 0], one.any(0).nonzero()[:, 0]
        assert rows.tolist() == list(range(int(rows[0]), int(rows[0]) + high))
        assert columns.tolist() == list(range(int(columns[0]), int(columns[0]) + wide))
        assert one.sum().item() == high * wide
        if place == "centre":
            assert (int(rows[0]), int(columns[0])) == ((height - high) // 2, (width - wide) // 2)


def test_random_holes_are_at_all_places_equally_often():
    real = images(4500, (1, 4, 6))
    changed = hole(altered(build("mask"), real), real)  # 2 x 3 of 4 x 6: three by four places
    corners = changed.flatten(1).int().argmax(1)
    found, counts = corners.unique(return_counts=True)
    assert found.tolist() == [6 * row + column for row in range(3) for column in range(4)]
    assert counts.min().item() > 300
    assert counts.max().item() < 450


def test_the_central_hole_needs_no_chance():
    real = images(3)
    generator = torch.Generator().manual_seed(0)
    state = generator.get_state()
    sampler = build("mask", place="centre")
    masked = sampler.sample(3, generator=generator, real=Batch(real)).values
    assert torch.equal(generator.get_state(), state)
    expected = real.clone()
    expected[:, :, 2:6, 2:6] = 0
    assert torch.equal(masked, expected)


@pytest.mark.parametrize("enlarge", ["nearest", "bilinear"])
@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 7, 5), (2, 3, 9)])
@pytest.mark.parametrize("factor", [2, 3, 4, 16])
def test_constant_images_stay_constant(enlarge, shape, factor):
    real = torch.full((2, *shape), -0.375)
    coarse = altered(build("downscale", factor=factor, enlarge=enlarge), real)
    torch.testing.assert_close(coarse, real)


@pytest.mark.parametrize("enlarge", ["nearest", "bilinear"])
@pytest.mark.parametrize(("factor", "shape"), [(2, (3, 8, 6)), (3, (1, 9, 12)), (4, (2, 16, 4))])
def test_the_mean_is_kept_where_the_factor_divides_the_sides(enlarge, factor, shape):
    real = images(3, shape)
    coarse = altered(build("downscale", factor=factor, enlarge=enlarge), real)
    torch.testing.assert_close(coarse.mean((2, 3)), real.mean((2, 3)))


def test_nearest_makes_squares_of_the_means():
    real = images(2, (3, 8, 4))
    coarse = altered(build("downscale", factor=4, enlarge="nearest"), real)
    means = real.unflatten(2, (2, 4)).mean((3, 4))
    torch.testing.assert_close(coarse, means.repeat_interleave(4, 2)[..., None].expand_as(real))


def test_bilinear_makes_ramps_between_the_means():
    real = torch.tensor([-1.0, -1.0, 1.0, 1.0]).expand(1, 1, 2, 4)
    coarse = altered(build("downscale", factor=2), real)
    torch.testing.assert_close(coarse[0, 0, 0], torch.tensor([-1.0, -0.5, 0.5, 1.0]))


@pytest.mark.parametrize("enlarge", ["nearest", "bilinear"])
def test_sides_that_the_factor_does_not_divide(enlarge):
    real = images(2, (1, 7, 5))
    coarse = altered(build("downscale", factor=3, enlarge=enlarge), real)
    assert coarse.shape == real.shape
    assert coarse.min() >= real.min()
    assert coarse.max() <= real.max()
    if enlarge == "nearest":
        assert [len(image.unique()) for image in coarse] == [6, 6]  # ceil(7 / 3) x ceil(5 / 3)
    whole = altered(build("downscale", factor=100, enlarge=enlarge), real)
    torch.testing.assert_close(whole, real.mean((2, 3), keepdim=True).expand_as(real))


SOURCES = {
    "image": Field(kind="image", shape=(1, 4, 6)),
    "vector": Field(kind="vector", shape=(5,)),
    "sequence": Field(kind="sequence", shape=(2, 7)),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_another_field_is_fed_as_it_is(kind):
    spec = REGISTRY.find(SamplerSpec, "field").spec
    known = fields((3, 8, 8), source=SOURCES[kind], drawing=Field(kind="vector", shape=(9,)))
    options = spec.options()
    assert options.field == "source"
    assert spec.reads(options) == ("source",)
    assert spec.inputs(options, known) == kind
    shape = spec.input_shape(options, known)
    assert shape == SOURCES[kind].shape
    other = spec.options(field="drawing")
    assert spec.reads(other) == ("drawing",)
    assert (spec.inputs(other, known), spec.input_shape(other, known)) == ("vector", (9,))

    problem = Problem(sample_shape=(3, 8, 8), input_shape=shape)
    sampler = REGISTRY.find(SamplerSpec, "field").build(problem, options)
    source = images(3, shape)
    real = Batch(images(3), source=source, label=LABELS)
    drawn = draw(sampler, 3, real=real)
    assert torch.equal(drawn.values, source)
    assert drawn.labels is None
    with pytest.raises(DataError, match="feeds the field 'source', and there is no data"):
        draw(sampler, 3)


@pytest.mark.parametrize("name", [*PAIRED, "field"])
def test_inputs_made_of_data_carry_the_conditions_of_the_generator_alone(name):
    conditions = {
        "label": Field(kind="category", classes=tuple("abcd")),
        "size": Field(kind="vector", shape=(2,)),
    }
    problem = Problem(sample_shape=(3, 8, 8), input_shape=(3, 8, 8), conditions=conditions)
    component = REGISTRY.find(SamplerSpec, name)
    sampler = component.build(problem, component.spec.options())
    size, source = torch.rand(3, 2), images(3)
    real = Batch(images(3), label=LABELS, size=size, source=source)
    drawn = draw(sampler, 3, real=real)
    assert drawn.others.keys() == {"label", "size"}
    assert torch.equal(drawn.labels, LABELS)
    assert torch.equal(drawn.others["size"], size)


def test_latents_carry_every_condition_of_the_real_batch_and_draw_categories_without_one():
    conditions = {
        "label": Field(kind="category", classes=tuple("abcd")),
        "colour": Field(kind="category", classes=("red", "blue")),
        "size": Field(kind="vector", shape=(2,)),
    }
    problem = Problem(sample_shape=(2,), input_shape=(3,), conditions=conditions)
    component = REGISTRY.find(SamplerSpec, "normal")
    sampler = component.build(problem, component.spec.options(size=3))
    others = {"label": LABELS, "colour": LABELS % 2, "size": torch.rand(3, 2)}
    given = draw(sampler, 3, real=Batch(torch.rand(3, 2), **others, weather=torch.rand(3, 1)))
    assert given.others.keys() == others.keys()
    assert all(torch.equal(given.others[name], others[name]) for name in others)
    drawn = draw(sampler, 4000).others
    assert drawn.keys() == {"label", "colour"}  # a vector is for who samples to give
    assert torch.bincount(drawn["label"]).min().item() > 900
    assert torch.bincount(drawn["colour"]).min().item() > 1900
