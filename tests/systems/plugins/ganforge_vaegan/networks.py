"""The three networks of VAE/GAN (table 1 of the paper), for sides that can be halved thrice."""

from torch import nn

HALVINGS = 3


def convolution(before, after, stride=1):
    return nn.Conv2d(before, after, 5, stride=stride, padding=2, bias=False)


class VAE(nn.Module):
    """Latents `[B, Z]` to images `[B, C, H, W]`, and the other way a normal distribution each."""

    def __init__(self, problem, options):
        super().__init__()
        channels, *sides = problem.sample_shape
        (size,) = problem.input_shape
        height, across = (side // 2**HALVINGS for side in sides)
        width = options.width
        encoder, before = [], channels
        for after in (width, 2 * width, 4 * width):
            encoder += [convolution(before, after, stride=2), nn.BatchNorm2d(after), nn.ReLU()]
            before = after
        self.encoder = nn.Sequential(
            *encoder,
            nn.Flatten(),
            nn.Linear(before * height * across, options.hidden, bias=False),
            nn.BatchNorm1d(options.hidden),
            nn.ReLU(),
        )
        self.moments = nn.Linear(options.hidden, 2 * size)
        decoder = [
            nn.Linear(size, before * height * across, bias=False),
            nn.Unflatten(1, (before, height, across)),
            nn.BatchNorm2d(before),
            nn.ReLU(),
        ]
        for after in (4 * width, 2 * width, max(1, width // 2)):
            decoder += [
                nn.Upsample(scale_factor=2),
                convolution(before, after),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
            before = after
        self.decoder = nn.Sequential(*decoder, nn.Conv2d(before, channels, 5, padding=2), nn.Tanh())

    def forward(self, inputs):
        return self.decoder(inputs)

    def posterior(self, samples):
        """The mean and the log-variance of the code of each sample, both `[B, Z]`."""
        return self.moments(self.encoder(samples)).chunk(2, dim=1)

    def encode(self, samples):
        return self.posterior(samples)[0]


class Discriminator(nn.Module):
    """Images `[B, C, H, W]` to scores `[B]`; its features are what the last convolution gives."""

    def __init__(self, problem, options):
        super().__init__()
        channels, *sides = problem.sample_shape
        height, across = (side // 2**HALVINGS for side in sides)
        width = options.width
        self.features = nn.Sequential(
            nn.Conv2d(channels, width, 5, padding=2),
            nn.ReLU(),
            convolution(width, 4 * width, stride=2),
            nn.BatchNorm2d(4 * width),
            nn.ReLU(),
            convolution(4 * width, 8 * width, stride=2),
            nn.BatchNorm2d(8 * width),
            nn.ReLU(),
            convolution(8 * width, 8 * width, stride=2),
        )
        self.score = nn.Sequential(
            nn.BatchNorm2d(8 * width),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(8 * width * height * across, options.hidden, bias=False),
            nn.BatchNorm1d(options.hidden),
            nn.ReLU(),
            nn.Linear(options.hidden, 1),
        )

    def forward(self, samples):
        return self.trace(samples)[0]

    def trace(self, samples):
        features = self.features(samples)
        return self.score(features)[:, 0], {"features": features}
