"""The residual generator, which gives the features of its first half, and a patch discriminator."""

from torch import nn


class Residual(nn.Module):
    """Features `[B, C, H, W]` to the same plus a change of two convolutions."""

    def __init__(self, width):
        super().__init__()
        self.change = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3, bias=False),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3, bias=False),
            nn.InstanceNorm2d(width),
        )

    def forward(self, features):
        return features + self.change(features)


class Translator(nn.Module):
    """Images `[B, C, H, W]` to images `[B, C, H, W]`.

    `features` are the pixels, and what the two convolutions that halve the image and the first and
    the fifth residual block give (appendix C.2): channels C, 2 w, 4 w, 4 w and 4 w for a width w.
    """

    def __init__(self, problem, options):
        super().__init__()
        if problem.sample_shape != problem.input_shape:
            raise ValueError(
                f"the encoder sees inputs, {problem.input_shape}, and what is made of them, "
                f"{problem.sample_shape}: both must have the same size and channels"
            )
        channels, width = problem.sample_shape[0], options.width
        # The parts of the encoder, each of which ends with what it gives.
        self.encoder = nn.ModuleList(
            [
                nn.Identity(),
                nn.Sequential(
                    nn.ReflectionPad2d(3),
                    nn.Conv2d(channels, width, 7, bias=False),
                    *normed(width),
                    halving(width),
                ),
                nn.Sequential(*normed(2 * width), halving(2 * width)),
                nn.Sequential(*normed(4 * width), Residual(4 * width)),
                nn.Sequential(*(Residual(4 * width) for _ in range(4))),
            ]
        )
        layers = [Residual(4 * width) for _ in range(options.blocks - 5)]
        for narrow in (2 * width, width):
            layers.append(
                nn.ConvTranspose2d(
                    2 * narrow, narrow, 3, stride=2, padding=1, output_padding=1, bias=False
                )
            )
            layers += normed(narrow)
        self.decoder = nn.Sequential(
            *layers, nn.ReflectionPad2d(3), nn.Conv2d(width, channels, 7), nn.Tanh()
        )
        self.apply(initialise)

    def forward(self, inputs):
        return self.trace(inputs)[0]

    def trace(self, inputs):
        features = self.features(inputs)
        return self.decoder(features[-1]), {"features": features}

    def features(self, images):
        """The features of images, inputs or outputs, a list of `[B, C', H', W']`."""
        found = []
        for part in self.encoder:
            images = part(images)
            found.append(images)
        return found


class Patches(nn.Module):
    """Images `[B, C, H, W]` to scores `[B, h, w]`."""

    def __init__(self, problem, options):
        super().__init__()
        width = options.width
        layers = [
            nn.Conv2d(problem.sample_shape[0], width, 4, stride=2, padding=1),
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

    def forward(self, samples):
        return self.layers(samples)[:, 0]


def halving(width):
    return nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False)


def normed(width):
    return [nn.InstanceNorm2d(width), nn.ReLU()]


def initialise(module):
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.xavier_normal_(module.weight, gain=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
