"""Consistency of the discriminator between an image and a view of it."""

import torch

from ganforge import Loss, averaged


class BalancedConsistency(Loss):
    """l_real E|D(x) - D(T(x))|^2 + l_fake E|D(G(z)) - D(T(G(z)))|^2.

    Zhao et al., 2020, algorithm 1. T flips and shifts. A view has the conditions of its image, and
    no augmentation of the run is applied to it: T is all that it is to differ by.
    """

    def __init__(self, problem, options):
        super().__init__()
        if problem.sample.kind != "image":
            raise ValueError(f"a view is made of images, not of samples {problem.sample.kind}")
        if options.shift >= min(problem.sample_shape[1:]):
            raise ValueError(f"shift ({options.shift}) must be less than the sides of the images")
        self.weights = options.real, options.fake
        self.shift = options.shift
        self.flip = options.flip

    def discriminator_loss(self, step):
        sides = (
            (step.real_scores, step.real, step.real_conditions),
            (step.fake_scores, step.fake, step.fake_conditions),
        )
        total = 0.0
        for weight, (scores, images, told) in zip(self.weights, sides, strict=True):
            seen = step.discriminate(self.view(images.detach()), told, augment=False)
            total = total + step.progress.value(weight) * averaged(distance, scores, seen)
        return total

    def view(self, images):
        """Images `[B, C, H, W]`, each flipped or not and shifted, with a mirror at the edges."""
        rows, columns = (self.places(images, axis) for axis in (2, 3))
        if self.flip:
            mirrored = torch.rand(len(images), 1, device=images.device) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        images = images.gather(2, rows[:, None, :, None].expand_as(images))
        return images.gather(3, columns[:, None, None, :].expand_as(images))

    def places(self, images, axis):
        """Where the rows `[B, H]`, or the columns `[B, W]`, of the views come from."""
        last = images.shape[axis] - 1
        # From the global generator, which the engine seeds for every step.
        size, device = (len(images), 1), images.device
        shift = torch.randint(-self.shift, self.shift + 1, size, device=device)
        places = (torch.arange(last + 1, device=device) + shift).abs()
        return last - (last - places).abs()


def distance(scores, seen):
    return (scores - seen).square().mean()
