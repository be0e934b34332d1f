"""Faults of components that the contracts make impossible, or an error that names the package."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
import torch
from torch import nn

from ganforge import Batch, Inputs, Progress, input_gradients
from ganforge.config.layers import Layer, Names, from_settings
from ganforge.config.resolve import resolve
from ganforge.device.execution import Execution
from ganforge.engine.assemble import assemble
from ganforge.engine.ema import EMA
from ganforge.engine.objective import balance, last_layer
from ganforge.engine.trainer import Trainer
from ganforge.errors import CheckpointError, ConfigError, PluginError
from ganforge.nn import spectral_norm
from ganforge.plugin.discovery import discover
from ganforge.sampling.trained_generator import draw, open_generator
from ganforge.storage import tensor_file
from tests.conftest import FakePlugin

from .conftest import TINY, trainer_in
from .steps import make_step

needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None, reason="torch.compile needs a C++ compiler"
)

#: components that are wrong in one way each, and some that are right in an unusual one
PLUGIN = """
from ganforge import (
    ANY_SHAPES, DatasetSpec, DiscriminatorSpec, Field, GeneratorSpec, LossSpec, SamplerSpec,
    hookimpl,
)

HERE = "ganforge_odd"

def spec(cls, name, **said):
    return cls(name=name, summary="s", build=f"{HERE}:{name.replace('-', '_')}", **said)

@hookimpl
def ganforge_generators():
    for name in ("one-for-all", "double", "conv3d", "plain"):
        yield spec(GeneratorSpec, name, shapes=ANY_SHAPES, discriminator="mlp")

@hookimpl
def ganforge_discriminators():
    for name in ("grades", "conv3d-critic"):
        yield spec(DiscriminatorSpec, name, shapes=ANY_SHAPES, batch_independent=True)
    yield spec(DiscriminatorSpec, "patchy", shapes=ANY_SHAPES, patches=True)
    yield spec(DiscriminatorSpec, "scales", shapes=ANY_SHAPES, several=True, batch_independent=True)
    yield spec(DiscriminatorSpec, "normalised", shapes=ANY_SHAPES, differentiates_itself=True)
    yield spec(DiscriminatorSpec, "classifier", shapes=ANY_SHAPES, gives=("logits",))

@hookimpl
def ganforge_samplers():
    for name in ("one", "nothing"):
        yield spec(SamplerSpec, name, input_shape=lambda options, fields: (4,))

@hookimpl
def ganforge_losses():
    yield spec(LossSpec, "untrained", trains=("generator",))
    yield spec(LossSpec, "unused", trains=("generator",), parameters="generator")
    yield spec(LossSpec, "silent", trains=("generator",))
    yield spec(LossSpec, "perceptual", trains=("generator",), reads=("fake", "samples"))
    yield spec(LossSpec, "auxiliary", reads=("real.logits", "fake.logits", "labels"))
    yield spec(LossSpec, "counter")
    yield spec(LossSpec, "slope", trains=("discriminator",))

@hookimpl
def ganforge_datasets():
    yield spec(DatasetSpec, "cubes", fields=lambda options: {
        "sample": Field(kind="voxels", shape=(1, 4, 4, 4), range=(0.0, 1.0))})
    yield spec(DatasetSpec, "nil", fields=lambda options: {
        "sample": Field(kind="vector", shape=(2,))})


