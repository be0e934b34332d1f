"""The three transforms of DiffAugment, with other numbers for each image."""

import torch

from ganforge import Augmentation


class Augment(Augmentation):
    """Images `[B, C, H, W]` in [-1, 1] to images of the same shape (appendix A of the paper)."""

    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.translation = options.translation
        self.cutout = options.cutout
        known = {"color": self.color, "translation": self.translated, "cutout": self.cut}
        self.transforms = [known[name] for name in options.policy]

    def forward(self, samples, generator, progress):
        for transform in self.transforms:
            samples = transform(samples, generator)
        return samples

    def color(self, images, generator):
        """Brightness in [-0.5, 0.5], saturation in [0, 2], then contrast in [0.5, 1.5]."""
        size = (3, len(images), 1, 1, 1)
        numbers = torch.rand(size, generator=generator, device=images.device).to(images.dtype)
        brightness, saturation, contrast = numbers
        images = images + (brightness - 0.5)
        grey = images.mean(1, keepdim=True)
        images = grey + 2 * saturation * (images - grey)
        level = images.mean((1, 2, 3), keepdim=True)
        return level + (0.5 + contrast) * (images - level)

    def translated(self, images, generator):
        """Shifts by whole pixels; what comes in from outside is 0."""
        for axis in (2, 3):
            side = images.shape[axis]
            places = torch.arange(side, device=images.device)
            most = int(self.translation * side + 0.5)
            sources = places + integers(-most, most, images, generator)
            inside = along(axis, (sources >= 0) & (sources < side))
            sources = along(axis, sources.clamp(0, side - 1))
            images = images.gather(axis, sources.expand_as(images)) * inside
        return images

    def cut(self, images, generator):
        """A hole of 0, whose centre lies anywhere in the image."""
        hole = True
        for axis in (2, 3):
            side = images.shape[axis]
            size = int(self.cutout * side + 0.5)
            places = torch.arange(side, device=images.device)
            # A hole of even size has its centre between two pixels: there is one place more.
            start = integers(0, side - size % 2, images, generator) - size // 2
            hole = hole & along(axis, (places >= start) & (places < start + size))
        return images * ~hole


def integers(low, high, images, generator):
    """A number `[B, 1]` from low to high for each image."""
    size = (len(images), 1)
    return torch.randint(low, high + 1, size, generator=generator, device=images.device)


def along(axis, values):
    """Values `[B, side]` as `[B, 1, side, 1]` or `[B, 1, 1, side]`, by the axis."""
    return values[:, None, :, None] if axis == 2 else values[:, None, None, :]
