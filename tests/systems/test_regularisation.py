"""The mathematics of the systems in `regularisation.py`, worked out by hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from ganforge import Batch, Draw, Inputs, Observed, Problem, Progress, Step, Update
from ganforge.plugin.specs import Side
from tests.systems.harness import PLUGINS

IMAGES = Problem(sample_shape=(1, 8, 8), input_shape=(4,))
START = Progress(step=0, num_steps=100, images=0)


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plugins can be imported, and leave nothing behind for tests that install them."""
    before = {*sys.modules}
    monkeypatch.syspath_prepend(PLUGINS)
    yield
    for name in {*sys.modules} - before:
        if (PLUGINS / name.partition(".")[0]).is_dir():
            del sys.modules[name]


def plugin(module: str) -> ModuleType:
    return import_module(module)


def step_of(
    discriminator: nn.Module,
    real: Tensor,
    fake: Tensor,
    *,
    side: Side = "discriminator",
    generator: nn.Module | None = None,
    differentiable: bool = False,
    traced: tuple[str, ...] = (),
    progress: Progress = START,
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
) -> Step:
    """An update of the usual game, whose generator passes on what it is fed unless one is given."""
    update = Update(
        side=side,
        generator=nn.Identity() if generator is None else generator,
        discriminator=discriminator,
        progress=progress,
        make_random=lambda: torch.Generator().manual_seed(0),
        differentiable=differentiable,
        traced=frozenset(traced),
        augment=augment,
    )
    return Step(update, Draw(Batch(real), Inputs(fake)))


class Given(nn.Module):
    """A discriminator of vectors `[B, 1]`, which are their own scores."""

    def forward(self, samples: Tensor) -> Tensor:
        return samples[:, 0]


def observed(real: Tensor, fake: Tensor, *, side: Side = "discriminator") -> Observed:
    return Observed(
        side=side, progress=START, batch_size=len(real), real_scores=real, fake_scores=fake
    )


class Linear(nn.Module):
    """A discriminator of images whose gradient is `norm` long everywhere."""

    def __init__(self, norm: float) -> None:
        super().__init__()
        weight = torch.randn(64)
        self.weight = nn.Parameter(norm * weight / weight.norm())

    def forward(self, samples: Tensor) -> Tensor:
        return samples.flatten(1) @ self.weight


def test_dragan_holds_the_gradient_of_a_linear_discriminator_at_its_target():
    options = plugin("ganforge_dragan").Options(coefficient=10.0, target=1.0)
    penalty = plugin("ganforge_dragan.penalty").Penalty(IMAGES, options)
    real = torch.randn(4, 1, 8, 8)
    for norm, expected in ((1.0, 0.0), (3.0, 40.0), (0.5, 2.5)):
        value = penalty.discriminator_loss(step_of(Linear(norm), real, real))
        assert value.item() == pytest.approx(expected, abs=1e-4)


def test_dragan_looks_about_the_data_as_far_as_it_is_told():
    seen: list[Tensor] = []

    class Seen(Linear):
        def forward(self, samples: Tensor) -> Tensor:
            seen.append(samples.detach())
            return super().forward(samples)

    options = plugin("ganforge_dragan").Options(noise=0.5)
    penalty = plugin("ganforge_dragan.penalty").Penalty(IMAGES, options)
    real = 3.0 * torch.randn(64, 1, 8, 8)
    penalty.discriminator_loss(step_of(Seen(1.0), real, real))
    assert (seen[0] - real).std().item() == pytest.approx(1.5, rel=0.05)


def lecam(*, one_sided: bool) -> nn.Module:
    options = plugin("ganforge_lecamgan").Options(decay=0.9, one_sided=one_sided)
    return plugin("ganforge_lecamgan.term").Divergence(IMAGES, options)