def __getattr__(name):
    import torch
    from math import prod
    from torch import nn
    from torch.nn.functional import cross_entropy
    from ganforge import EndlessDataset, InMemoryDataset, Inputs, Loss, Sampler, input_gradients
    from ganforge import mean_score

    class Plain(nn.Module):
        def __init__(self, problem, options):
            super().__init__()
            self.shape = problem.sample_shape
            self.layer = nn.Linear(prod(problem.input_shape), prod(self.shape))

        def forward(self, inputs):
            return self.layer(inputs.flatten(1)).tanh().view(-1, *self.shape)

    class OneForAll(Plain):
        def forward(self, inputs):
            return super().forward(inputs)[:1]

    class Double(Plain):
        def forward(self, inputs):
            return super().forward(inputs).double()

    class Conv3d(nn.Module):
        def __init__(self, problem, options):
            super().__init__()
            self.project = nn.Linear(problem.input_shape[0], 4 * 8)
            self.up = nn.ConvTranspose3d(4, 1, 2, stride=2)

        def forward(self, inputs):
            return self.up(self.project(inputs).view(-1, 4, 2, 2, 2)).tanh()

    class Conv3dCritic(nn.Module):
        def __init__(self, problem, options):
            super().__init__()
            self.conv = nn.Conv3d(1, 4, 2, stride=2)
            self.score = nn.Linear(32, 1)

        def forward(self, samples):
            return self.score(self.conv(samples).relu().flatten(1)).squeeze(1)

    class Grades(nn.Module):
        num_scores = 15

        def __init__(self, problem, options):
            super().__init__()
            self.layer = nn.Linear(prod(problem.sample_shape), self.num_scores)

        def forward(self, samples):
            return self.layer(samples.flatten(1)).unsqueeze(1)

    class Scales(Grades):
        def forward(self, samples):
            scores = self.layer(samples.flatten(1))
            return [scores[:, 0], scores[:, 1], scores[:, 2]]

    class Normalised(Grades):
        num_scores = 1

        def forward(self, samples):
            with torch.enable_grad():
                wanted = samples if samples.requires_grad else samples.detach().requires_grad_()
                scores = self.layer(wanted.flatten(1)).squeeze(1)
                (slope,) = torch.autograd.grad(scores.sum(), wanted, create_graph=True)
            return scores / (slope.flatten(1).norm(dim=1) + scores.abs())

    class Classifier(Grades):
        num_scores = 11

        def forward(self, samples):
            return self.trace(samples)[0]

        def trace(self, samples):
            found = self.layer(samples.flatten(1))
            return found[:, 0], {"logits": found[:, 1:]}

    class One(Sampler):
        def sample(self, n, *, generator, real=None):
            return Inputs(torch.randn(1, 4, generator=generator))

    class Nothing(Sampler):
        def sample(self, n, *, generator, real=None):
            return None

    class Untrained(Loss):
        def __init__(self, problem, options):
            super().__init__()
            self.head = nn.Linear(1, 1)

        def generator_loss(self, step):
            return -self.head(step.fake_scores[:, None]).mean()

    class Unused(Untrained):
        def generator_loss(self, step):
            return -step.fake_scores.mean()

    class Silent(Loss):
        def generator_loss(self, step):
            return None

    class Perceptual(Loss):
        def __init__(self, problem, options):
            super().__init__()
            self.network = nn.Linear(prod(problem.sample_shape), 300).requires_grad_(False)
            self.register_buffer("seen", torch.zeros(()))

        def generator_loss(self, step):
            ours, theirs = self.network(step.fake.flatten(1)), self.network(step.samples.flatten(1))
            return (ours - theirs).square().mean()

        def observe(self, observed):
            self.seen += 1

    class Auxiliary(Loss):
        def discriminator_loss(self, step):
            return cross_entropy(step.trace("real.logits"), step.labels)

        def generator_loss(self, step):
            return cross_entropy(step.trace("fake.logits"), step.fake_labels)

    class Counter(Loss):
        def __init__(self, problem, options):
            super().__init__()
            self.register_buffer("updates", torch.zeros(()))

        def discriminator_loss(self, step):
            return mean_score(step.fake_scores) - mean_score(step.real_scores)

        def generator_loss(self, step):
            return -mean_score(step.fake_scores)

        def observe(self, observed):
            self.sizes = [*getattr(self, "sizes", []), len(observed.fake_scores)]
            self.updates += 1

    class Slope(Loss):
        def discriminator_loss(self, step):
            return input_gradients(step.real_scores, step.real).square().mean()

    class Cubes(InMemoryDataset):
        def __init__(self, problem, options):
            super().__init__(torch.rand(20, 1, 4, 4, 4))

    class Nil(EndlessDataset):
        def draw(self, n, generator):
            return None

    makers = {
        "one_for_all": OneForAll, "double": Double, "conv3d": Conv3d, "plain": Plain,
        "grades": Grades, "patchy": Grades, "scales": Scales, "normalised": Normalised,
        "classifier": Classifier, "conv3d_critic": Conv3dCritic, "one": One, "nothing": Nothing,
        "untrained": Untrained, "unused": Unused, "silent": Silent, "perceptual": Perceptual,
        "auxiliary": Auxiliary, "counter": Counter, "slope": Slope, "cubes": Cubes,
        "nil": lambda problem, options: Nil(),
    }
    if name not in makers:
        raise AttributeError(name)
    return makers[name]
