"""The mathematics of the systems that are told something, where a few numbers show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import softplus

from ganforge import Batch, Draw, Field, Inputs, Problem, Progress, Update
from ganforge.config.settings import ExecutionSettings
from ganforge.device.execution import Execution
from ganforge.engine.trainer import Trainer
from ganforge.plugin.discovery import discover
from ganforge.plugin.specs import Side
from ganforge.sampling.trained_generator import open_generator
from ganforge.storage import tensor_file
from tests.systems.conditions import SYSTEMS
from tests.systems.harness import NUM_STEPS, PLUGINS, System, Workshop, final

Workshops = Callable[[System], Workshop]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A module of a plugin, by its name."""
    monkeypatch.syspath_prepend(PLUGINS)

    def load(name: str) -> ModuleType:
        return import_module(name)

    return load


@dataclass
class Told:
    """A step that has what a term reads, and nothing else."""

    traces: Mapping[str, torch.Tensor] = field(default_factory=dict)
    posterior_mean: torch.Tensor | None = None
    posterior_log_variance: torch.Tensor | None = None

    def trace(self, name: str) -> torch.Tensor:
        return self.traces[name]


def divergence(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL(N(mean, variance) || N(0, 1)) of each sample `[B]`, as torch has it."""
    posterior, prior = Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)
    return kl_divergence(posterior, prior).sum(1)


def sampled(place: Workshop, trained: Trainer, *told: object) -> npt.NDArray[np.float32]:
    """Samples of one seed `[N, *sample_shape]`, as `ganforge sample` writes them."""
    target = place.folder / "told.npz"
    answer = place.cli("sample", trained.run.path, "--num", 4, *told, "--out", target)
    assert answer.code == 0, answer.err
    with np.load(target) as arrays:
        samples: npt.NDArray[np.float32] = arrays["samples"]
        return samples


def test_a_cycle_remembers_the_fakes_of_both_ways(workshop: Workshops):
    pools = {
        name: tensor
        for name, tensor in final(workshop(SYSTEMS["CycleGAN"]).train("run")).items()
        if name.startswith("game/pools.")
    }
    # Four steps of eight fakes fill a pool of six.
    for way in ("there", "back"):
        assert pools[f"game/pools.{way}.taken"].all()
        assert pools[f"game/pools.{way}.past"].flatten(1).std(1).min() > 0


def test_patches_that_correspond_have_the_lower_contrast(module: Callable[[str], Any]):
    torch.manual_seed(0)
    options = module("ganforge_cut").ContrastOptions(channels=(8,), size=16, patches=16)
    loss = module("ganforge_cut.contrast").PatchNCE(Problem(sample_shape=(3, 8, 8)), options)
    given = [torch.randn(2, 3, 8, 8), torch.randn(2, 8, 4, 4)]
    elsewhere = [it.roll(1, dims=3) for it in given]
    output = [it.clone().requires_grad_() for it in given]
    same, other = loss.contrast(output, given), loss.contrast(elsewhere, given)
    assert same < 0.5 * other
    same.backward()
    assert all(it.grad is not None and it.grad.any() for it in [*output, *loss.parameters()])


def test_the_contrast_is_the_cross_entropy_of_equation_2(module: Callable[[str], Any]):
    options = module("ganforge_cut").ContrastOptions(channels=(), size=2, temperature=0.5)
    loss = module("ganforge_cut.contrast").PatchNCE(Problem(sample_shape=(2, 1, 2)), options)
    loss.heads[0] = torch.nn.Identity()
    # Two places: queries along the axes, keys at 0 and 60 degrees.
    queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    keys = torch.tensor([[1.0, 0.5], [0.0, 0.75**0.5]])
    found = loss.contrast([queries.view(1, 2, 1, 2)], [keys.view(1, 2, 1, 2)])
    logits = torch.tensor([[1.0, 0.5], [0.0, 0.75**0.5]]) / 0.5
    expected = -logits.log_softmax(1).diagonal().mean()
    assert torch.allclose(found, expected)


def test_srgan_starts_from_a_run_that_was_trained_on_pixels(workshop: Workshops):
    place = workshop(SYSTEMS["SRResNet"])
    soft = place.train("soft")
    place.system = SYSTEMS["SRGAN"]
    sharp = place.trainer("sharp", f"generator.init={soft.run.path}")
    ours = sharp.assembly.training.sides.generator.network.state_dict()
    theirs = soft.assembly.training.sides.generator.network.state_dict()
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    assert sharp.train() == "finished"
    before = final(soft)["generator/first.0.weight"]
    assert not torch.equal(final(sharp)["generator/first.0.weight"], before)


def test_random_features_are_stored_as_a_digest(workshop: Workshops):
    trained = workshop(SYSTEMS["SRGAN"]).train("run")
    tensors, document = tensor_file.read(trained.run.checkpoint(NUM_STEPS), "checkpoint")
    assert [name for name in tensors if name.startswith("loss/")] == []
    # By the key of the configuration, which names the package of what is not bundled.
    assert [*document["frozen"]] == ["ganforge-srgan/random-features"]


def test_each_of_forty_attributes_changes_the_sample(workshop: Workshops):
    place = workshop(SYSTEMS["forty attributes"])
    trained = place.train("run")
    told = np.ones((1, 40), dtype=np.float32)

    def with_attributes(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        np.save(place.folder / "told.npy", values)
        return sampled(place, trained, "--condition", "attributes=told.npy")

    plain = with_attributes(told)
    assert np.array_equal(plain, with_attributes(told))
    for column in (0, 17, 39):
        other = told.copy()
        other[:, column] = -1
        assert np.abs(with_attributes(other) - plain).max() > 1e-4


def test_the_names_of_attributes_go_with_the_generator(workshop: Workshops):
    trained = workshop(SYSTEMS["forty attributes"]).train("run")
    execution = Execution.from_settings(ExecutionSettings(device="cpu"))
    opened = open_generator(trained.run.generator, discover().registry, execution)
    assert opened.problem.fit is not None
    names = [f"Attribute_{it}" for it in range(40)]
    assert opened.problem.fit.facts["attributes"] == names


def test_the_codes_of_captions_are_held_to_the_normal_distribution(module: Callable[[str], Any]):
    loss = module("ganforge_stackgan.losses").ConditioningKL(Problem(sample_shape=(1, 8, 8)), None)
    mean, log_variance = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    step = Told(traces={"generated.mean": mean, "generated.log_variance": log_variance})
    assert torch.allclose(loss.generator_loss(step), divergence(mean, log_variance).mean())


def test_a_caption_is_augmented_in_training_alone(module: Callable[[str], Any]):
    plugin = module("ganforge_stackgan")
    problem = Problem(
        sample_shape=(1, 8, 8),
        input_shape=(4,),
        conditions={"caption": Field(kind="vector", shape=(6,))},
    )
    options = plugin.GeneratorOptions(width=2, code=3)
    generator = module("ganforge_stackgan.networks").Generator(problem, options)
    latents, caption = torch.randn(5, 4), torch.randn(5, 6)
    one, other = (generator(latents, vector=caption) for _ in range(2))
    assert not torch.allclose(one, other)
    generator.eval()
    one, other = (generator(latents, vector=caption) for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.allclose(one, generator(latents, vector=caption.flip(0)))


def test_a_map_is_heard_where_it_is(module: Callable[[str], Any]):
    torch.manual_seed(0)
    layer = module("ganforge_spade.networks").SPADE(channels=4, told=3, hidden=8).eval()
    features, told = torch.randn(1, 4, 8, 8), torch.zeros(1, 3, 8, 8)
    told[:, 0] = 1
    other = told.clone()
    other[0, :, 2, 2] = torch.tensor([0.0, 1.0, 0.0])
    changed = (layer(features, told) != layer(features, other)).any(1)[0]
    around = torch.zeros(8, 8, dtype=torch.bool)
    around[:5, :5] = True  # two convolutions of 3 x 3
    assert changed[2, 2]
    assert not changed[~around].any()


def test_a_map_reaches_the_sample_at_its_place(module: Callable[[str], Any]):
    torch.manual_seed(0)
    problem = Problem(
        sample_shape=(1, 32, 32),
        input_shape=(4,),
        conditions={"map": Field(kind="image", shape=(2, 32, 32), dtype="float32")},
    )
    options = module("ganforge_spade").GeneratorOptions(width=4, hidden=8)
    generator = module("ganforge_spade.networks").Generator(problem, options)
    latents, told = torch.randn(4, 4), torch.zeros(4, 2, 32, 32)
    told[:, 0] = 1
    with torch.no_grad():
        generator(latents, image=told)  # the statistics of its batch normalisation
        generator.eval()
        plain = generator(latents, image=told)
        for rows, columns in ((slice(0, 8), slice(0, 8)), (slice(24, 32), slice(8, 16))):
            other = told.clone()
            other[:, :, rows, columns] = told[:, :, rows, columns].flip(1)
            change = (generator(latents, image=other) - plain).abs().mean((0, 1))
            inside = change[rows, columns].mean()
            change[rows, columns] = 0
            assert inside > 3 * change.sum() / (32 * 32 - 8 * 8)


def test_the_posterior_is_held_to_the_normal_distribution(module: Callable[[str], Any]):
    loss = module("ganforge_vaegan.losses").PosteriorKL(Problem(sample_shape=(1, 8, 8)), None)
    mean, log_variance = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    step = Told(posterior_mean=mean, posterior_log_variance=log_variance)
    assert torch.allclose(loss.generator_loss(step), divergence(mean, log_variance).mean())


@pytest.fixture
def vae_gan(module: Callable[[str], Any]) -> Callable[[Side], tuple[nn.Module, list[Any]]]:
    """The generator of VAE/GAN, and the steps of an update of one side."""
    plugin, networks = module("ganforge_vaegan"), module("ganforge_vaegan.networks")
    problem = Problem(sample_shape=(1, 8, 8), input_shape=(3,))
    torch.manual_seed(0)
    generator = networks.VAE(problem, plugin.GeneratorOptions(width=2, hidden=8))
    judge = networks.Discriminator(problem, plugin.DiscriminatorOptions(width=2, hidden=8))
    draw = Draw(Batch(torch.rand(4, 1, 8, 8) * 2 - 1), Inputs(torch.randn(4, 3)))

    def steps(side: Side) -> tuple[nn.Module, list[Any]]:
        update = Update(
            side=side,
            generator=generator,
            discriminator=judge,
            progress=Progress(step=0, num_steps=1, images=0),
            make_random=lambda: torch.Generator().manual_seed(0),
            traced=frozenset({"real.features"}),
        )
        return generator, module("ganforge_vaegan.game").VAEGAN(problem).steps(update, draw)

    return steps


def test_the_encoder_has_no_part_in_deceiving(vae_gan: Any, module: Callable[[str], Any]):
    generator, steps = vae_gan("generator")
    similarity = module("ganforge_vaegan.losses").LearnedSimilarity(None, None)
    adversarial = sum(softplus(-step.fake_scores).mean() for step in steps)
    reached = {}
    for name, value in (("fake", adversarial), ("similar", similarity.generator_loss(steps[1]))):
        generator.zero_grad()
        value.backward()
        grads = {key: it.grad for key, it in generator.named_parameters()}
        reached[name] = {
            key.partition(".")[0] for key, it in grads.items() if it is not None and it.any()
        }
    assert reached == {"fake": {"decoder"}, "similar": {"encoder", "moments", "decoder"}}


def test_what_is_real_is_scored_once_for_both_fakes(vae_gan: Any):
    _, (sampled, rebuilt) = vae_gan("discriminator")
    assert rebuilt.real_scores is sampled.real_scores
    assert rebuilt.trace("real.features") is sampled.trace("real.features")
    assert torch.equal(rebuilt.fake, sampled.reconstruction)
    assert not rebuilt.fake.requires_grad
    assert not torch.equal(rebuilt.fake, sampled.fake)
