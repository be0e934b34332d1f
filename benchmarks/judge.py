"""A small classifier of real MNIST digits that judges generated ones: classes, labels, confidence.

    python benchmarks/judge.py --data data RUN [RUN ...]

It is trained once (about a minute of one core) and kept beside the data set's files or where --keep
says. Images of other sizes are brought to 28x28, as resized training images were; FID is not its
business, but whether a person would read the digits that were asked for.
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
from ganforge.sampling.trained_generator import draw, open_generator

CLASSES = 10


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


@torch.inference_mode()
def probabilities(network: nn.Module, images: Tensor) -> Tensor:
    if images.shape[2:] != (28, 28):
        images = interpolate(
            images, size=(28, 28), mode="bilinear", align_corners=False, antialias=True
        )
    return torch.cat([network(chunk).softmax(1) for chunk in images.split(500)])


def judge(network: nn.Module, run: Path, num: int) -> dict[str, object]:
    """What the classifier says of `num` samples of a run."""
    registry = discover().registry
    trained = open_generator(
        run / "generator.safetensors", registry, Execution(device=torch.device("cpu"))
    )
    wanted = None
    if trained.problem.num_classes is not None:
        wanted = torch.arange(num) % CLASSES
    samples, _ = draw(trained, num=num, seed=1, labels=wanted)
    certain, found = probabilities(network, samples[:, :1]).max(1)
    counts = torch.bincount(found, minlength=CLASSES).tolist()
    result: dict[str, object] = {
        "run": run.name,
        "samples": num,
        "confidence": round(certain.mean().item(), 4),
        "sure": round((certain > 0.9).float().mean().item(), 4),
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
    found = probabilities(network, images)
    print(
        f"on real test digits: {(found.argmax(1) == labels).float().mean().item():.4f} right, "
        f"confidence {found.amax(1).mean().item():.4f}"
    )
    for run in given.runs:
        print(json.dumps(judge(network, run, given.num)))


if __name__ == "__main__":
    main()
