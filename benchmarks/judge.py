"""A small classifier of real MNIST digits that judges generated ones: classes, labels, confidence.

    python benchmarks/judge.py --data data RUN [RUN ...]

It is trained once (about a minute of one core) and kept beside the data set's files or where --keep
says. It tells whether a person would read the digits (confidence, and the share that it is surer of
than 0.9), and how they are distributed: `distance` is the Fréchet distance in its 128 features to
all real test digits. Padded images lose their border, and others are brought to 28x28 as training
images were resized, so that runs of different sizes are held to one ruler.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate
from torchvision.datasets import MNIST

from ganforge.device.execution import Execution
from ganforge.plugin.discovery import discover
from ganforge.runs.run import Run
from ganforge.sampling.trained_generator import draw, open_generator
from ganforge_metrics.frechet import Gaussian, frechet_distance, gaussian_of

CLASSES, SIDE = 10, 28
SURE = 0.9


def classifier() -> nn.Sequential:
    """Images `[B, 1, 28, 28]` in [-1, 1] to logits `[B, 10]`."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(64 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, CLASSES),
    )


def split(root: Path, *, train: bool) -> tuple[Tensor, Tensor]:
    stored = MNIST(root, train=train)
    return stored.data[:, None].float() / 127.5 - 1.0, stored.targets


def trained_classifier(root: Path, keep: Path) -> nn.Sequential:
    network = classifier()
    if keep.is_file():
        network.load_state_dict(load_file(keep))
        return network.eval()
    torch.manual_seed(0)
    network = classifier()
    images, labels = split(root, train=True)
    epochs, batch = 3, 128
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(images))[: len(images) // batch * batch].split(batch):
            optimizer.zero_grad()
            cross_entropy(network(images[chosen]), labels[chosen]).backward()
            optimizer.step()
            schedule.step()
    save_file(network.eval().state_dict(), keep)
    return network


def at_original_size(images: Tensor, fit: object) -> Tensor:
    """Images `[B, 1, H, W]` of a run at 28x28, with `fit` as its data set had it."""
    height, width = images.shape[2:]
    if (height, width) == (SIDE, SIDE):
        return images
    if fit == "pad" and min(height, width) >= SIDE:
        top, left = (height - SIDE) // 2, (width - SIDE) // 2
        return images[:, :, top : top + SIDE, left : left + SIDE]
    return interpolate(
        images, size=(SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True
    )


@torch.inference_mode()
def seen(network: nn.Sequential, images: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities `[B, 10]` and features `[B, 128]` of images `[B, 1, 28, 28]`."""
    features = torch.cat([network[:-1](chunk) for chunk in images.split(500)])
    return network[-1](features).softmax(1), features


def judge(network: nn.Sequential, real: Gaussian, run: Path, num: int) -> dict[str, object]:
    """What the classifier says of `num` samples of a run."""
    registry = discover().registry
    trained = open_generator(
        run / "generator.safetensors", registry, Execution(device=torch.device("cpu"))
    )
    wanted = None
    if trained.problem.num_classes is not None:
        wanted = torch.arange(num) % CLASSES
    samples, _ = draw(trained, num=num, seed=1, labels=wanted)
    digits = at_original_size(samples[:, :1], Run(run).settings.get("dataset.fit"))
    likely, features = seen(network, digits)
    certain, found = likely.max(1)
    counts = torch.bincount(found, minlength=CLASSES).tolist()
    result: dict[str, object] = {
        "run": run.name,
        "samples": num,
        "confidence": round(certain.mean().item(), 4),
        "sure": round((certain > SURE).float().mean().item(), 4),
        "distance": round(frechet_distance(gaussian_of(features), real), 2),
        "classes": counts,
    }
    if wanted is not None:
        right = (found == wanted).float()
        by_class = [round(right[wanted == label].mean().item(), 4) for label in range(CLASSES)]
        result |= {"agreement": round(right.mean().item(), 4), "worst": min(by_class)}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--data", default=Path("data"), type=Path)
    parser.add_argument("--keep", default=Path("digits-classifier.safetensors"), type=Path)
    parser.add_argument("--num", default=1000, type=int)
    given = parser.parse_args()
    network = trained_classifier(given.data, given.keep)
    images, labels = split(given.data, train=False)
    likely, features = seen(network, images)
    real = gaussian_of(features)
    others = seen(network, split(given.data, train=True)[0][: given.num])[1]
    print(
        f"on real test digits: {(likely.argmax(1) == labels).float().mean().item():.4f} right, "
        f"confidence {likely.amax(1).mean().item():.4f}, "
        f"sure {(likely.amax(1) > SURE).float().mean().item():.4f}; distance of {given.num} real "
        f"training digits to them {frechet_distance(gaussian_of(others), real):.2f}"
    )
    for run in given.runs:
        print(json.dumps(judge(network, real, run, given.num)), flush=True)


if __name__ == "__main__":
    main()
