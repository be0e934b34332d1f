"""Weights for other programs, and the state that a training can go on from."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from ganforge.storage import tensor_file
from tests.conftest import Command
from tests.export.conftest import CASES, SMALL, Train
from tests.export.test_programs import opened


def test_the_weights_have_the_names_of_the_network(train: Train, cli: Command):
    run = train("--generator=dcgan", *SMALL)
    answer = cli("export", run, "--format", "safetensors")
    assert answer.code == 0, answer.err
    weights = load_file(run / "export" / "weights.safetensors")
    network = opened(run).source.network
    assert weights.keys() == network.state_dict().keys()
    assert all(torch.equal(weights[name], it) for name, it in network.state_dict().items())
    network.load_state_dict(weights, strict=True)


def test_they_are_described_in_the_file_and_beside_it(train: Train, cli: Command):
    run = train(*CASES["conditional"])
    assert cli("export", run, "--format", "safetensors").code == 0
    described = json.loads((run / "export" / "weights.json").read_text())
    with safe_open(run / "export" / "weights.safetensors", "pt") as file:
        assert file.metadata()["format"] == "pt"
        assert json.loads(file.metadata()["description"]) == described
    latent, label = described["inputs"]
    assert (latent["name"], latent["shape"]) == ("latent", ["batch", 100])
    assert latent["distribution"] == "standard normal"
    assert (label["name"], label["dtype"]) == ("label", "int64")
    assert label["classes"] == [str(digit) for digit in range(10)]
    assert described["output"]["shape"] == ["batch", 1, 32, 32]
    assert described["generator"]["name"] == "ganforge/conditional"
    assert described["generator"]["options"]["width"] == 2


def test_latents_that_are_not_normal_are_not_said_to_be(train: Train, cli: Command):
    for sampler in ("uniform", "spherical", "truncated-normal"):
        run = train("--generator=dcgan", *SMALL, f"--sampler={sampler}", name=sampler)
        assert cli("export", run, "--format", "safetensors").code == 0
        described = json.loads((run / "export" / "weights.json").read_text())
        assert "distribution" not in described["inputs"][0], sampler


def test_a_training_goes_on_from_the_state(train: Train, cli: Command, tmp_path: Path):
    run = train("--generator=dcgan", *SMALL)
    answer = cli("export", run, "--format", "safetensors", "--with-training-state")
    assert answer.code == 0, answer.err
    state = run / "export" / "training-state.safetensors"
    assert str(state) in answer.out
    tensors = load_file(state)
    sides = {name.partition("/")[0] for name in tensors}
    assert sides == {"generator", "discriminator", "ema", "optimizer"}
    checkpoint = tensor_file.read(run / "checkpoints" / "step-00000001.safetensors", "checkpoint")
    assert all(torch.equal(it, checkpoint[0][name]) for name, it in tensors.items())

    fresh = train(
        "--generator=dcgan", *SMALL, "--set=training.seed=7", f"--init={state}", name="on"
    )
    session = json.loads((fresh / "environment.json").read_text())["sessions"][0]
    num = {side: it["loaded"] for side, it in session["init"].items()}
    assert num == {
        side: sum(name.startswith(prefix) for name in tensors)
        for side, prefix in (("generator", "ema/"), ("discriminator", "discriminator/"))
    }


def test_paths_of_this_machine_stay_out_of_the_state(train: Train, cli: Command):
    run = train(*CASES["cycle"])
    answer = cli("export", run, "--format", "safetensors", "--with-training-state")
    assert answer.code == 0, answer.err
    for path in (run / "export").iterdir():
        assert str(run.parent).encode() not in path.read_bytes(), path.name
