"""Minibatch standard deviation: what a discriminator knows of the variety of a batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MinibatchStd(nn.Module):
    """Features `[B, C, H, W]` with maps of their deviation within a group: `[B, C + F, H, W]`.

    Karras et al., 2018 (arXiv:1710.10196, section 3). The standard deviation over the samples of a
    group, at each channel and place, is averaged over places and over each of F groups of channels,
    and joined to every sample of the group as F constant maps.

    Groups are samples that follow each other, so that real and fake samples joined to one batch
    keep apart where the group size divides both. What a sample gets depends on its group alone. A
    batch that the group size does not divide has as many groups as fit, of which the first ones
    have a sample more; a smaller batch is one group. The deviation of a single sample is 0.

    Args:
        group_size: samples of a group; None takes the whole batch.
        num_features: F, which divides C.
        eps: added to the variance, whose root has no gradient at 0.

    Raises:
        ValueError: the group size is below 2; in forward, F does not divide C.
    """

    def __init__(
        self, group_size: int | None = 4, *, num_features: int = 1, eps: float = 1e-8
    ) -> None:
        super().__init__()
        if group_size is not None and group_size < 2:
            raise ValueError(f"group_size must be at least 2, not {group_size}")
        self.group_size = group_size
        self.num_features = num_features
        self.eps = eps

    def forward(self, features: Tensor) -> Tensor:
        batch, channels, height, width = features.shape
        if channels % self.num_features:
            raise ValueError(f"num_features is {self.num_features}, and does not divide {channels}")
        num_groups = 1 if self.group_size is None else max(batch // self.group_size, 1)
        small, num_large = divmod(batch, num_groups)
        large = num_large * (small + 1)  # so many samples are in groups that have one more
        deviations = [
            self._deviations(part, size)
            for part, size in ((features[:large], small + 1), (features[large:], small))
            if len(part)
        ]
        maps = torch.cat(deviations)[:, :, None, None].expand(-1, -1, height, width)
        return torch.cat([features, maps], 1)

    def extra_repr(self) -> str:
        return f"group_size={self.group_size}, num_features={self.num_features}"

    def _deviations(self, features: Tensor, size: int) -> Tensor:
        """`[n, C, H, W]` in groups of `size` samples to `[n, F]`, equal within a group."""
        groups = features.reshape(len(features) // size, size, self.num_features, -1)
        deviations = (groups.var(1, unbiased=False) + self.eps).sqrt().mean(2)
        return deviations.repeat_interleave(size, 0)
