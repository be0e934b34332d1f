"""What needs a GPU: training, resuming and sampling on it, equal losses, no waiting in a step."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from ganforge.config.layers import Layer, Names, from_settings
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig
from ganforge.contracts import Batch, Draw, InMemoryDataset, Inputs
from ganforge.data.batches import open_batches
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.engine.assemble import assemble
from ganforge.engine.finite import FiniteGuard
from ganforge.engine.objective import Objective
from ganforge.engine.optimizers import build_optimizer
from ganforge.engine.sides import Side, Sides
from ganforge.engine.signals import StopRequest
from ganforge.engine.step import update
from ganforge.errors import NonFiniteError
from ganforge.plugin.discovery import discover
from ganforge.plugin.fields import Field
from ganforge.sampling.trained_generator import draw, open_generator
from ganforge.storage import tensor_file
from ganforge_games.pool import Pool
from tests.engine.conftest import trainer_in

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

CUDA = torch.device("cuda:0")
SMALL = (
    "generator.width=8",
    "discriminator.width=8",
    "training.batch_size=16",
    "training.steps=6",
    "output.grid_samples=16",
    "output.log_every=2",
    "output.checkpoint_every=1",
)


@pytest.fixture(scope="module")
def registry():
    return discover(third_party=False).registry


@pytest.fixture(autouse=True)
def exact_arithmetic(monkeypatch):
    """Float32 as on the CPU: no TF32, and deterministic convolutions."""
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


def config_for(registry, *settings, device="cuda", losses=(), augmentations=()) -> RunConfig:
    tables = {"loss": tuple(losses), "augmentation": tuple(augmentations)}
    layers = [
        Layer(tables={kind: Names(it) for kind, it in tables.items() if it}, whole=True),
        from_settings([*settings, f"execution.device={device}"]),
    ]
    return resolve(layers, registry)


@pytest.mark.parametrize("generator", ["dcgan", "mlp"])
def test_a_run_on_the_gpu_trains_and_is_sampled_from(registry, tmp_path, generator):
    settings = SMALL if generator == "dcgan" else ("generator.name=mlp", *SMALL[2:])
    trainer = trainer_in(tmp_path / "run", config_for(registry, *settings))
    before = [p.clone() for p in trainer.assembly.training.sides.generator.parameters]
    assert trainer.train() == "finished"
    assert all(p.device == CUDA for p in trainer.assembly.training.sides.generator.parameters)
    assert any(
        not torch.equal(old, new)
        for old, new in zip(
            before, trainer.assembly.training.sides.generator.parameters, strict=True
        )
    )
    assert [line["step"] for line in trainer.observer.seen] == [2, 4, 6]
    path = trainer.run.generator
    on_gpu, _ = draw(open_generator(path, registry, Execution(device=CUDA)), num=20, seed=1)
    assert on_gpu.shape == (20, 1, 32, 32)
    assert on_gpu.abs().max() <= 1


def test_a_generator_gives_the_same_samples_on_both_devices(registry, tmp_path):
    trainer = trainer_in(tmp_path / "run", config_for(registry, *SMALL))
    trainer.train()
    latents = torch.randn(8, 100)
    samples = []
    for device in (CUDA, torch.device("cpu")):
        trained = open_generator(trainer.run.generator, registry, Execution(device=device))
        with torch.inference_mode():
            samples.append(trained.source.network(latents.to(device)).cpu())
    torch.testing.assert_close(samples[0], samples[1], rtol=1e-4, atol=1e-5)


def test_a_resumed_run_equals_an_uninterrupted_one(registry, tmp_path):
    """Bit for bit, where the kernels are deterministic, as they are asked to be here."""
    config = config_for(registry, *SMALL)
    straight = trainer_in(tmp_path / "straight", config)
    straight.train()
    for stop in (2, 6):
        resumed = trainer_in(tmp_path / "resumed", config)
        resumed.resume()
        resumed.train(lambda t=resumed, at=stop: "interrupted" if t.step >= at else None)
    ours, _ = tensor_file.read(straight.run.checkpoint(6), "checkpoint")
    theirs, _ = tensor_file.read(resumed.run.checkpoint(6), "checkpoint")
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def test_a_checkpoint_moves_between_devices(registry, tmp_path):
    trainer_in(tmp_path / "run", config_for(registry, *SMALL[:3], "training.steps=3")).train()
    on_cpu = trainer_in(tmp_path / "run", config_for(registry, *SMALL, device="cpu"))
    on_cpu.resume()
    assert on_cpu.step == 3
    on_cpu.train(StopRequest(lambda: "interrupted" if on_cpu.step == 4 else None))
    back = trainer_in(tmp_path / "run", config_for(registry, *SMALL))
    back.resume()
    assert back.train() == "finished"
    state = back.assembly.training.sides.generator.optimizer.state[
        back.assembly.training.sides.generator.parameters[0]
    ]
    assert state["exp_avg"].device == CUDA


def updates_on(device, registry, losses):
    """Losses and scores of three steps from the same weights, batches and latents."""
    # Adam would turn the sign of a gradient that is nothing but rounding into a whole step.
    sgd = ("generator_optimizer.name=sgd", "discriminator_optimizer.name=sgd")
    assembly = assemble(config_for(registry, *SMALL, *sgd, device="cpu", losses=losses))
    on_cpu, execution = assembly.training, Execution(device=device)

    def moved(name):
        network = execution.place(copy.deepcopy(on_cpu.sides[name].network))
        parameters = list(network.parameters())
        optimizer = build_optimizer(assembly.config.optimizers[name], parameters)
        return Side(network=network, optimizer=optimizer, parameters=parameters)

    objective = Objective(on_cpu.objective.terms)
    training = replace(
        on_cpu,
        sides=Sides(generator=moved("generator"), discriminator=moved("discriminator"), ema=None),
        objective=objective,
        guard=FiniteGuard(objective.terms, device),
        randomness=Randomness(0, device),
    )
    seen = []
    for step in range(3):
        real = Batch(execution.arrange(on_cpu.feed.real(step).samples.to(device)))
        for turn, side in enumerate(("discriminator", "generator")):
            source = on_cpu.randomness.generator("inputs", step, turn)
            latents = on_cpu.feed.sampler.sample(16, generator=source).values.to(device)
            draws = [Draw(real, Inputs(latents))]
            metrics = update(training, side, draws, training.progress(step), 0)
            seen.append({name: float(value) for name, value in metrics.items()})
    return seen


@pytest.mark.parametrize("losses", [("nonsat",), ("minimax",), ("bce",), ("wasserstein",)])
def test_the_losses_are_those_of_the_cpu(registry, losses):
    cpu = updates_on(torch.device("cpu"), registry, losses)
    gpu = updates_on(CUDA, registry, losses)
    for ours, theirs in zip(gpu, cpu, strict=True):
        assert ours.keys() == theirs.keys()
        for name in ours:
            assert ours[name] == pytest.approx(theirs[name], rel=2e-3, abs=2e-4), name


@pytest.mark.parametrize(
    "losses",
    [("nonsat",), ("wasserstein",), ("rpgan", "r1", "r2"), ("wasserstein", "gradient-penalty")],
    ids="+".join,
)
@pytest.mark.parametrize(
    ("augmentations", "extra"),
    [
        ((), ()),
        ((), ("training.reuse_fakes=true",)),
        (
            (),
            (
                "generator_optimizer.learning_rate={from=1e-3,to=0,shape='cosine'}",
                "discriminator_optimizer.betas={from=[0,0.9],to=[0,0.99],until_images=64}",
            ),
        ),
        (("instance-noise",), ("training.joint_batch=true",)),
        (("diffaugment", "ada"), ("augmentation.ada.interval=1", "data.flip=true")),
        ((), ("training.conditional=true", "sampler.name=class-balanced")),
        ((), ("generator.conditions=['label']", "training.num_generator_steps=2")),
    ],
    ids=["plain", "reuse", "schedule", "noise", "augmented", "conditional", "two updates of G"],
)
def test_a_step_does_not_wait_for_the_device(registry, tmp_path, losses, augmentations, extra):
    """Any synchronisation of the host is an error while this mode is on."""
    settings = (*SMALL, "discriminator.normalisation=none", *extra)
    config = config_for(registry, *settings, losses=losses, augmentations=augmentations)
    steps_without_waiting(trainer_in(tmp_path / "run", config))


@pytest.mark.parametrize("judge", ["samples", "reconstructions", "codes"])
def test_a_step_of_an_autoencoder_does_not_wait_either(registry, tmp_path, judge):
    settings = (
        *("generator.name=adversarial-autoencoder", "generator.widths=[4,8]", "sampler.size=8"),
        *("discriminator.name=mlp", f"game.judge={judge}", *SMALL[2:]),
    )
    config = config_for(registry, *settings, losses=("nonsat", "mse"))
    steps_without_waiting(trainer_in(tmp_path / "run", config))


def steps_without_waiting(trainer) -> None:
    trainer.train_step()  # the first step creates optimizer state and metrics
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(4):
            trainer.train_step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    trainer.log()
    assert trainer.observer.seen[0]["step"] == 5


def test_a_pool_of_past_fakes_does_not_wait_either():
    pool = Pool(8, (3, 4, 4)).to(CUDA)
    generator = torch.Generator(CUDA).manual_seed(0)
    fakes = torch.randn(5, 3, 4, 4, device=CUDA)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(4):
            shown = pool.exchanged(fakes, generator)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert shown.shape == fakes.shape
    assert pool.taken.any()


def test_batches_from_host_memory_do_not_wait_either(monkeypatch):
    from ganforge.data import in_memory

    monkeypatch.setattr(in_memory, "DEVICE_SHARE", 0.0)
    samples = torch.randint(256, (64, 3, 16, 16), dtype=torch.uint8)
    fields = {
        "sample": Field.of_shape((3, 16, 16)),
        "label": Field(kind="category", classes=tuple("abcd")),
    }
    source = open_batches(
        InMemoryDataset(samples, torch.arange(64) % 4, tuple("abcd")),
        fields,
        batch_size=16,
        execution=Execution(device=CUDA),
        randomness=Randomness(0, CUDA),
        num_workers=0,
    )
    source.batch(0)
    torch.cuda.set_sync_debug_mode("error")
    try:
        batch = source.batch(1)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert batch.samples.device == CUDA
    assert batch.samples.is_contiguous(memory_format=torch.channels_last)
    assert batch.labels is not None
    assert batch.labels.device == CUDA


def test_a_loss_that_is_not_finite_changes_nothing_on_the_gpu(registry, tmp_path):
    trainer = trainer_in(tmp_path / "run", config_for(registry, *SMALL))
    trainer.train_step()
    with torch.no_grad():
        trainer.assembly.training.sides.discriminator.parameters[0].fill_(float("nan"))
    before = [p.clone() for p in trainer.assembly.training.sides.generator.parameters]
    for _ in range(2):
        trainer.train_step()
    with pytest.raises(NonFiniteError, match="discriminator's update of step 2"):
        trainer.log()
    for old, new in zip(before, trainer.assembly.training.sides.generator.parameters, strict=True):
        assert torch.equal(old, new)