def test_lecam_is_the_distance_from_the_means_of_the_other_side():
    real, fake = torch.tensor([[1.0], [-3.0]]), torch.tensor([[0.0], [2.0]])
    # Means of real 1 and fake -1. Both sides: (4 + 4) / 2 + (1 + 1) / 2; of one: (4 + 0) / 2 + 1/2.
    for one_sided, expected in ((False, 5.0), (True, 2.5)):
        term = lecam(one_sided=one_sided)
        assert term.discriminator_loss(step_of(Given(), real, fake)).item() == 0.0
        term.observe(observed(torch.tensor([0.0, 2.0]), torch.tensor([-1.0, -1.0])))
        assert term.discriminator_loss(step_of(Given(), real, fake)).item() == expected


def test_the_means_of_lecam_start_at_the_first_scores_and_then_move_slowly():
    term = lecam(one_sided=True)
    term.observe(observed(torch.full((2,), 5.0), torch.full((2,), -5.0)))
    assert (term.real_mean.item(), term.fake_mean.item()) == (5.0, -5.0)
    term.observe(observed(torch.full((2,), 6.0), torch.full((2,), -7.0)))
    assert term.real_mean.item() == pytest.approx(5.1)
    assert term.fake_mean.item() == pytest.approx(-5.2)


def test_overlap_counts_what_filters_have_in_common():
    overlap = plugin("ganforge_orthogonal.terms").overlap
    # W W^T = [[4, 2], [2, 2]]: the two entries beside the diagonal, and those of W W^T - I.
    weight = torch.tensor([[2.0, 0.0], [1.0, 1.0]])
    assert overlap(weight, diagonal=False).item() == pytest.approx(8.0)
    assert overlap(weight, diagonal=True).item() == pytest.approx(9.0 + 8.0 + 1.0)
    orthogonal, _ = torch.linalg.qr(torch.randn(9, 4))
    filters = orthogonal.T.reshape(4, 1, 3, 3)
    assert overlap(3.0 * filters, diagonal=False).item() == pytest.approx(0.0, abs=1e-3)
    assert overlap(filters, diagonal=True).item() == pytest.approx(0.0, abs=1e-3)


def test_orthogonality_of_one_side_has_a_gradient_for_its_weights_alone():
    options = plugin("ganforge_orthogonal").Options(beta=0.5)
    term = plugin("ganforge_orthogonal.terms").OrthogonalGenerator(IMAGES, options)
    generator, discriminator = nn.Linear(4, 3), nn.Linear(64, 1)
    step = step_of(
        discriminator, torch.zeros(2, 64), torch.zeros(2, 4), side="generator", generator=generator
    )
    term.generator_loss(step).backward()
    weight = generator.weight.detach()
    products = weight @ weight.T
    expected = 0.5 * 4 * (products - products.diagonal().diag()) @ weight
    assert torch.allclose(generator.weight.grad, expected, atol=1e-6)
    assert generator.bias.grad is None
    assert discriminator.weight.grad is None


def top_k(share: float, loss: str = "hinge") -> nn.Module:
    options = plugin("ganforge_topk").Options(share=share, loss=loss)
    return plugin("ganforge_topk.loss").TopK(IMAGES, options)


def test_top_k_picks_the_samples_with_the_highest_scores():
    fake = torch.tensor([[0.5], [-1.0], [2.0], [-3.0]], requires_grad=True)
    step = step_of(Given(), torch.zeros(4, 1), fake, side="generator")
    value = top_k(0.5).generator_loss(step)
    value.backward()
    assert value.item() == pytest.approx(-1.25)
    assert fake.grad is not None
    assert fake.grad.flatten().tolist() == [-0.5, 0.0, -0.5, 0.0]


@pytest.mark.parametrize(("loss", "expected"), [("hinge", 0.375), ("nonsat", None)])
def test_top_k_of_the_whole_batch_is_the_usual_loss(loss: str, expected: float | None):
    fake = torch.tensor([[0.5], [-1.0], [2.0], [-3.0]])
    step = step_of(Given(), torch.zeros(4, 1), fake, side="generator")
    if expected is None:
        expected = torch.nn.functional.softplus(-fake).mean().item()
    assert top_k(1.0, loss).generator_loss(step).item() == pytest.approx(expected)


