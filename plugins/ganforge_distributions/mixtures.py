"""Gaussian mixtures, of which a single Gaussian, the ring and the grid are cases."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ganforge import Batch, EndlessDataset, Mixture, Problem

from .options import GridOptions, MixtureOptions, NormalOptions, RingOptions


class GaussianMixture(EndlessDataset):
    """M Gaussians, each with the same standard deviation along every axis.

    `means` are M rows of D numbers; `stds` and `weights` have M numbers each, and the weights any
    positive sum. Samples are float32 `[n, D]` in the units of the means.
    """

    mixture: Mixture

    def __init__(
        self,
        means: Sequence[Sequence[float]],
        stds: Sequence[float],
        weights: Sequence[float] | None = None,
    ) -> None:
        shares = torch.tensor(weights or [1.0] * len(means), dtype=torch.float64)
        shares = shares / shares.sum()
        self.mixture = Mixture(
            weights=shares.float(), means=torch.tensor(means), stds=torch.tensor(stds)
        )
        # A uniform number in [0, 1) falls between two of these, and that is its mode.
        self._bounds = shares.cumsum(0)[:-1].float()
        self._placed: dict[torch.device, tuple[Tensor, Tensor, Tensor]] = {}

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        device = generator.device
        bounds, means, stds = self._on(device)
        uniform = torch.rand(n, generator=generator, device=device)
        modes = torch.bucketize(uniform, bounds, right=True)
        noise = torch.randn(n, means.shape[1], generator=generator, device=device)
        return Batch(means[modes] + stds[modes, None] * noise, None)

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """The parameters on a device; copied once, for within a step a copy would be waited for."""
        if device not in self._placed:
            parameters = (self._bounds, self.mixture.means, self.mixture.stds)
            bounds, means, stds = (parameter.to(device) for parameter in parameters)
            self._placed[device] = (bounds, means, stds)
        return self._placed[device]

    def describe(self) -> str:
        num_modes, dimension = self.mixture.means.shape
        what = "a Gaussian" if num_modes == 1 else f"a mixture of {num_modes} Gaussians"
        return f"endless samples of {what} in {dimension} dimension{'s' * (dimension > 1)}"


def normal(problem: Problem, options: NormalOptions) -> GaussianMixture:
    """One Gaussian."""
    return GaussianMixture([[options.mean] * options.dimension], [options.std])


def mixture(problem: Problem, options: MixtureOptions) -> GaussianMixture:
    """The mixture that the options spell out."""
    size = options.dimension
    means = [options.means[i : i + size] for i in range(0, len(options.means), size)]
    stds = options.stds if len(options.stds) > 1 else options.stds * len(means)
    return GaussianMixture(means, stds, options.weights)


def ring(problem: Problem, options: RingOptions) -> GaussianMixture:
    """Means r (cos 2πi/M, sin 2πi/M).

    Radius 1 and standard deviation 0.01 are the setting of VEEGAN (Srivastava et al., 2017) and
    PacGAN (Lin et al., 2018); scores on other radii or deviations do not compare with theirs.
    """
    angles = [2 * math.pi * i / options.num_modes for i in range(options.num_modes)]
    means = [(options.radius * math.cos(it), options.radius * math.sin(it)) for it in angles]
    return GaussianMixture(means, [options.std] * len(means))


def grid(problem: Problem, options: GridOptions) -> GaussianMixture:
    """A square of means around zero: {-4, -2, 0, 2, 4}² with the options as they are.

    That and standard deviation 0.05 are the setting of VEEGAN (Srivastava et al., 2017) and PacGAN
    (Lin et al., 2018).
    """
    places = [options.spacing * (i - (options.side - 1) / 2) for i in range(options.side)]
    means = [(x, y) for x in places for y in places]
    return GaussianMixture(means, [options.std] * len(means))
