"""A classifier of the data's own classes, as a feature extractor."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganforge import DataError, Extracted, FeatureExtractor, Problem

from . import ClassifierOptions
from .layers import CONVOLUTION, NORMALISATION, POOLED, POOLING, widths

BATCH = 128
HELD_OUT, MOST_HELD_OUT = 0.1, 5000  # of the samples, to tell its accuracy
LEARNING_RATE = 2e-3


class Classifier(FeatureExtractor):
    """Convolutions, one hidden layer, whose activations are the features, and the K classes.

    Its accuracy is that on a tenth of what it is given to learn from, held out of its training.
    """

    convention = "trained on the data's own labels"

    def __init__(self, problem: Problem, options: ClassifierOptions) -> None:
        super().__init__(problem, options)
        num_classes = problem.num_classes
        if num_classes is None or num_classes < 2:
            raise DataError("the extractor 'classifier' needs two classes to tell apart, or more")
        channels, *sides = problem.sample_shape
        convolution, normalisation = CONVOLUTION[len(sides)], NORMALISATION[len(sides)]
        layers: list[nn.Module] = []
        strided = widths(problem.sample_shape, options.width, 4 * options.width)
        for width, stride in [*((it, 2) for it in strided), (4 * options.width, 1)]:
            layers += [
                convolution(channels, width, 3, stride=stride, padding=1, bias=False),
                normalisation(width),
                nn.ReLU(),
            ]
            channels = width
        self.body = nn.Sequential(*layers, POOLING[len(sides)](POOLED), nn.Flatten())
        self.hidden = nn.Linear(channels * POOLED ** len(sides), options.size)
        self.head = nn.Linear(options.size, num_classes)
        self.steps = options.steps

    def extract(self, samples: Tensor) -> Extracted:
        features = self.hidden(self.body(samples)).relu()
        return Extracted(features, self.head(features))

    def fit(self, samples: Tensor, labels: Tensor, generator: torch.Generator) -> None:
        order = torch.randperm(len(samples), generator=generator)
        held = min(max(1, round(HELD_OUT * len(samples))), MOST_HELD_OUT)
        test, train = order[:held], order[held:]
        self.train()
        optimizer = torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.steps)
        for _ in range(self.steps):
            # Batch statistics of a single sample are none.
            rows = train[torch.randint(len(train), (BATCH,), generator=generator)]
            logits = self.extract(samples[rows]).logits
            assert logits is not None
            optimizer.zero_grad()
            torch.autograd.backward(nn.functional.cross_entropy(logits, labels[rows]))
            optimizer.step()
            schedule.step()
        self.eval()
        self.facts = {"accuracy": self._accuracy(samples, labels, test), "held out": held}

    @torch.no_grad()
    def _accuracy(self, samples: Tensor, labels: Tensor, rows: Tensor) -> float:
        right = 0
        for part in torch.split(rows, BATCH):
            logits = self.extract(samples[part]).logits
            assert logits is not None
            right += int((logits.argmax(1) == labels[part]).sum())
        return right / max(1, len(rows))

    def describe(self) -> str:
        accuracy, held = self.facts.get("accuracy"), self.facts.get("held out")
        if not isinstance(accuracy, float) or not isinstance(held, int):
            return self.convention
        return f"{self.convention}; accuracy {accuracy:.2%} on {held:,} held-out samples"
