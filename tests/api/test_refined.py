"""A refined generator from Python: its samples are those of `ganforge sample --refine`."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch

import ganforge
from ganforge.cli import main

from .conftest import Train


@pytest.fixture
def run(train: Train) -> Path:
    path = Path("ring")
    train(dataset="ring", steps=30, batch_size=32, out=path)
    return path


def test_samples_are_those_of_the_command_line(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--refine", "top-k", "--set", "refinement.share=0.25"]
    command = ["sample", str(run), "--num", "70", "--seed", "3", *words, "--out", "samples.npz"]
    assert main(command) == 0
    plain = ganforge.load(run, device="cpu")
    refined = plain.refined("top-k", share=0.25)
    assert (refined.report, refined.acceptance) == ((), None)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    samples = refined.sample(70, 3)
    assert torch.equal(torch.rand(3), expected)  # the program's generator is left alone
    stored = numpy.load("samples.npz")["samples"]
    assert numpy.array_equal(stored, refined.restore(samples).numpy())
    assert not torch.equal(samples, plain.sample(70, 3))
    assert refined.acceptance == pytest.approx(0.25, abs=0.02)
    printed = capsys.readouterr().out
    assert all(line in printed for line in refined.report)
    assert torch.equal(torch.cat([*refined.stream(70, 3)]), samples)


def test_what_cannot_be_refined_is_told(run: Path) -> None:
    generator = ganforge.load(run, device="cpu")
    for name, options, error, words in (
        ("topk", {}, ganforge.ConfigError, "no refinement called 'topk'; did you mean 'top-k'?"),
        ("top-k", {"shar": 0.5}, ganforge.ConfigError, "did you mean 'share'?"),
        ("top-k", {"share": 7}, ganforge.ConfigError, "out of range"),
    ):
        with pytest.raises(error, match="refined") as raised:
            generator.refined(name, **options)
        assert words in str(raised.value)
    alone = Path("alone.safetensors")
    alone.write_bytes((run / "generator.safetensors").read_bytes())
    with pytest.raises(ganforge.UsageError, match=r"alone.* needs the discriminator of its run"):
        ganforge.load(alone).refined("top-k")
    with pytest.raises(ganforge.UsageError, match="a refinement chooses them"):
        generator.refined("top-k").sample(inputs=generator.latents(2))


def test_a_run_without_a_discriminator_is_told(train: Train, images: torch.Tensor) -> None:
    fed = {"generator": {"name": "autoencoder", "widths": [2]}, "discriminator": "none"}
    train(dataset=images, loss="mse", **fed, latent_size=None, steps=1, out="fed")
    with pytest.raises(ganforge.UsageError, match="no discriminator"):
        ganforge.load("fed").refined("top-k")