def test_k_falls_geometrically_from_the_batch_to_nu_times_it():
    share = plugin("ganforge_topk").Options().share
    at = [Progress(step=step, num_steps=100, images=0).value(share) for step in (0, 25, 50, 99)]
    assert at == pytest.approx([1.0, 0.5**0.5, 0.5, 0.5])


def test_feature_matching_is_the_distance_between_mean_features():
    class Features(Given):
        def trace(self, samples: Tensor) -> tuple[Tensor, dict[str, list[Tensor]]]:
            return samples[:, 0], {"features": [samples, 2.0 * samples]}

    options = plugin("ganforge_feature_matching").LossOptions
    build = plugin("ganforge_feature_matching.loss").FeatureMatching
    real = torch.tensor([[1.0, 0.0], [3.0, 0.0]])  # mean (2, 0)
    fake = torch.tensor([[0.0, 1.0], [0.0, 3.0]])  # mean (0, 2)
    names = ("real.features", "fake.features")
    for layers, expected in (((-1,), 32.0), ((0, 1), 40.0)):
        step = step_of(Features(), real, fake, side="generator", traced=names)
        value = build(IMAGES, options(layers=layers)).generator_loss(step)
        assert value.item() == pytest.approx(expected)


def bcr(**options: float) -> nn.Module:
    given = plugin("ganforge_bcr").Options(**options)
    return plugin("ganforge_bcr.term").BalancedConsistency(IMAGES, given)


def test_a_discriminator_that_does_not_mind_where_things_are_is_consistent():
    class Mean(nn.Module):
        def forward(self, samples: Tensor) -> Tensor:
            return samples.mean((1, 2, 3))

    real, fake = torch.rand(2, 6, 1, 8, 8)
    # A mirror at the edge repeats pixels, so that a shift would change the mean.
    assert bcr(shift=0).discriminator_loss(step_of(Mean(), real, fake)).item() < 1e-10
    step = step_of(Linear(1.0), real, fake)
    assert bcr(shift=2).discriminator_loss(step).item() > 0.1


def test_consistency_is_balanced_by_its_two_weights():
    class Left(nn.Module):
        """The pixel in the corner, which a flip exchanges for the one in the other corner."""

        def forward(self, samples: Tensor) -> Tensor:
            return samples[:, 0, 0, 0]

    real, fake = torch.zeros(2, 400, 1, 8, 8)
    real[..., -1], fake[..., -1] = 1.0, 2.0
    value = bcr(shift=0, real=1.0, fake=10.0).discriminator_loss(step_of(Left(), real, fake))
    # Half of the views are flipped: 1 and 4 by which their scores are off, squared.
    assert value.item() == pytest.approx((1.0 * 1.0 + 10.0 * 4.0) / 2, rel=0.15)


def test_a_view_is_the_image_shifted_or_mirrored():
    images = torch.arange(64.0).view(1, 1, 8, 8).expand(50, 1, 8, 8)
    views = bcr(shift=2).view(images)
    inside = views[:, 0, 2:-2, 2:-2]
    steps = inside.diff(dim=2)
    assert {*steps.unique().tolist()} == {-1.0, 1.0}
    assert (inside.diff(dim=1) == 8.0).all()
    assert 10 < (steps[:, 0, 0] < 0).sum().item() < 40


def test_nothing_but_the_view_sets_two_scores_apart():
    seen: list[float] = []

    class Seen(Linear):
        def forward(self, samples: Tensor) -> Tensor:
            seen.append(samples.max().item())
            return super().forward(samples)

    images = torch.zeros(2, 1, 8, 8)
    step = step_of(Seen(1.0), images, images, augment=lambda images, random: images + 1.0)
    bcr(shift=1).discriminator_loss(step)
    assert seen == [1.0, 1.0, 0.0, 0.0]  # what the run augments, and views that it does not


