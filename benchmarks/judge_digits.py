"""Small classifiers of the digits that come with ganforge judge generated ones.

    python benchmarks/judge_digits.py RUN [RUN ...]

Five networks are trained on 1,400 of the 1,797 real digits (seconds of one core), and a digit is
recognised surely where the mean of their probabilities exceeds 0.9: networks that agree are not
fooled by what each of them has never seen (Lakshminarayanan et al., 2017, arXiv:1612.01474). A
generated image is brought to the 8x8 pixels of the originals; what it is compared with are the
real digits of the run's size, brought to 8x8 in the same way. Beside that share stand measures
that it can be cheated of:

- distance: Fréchet distance in the 64 features of the first network;
- entropy: of the recognised classes, over its largest value; for runs that are told the label, the
  agreement with it;
- spread: standard deviation within a class, generated over real, mean and smallest class; the
  classes are the labels asked for, or else the recognised ones;
- nearness: distance to the nearest real digit, over that of a real digit to the nearest other
  (medians): near 0 for copies, 1 for digits that are as new as real ones.
"""

from __future__ import annotations

import argparse
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from ganforge.device.execution import Execution
from ganforge.plugin.discovery import discover
from ganforge.sampling.trained_generator import draw, open_generator
from ganforge_datasets.resizing import resized
from ganforge_metrics.frechet import frechet_distance, gaussian_of

CLASSES, SIDE, WHITE = 10, 8, 16
TRAINED, NETWORKS, STEPS, BATCH = 1400, 5, 300, 64
SURE = 0.9


def real_digits() -> tuple[Tensor, Tensor]:
    """uint8 `[1797, 1, 8, 8]` in [0, 255] and labels int64 `[1797]`, in a fixed random order."""
    file = files("ganforge_datasets").joinpath("data", "digits.npz")
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        grey = torch.from_numpy(arrays["images"]).float()[:, None]
        labels = torch.from_numpy(arrays["labels"]).long()
    order = torch.randperm(len(grey), generator=torch.Generator().manual_seed(0))
    return (grey * (255 / WHITE)).round().to(torch.uint8)[order], labels[order]


def scaled(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1.0


def brought_back(images: Tensor) -> Tensor:
    """Images `[N, 1, H, W]` in [-1, 1] at the 8x8 of the originals."""
    if images.shape[2:] == (SIDE, SIDE):
        return images
    return interpolate(
        images, size=(SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True
    )


def classifier() -> nn.Sequential:
    """Images `[B, 1, 8, 8]` in [-1, 1] to logits `[B, 10]`; the features come before the last."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(256, 64),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(64, CLASSES),
    )


def trained_classifiers(images: Tensor, labels: Tensor) -> list[nn.Sequential]:
    found = []
    for seed in range(NETWORKS):
        torch.manual_seed(seed)
        network = classifier()
        optimizer = torch.optim.Adam(network.parameters(), 1e-3)
        for _ in range(STEPS):
            chosen = torch.randint(TRAINED, (BATCH,))
            optimizer.zero_grad()
            cross_entropy(network(images[chosen]), labels[chosen]).backward()
            optimizer.step()
        found.append(network.eval())
    return found


@torch.inference_mode()
def probabilities(networks: list[nn.Sequential], images: Tensor) -> Tensor:
    return torch.stack([network(images).softmax(1) for network in networks]).mean(0)


@torch.inference_mode()
def frechet(network: nn.Sequential, images: Tensor, others: Tensor) -> float:
    """The Fréchet distance of two sets in the features of a network."""
    one, other = (gaussian_of(network[:-2](samples)) for samples in (images, others))
    return frechet_distance(one, other)


def spread_ratios(fake: Tensor, classes: Tensor, real: Tensor, labels: Tensor) -> list[float]:
    """Standard deviation within each class, generated over real; 0 where a class is missing."""
    found = []
    for number in range(CLASSES):
        own, theirs = fake[classes == number], real[labels == number]
        widths = [it.var(0).sum().sqrt().item() if len(it) > 1 else 0.0 for it in (own, theirs)]
        found.append(widths[0] / widths[1])
    return found


def nearness(fake: Tensor, real: Tensor) -> float:
    fake, real = fake.flatten(1), real.flatten(1)
    among = torch.cdist(real, real).fill_diagonal_(torch.inf).amin(1)
    return (torch.cdist(fake, real).amin(1).median() / among.median()).item()


def judge(
    networks: list[nn.Sequential], digits: Tensor, labels: Tensor, run: Path, num: int
) -> dict[str, object]:
    """Verdict of the classifiers on `num` samples of a run."""
    registry = discover().registry
    trained = open_generator(
        run / "generator.safetensors", registry, Execution(device=torch.device("cpu"))
    )
    wanted = None
    if trained.problem.num_classes is not None:
        wanted = torch.arange(num) % CLASSES
    samples, _ = draw(trained, num=num, seed=1, labels=wanted)
    sides = (samples.shape[2], samples.shape[3])
    real = brought_back(scaled(resized(digits, sides, "bicubic")))
    fake = brought_back(samples[:, :1])
    certain, found = probabilities(networks, fake).max(1)
    shares = torch.bincount(found, minlength=CLASSES) / num
    entropy = torch.special.entr(shares).sum() / torch.tensor(CLASSES).log()
    ratios = spread_ratios(fake, found if wanted is None else wanted, real, labels)
    result: dict[str, object] = {
        "run": run.name,
        "samples": num,
        "sure": round((certain > SURE).float().mean().item(), 3),
        "distance": round(frechet(networks[0], fake, real), 2),
        "entropy": round(entropy.item(), 3),
        "spread": round(sum(ratios) / CLASSES, 3),
        "smallest_spread": round(min(ratios), 3),
        "nearness": round(nearness(fake, real), 2),
    }
    if wanted is not None:
        result["agreement"] = round((found == wanted).float().mean().item(), 3)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--num", default=3000, type=int)
    given = parser.parse_args()
    digits, labels = real_digits()
    networks = trained_classifiers(scaled(digits), labels)
    unseen = scaled(digits[TRAINED:])
    found = probabilities(networks, unseen)
    right = (found.argmax(1) == labels[TRAINED:]).float().mean().item()
    halves = frechet(networks[0], scaled(digits[TRAINED:]), scaled(digits[:TRAINED]))
    print(
        f"on {len(unseen)} real digits that they were not trained on: {right:.4f} right, "
        f"{(found.amax(1) > SURE).float().mean().item():.3f} sure, distance {halves:.2f}"
    )
    for size in (16, 32):
        brought = brought_back(scaled(resized(digits, (size, size), "bicubic")))
        sure = (probabilities(networks, brought).amax(1) > SURE).float().mean().item()
        print(f"on real digits at {size}x{size}: {sure:.3f} sure")
    for run in given.runs:
        print(json.dumps(judge(networks, digits, labels, run, given.num)), flush=True)


if __name__ == "__main__":
    main()
