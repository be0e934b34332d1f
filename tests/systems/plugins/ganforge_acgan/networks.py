"""The networks of ACGAN for images whose sides are multiples of 8 (appendix A, table 2)."""

from itertools import pairwise

from torch import nn

from ganforge.nn import JoinedLatents


def initialised(network):
    """The network with weights from N(0, 0.02), and biases of 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            nn.init.zeros_(module.bias)
    return network


class Generator(nn.Module):
    """Latents `[B, Z]` and labels `[B]` to images `[B, C, H, W]`."""

    def __init__(self, problem, options):
        super().__init__()
        channels, height, width = problem.sample_shape
        self.embedding = JoinedLatents(problem.input_shape[0], problem.num_classes)
        wide = [options.width * 8, options.width * 4, options.width * 2]
        layers = [
            nn.Linear(self.embedding.out_features, wide[0] * (height // 8) * (width // 8)),
            nn.ReLU(),
            nn.Unflatten(1, (wide[0], height // 8, width // 8)),
        ]
        for before, after in pairwise(wide):
            layers += [nn.ConvTranspose2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.ConvTranspose2d(wide[-1], channels, 4, 2, 1), nn.Tanh()]
        self.layers = initialised(nn.Sequential(*layers))

    def forward(self, inputs, *, label):
        return self.layers(self.embedding(inputs, label))


class Discriminator(nn.Module):
    """Images `[B, C, H, W]` to scores `[B]`; its trace has logits `classes` `[B, K]`."""

    def __init__(self, problem, options):
        super().__init__()
        channels, height, width = problem.sample_shape
        label = problem.generator_conditions.get("label")
        if label is None:
            raise ValueError("it guesses the label that the generator is told, which is told none")
        wide = [channels, *(options.width << number for number in range(6))]
        layers = []
        for number, (before, after) in enumerate(pairwise(wide)):
            layers.append(nn.Conv2d(before, after, 3, 1 + (number + 1) % 2, 1))
            layers += [nn.BatchNorm2d(after)] if number else []
            layers += [nn.LeakyReLU(0.2), nn.Dropout(options.dropout)]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        features = wide[-1] * (height // 8) * (width // 8)
        self.score = nn.Linear(features, 1)
        self.classes = nn.Linear(features, label.num_classes)
        initialised(self)

    def forward(self, samples):
        return self.score(self.layers(samples)).squeeze(1)

    def trace(self, samples):
        features = self.layers(samples)
        return self.score(features).squeeze(1), {"classes": self.classes(features)}
