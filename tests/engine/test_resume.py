"""A run that is left and resumed equals, bit for bit, one that was not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganforge.engine.signals import StopRequest
from ganforge.errors import CheckpointError
from ganforge.storage import tensor_file

from .conftest import TINY, TINY_DCGAN


def final_tensors(trainer):
    path = trainer.run.checkpoint(trainer.assembly.training.num_steps)
    return tensor_file.read(path, "checkpoint")


def assert_same_run(left, right):
    (ours, our_document), (theirs, their_document) = final_tensors(left), final_tensors(right)
    assert ours.keys() == theirs.keys()
    different = [name for name in ours if not torch.equal(ours[name], theirs[name])]
    assert different == []
    assert our_document["telemetry_counts"] == their_document["telemetry_counts"]
    assert metrics(left) == metrics(right)
    grids = [path.name for path in sorted(left.run.samples.iterdir())]
    assert grids == [path.name for path in sorted(right.run.samples.iterdir())]
    for name in grids:
        assert (left.run.samples / name).read_bytes() == (right.run.samples / name).read_bytes()


def metrics(trainer):
    lines = [json.loads(line) for line in trainer.run.metrics.read_text().splitlines()]
    for line in lines:
        del line["seconds"], line["cpu_seconds"], line["images_per_second"]
    return lines


#: a U-Net and its opponent on pairs of images, or on two sets of them
TRANSLATION = (
    "generator.name=autoencoder",
    "generator.widths=[2,4]",
    "discriminator.name=dcgan",
    "discriminator.width=2",
    "dataset.name=image-pairs",
    "dataset.root=paintings",
    "dataset.source=photographs",
    "dataset.size=32",
    "dataset.channels=1",
    "sampler.name=field",
    "training.batch_size=4",
    "training.steps=6",
    "execution.device=cpu",
    "output.grid_samples=4",
)
SMALL = tuple(it for it in TINY_DCGAN if ".width" not in it)

COMBINATIONS = [
    ("mlp nonsat adam", TINY, ("nonsat",), ()),
    (
        "dcgan bce adamw cosine",
        TINY_DCGAN,
        ("bce",),
        (
            "generator_optimizer.name=adamw",
            "generator_optimizer.learning_rate={from=1e-3,to=0,start=0.3,shape='cosine'}",
            "generator_optimizer.betas={from=[0,0.9],to=[0.5,0.99]}",
            "ema.half_life={from=10,to=40,until=0.5}",
            "loss.bce.label_smoothing=0.1",
        ),
    ),
    (
        "mlp wasserstein rmsprop 3 D steps",
        TINY,
        ("wasserstein",),
        (
            "generator_optimizer.name=rmsprop",
            "discriminator_optimizer.name=rmsprop",
            "training.num_discriminator_steps=3",
        ),
    ),
    (
        "mlp minimax sgd no average",
        TINY,
        ("minimax",),
        (
            "generator_optimizer.name=sgd",
            "generator_optimizer.momentum=0.9",
            "ema.half_life=0",
            "sampler.name=uniform",
        ),
    ),
    (
        "mlp rpgan with lazy penalties and noise",
        TINY,
        ("rpgan", "r1", "r2"),
        (
            "loss.r1.every=2",
            "loss.r1.gamma={from=2,to=0.2,until_images=40,shape='exponential'}",
            "loss.rpgan.weight={from=0.5,to=1,until=0.7,shape='step'}",
            "augmentation.instance-noise.std={from=0.3,to=0}",
            "training.conditional=true",
        ),
        ("instance-noise",),
    ),
    (
        "mlp wasserstein gradient penalty in one batch",
        TINY,
        ("wasserstein", "gradient-penalty"),
        ("training.joint_batch=true", "training.num_discriminator_steps=2"),
    ),
    (
        "autoencoder with dropout of masked images, held-out data",
        SMALL,
        ("mse",),
        (
            "generator.name=autoencoder",
            "generator.widths=[2,4]",
            "generator.dropout=0.5",
            "dataset.size=8",
            "sampler.name=mask",
            "sampler.size=0.4",
            "evaluation.holdout=0.2",
            "evaluation.every=2",
        ),
    ),
    (
        "adversarial autoencoder",
        SMALL,
        ("mse", "nonsat"),
        (
            "dataset.size=8",
            "generator.name=adversarial-autoencoder",
            "generator.widths=[2,4]",
            "discriminator.hidden=[8]",
            "game.judge=codes",
        ),
    ),
    (
        "mlp bce on a distribution, with flipped labels",
        SMALL,
        ("bce",),
        (
            "dataset.name=grid",
            "generator.name=mlp",
            "generator.hidden=[8]",
            "discriminator.hidden=[8]",
            "loss.bce.label_flipping=0.2",
        ),
    ),
    ("dcgan nonsat reused fakes", TINY_DCGAN, ("nonsat",), ("training.reuse_fakes=true",)),
    (
        "dcgan r1 through two augmentations, of parts of a batch",
        TINY_DCGAN,
        ("nonsat", "r1"),
        (
            "discriminator.normalisation=none",
            "training.num_accumulation_steps=2",
            "augmentation.ada.interval=2",
            "augmentation.ada.adjust_images=50",
            "data.flip=true",
            "data.shift=2",
        ),
        ("ada", "diffaugment"),
    ),
    (
        "dcgan through diffaugment, the generator first and twice",
        TINY_DCGAN,
        ("hinge",),
        (
            "training.first=generator",
            "training.num_generator_steps=2",
            "training.num_discriminator_steps=2",
            "training.discriminator_warmup=2",
        ),
        ("diffaugment",),
    ),
    (
        "autoencoder judged by reconstructions, balanced, the adversarial term later",
        SMALL,
        ("l1", "nonsat"),
        (
            "dataset.size=8",
            "generator.name=adversarial-autoencoder",
            "generator.widths=[2,4]",
            "discriminator.hidden=[8]",
            "game.judge=reconstructions",
            "loss.nonsat.balance=l1",
            "loss.nonsat.start=2",
        ),
    ),
    (
        "inference",
        SMALL,
        ("nonsat",),
        (
            "dataset.size=8",
            "generator.name=adversarial-autoencoder",
            "generator.widths=[2,4]",
            "discriminator.hidden=[8]",
            "game.name=inference",
        ),
    ),
    (
        "translation of pairs, the sources as a condition, colour to grey",
        TRANSLATION,
        ("nonsat", "l1"),
        (
            "generator.skip_connections=true",
            "generator.dropout=0.5",
            "discriminator.conditions=['source']",
            "dataset.source_channels=3",
            "data.flip=true",
            "evaluation.holdout=0.2",
        ),
    ),
    (
        "translation between two sets, with a pool, from the disk",
        TRANSLATION,
        ("lsgan", "l1", "identity"),
        (
            "game.name=cycle",
            "game.pool=6",
            "dataset.pairing=none",
            "dataset.memory_limit=0",
            "execution.num_workers=0",
            "training.num_accumulation_steps=2",
        ),
    ),
    (
        "mlp bce accumulation over the end of a pass",
        TINY,
        ("bce",),
        (
            "training.num_accumulation_steps=2",
            "training.batch_size=500",
        ),
    ),
]


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two folders of images here, some of them with the same names."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0)
    for name, num in (("paintings", 10), ("photographs", 13)):
        Path(name).mkdir()
        for number in range(num):
            pixels = noise.integers(0, 256, (32, 32), dtype=np.uint8)
            Image.fromarray(pixels).save(f"{name}/{number:02d}.png")


@pytest.mark.filterwarnings("ignore:left out 3 images in 'photographs' without a partner")
@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(
    ("base", "losses", "extra", "augmentations"),
    [pytest.param(*rest, *[()][len(rest) - 3 :], id=name) for name, *rest in COMBINATIONS],
)
def test_a_resumed_run_equals_an_uninterrupted_one(
    make_trainer, base, losses, extra, augmentations
):
    """Left after steps 1 and 4 of 6, between log lines, grids and checkpoints."""
    settings = (
        *extra,
        "output.log_every=2",
        "output.sample_every=3",
        "output.checkpoint_every=1",
    )
    chosen = {"base": base, "losses": losses, "augmentations": augmentations}
    straight = make_trainer(*settings, name="straight", **chosen)
    assert straight.train() == "finished"
    for stop in (1, 4, 6):
        torch.manual_seed(stop)  # whatever another process's state would be
        resumed = make_trainer(*settings, name="resumed", **chosen)
        resumed.resume()
        while resumed.step < stop:
            asked = lambda trainer=resumed, at=stop: trainer.step >= at and "interrupted"  # noqa: E731
            resumed.train(StopRequest(asked))
    assert_same_run(straight, resumed)


def test_work_after_the_last_checkpoint_is_done_again(make_trainer):
    """What a killed process had logged and drawn after its checkpoint leaves no trace."""
    settings = ("output.log_every=1", "output.sample_every=1", "output.checkpoint_every=3")
    straight = make_trainer(*settings, name="straight")
    straight.train()
    killed = make_trainer(*settings, name="resumed")
    for _ in range(5):
        killed.train_step()
        killed._boundaries(StopRequest())
    with killed.run.metrics.open("a") as file:
        file.write('{"step": 6, "los')
    resumed = make_trainer(*settings, name="resumed")
    resumed.reports.real_grid()
    resumed.reports.grid(0)
    resumed.resume()
    assert resumed.step == 3
    resumed.train()
    assert_same_run(straight, resumed)


def test_a_run_without_a_checkpoint_starts_again(make_trainer):
    trainer = make_trainer()
    trainer.resume()
    assert trainer.step == 0


def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_used(make_trainer):
    trainer = make_trainer("output.checkpoint_every=2", "output.keep_checkpoints=3")
    trainer.train()
    newest = trainer.run.checkpoint(6)
    body = bytearray(newest.read_bytes())
    body[-5] ^= 1
    newest.write_bytes(body)
    resumed = make_trainer("output.checkpoint_every=2")
    with pytest.warns(UserWarning, match="checksum .* set aside"):
        resumed.resume()
    assert resumed.step == 4
    assert newest.with_name(newest.name + ".damaged").exists()
    resumed.train()
    assert [step for step, _ in resumed.run.list_checkpoints()] == [6, 4]


def test_the_last_checkpoint_being_damaged_is_an_error_that_names_it(make_trainer):
    trainer = make_trainer()
    trainer.train()
    path = trainer.run.checkpoint(6)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match=r"step-00000006\.safetensors is truncated|is not a"):
        make_trainer().resume()
    assert path.exists()


def test_a_checkpoint_of_other_networks_changes_nothing(make_trainer):
    trainer = make_trainer()
    trainer.train()
    other = make_trainer("generator.hidden=[17]", "discriminator.hidden=[16,16]")
    before = {
        k: v.clone()
        for k, v in other.assembly.training.sides.generator.network.state_dict().items()
    }
    with pytest.raises(CheckpointError) as caught:
        other.resume()
    message = str(caught.value)
    assert "nothing was loaded" in message
    assert "generator/layers.0.weight is [16, 4] and should be [17, 4]" in message
    assert "and 5 more" in message
    for name, tensor in other.assembly.training.sides.generator.network.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_only_the_newest_checkpoints_are_kept(make_trainer):
    trainer = make_trainer("output.checkpoint_every=1", "output.keep_checkpoints=2")
    trainer.train()
    assert [step for step, _ in trainer.run.list_checkpoints()] == [6, 5]


def test_moments_come_back_in_the_memory_format_of_their_weights(make_trainer):
    trainer = make_trainer(base=TINY_DCGAN)
    trainer.train()
    resumed = make_trainer(base=TINY_DCGAN)
    resumed.resume()
    for parameter in resumed.assembly.training.sides.generator.parameters:
        moment = resumed.assembly.training.sides.generator.optimizer.state[parameter]["exp_avg"]
        assert moment.stride() == parameter.stride()


def test_averages_survive_a_stop_between_two_log_lines(make_trainer):
    trainer = make_trainer("output.log_every=4")
    trainer.train(StopRequest(lambda: "interrupted" if trainer.step == 3 else None))
    resumed = make_trainer("output.log_every=4")
    resumed.resume()
    resumed.train()
    straight = make_trainer("output.log_every=4", name="straight")
    straight.train()
    assert metrics(resumed) == metrics(straight)
    assert [line["step"] for line in metrics(straight)] == [4, 6]
