"""The terms of a tokenizer besides the adversarial one."""

import torch
from torch import nn
from torch.nn.functional import l1_loss, mse_loss, normalize

from ganforge import Loss

SEED = 0  # of the frozen network, whatever that of the run is


class Codebook(Loss):
    """|sg[E(x)] - q|^2 + β |sg[q] - E(x)|^2, sg holding its argument still.

    Van den Oord et al., 2017, equation 3, which is equation 4 of Esser et al., 2021.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.beta = options.beta

    def generator_loss(self, step):
        encoded, quantised = step.trace("generated.encoded"), step.trace("generated.quantised")
        codebook = mse_loss(quantised, encoded.detach())
        return codebook + self.beta * mse_loss(encoded, quantised.detach())


class RandomFeatures(nn.Module):
    """Features `[B, C, h, w]` of images at three sizes, from weights that nothing has trained.

    Random layers keep what images look like well enough to compare them (He et al., 2016,
    arXiv:1606.04801). They are no substitute for a network that was trained to see: the distance is
    LPIPS in form alone (Zhang et al., 2018, arXiv:1801.03924), and so it is not called that.
    """

    def __init__(self, channels, width):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1, bias=False)
            for before, after in ((channels, width), (width, 2 * width), (2 * width, 4 * width))
        )
        generator = torch.Generator().manual_seed(SEED)
        for layer in self.layers:
            weights = torch.randn(layer.weight.shape, generator=generator)
            with torch.no_grad():
                layer.weight.copy_(weights * (2 / layer.weight[0].numel()) ** 0.5)
        self.requires_grad_(False)

    def forward(self, images):
        found = []
        for number, layer in enumerate(self.layers):
            images = layer(nn.functional.avg_pool2d(images, 2) if number else images).relu()
            found.append(normalize(images, dim=1))
        return found


class Reconstruction(Loss):
    """The mean absolute error, and the squared distance of features of unit length at each place.

    Together they are L_rec, which the adversarial term is balanced with.
    """

    def __init__(self, problem, options):
        super().__init__()
        if problem.sample.kind != "image":
            raise ValueError("it compares images")
        self.perceptual = options.perceptual
        self.features = RandomFeatures(problem.sample_shape[0], options.width)

    def generator_loss(self, step):
        made, real = step.reconstruction, step.samples
        pairs = zip(self.features(made), self.features(real), strict=True)
        distance = sum((one - other).square().sum(1).mean() for one, other in pairs)
        return l1_loss(made, real) + self.perceptual * distance
