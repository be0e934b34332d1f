"""The conditional discriminator: image features, and two ways to join the label to them."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganforge import Problem
from ganforge.nn import Projection as ProjectionTerm

from . import DiscriminatorOptions
from .labels import dense_labels

LABEL_SIZE = 64  # of the label that is joined to the image features


class Discriminator(nn.Module):
    """Images `[B, C, H, W]` and labels `[B]` to scores `[B]`."""

    def __init__(self, problem: Problem, options: DiscriminatorOptions) -> None:
        super().__init__()
        assert problem.num_classes is not None  # the spec requires labels
        fan_in, height, width = problem.sample_shape
        layers: list[nn.Module] = []
        for channels in options.widths:
            normalised = options.normalisation == "batch" and bool(layers)
            layers.append(nn.Conv2d(fan_in, channels, 3, stride=2, padding=1, bias=not normalised))
            if normalised:
                layers.append(nn.BatchNorm2d(channels))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            # A side that is odd is halved upwards.
            fan_in, height, width = channels, (height + 1) // 2, (width + 1) // 2
        self.layers = nn.Sequential(*layers)
        joined = Projection if options.joining == "projection" else Concatenation
        self.score = joined(fan_in * height * width, options.hidden, problem.num_classes)

    def forward(self, samples: Tensor, *, label: Tensor) -> Tensor:
        # Flattened with the channels last: no copy of a channels-last tensor.
        features = self.layers(samples).permute(0, 2, 3, 1).flatten(1)
        scores: Tensor = self.score(features, label)
        return scores


class Projection(nn.Module):
    """Features `[B, F]` and labels `[B]` to scores `[B]`: w·h + e(y)·h.

    h are the units of a dense layer and e(y) a learnt vector per class (Miyato & Koyama, 2018,
    arXiv:1802.05637, equation 3).
    """

    def __init__(self, num_features: int, hidden: int, num_classes: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(nn.Linear(num_features, hidden), nn.LeakyReLU(0.2, inplace=True))
        self.linear = nn.Linear(hidden, 1)
        self.embedding = ProjectionTerm(hidden, num_classes)

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        hidden = self.dense(features)
        scores: Tensor = self.linear(hidden).squeeze(1)
        projected: Tensor = self.embedding(hidden, labels)
        return scores + projected


class Concatenation(nn.Module):
    """Features `[B, F]` and labels `[B]` to scores `[B]`: dense layers on both together.

    A dense layer on two vectors joined is the sum of one on each, and written so each starts with
    weights of its own fan-in. Beside many more image features the label would go unheard for long.
    """

    def __init__(self, num_features: int, hidden: int, num_classes: int) -> None:
        super().__init__()
        self.encode_label = dense_labels(num_classes, LABEL_SIZE)
        self.dense_image = nn.Linear(num_features, hidden)
        self.dense_label = nn.Linear(LABEL_SIZE, hidden, bias=False)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        joined = self.dense_image(features) + self.dense_label(self.encode_label(labels))
        scores: Tensor = self.linear(leaky_relu(joined, 0.2))
        return scores.squeeze(1)
