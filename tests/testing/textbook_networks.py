"""Networks as the papers have them, in small: SAGAN, StyleGAN2, progressive growing, GN-GAN."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

from ganforge import Game, Problem, Progress, Step

WIDTH = 8
BASE = 4  # pixels of a side, where generators begin


def conv(before: int, after: int, kernel: int = 3) -> nn.Module:
    return spectral_norm(nn.Conv2d(before, after, kernel, padding=kernel // 2))


class Attention(nn.Module):
    """Zhang et al., 2019, equations 1 to 3: gamma starts at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (conv(WIDTH, WIDTH, 1) for _ in range(3))
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        query, key, value = (it(features).flatten(2) for it in (self.query, self.key, self.value))
        weights = (query.transpose(1, 2) @ key).softmax(2)
        attended = (value @ weights.transpose(1, 2)).reshape(features.shape)
        return features + self.gamma * attended


class ClassNorm(nn.Module):
    """Gains of 1 and biases of 0 for every class, at first."""

    def __init__(self, num_classes: int | None) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(WIDTH, affine=num_classes is None)
        if num_classes is not None:
            self.gain, self.bias = (nn.Embedding(num_classes, WIDTH) for _ in range(2))
            nn.init.ones_(self.gain.weight)
            nn.init.zeros_(self.bias.weight)

    def forward(self, features: Tensor, label: Tensor | None) -> Tensor:
        features = self.norm(features)
        if label is None:
            return features
        return self.gain(label)[:, :, None, None] * features + self.bias(label)[:, :, None, None]