def gradient_normalised(width: int = 4) -> nn.Module:
    options = plugin("ganforge_gngan").Options(width=width)
    network: nn.Module = plugin("ganforge_gngan.network").Discriminator(IMAGES, options)
    return network


def test_a_normalised_gradient_is_at_most_1_long_whatever_the_weights_are():
    network = gradient_normalised()
    for scale in (1.0, 30.0):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(scale)
        images = torch.randn(16, 1, 8, 8, requires_grad=True)
        scores = network(images)
        (gradients,) = torch.autograd.grad(scores.sum(), images)
        norms = gradients.flatten(1).norm(dim=1)
        # The network is linear piece by piece: its second derivative is 0.
        (of_raw,) = torch.autograd.grad(network.raw(images, None).sum(), images)
        raw = of_raw.flatten(1).norm(dim=1)
        expected = (raw / (raw + network.raw(images, None).abs())).square()
        assert torch.allclose(norms, expected, rtol=1e-3)
        assert (norms <= 1).all()
        assert (scores.abs() < 1).all()


def test_scores_are_the_same_where_no_gradient_is_wanted():
    network = gradient_normalised()
    images = torch.randn(4, 1, 8, 8)
    scores = network(images)
    with torch.no_grad():
        quiet = network(images)
    assert torch.equal(scores, quiet)
    assert scores.requires_grad
    assert not quiet.requires_grad
    assert not images.requires_grad


def augmented(build: nn.Module, images: Tensor, seed: int = 0) -> Tensor:
    samples: Tensor = build(images, torch.Generator().manual_seed(seed), START)
    return samples


def diffaugment(*policy: str) -> nn.Module:
    options = plugin("ganforge_diffaug").Options(policy=policy)
    build: nn.Module = plugin("ganforge_diffaug.augmentation").Augment(IMAGES, options)
    return build


def test_the_hole_is_half_as_wide_and_high_as_the_image():
    images = torch.ones(400, 1, 8, 8)
    cut = augmented(diffaugment("cutout"), images)
    holes = (cut == 0).sum((1, 2, 3))
    # 4 x 4 pixels where the hole is inside; its centre may lie on the edge.
    assert (holes.max().item(), holes.min().item()) == (16, 4)


def test_images_are_shifted_by_an_eighth_at_most():
    images = torch.zeros(400, 1, 16, 16)
    images[:, 0, 8, 8] = 1.0
    places = augmented(diffaugment("translation"), images).nonzero()
    for column in (2, 3):
        assert places[:, column].unique().tolist() == [6, 7, 8, 9, 10]


def test_colour_changes_the_mean_by_brightness_alone():
    images = torch.rand(400, 3, 4, 4)
    change = (augmented(diffaugment("color"), images) - images).mean((1, 2, 3))
    assert change.abs().max().item() <= 0.5
    assert change.std().item() == pytest.approx(12**-0.5, rel=0.1)


def flips(p: float = 0.0, **options: float) -> nn.Module:
    given = plugin("ganforge_adaptive_flips").Options(**options)
    build: nn.Module = plugin("ganforge_adaptive_flips.augmentation").AdaptiveFlips(IMAGES, given)
    build.p.fill_(p)
    return build


def test_at_probability_0_images_are_left_as_they_are_to_the_bit():
    images = torch.randn(8, 1, 8, 8)
    assert torch.equal(augmented(flips(0.0), images), images)


