"""`ganforge sample --refine`: what it needs, what it says, and that its draws follow the seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ganforge.sampling import trained_pair
from ganforge.sampling.calibration import Calibration
from tests.conftest import Command, FakePlugin

QUICK = ("--steps=40", "--batch-size=32", "--device=cpu", "--set=output.grid_samples=4")
POINTS = ("--generator=mlp", "--dataset=ring", "--latent-size=2")
DIGITS = (
    *("--generator=mlp", "--image-size=8", "--conditional", "--set=generator.hidden=[16]"),
    *("--set=discriminator.hidden=[16]", "--set=evaluation.holdout=0.2"),
)
FEW = {
    "rejection": "refinement.burn_in=300",
    "metropolis-hastings": "refinement.length=10",
    "langevin": "refinement.steps=3",
    "top-k": "refinement.share=0.2",
}


def trained(cli: Command, folder: Path, *arguments: str) -> Path:
    answer = cli("train", *arguments, *QUICK, f"--out={folder}")
    assert answer.code == 0, answer.err
    return folder


@pytest.mark.parametrize("name", FEW)
def test_samples_of_each_class_are_refined(name: str, cli: Command, tmp_path: Path):
    run = trained(cli, tmp_path / "run", *DIGITS)
    command = ["sample", run, "--refine", name, "--set", FEW[name], "--labels", "3,3,7,1"]
    drawn = []
    for out in ("one.npz", "two.npz"):
        answer = cli(*command, "--out", tmp_path / out, "--device", "cpu")
        assert (answer.code, answer.err) == (0, ""), answer.err
        with np.load(tmp_path / out) as arrays:
            assert arrays["labels"].tolist() == [3, 3, 7, 1]
            drawn.append(arrays["samples"])
    assert np.array_equal(*drawn)
    assert cli(*command[:2], *command[6:], "--out", tmp_path / "plain.npz").code == 0
    with np.load(tmp_path / "plain.npz") as arrays:
        assert not np.array_equal(arrays["samples"], drawn[0])
    # A fifth of 1,797 digits is held out.
    assert "from 359 held-out samples against generated ones (Z = " in answer.out
    told = name == "langevin" or f"{name} accepted " in answer.out
    assert told, answer.out


def test_another_loss_is_calibrated_too(cli: Command, tmp_path: Path):
    run = trained(
        cli,
        tmp_path / "run",
        *(*POINTS, "--loss=wasserstein", "--set=loss.wasserstein.clip=0.1"),
    )
    answer = cli(
        *("sample", run, "--num", 8, "--refine", "top-k", "--set", FEW["top-k"]),
        *("--out", tmp_path / "x.npz"),
    )
    assert answer.code == 0, answer.err
    assert "log ratio = " in answer.out


def test_a_discriminator_that_cannot_tell_is_told_of(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run = trained(cli, tmp_path / "run", *POINTS)
    wrong = Calibration(slope=-1.0, intercept=0.3, diagnostic=0.0)
    monkeypatch.setattr(trained_pair, "calibrate", lambda real, fake: wrong)
    command = ("sample", run, "--num", 8, "--out", tmp_path / "x.npz", "--refine", "rejection")
    answer = cli(*command, "--set", FEW["rejection"])
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == (
        "  the discriminator scores generated samples as high as real ones, so that there is "
        "nothing to refine by"
    )


def test_what_has_no_pair_is_told(cli: Command, tmp_path: Path, fake_plugin: FakePlugin):
    run = trained(cli, tmp_path / "run", *POINTS)
    alone = cli("sample", run / "generator.safetensors", "--refine", "top-k")
    assert (alone.code, alone.out) == (2, "")
    assert "is a generator alone, and refining needs the discriminator of its run" in alone.text
    mistakes = {
        ("--refine", "topk"): "there is no refinement called 'topk'; did you mean 'top-k'?",
        ("--refine", "top-k", "--set", "refinement.shar=1"): "did you mean 'share'?",
        ("--refine", "top-k", "--set", "share=1"): "is set as refinement.OPTION=VALUE",
        ("--refine", "top-k", "--set", "refinement.share=7"): "7.0 is out of range",
        ("--set", "refinement.share=1"): "--set is for an option of --refine NAME",
        ("--refine", "top-k", "--interpolate", "slerp"): "does not go between latents",
    }
    for arguments, message in mistakes.items():
        answer = cli("sample", run, *arguments)
        assert (answer.code, answer.out) == (2, ""), arguments
        assert message in answer.text, answer.text


def test_a_run_whose_samples_nobody_judges_is_told_so(cli: Command, tmp_path: Path):
    coded = trained(
        cli,
        tmp_path / "codes",
        *("--game=autoencoder", "--generator=adversarial-autoencoder", "--loss=mse"),
        *("--loss=nonsat", "--set=game.judge=codes"),
    )
    answer = cli("sample", coded, "--refine", "top-k")
    assert (answer.code, answer.out) == (2, "")
    assert "the discriminator of this run judges codes, not samples" in answer.text
    fed = trained(cli, tmp_path / "fed", "--generator=autoencoder", "--loss=mse")
    answer = cli("sample", fed, "--refine", "top-k")
    assert (answer.code, answer.out) == (2, "")
    assert "this run has no discriminator" in answer.text


def test_a_density_that_is_not_known_is_told(cli: Command, tmp_path: Path):
    run = trained(cli, tmp_path / "run", *POINTS, "--sampler=uniform")
    answer = cli("sample", run, "--refine", "langevin")
    assert (answer.code, answer.out) == (2, "")
    assert "refining by 'langevin': the density of its inputs is not known" in answer.text


@pytest.mark.slow
def test_each_raises_the_high_quality_share_on_a_grid_and_loses_no_mode(
    cli: Command, tmp_path: Path
):
    """The table of the guide: a smaller `grid`, stopped after a fifth of its steps."""
    run = tmp_path / "grid"
    smaller = ("--set=generator.hidden=[128,128,128]", "--set=discriminator.fourier_features=0")
    given = ("--recipe=grid", *smaller, "--steps=6000", "--device=cpu")
    answer = cli("train", *given, f"--out={run}")
    assert answer.code == 0, answer.err
    found = {}
    for name in (None, *FEW):
        out = tmp_path / f"{name}.npz"
        refine = () if name is None else ("--refine", name)
        answer = cli("sample", run, "--num", 2500, "--out", out, *refine, "--device", "cpu")
        assert answer.code == 0, answer.err
        found[name] = shares(out)
        print(name, found[name], answer.out)
    plain, _ = found.pop(None)
    assert plain < 0.85, "there is room to rise"
    for name, (high_quality, num_modes) in found.items():
        assert num_modes == 25, name
        assert high_quality > plain + 0.08, name


def shares(path: Path) -> tuple[float, int]:
    """The share of samples within three standard deviations of a mode, and the modes that have
    any (Lin et al., 2018)."""
    with np.load(path) as arrays:
        samples = arrays["samples"]
    sides = np.arange(-4, 5, 2)
    centres = np.stack(np.meshgrid(sides, sides), -1).reshape(-1, 2)
    distances = np.linalg.norm(samples[:, None] - centres[None], axis=2)
    good = distances.min(1) <= 3 * 0.05
    return good.mean().item(), len({*distances.argmin(1)[good].tolist()})
