"""Augmentation whose probability follows overfitting (Karras et al., 2020, arXiv:2006.06676)."""

import torch

from ganforge import Augmentation

SHIFT = 1 / 8  # largest, as a share of the side
BRIGHTNESS = 0.2  # standard deviation
CONTRAST = 0.5  # standard deviation of its logarithm to base 2


class AdaptiveFlips(Augmentation):
    """Each transform with probability p for each image `[C, H, H]` (appendix B).

    x-flips, quarter turns and shifts by whole pixels, then brightness and contrast. Nothing is
    interpolated: pixels are moved, and mirrored at the edges.

    r = E[sign D(x)] over real x tells of overfitting (equation 1). Every `interval` updates p goes
    up where r is above the target and down where it is below, in steps that lead from 0 to 1 in
    `adjust_images` images.
    """

    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.target = options.target
        self.interval = options.interval
        self.adjust_images = options.adjust_images
        self.register_buffer("p", torch.tensor(0.0))
        self.register_buffer("signs", torch.tensor(0.0))
        self.register_buffer("updates", torch.tensor(0))

    def forward(self, samples, generator, progress):
        # All that is drawn is drawn at once, and is the same amount whatever p is.
        size = (5, len(samples))
        chosen = torch.rand(size, generator=generator, device=samples.device) < self.p
        strength = torch.rand((4, len(samples)), generator=generator, device=samples.device)
        normal = torch.randn((2, len(samples)), generator=generator, device=samples.device)
        samples = self.moved(samples, chosen[:3], strength)
        return self.lit(samples, chosen[3:], normal)

    def moved(self, images, chosen, strength):
        """Flip, turn, shift: one gather of the pixels that the three lead to."""
        batch, channels, side, _ = images.shape
        chosen, strength = (it[..., None, None] for it in (chosen, strength))
        flip = chosen[0] & (strength[0] < 0.5)
        turns = torch.where(chosen[1], (strength[1] * 4).long(), 0)
        most = int(SHIFT * side + 0.5)
        shifts = ((strength[2:] * (2 * most + 1)).long() - most) * chosen[2]
        axis = torch.arange(side, device=images.device)
        # The way back, from a place of the result to that of its source.
        rows, columns = (mirrored(it, side) for it in (axis[:, None] + shifts[0], axis + shifts[1]))
        half, quarter = turns >= 2, turns % 2 == 1
        rows, columns = (torch.where(half, side - 1 - it, it) for it in (rows, columns))
        rows, columns = (
            torch.where(quarter, columns, rows),
            torch.where(quarter, side - 1 - rows, columns),
        )
        columns = torch.where(flip, side - 1 - columns, columns)
        places = (rows * side + columns).view(batch, 1, -1).expand(-1, channels, -1)
        return images.flatten(2).gather(2, places).view(images.shape)

    def lit(self, images, chosen, normal):
        """x * contrast + brightness."""
        normal = normal.to(images.dtype)
        brightness = torch.where(chosen[0], BRIGHTNESS * normal[0], 0.0)
        contrast = torch.where(chosen[1], (CONTRAST * normal[1]).exp2(), 1.0)
        return (images + brightness[:, None, None, None]) * contrast[:, None, None, None]

    def observe(self, observed):
        if observed.real_scores is None:
            return
        self.signs += observed.real_scores.sign().mean(dtype=torch.float32)
        self.updates += 1
        # Whether an adjustment is due is decided on the device, for which the host does not wait.
        due = self.updates >= self.interval
        step = observed.batch_size * self.interval / self.adjust_images
        direction = (self.signs / self.interval - self.target).sign()
        self.p.add_(due * step * direction).clamp_(0, 1)
        self.signs *= ~due
        self.updates *= ~due

    def metrics(self):
        return {"p": self.p.clone()}


def mirrored(places, side):
    """Places that lie beyond an edge, seen in a mirror that stands on it."""
    return side - 1 - (side - 1 - places.abs()).abs()
