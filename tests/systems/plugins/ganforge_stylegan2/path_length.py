"""Path length regularisation (Karras et al., 2020, arXiv:1912.04958, section 3.2)."""

import torch

from ganforge import Loss


class PathLength(Loss):
    """E (|J_w^T y| - a)^2 with y ~ N(0, I), and a the running mean of the lengths (equation 4).

    Of the L styles of a sample the squared lengths are averaged. The noise is divided by the root
    of the number of pixels, as in the authors' code, so that lengths do not grow with the image.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.gamma, self.decay = options.gamma, options.decay
        self.register_buffer("mean", torch.zeros(()))

    def generator_loss(self, step):
        images, styles = step.fake, step.trace("generated.styles")
        noise = torch.randn_like(images) / images[0, 0].numel() ** 0.5
        (slopes,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)
        lengths = slopes.square().sum(-1).view(len(images), -1).mean(1).sqrt()
        step.note("lengths", lengths)
        return step.progress.value(self.gamma) * (lengths - self.mean).square().mean()

    def observe(self, observed):
        if "lengths" in observed.noted:  # the term was due in this update
            self.mean.lerp_(observed.noted["lengths"].mean(), 1 - self.decay)