def test_flips_and_turns_are_those_of_the_square_and_equally_likely():
    build = flips(1.0)
    image = torch.arange(16.0).view(1, 1, 4, 4)  # of 4 pixels, of which an eighth rounds to 1
    images = image.expand(4000, 1, 4, 4)
    chosen = torch.tensor([True, True, False])[:, None].expand(3, 4000)
    moved = build.moved(images, chosen, torch.rand(4, 4000))
    counts = [
        (moved == turned).flatten(1).all(1).sum().item()
        for flipped in (image, image.flip(3))
        for turned in (flipped.rot90(turns, (2, 3)) for turns in range(4))
    ]
    assert sum(counts) == 4000
    assert all(400 < it < 600 for it in counts)


def test_shifts_are_mirrored_at_the_edge():
    build = flips(1.0)
    image = torch.arange(8.0).expand(1, 1, 8, 8)
    chosen = torch.tensor([[False], [False], [True]])
    # Of the shifts -1, 0 and 1: rows by 0, columns by 1.
    strength = torch.tensor([0.0, 0.0, 0.5, 0.9])[:, None]
    moved = build.moved(image, chosen, strength)
    assert moved[0, 0, 0].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 6.0]


def test_p_follows_how_sure_the_discriminator_is():
    build = flips(interval=2, adjust_images=100)
    sure, unsure = torch.ones(10), torch.tensor([1.0, -1.0] * 5)
    found = []
    for real in (sure, sure, sure, sure, unsure, unsure, unsure, unsure, unsure, unsure):
        build.observe(observed(real, -real))
        found.append(round(build.p.item(), 4))
    # 2 updates of 10 images of the 100 that it takes from 0 to 1; never below 0.
    assert found == [0.0, 0.2, 0.2, 0.4, 0.4, 0.2, 0.2, 0.0, 0.0, 0.0]


def test_the_attention_of_sagan_is_that_of_the_paper_once_its_gate_is_open():
    attention = plugin("ganforge_sagan.layers").Attention(16).eval()
    features = torch.randn(2, 16, 4, 4)
    assert torch.equal(attention(features), features)
    attention.gamma.data.fill_(0.5)
    pooled = torch.nn.functional.max_pool2d
    for sample, found in zip(features, attention(features), strict=True):
        queries = attention.query(sample[None]).flatten(2)[0]
        keys, values = (
            pooled(it(sample[None]), 2).flatten(2)[0] for it in (attention.key, attention.value)
        )
        # One place after the other: b_j = softmax over the places i of s_ij, o_j = v(sum b_ji h_i).
        columns = [values @ (keys.T @ query).softmax(0) for query in queries.T]
        attended = attention.output(torch.stack(columns, 1).view(1, 8, 4, 4))[0]
        assert torch.allclose(found, sample + 0.5 * attended, atol=1e-5)


def test_no_layer_of_sagan_stretches_anything():
    options = plugin("ganforge_sagan").Options(width=4, attention=8)
    problem = Problem(sample_shape=(1, 16, 16), input_shape=(4,), num_classes=3)
    network = plugin("ganforge_sagan.networks").Discriminator(problem, options)
    for _ in range(100):
        network(torch.randn(2, 1, 16, 16), label=torch.tensor([0, 2]))
    layers = [it for it in network.modules() if isinstance(getattr(it, "weight", None), Tensor)]
    assert len(layers) == 14
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item()
        assert largest == pytest.approx(1.0, abs=0.02)


def shapes(network: nn.Module, kind: type[nn.Module]) -> list[tuple[int, ...]]:
    """The shapes of the weights of a network's layers of a kind."""
    return [tuple(it.weight.shape) for it in network.modules() if isinstance(it, kind)]


def test_the_widths_of_r3gan_are_those_of_the_authors():
    given = plugin("ganforge_r3gan").Options()
    widths = plugin("ganforge_r3gan.networks").widths
    for side, expected in (
        (32, [768, 768, 768, 768]),
        (256, [768, 768, 768, 768, 384, 192, 96]),
    ):
        assert widths(Problem(sample_shape=(3, side, side), input_shape=(64,)), given) == expected
    narrow = plugin("ganforge_r3gan").Options(width=48)
    with pytest.raises(ValueError, match="width must be a multiple of 32 for images of 128 pixels"):
        widths(Problem(sample_shape=(3, 128, 128), input_shape=(64,)), narrow)


