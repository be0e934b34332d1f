"""The U-Net and the patch discriminator of pix2pix (appendix 6.1 of the paper).

Its batches are of one image, so that its batch normalisation is that of instances.
"""

import torch
from torch import nn

MOST_HALVINGS = 8
WIDEST = 8  # times the channels of the first convolution
NUM_DROPPING = 3  # layers of the decoder, from the innermost


class UNet(nn.Module):
    """Images `[B, C', H, W]` to images `[B, C, H, W]` of the same size."""

    def __init__(self, problem, options):
        super().__init__()
        (channels, *sides), (given, *input_sides) = problem.sample_shape, problem.input_shape
        if sides != input_sides:
            raise ValueError(
                f"a U-Net keeps the size, and {input_sides} pixels cannot become {sides}"
            )
        num = 1
        while num < MOST_HALVINGS and all(side % 2 ** (num + 1) == 0 for side in sides):
            num += 1
        widths = [options.width * min(2**it, WIDEST) for it in range(num)]
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for level, width in enumerate(widths):
            outermost, innermost = level == 0, level == num - 1
            before = given if outermost else widths[level - 1]
            # Neither the first layer is normalised, nor the innermost: one pixel would become zero.
            plain = outermost or innermost
            layers = [] if outermost else [nn.LeakyReLU(0.2)]
            layers.append(nn.Conv2d(before, width, 4, stride=2, padding=1, bias=plain))
            self.down.append(nn.Sequential(*layers, *([] if plain else [nn.InstanceNorm2d(width)])))
            inner = width if innermost else 2 * width
            after = channels if outermost else before
            layers = [
                nn.ReLU(),
                nn.ConvTranspose2d(inner, after, 4, stride=2, padding=1, bias=outermost),
            ]
            if outermost:
                layers.append(nn.Tanh())
            else:
                layers.append(nn.InstanceNorm2d(after))
                if level >= num - NUM_DROPPING:
                    layers.append(nn.Dropout(options.dropout))
            self.up.append(nn.Sequential(*layers))
        self.apply(initialise)

    def forward(self, inputs):
        seen = []
        for layer in self.down:
            inputs = layer(inputs)
            seen.append(inputs)
        features = self.up[-1](seen[-1])
        for layer, skipped in zip(reversed(self.up[:-1]), reversed(seen[:-1]), strict=True):
            features = layer(torch.cat([features, skipped], 1))
        return features


class Patches(nn.Module):
    """Images `[B, C, H, W]` beside their inputs `[B, C', H, W]` to scores `[B, h, w]`."""

    def __init__(self, problem, options):
        super().__init__()
        told = sum(it.known_shape[0] for it in problem.conditions.values() if it.kind == "image")
        width = options.width
        layers = [
            nn.Conv2d(problem.sample_shape[0] + told, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
        ]
        for before, after, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
            layers += [
                nn.Conv2d(width * before, width * after, 4, stride, padding=1, bias=False),
                nn.InstanceNorm2d(width * after),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width * 8, 1, 4, padding=1))
        self.apply(initialise)

    def forward(self, samples, *, image):
        return self.layers(torch.cat([samples, image], 1))[:, 0]


def initialise(module):
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
