"""The generator of StyleGAN2: a mapping network, and a synthesis with skips to the image."""

from itertools import pairwise

import torch
from torch import nn

from ganforge.nn import EqualizedLinear, ModulatedConv2d, PixelNorm, Upsample2d

from .layers import BASE, activated, widths


class Mapping(nn.Module):
    """Latents `[B, Z]` to styles w `[B, V]`."""

    def __init__(self, problem, options):
        super().__init__()
        sizes = [problem.input_shape[0], *[options.style_size] * options.mapping_layers]
        self.normalise = PixelNorm()
        self.layers = nn.ModuleList(
            EqualizedLinear(before, after, lr_multiplier=options.mapping_rate)
            for before, after in pairwise(sizes)
        )

    def forward(self, latents):
        features = self.normalise(latents)
        for layer in self.layers:
            features = activated(layer(features))
        return features.float()  # its mean is one of many, and is kept whole


class StyledLayer(nn.Module):
    """Features `[B, C, H, W]` and a style to features, with noise whose strength is learnt."""

    def __init__(self, before, after, style_size, side, resample="none"):
        super().__init__()
        self.convolution = ModulatedConv2d(before, after, 3, style_size, resample=resample)
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("still", torch.randn(side, side))

    def forward(self, features, style):
        features = self.convolution(features, style)
        noise = torch.randn_like(features[:, :1]) if self.training else self.still
        return activated(features + self.strength * noise)


class Generator(nn.Module):
    """Latents `[B, Z]` to images `[B, C, H, H]`, which have no bounds in training.

    Its trace gives `styles` `[B, L, V]`, one for each of the L layers of the synthesis. The mean
    of w is kept in training, and truncation ψ takes w to mean + ψ (w - mean). The average of the
    weights has the mean of the network in training, as in the authors' code.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.options = options
        channels, side, _ = problem.sample_shape
        wide, size = widths(problem, options), options.style_size
        self.mapping = Mapping(problem, options)
        self.start = nn.Parameter(torch.randn(wide[0], BASE, BASE))
        self.layers = nn.ModuleList([StyledLayer(wide[0], wide[0], size, BASE)])
        for number, (before, after) in enumerate(pairwise(wide), 1):
            side = BASE << number
            self.layers.append(StyledLayer(before, after, size, side, resample="up"))
            self.layers.append(StyledLayer(after, after, size, side))
        self.to_image = nn.ModuleList(
            ModulatedConv2d(width, channels, 1, size, demodulate=False) for width in wide
        )
        self.enlarge = Upsample2d()
        self.num_styles = 2 * len(wide)
        self.register_buffer("mean_style", torch.zeros(size))

    def forward(self, inputs, *, truncation=1.0):
        return self.trace(inputs, truncation=truncation)[0]

    def trace(self, inputs, *, truncation=1.0):
        style = self.mapping(inputs)
        if self.training:
            with torch.no_grad():
                self.mean_style.lerp_(style.mean(0), 1 - self.options.mean_decay)
        style = torch.lerp(self.mean_style, style, truncation)
        styles = style[:, None].expand(-1, self.num_styles, -1)
        if self.training and self.options.mixing:
            styles = self.mixed(styles, self.mapping(torch.randn_like(inputs)))
        images = self.synthesis(styles)
        return (images if self.training else images.clamp(-1, 1)), {"styles": styles}

    def mixed(self, styles, others):
        """The styles of another latent from some layer on, for most of the samples.

        That latent is drawn here, from a normal distribution: the mapping network sees nothing but
        its direction.
        """
        size, device = (len(styles), 1), styles.device
        start = torch.randint(1, self.num_styles, size, device=device)
        mixes = torch.rand(size, device=device) < self.options.mixing
        replaced = mixes & (torch.arange(self.num_styles, device=device) >= start)
        return torch.where(replaced[:, :, None], others[:, None], styles)

    def synthesis(self, styles):
        """Styles `[B, L, V]` to images: each block adds to the enlarged image before it."""
        features = self.start.expand(len(styles), -1, -1, -1)
        features = self.layers[0](features, styles[:, 0])
        images = self.to_image[0](features, styles[:, 1])
        for number in range(1, len(self.to_image)):
            at = 2 * number
            features = self.layers[at - 1](features, styles[:, at - 1])
            features = self.layers[at](features, styles[:, at])
            # The layer to the image has the style of the next block's first convolution.
            images = self.enlarge(images) + self.to_image[number](features, styles[:, at + 1])
        return images