def test_r3gan_begins_as_its_shortcuts_and_ends_unbounded_in_training_alone():
    given = plugin("ganforge_r3gan").Options(width=16, blocks=2)
    networks = plugin("ganforge_r3gan.networks")
    generator = networks.Generator(IMAGES, given)
    latents = torch.randn(64, 4)
    features = generator.basis * generator.first(latents)[:, :, None, None]
    *_, upsampled, _, last = generator.layers
    expected = last(upsampled(features))
    assert torch.allclose(generator(latents), expected, atol=1e-6)
    assert expected.abs().max() > 1
    assert torch.equal(generator.eval()(latents), expected.clamp(-1, 1))
    # At the start features have the variance of the basis, pixels of their number of maps.
    wide = networks.Generator(IMAGES, plugin("ganforge_r3gan").Options(width=512))
    assert wide.first(latents).std().item() == pytest.approx(1.0, rel=0.2)


def test_a_branch_of_r3gan_passes_on_the_scale_of_fix_up_initialisation():
    blocks = plugin("ganforge_r3gan.blocks")
    block = blocks.Block(256, expansion=2, num_blocks=16)
    features = torch.randn(16, 256, 8, 8)
    widened = torch.nn.functional.leaky_relu(block.widen(features), 0.2)
    # Of 16 blocks each of the first two layers is scaled by 16^-1/4 = 1/2.
    assert widened.square().mean().item() == pytest.approx(0.25, rel=0.1)
    assert shapes(block, nn.Conv2d) == [(512, 256, 1, 1), (512, 16, 3, 3), (256, 512, 1, 1)]


@pytest.mark.parametrize(
    ("side", "doubling", "up", "down"),
    [
        (32, False, [256] * 4, [128] * 4),
        (128, True, [1024, 1024, 512, 256, 128, 64], [64, 128, 256, 512, 1024, 1024]),
    ],
)
def test_sngan_has_the_blocks_of_its_tables(
    side: int, doubling: bool, up: list[int], down: list[int]
):
    problem = Problem(sample_shape=(3, side, side), input_shape=(128,), num_classes=10)
    hooks, networks = plugin("ganforge_sngan"), plugin("ganforge_sngan.networks")
    with torch.device("meta"):
        widths = {"width": 64, "doubling": True} if doubling else {}
        generator = networks.Generator(problem, hooks.GeneratorOptions(**widths))
        critic = networks.Discriminator(problem, hooks.DiscriminatorOptions(**widths))
    assert [generator.wide, *(it.conv2.out_channels for it in generator.blocks)] == up
    assert [it.conv2.module.out_channels for it in critic.blocks[:-1]] == down
    assert critic.score.linear.module.in_features == down[-1]


def test_sagan_has_the_blocks_of_the_authors_and_attends_at_32_pixels():
    problem = Problem(sample_shape=(3, 128, 128), input_shape=(128,), num_classes=10)
    networks = plugin("ganforge_sagan.networks")
    with torch.device("meta"):
        generator = networks.Generator(problem, plugin("ganforge_sagan").Options())
        critic = networks.Discriminator(problem, plugin("ganforge_sagan").Options())
    up = [it.conv2.out_channels for it in generator.blocks]
    assert [generator.wide, *up] == [1024, 1024, 512, 256, 128, 64]
    assert {name: it.output.out_channels for name, it in generator.attention.items()} == {"3": 256}
    names = [type(it).__name__ for it in critic.layers]
    assert names == ["Down", "Down", "Attention", "Down", "Down", "Down", "Down", "ReLU"]
    assert critic.layers[2].output.out_channels == 128
    assert critic.score.in_features == 1024
