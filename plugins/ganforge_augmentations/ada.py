"""Adaptive discriminator augmentation (Karras et al., 2020, arXiv:2006.06676)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganforge import Augmentation, Observed, Problem, Progress, Schedule

from . import AdaptiveOptions
from .colour import recolour
from .draws import Draws
from .geometry import blit_map, compose, move, warp_map

LETTERS = {"blit": "b", "geom": "g", "color": "c"}


class AdaptiveAugmentation(Augmentation):
    """Transforms applied to each sample with probability p, which follows overfitting.

    The transforms, their order and their strengths are those of the paper's appendix B: pixel
    blitting, general geometry, colour. Three things differ. Geometry is bilinear resampling,
    without the wavelet filter that the paper puts about it, so that a scaled-down image has some
    aliasing. Filtering in image space, added noise and cutout, which the authors leave out of their
    own runs (section 2.3), are not there. And p rises to `max_p`, where theirs has no bound.

    The signs of the real scores tell of overfitting: r = E[sign D(x)] is 1 where the discriminator
    knows every training sample (equation 1). Every `interval` updates p moves towards the target,
    by a step with which it would go from 0 to 1 within `adjust_images`. The sign must be a verdict,
    which that of a Wasserstein critic is not.

    With target 0, p stays as it is or follows a schedule, as in R3GAN (Huang et al., 2024). p, and
    what it follows from, lie in buffers.
    """

    p: Tensor
    r: Tensor
    sign_sum: Tensor
    num_observed: Tensor

    def __init__(self, problem: Problem, options: AdaptiveOptions) -> None:
        super().__init__(problem, options)
        self.groups = LETTERS.get(options.pipeline, options.pipeline)
        self.target = options.target
        self.max_p = options.max_p
        self.interval = options.interval
        self.adjust_images = options.adjust_images
        self.schedule = options.p if isinstance(options.p, Schedule) else None
        start = 0.0 if isinstance(options.p, Schedule) else options.p
        self.register_buffer("p", torch.tensor(float(start)))
        self.register_buffer("r", torch.tensor(0.0))
        self.register_buffer("sign_sum", torch.tensor(0.0))
        self.register_buffer("num_observed", torch.tensor(0))

    def forward(self, samples: Tensor, generator: torch.Generator, progress: Progress) -> Tensor:
        p = self.p
        if self.schedule is not None:
            p = torch.full_like(p, progress.value(self.schedule))
        draws = Draws(len(samples), generator, p)
        size = samples.shape[2], samples.shape[3]
        maps = []
        if "b" in self.groups:
            maps.append(blit_map(draws, *size))
        if "g" in self.groups:
            maps.append(warp_map(draws, *size))
        if maps:
            samples = move(samples, compose(*maps))
        if "c" in self.groups:
            samples = recolour(samples, draws)
        return samples

    def observe(self, observed: Observed) -> None:
        """Add the signs of the real scores; when `interval` updates are together, adjust p.

        What is due is decided on the device, which the host does not wait for.
        """
        if self.schedule is not None:
            self.p.fill_(observed.progress.value(self.schedule))  # for the log
        if observed.real_scores is None:
            return
        self.sign_sum += observed.real_scores.sign().mean(dtype=torch.float32)
        self.num_observed += 1
        due = self.num_observed >= self.interval
        r = self.sign_sum / self.interval
        self.r.copy_(torch.where(due, r, self.r))
        if self.target:
            step = observed.batch_size * self.interval / self.adjust_images
            p = (self.p + (r - self.target).sign() * step).clamp(0, self.max_p)
            self.p.copy_(torch.where(due, p, self.p))
        self.sign_sum *= ~due
        self.num_observed *= ~due

    def metrics(self) -> Mapping[str, Tensor]:
        # Copies: the buffers change while these wait for the log.
        return {"p": self.p.clone(), "r": self.r.clone()}
