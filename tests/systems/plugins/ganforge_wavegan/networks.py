"""WaveGAN's generator, and the discriminators that face it, each with a score of its own."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import leaky_relu, pad
from torch.nn.utils.parametrizations import weight_norm

SHORTEST = 16  # samples before the first convolution, of a length that is a power of 4 times that


def base_and_blocks(length):
    """The length before the first block, and the number of blocks that each quadruple it."""
    blocks = 0
    while length % 4 == 0 and length > SHORTEST:
        length, blocks = length // 4, blocks + 1
    return length, blocks


class Generator(nn.Module):
    """Latents `[B, Z]` to sounds `[B, 1, T]` (Donahue et al., 2019, table 3)."""

    def __init__(self, problem, options):
        super().__init__()
        channels, length = problem.sample_shape
        base, blocks = base_and_blocks(length)
        widths = [options.width << it for it in reversed(range(blocks))]
        self.first = nn.Linear(problem.input_shape[0], widths[0] * base)
        layers = [nn.Unflatten(1, (widths[0], base)), nn.ReLU()]
        for wide, narrow in pairwise([*widths, channels]):
            up = nn.ConvTranspose1d(wide, narrow, 25, stride=4, padding=11, output_padding=1)
            layers += [up, nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1], nn.Tanh())

    def forward(self, inputs):
        return self.layers(self.first(inputs))


class PhaseShuffle(nn.Module):
    """Features `[B, C, T]`, each shifted by up to n places, reflected at the ends (section 3.3)."""

    def __init__(self, reach):
        super().__init__()
        self.reach = reach

    def forward(self, features):
        if not self.training or not self.reach:
            return features
        length, device = features.shape[2], features.device
        # From the global generator, which the engine seeds for every step.
        shifts = torch.randint(-self.reach, self.reach + 1, (len(features), 1), device=device)
        places = (torch.arange(length, device=device) - shifts).abs()
        places = length - 1 - (length - 1 - places).abs()
        return features.gather(2, places[:, None].expand_as(features))


class WaveformDiscriminator(nn.Module):
    """Sounds `[B, 1, T]` to scores `[B]` (table 4), with the features of each layer."""

    def __init__(self, problem, options):
        super().__init__()
        channels, length = problem.sample_shape
        base, blocks = base_and_blocks(length)
        widths = [channels, *(options.width << it for it in range(blocks))]
        self.layers = nn.ModuleList(
            nn.Conv1d(narrow, wide, 25, stride=4, padding=11) for narrow, wide in pairwise(widths)
        )
        self.shuffle = PhaseShuffle(options.shuffle)
        self.score = nn.Linear(widths[-1] * base, 1)

    def forward(self, samples):
        features, found = samples, []
        for layer in self.layers:
            # Before the next layer, for the last one's features are not shuffled.
            features = leaky_relu(layer(self.shuffle(features) if found else features), 0.2)
            found.append(features)
        return self.score(features.flatten(1)).squeeze(1), found


class PeriodDiscriminator(nn.Module):
    """Sounds `[B, 1, T]` to scores `[B, t, P]`: each of every P-th sample (Kong et al., 2020)."""

    def __init__(self, period, channels, width):
        super().__init__()
        self.period = period
        widths = [channels, width, 4 * width, 16 * width, 32 * width, 32 * width]
        strides = (3, 3, 3, 3, 1)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(narrow, wide, (5, 1), (stride, 1), (2, 0)))
            for (narrow, wide), stride in zip(pairwise(widths), strides, strict=True)
        )
        self.score = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, samples):
        missing = -samples.shape[2] % self.period
        features = pad(samples, (0, missing), mode="reflect") if missing else samples
        features = features.unflatten(2, (-1, self.period))
        found = []
        for layer in self.layers:
            features = leaky_relu(layer(features), 0.1)
            found.append(features)
        return self.score(features).squeeze(1), found


class Discriminators(nn.Module):
    """Sounds `[B, 1, T]` to the scores of all: `[B]`, and `[B, t, P]` for each period P."""

    def __init__(self, problem, options):
        super().__init__()
        channels = problem.sample_shape[0]
        self.members = nn.ModuleList([WaveformDiscriminator(problem, options)])
        for period in options.periods:
            self.members.append(PeriodDiscriminator(period, channels, options.period_width))

    def forward(self, samples):
        return self.trace(samples)[0]

    def trace(self, samples):
        scores, features = [], []
        for member in self.members:
            score, found = member(samples)
            scores.append(score)
            features += found
        return scores, {"features": features}
