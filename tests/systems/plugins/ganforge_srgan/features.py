"""A content loss in a space of features, without a network that somebody has trained."""

import torch
from torch import nn
from torch.nn.functional import mse_loss

from ganforge import Loss


class RandomFeatures(Loss):
    """The mean squared distance of features (equation 5), not VGG's but those of random filters.

    Four convolutions whose weights are drawn from a seed and stay as they are, so that nothing need
    be fetched. Such features keep edges and texture (Ustyuzhaninov et al., 2017, arXiv:1606.00021);
    of objects they know nothing.
    """

    def __init__(self, problem, options):
        super().__init__()
        channels, *sides = problem.sample_shape
        if len(sides) != 2:
            raise ValueError("the loss 'random-features' compares images")
        width = options.width
        drawn = torch.Generator().manual_seed(options.seed)
        layers = []
        for before, after, stride in (
            (channels, width, 1),
            (width, width, 2),
            (width, 2 * width, 1),
            (2 * width, 2 * width, 2),
        ):
            weight = torch.randn(after, before, 3, 3, generator=drawn)
            # nn.Conv2d would draw from the generator of the run.
            convolution = nn.utils.skip_init(
                nn.Conv2d, before, after, 3, stride=stride, padding=1, bias=False
            )
            convolution.weight = nn.Parameter(weight * (2 / (9 * before)) ** 0.5)
            layers += [convolution, nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1]).requires_grad_(False)

    def generator_loss(self, step):
        with torch.no_grad():
            wanted = self.layers(step.samples)
        return mse_loss(self.layers(step.reconstruction), wanted)