class SAGANGenerator(nn.Module):
    """Its residual branch has a last layer that starts at 0, as in Fixup (Zhang et al., 2019)."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__()
        self.first = spectral_norm(nn.Linear(problem.input_shape[0], WIDTH * BASE**2))
        self.norm = ClassNorm(problem.num_classes)
        self.branch = nn.Sequential(nn.ReLU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1))
        nn.init.zeros_(self.branch[1].weight)
        nn.init.zeros_(self.branch[1].bias)
        self.attention, self.last = Attention(), conv(WIDTH, problem.sample_shape[0])
        self.side = problem.sample_shape[-1]

    def forward(self, inputs: Tensor, *, label: Tensor | None = None) -> Tensor:
        features = self.first(inputs).view(-1, WIDTH, BASE, BASE)
        features = interpolate(features, (self.side, self.side))
        features = features + self.branch(self.norm(features, label))
        return self.last(self.attention(features).relu()).tanh()


class SAGANDiscriminator(nn.Module):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__()
        self.first, self.second = conv(problem.sample_shape[0], WIDTH), conv(WIDTH, WIDTH)
        self.attention, self.score = Attention(), spectral_norm(nn.Linear(WIDTH, 1))
        self.label = None
        if problem.num_classes is not None:
            self.label = nn.Embedding(problem.num_classes, WIDTH)
            nn.init.zeros_(self.label.weight)

    def forward(self, samples: Tensor, *, label: Tensor | None = None) -> Tensor:
        features = self.attention(leaky_relu(self.first(samples), 0.1))
        features = leaky_relu(self.second(avg_pool2d(features, 2)), 0.1).sum((2, 3))
        scores = self.score(features).squeeze(1)
        return scores if self.label is None else scores + (self.label(label) * features).sum(1)


class Styled(nn.Module):
    """A layer of StyleGAN2, demodulated (Karras et al., 2020, equations 1 and 3), with noise."""

    def __init__(self, before: int, after: int, side: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, 3, 3))
        self.style = nn.Linear(WIDTH, before)
        nn.init.ones_(self.style.bias)
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("still", torch.randn(side, side))

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        size = len(features)
        weights = self.weight * self.style(style)[:, None, :, None, None]
        weights = weights * weights.square().sum((2, 3, 4), keepdim=True).add(1e-8).rsqrt()
        grouped = features.reshape(1, -1, *features.shape[2:])
        features = nn.functional.conv2d(grouped, weights.flatten(0, 1), padding=1, groups=size)
        features = features.view(size, -1, *features.shape[2:])
        noise = torch.randn_like(features[:, :1]) if self.training else self.still
        return leaky_relu(features + self.strength * noise, 0.2)


class StyleGAN2Generator(nn.Module):
    """Mixes styles in training, and keeps the mean of w there."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__()
        side = problem.sample_shape[-1]
        self.mapping = nn.Sequential(nn.Linear(problem.input_shape[0], WIDTH), nn.LeakyReLU(0.2))
        self.start = nn.Parameter(torch.randn(WIDTH, BASE, BASE))
        self.first, self.second = Styled(WIDTH, WIDTH, BASE), Styled(WIDTH, WIDTH, side)
        self.to_image = nn.Conv2d(WIDTH, problem.sample_shape[0], 1)
        self.side = side
        self.register_buffer("mean_style", torch.zeros(WIDTH))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.trace(inputs)[0]

    def trace(self, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        style = self.mapping(inputs)
        second = style
        if self.training:
            with torch.no_grad():
                self.mean_style.lerp_(style.mean(0).to(self.mean_style.dtype), 0.005)
            mixed = torch.rand(len(inputs), 1, device=inputs.device) < 0.9
            second = torch.where(mixed, self.mapping(torch.randn_like(inputs)), style)
        features = self.first(self.start.expand(len(inputs), -1, -1, -1), style)
        features = self.second(interpolate(features, (self.side, self.side)), second)
        samples = self.to_image(features)
        samples = samples if self.training else samples.clamp(-1, 1)
        return samples, {"styles": torch.stack([style, second], 1)}


class MinibatchDiscriminator(nn.Module):
    """Minibatch standard deviation before the last layers, in evaluation too."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__()
        self.first = nn.Conv2d(problem.sample_shape[0], WIDTH, 3, padding=1)
        self.last = nn.Conv2d(WIDTH + 1, WIDTH, 3, padding=1)
        self.score = nn.Linear(WIDTH, 1)

    def forward(self, samples: Tensor) -> Tensor:
        features = leaky_relu(self.first(samples), 0.2)
        deviation = (features.var(0, unbiased=False) + 1e-8).sqrt().mean()
        deviations = deviation.expand(len(features), 1, *features.shape[2:])
        features = leaky_relu(self.last(torch.cat([features, deviations], 1)), 0.2)
        return self.score(features.mean((2, 3))).squeeze(1)


class Growing(nn.Module):
    """Two sizes, the second faded in after 600,000 images (Karras et al., 2018)."""

    alpha = 1.0

    def set_progress(self, progress: Progress) -> None:
        self.alpha = min(max(progress.images / 600_000 - 1, 0.0), 1.0)


class GrowingGenerator(Growing):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__()
        channels, self.side, _ = problem.sample_shape
        self.first = nn.Linear(problem.input_shape[0], WIDTH * BASE**2)
        self.second = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.to_image = nn.ModuleList(nn.Conv2d(WIDTH, channels, 1) for _ in range(2))

    def forward(self, inputs: Tensor) -> Tensor:
        features = leaky_relu(self.first(inputs).view(-1, WIDTH, BASE, BASE), 0.2)
        features = interpolate(features, (self.side, self.side))
        coarse = fine = None
        if self.alpha < 1:
            coarse = self.to_image[0](features)
        if self.alpha > 0:
            fine = self.to_image[1](leaky_relu(self.second(features), 0.2))
        if coarse is None or fine is None:
            images = fine if coarse is None else coarse
        else:
            images = torch.lerp(coarse, fine, self.alpha)
        return images if self.training else images.clamp(-1, 1)

    def coarsened(self, images: Tensor) -> Tensor:
        """Real images, as far faded in as those that are made."""
        coarse = interpolate(avg_pool2d(images, 2), images.shape[2:])
        return torch.lerp(coarse, images, self.alpha)


class GrowingDiscriminator(Growing):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__()
        channels = problem.sample_shape[0]
        self.from_image = nn.ModuleList(nn.Conv2d(channels, WIDTH, 1) for _ in range(2))
        self.fine = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.last = nn.Linear(WIDTH, 1)

    def forward(self, samples: Tensor) -> Tensor:
        features = 0.0
        if self.alpha < 1:
            features = (1 - self.alpha) * leaky_relu(
                self.from_image[0](avg_pool2d(samples, 2)), 0.2
            )
        if self.alpha > 0:
            fine = leaky_relu(self.fine(leaky_relu(self.from_image[1](samples), 0.2)), 0.2)
            features = features + self.alpha * avg_pool2d(fine, 2)
        return self.last(leaky_relu(features, 0.2).mean((2, 3))).squeeze(1)


class GrowingStep(Step):
    def make_real(self) -> Any:
        return self.update.generator.coarsened(self.samples)


class GrowingGame(Game):
    step_class = GrowingStep


class GradientNormalised(nn.Module):
    """f / (|grad f| + |f|), in (-1, 1) (Wu et al., 2021, equation 8)."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(problem.sample_shape[0], WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(WIDTH, 1),
        )

    def forward(self, samples: Tensor) -> Tensor:
        wanted = torch.is_grad_enabled()
        with torch.enable_grad():
            if not samples.requires_grad:
                samples = samples.detach().requires_grad_()
            scores = self.layers(samples).squeeze(1)
            (gradients,) = torch.autograd.grad(scores.sum(), samples, create_graph=wanted)
        scores = scores if wanted else scores.detach()
        return scores / (gradients.flatten(1).norm(dim=1) + scores.abs())


class Energy(nn.Module):
    """The squared error of an autoencoder, per sample (Zhao et al., 2017): never below 0."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__()
        channels = problem.sample_shape[0]
        self.code = nn.Conv2d(channels, WIDTH, 3, padding=1)
        self.decode = nn.Conv2d(WIDTH, channels, 3, padding=1)

    def forward(self, samples: Tensor) -> Tensor:
        return (self.decode(self.code(samples).tanh()) - samples).square().mean((1, 2, 3))