"""

Make = Callable[..., Trainer]


@pytest.fixture
def odd(fake_plugin: FakePlugin, tmp_path) -> Make:
    """A trainer of a run with components of the odd plugin."""
    fake_plugin("ganforge-odd", PLUGIN)

    def make(*settings: str, losses: tuple[str, ...] = ("nonsat",), name: str = "run") -> Trainer:
        tables = {"loss": Names(losses)}
        layers = [Layer(tables=tables, whole=True), from_settings([*TINY, *settings])]
        return trainer_in(tmp_path / name, resolve(layers, discover().registry))

    return make


PLAIN = ("generator.name=plain", "discriminator.name=mlp")


@pytest.mark.parametrize(
    ("settings", "losses", "message"),
    [
        (
            PLAIN,
            ("nonsat", "untrained"),
            r"the loss 'untrained' of ganforge-odd 1.0 has parameters of its own \(head.weight and "
            r"head.bias\), and its spec does not name the side that they are trained with",
        ),
        (
            (PLAIN[0], "discriminator.name=grades"),
            ("nonsat",),
            r"the discriminator 'grades' of ganforge-odd 1.0 must give scores of shape \[B\], "
            r"float32, not torch.float32 \[2, 1, 15\]; several scores per sample are for a spec",
        ),
        (
            ("generator.name=one-for-all",),
            ("nonsat",),
            r"the generator 'one-for-all' of ganforge-odd 1.0 must give samples of shape "
            r"\[B, 1, 8, 8\], float32, not torch.float32 \[1, 1, 8, 8\] for B = 2",
        ),
        (
            ("generator.name=double",),
            ("nonsat",),
            r"the generator 'double' of ganforge-odd 1.0 must give samples .* not torch.float64",
        ),
        (
            (*PLAIN, "sampler.name=one"),
            ("nonsat",),
            r"the sampler 'one' of ganforge-odd 1.0 must give inputs of shape \[B, 4\], float32, "
            r"not torch.float32 \[1, 4\] for B = 2",
        ),
        (
            (*PLAIN, "sampler.name=nothing"),
            ("nonsat",),
            r"the sampler 'nothing' of ganforge-odd 1.0 must return ganforge.Inputs, not None",
        ),
        (
            (*PLAIN, "dataset.name=nil"),
            ("nonsat",),
            r"the dataset 'nil' of ganforge-odd 1.0 must draw a ganforge.Batch, not None",
        ),
    ],
    ids=[
        "a layer of a loss that nothing trains",
        "numbers that pass for patches",
        "one sample for all inputs",
        "float64",
        "one latent for all",
        "no inputs",
        "no batch",
    ],
)
def test_a_broken_component_is_named_before_training(odd: Make, settings, losses, message):
    kept = [it for it in TINY if not it.startswith(("generator.", "discriminator."))]
    if any("nothing" in it or "=one" in it for it in settings):
        kept = [it for it in kept if not it.startswith("sampler.")]
    if any("dataset" in it for it in settings):
        kept = [it for it in kept if not it.startswith("dataset.")]
    layers = [Layer(tables={"loss": Names(losses)}, whole=True), from_settings([*kept, *settings])]
    with pytest.raises(PluginError, match=message):
        assemble(resolve(layers, discover().registry))


def small(*settings: str) -> tuple[str, ...]:
    """TINY without what belongs to its networks."""
    return (
        tuple(it for it in TINY if not it.startswith(("generator.", "discriminator."))) + settings
    )


def make(tmp_path, settings, losses=("nonsat",), name="run") -> Trainer:
    layers = [Layer(tables={"loss": Names(losses)}, whole=True), from_settings(list(settings))]
    return trainer_in(tmp_path / name, resolve(layers, discover().registry))


def test_a_parameter_of_a_loss_that_it_does_not_depend_on_is_an_error(odd, tmp_path):
    trainer = make(tmp_path, small(*PLAIN), ("nonsat", "unused"))
    with pytest.raises(PluginError, match=r"'unused' of ganforge-odd 1.0 has parameters that its "):
        trainer.train_step()


def test_a_term_that_returns_nothing_for_the_side_that_it_trains_is_named(odd, tmp_path):
    trainer = make(tmp_path, small(*PLAIN), ("nonsat", "silent"))
    with pytest.raises(PluginError, match=r"'silent' of ganforge-odd 1.0 must return a scalar ten"):
        trainer.train_step()


def test_a_part_of_a_network_that_nothing_trains_is_a_warning(odd, tmp_path, make_trainer):
    trainer = make_trainer(
        "generator.name=adversarial-autoencoder",
        "generator.widths=[2]",
        "discriminator.hidden=[4]",
        base=small(),
    )
    with pytest.warns(UserWarning, match=r"parts of the generator are not trained, since 'nonsat'"):
        trainer.train_step()
    trainer.train_step()  # said once


def test_a_part_that_follows_progress_may_be_trained_later(odd, tmp_path, make_trainer):
    trainer = make_trainer(
        "generator.name=adversarial-autoencoder",
        "generator.widths=[2]",
        "discriminator.hidden=[4]",
        base=small(),
    )
    network = trainer.assembly.training.sides.generator.network
    for part in (network.encoder, network.to_code):
        part.set_progress = lambda progress: None
    trainer.train_step()  # a warning would be an error here
    assert all(parameter.grad is None for parameter in network.encoder.parameters())


@pytest.mark.parametrize("memory_format", ["auto", "contiguous"])
def test_networks_of_three_dimensions_train_and_are_sampled_from(odd, tmp_path, memory_format):
    kept = [it for it in small() if not it.startswith("dataset.")]
    settings = (
        *kept,
        "generator.name=conv3d",
        "discriminator.name=conv3d-critic",
        "dataset.name=cubes",
        f"execution.memory_format={memory_format}",
    )
    trainer = make(tmp_path, settings)
    trainer.train()
    execution = Execution(device=torch.device("cpu"))
    trained = open_generator(trainer.run.generator, discover().registry, execution)
    samples, _ = draw(trained, num=3, seed=0)
    assert samples.shape == (3, 1, 4, 4, 4)


def test_a_loaded_network_is_laid_out_for_its_rank():
    execution = Execution(device=torch.device("cpu"))
    network = nn.ModuleList([nn.Conv1d(2, 3, 3), nn.Conv2d(2, 3, 3), nn.Conv3d(2, 3, 3)])
    one, two, three = execution.place(network)
    assert one.weight.is_contiguous()
    assert two.weight.is_contiguous(memory_format=torch.channels_last)
    assert three.weight.is_contiguous(memory_format=torch.channels_last_3d)


def test_a_discriminator_need_not_be_told_the_label(odd, tmp_path):
    """The auxiliary classifier (Odena et al., 2017): D says the class rather than being told."""
    settings = small(
        "generator.name=mlp",
        "generator.hidden=[8]",
        "discriminator.name=classifier",
        "generator.conditions=['label']",
    )
    trainer = make(tmp_path, settings, ("nonsat", "auxiliary"))
    trainer.train()
    assert trainer.assembly.problem.num_classes == 10
    assert trainer.assembly.training.keywords == {
        "generator": {"label": ("label",)},
        "discriminator": {},
    }
    names = trainer.observer.seen[0].keys()
    assert {"loss/discriminator/auxiliary", "loss/generator/auxiliary"} <= {
        name.replace("ganforge-odd/", "") for name in names
    }


def test_what_a_network_gives_besides_survives_one_batch_for_both(odd, tmp_path):
    settings = small(
        "generator.name=mlp",
        "generator.hidden=[8]",
        "discriminator.name=classifier",
        "generator.conditions=['label']",
    )
    trainer = make(tmp_path, settings, ("nonsat", "auxiliary"))
    training = trainer.assembly.training
    network = training.sides.discriminator.network
    (draw_,) = training.feed.draws(training.feed.real(0), 0, 0)
    apart, joint = (
        make_step(
            "discriminator",
            draw_.batch,
            draw_.inputs,
            training.sides.generator.network,
            network,
            joint=is_joint,
            traced=frozenset({"real.logits", "fake.logits"}),
            conditional=False,
        )
        for is_joint in (False, True)
    )
    object.__setattr__(apart.update, "generator_keywords", {"label": ("label",)})
    object.__setattr__(joint.update, "generator_keywords", {"label": ("label",)})
    for name in ("real.logits", "fake.logits"):
        assert joint.trace(name).shape == (8, 10)
        torch.testing.assert_close(joint.trace(name), apart.trace(name))
    torch.testing.assert_close(joint.real_scores, apart.real_scores)


def test_what_is_not_declared_cannot_be_read():
    ones = torch.ones(4, 3)
    step = make_step("generator", Batch(ones), Inputs(ones), nn.Identity(), nn.Identity())
    with pytest.raises(LookupError, match=r"fake.features is not part of this step: the spec of"):
        step.trace("fake.features")


def test_frozen_networks_of_a_loss_are_not_stored_and_must_be_the_same(odd, tmp_path):
    trainer = make(tmp_path, small(*PLAIN), ("nonsat", "perceptual"))
    trainer.train()
    tensors, document = tensor_file.read(trainer.run.checkpoint(6), "checkpoint")
    own = [name for name in tensors if name.startswith("loss/ganforge-odd/perceptual/")]
    assert own == ["loss/ganforge-odd/perceptual/seen"]
    assert tensors[own[0]].item() == 6
    assert document["frozen"].keys() == {"ganforge-odd/perceptual"}
    again = make(tmp_path, small(*PLAIN), ("nonsat", "perceptual"))
    again.resume()
    assert again.step == 6
    other = make(tmp_path, small(*PLAIN), ("nonsat", "perceptual"))
    term = other.assembly.training.objective.terms[1]
    term.loss.network.weight.data.add_(1.0)
    with pytest.raises(CheckpointError, match=r"was trained with other frozen weights of the loss"):
        other.resume()


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_the_state_of_a_loss_moves_once_per_update(odd, tmp_path, parts):
    settings = small(*PLAIN, f"training.num_accumulation_steps={parts}")
    trainer = make(tmp_path, settings, ("counter",))
    trainer.train()
    loss = trainer.assembly.training.objective.terms[0].loss
    assert loss.updates.item() == 2 * 6
    assert loss.sizes == [8] * 12  # the scores of the whole batch


@pytest.mark.parametrize(
    "losses", [("nonsat",), ("hinge",), ("rpgan",), ("wasserstein",), ("counter",)]
)
def test_a_list_of_scores_serves_every_score_loss(odd, tmp_path, losses):
    trainer = make(tmp_path, small(PLAIN[0], "discriminator.name=scales"), losses)
    trainer.train()
    assert trainer.observer.seen[0]["score/real"] != 0.0
    # Twelve of its fifteen numbers are no scores.
    training = trainer.assembly.training
    (draw_,) = training.feed.draws(training.feed.real(0), 0, 0)
    step = make_step(
        "discriminator",
        draw_.batch,
        draw_.inputs,
        training.sides.generator.network,
        training.sides.discriminator.network,
    )
    loss = training.objective.terms[0].loss
    whole = loss.discriminator_loss(step)
    singly = []
    for index in range(3):
        one = make_step(
            "discriminator",
            draw_.batch,
            draw_.inputs,
            training.sides.generator.network,
            lambda samples, i=index: training.sides.discriminator.network(samples)[i],
        )
        singly.append(loss.discriminator_loss(one))
    torch.testing.assert_close(whole, torch.stack(singly).mean())


def test_patches_that_are_declared_are_scores(odd, tmp_path):
    trainer = make(tmp_path, small(PLAIN[0], "discriminator.name=patchy"))
    trainer.train()
    assert trainer.step == 6


@needs_compiler
@pytest.mark.filterwarnings("default")
def test_a_discriminator_that_differentiates_itself_is_not_compiled(odd, tmp_path):
    settings = small(PLAIN[0], "discriminator.name=normalised", "execution.compile=true")
    with pytest.warns(UserWarning, match="discriminator is not compiled, since 'normalised' diff"):
        trainer = make(tmp_path, settings)
    trainer.train_step()


@needs_compiler
@pytest.mark.filterwarnings("default")
def test_a_term_that_differentiates_twice_in_secret_is_named_where_networks_are_compiled(
    odd, tmp_path
):
    settings = small(*PLAIN, "discriminator.hidden=[8]", "execution.compile=true")
    trainer = make(tmp_path, settings, ("nonsat", "slope"))
    with pytest.raises(PluginError, match=r"slope"):
        trainer.train_step()


def test_the_average_of_a_spectral_norm_network_copies_the_vectors_of_the_iteration():
    """Averaged vectors are no longer of length 1, and the layer would be too strong."""
    torch.manual_seed(0)
    network = nn.Sequential(spectral_norm(nn.Linear(4, 8)), spectral_norm(nn.Linear(8, 4)))
    ema = EMA(network, 100.0)
    optimizer = torch.optim.SGD(network.parameters(), 0.5)
    for step in range(20):
        network(torch.randn(16, 4)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        ema.update(
            batch_size=8, progress=Progress(step=step + 1, num_steps=20, images=8 * step + 8)
        )
    for layer, averaged in zip(network, ema.module, strict=True):
        for name in ("u", "v"):
            assert torch.equal(getattr(averaged, name), getattr(layer, name))
            assert getattr(averaged, name).norm().item() == pytest.approx(1.0, abs=1e-5)
        norm = torch.linalg.matrix_norm(averaged.weight, 2).item()
        assert norm == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (("training.num_discriminator_steps=5",), "training.num_discriminator_steps"),
        (("training.reuse_fakes=true",), "training.reuse_fakes"),
        (("training.discriminator_warmup=5",), "training.discriminator_warmup"),
        (("training.first=generator",), "training.first"),
        (("discriminator_optimizer.learning_rate=0.1",), "discriminator_optimizer.learning_rate"),
        (("discriminator_optimizer.name=sgd",), "discriminator_optimizer.name"),
    ],
)
def test_settings_of_a_discriminator_that_is_not_there_are_named(make_config, settings, key):
    base = ("generator.name=autoencoder", "dataset.size=8", "generator.widths=[2]")
    with pytest.raises(ConfigError, match=f"{key} is for the discriminator, and there is none"):
        make_config(*base, *settings, losses=("mse",))
    shared = [it.replace("discriminator_", "generator_") for it in settings if "optimizer" in it]
    if shared:  # what is set for both sides says nothing of the one that is not there
        make_config(*base, *settings, *shared, losses=("mse",))


def test_epochs_are_not_divided_by_steps_that_do_not_exist(make_trainer):
    settings = ("generator.name=autoencoder", "generator.widths=[2]", "training.epochs=1")
    base = [it for it in small() if not it.startswith(("training.steps", "sampler"))]
    trainer = make_trainer(*settings, base=tuple(base), losses=("mse",))
    assert trainer.assembly.training.num_steps == -(-1797 // 8)


def test_the_order_and_the_number_of_updates_are_settings(make_trainer):
    trainer = make_trainer(
        "training.first=generator",
        "training.num_generator_steps=2",
        "training.num_discriminator_steps=3",
        "training.discriminator_warmup=1",
    )
    moved = []
    for name, side in trainer.assembly.training.sides.by_name.items():
        step = side.optimizer.step
        side.optimizer.step = lambda name=name, step=step: (moved.append(name), step())
    trainer.train_step()
    assert moved == ["discriminator"] * 3
    moved.clear()
    trainer.train_step()
    assert moved == ["generator"] * 2 + ["discriminator"] * 3


def test_a_term_may_begin_later_and_its_side_rests_until_then(make_trainer):
    trainer = make_trainer(
        "loss.nonsat.start=2",
        "generator.name=autoencoder",
        "generator.widths=[2]",
        "discriminator.name=mlp",
        "discriminator.hidden=[4]",
        base=tuple(it for it in small() if not it.startswith("sampler")),
        losses=("mse", "nonsat"),
    )
    before = [p.clone() for p in trainer.assembly.training.sides.discriminator.parameters]
    for _ in range(2):
        trainer.train_step()
    after = trainer.assembly.training.sides.discriminator.parameters
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(before, after, strict=True))
    trainer.train_step()
    after = trainer.assembly.training.sides.discriminator.parameters
    assert not all(torch.equal(ours, theirs) for ours, theirs in zip(before, after, strict=True))


def test_a_balanced_term_pulls_at_the_last_layer_as_hard_as_the_one_it_is_balanced_with():
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    weight = last_layer(generator)
    assert weight is generator[2].weight
    samples = generator(torch.randn(16, 3))
    adversarial, reconstruction = samples.sum(1).mean(), 50 * samples.square().mean()
    factor = balance(adversarial, reconstruction, weight)
    pulls = [
        torch.autograd.grad(loss, weight, retain_graph=True)[0].norm()
        for loss in (factor * adversarial, reconstruction)
    ]
    torch.testing.assert_close(pulls[0], pulls[1], rtol=1e-3, atol=0.0)
    assert not factor.requires_grad


def test_a_balanced_term_names_another_loss_of_the_run(make_config):
    with pytest.raises(ConfigError, match="balance names another loss of the run, not 'mse'"):
        make_config("loss.nonsat.balance=mse")


def test_a_gradient_of_a_list_of_scores_is_that_of_their_sum():
    samples = torch.randn(4, 3, requires_grad=True)
    scores = [samples.square().sum(1), 2 * samples.sum(1)]
    found = input_gradients(scores, samples)
    torch.testing.assert_close(found, 2 * samples + 2)
