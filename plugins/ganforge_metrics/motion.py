"""Frames of videos, and what changes between them, as distributions of simple numbers."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganforge import Evaluation, Metric, NoOptions, Problem

_CHUNK = 64  # videos in double precision at a time
_QUANTILES = 1000


class Motion(Metric):
    """Brightness of frames, and how much moves, beside real videos.

    - `brightness`, `contrast`: Wasserstein distances of the distributions of the mean, and of the
      standard deviation, of a frame's numbers;
    - `motion`: that of the mean absolute difference of a frame and the next;
    - `acceleration`: that of the mean absolute second difference, where there are three frames;
    - `motion_ratio`: the mean motion over that of real videos: 0 where nothing moves, 1 as in real
      ones, more where it flickers.

    These are moments, and no judgement: the Fréchet video distance (FVD), which papers report, is
    of the features of an I3D network trained on Kinetics. With such an extractor, `fid` is FVD.
    """

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        if problem.sample_shape[1] < 2:
            raise ValueError("the metric 'motion' needs videos of two frames or more")

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real, fake = described(evaluation.real), described(evaluation.fake)
        found = {name: wasserstein(it, fake[name]) for name, it in real.items()}
        moves = real["motion"].mean().clamp_min(torch.finfo(torch.float32).tiny)
        # A real set in which nothing moves has no scale.
        ratio = (fake["motion"].mean() / moves).clamp_max(torch.finfo(torch.float32).max)
        return {**found, "motion_ratio": float(ratio)}


def described(videos: Tensor) -> dict[str, Tensor]:
    """Numbers of all frames, or of all steps between them, of videos `[N, C, T, H, W]`."""
    parts: dict[str, list[Tensor]] = {}
    for part in torch.split(videos, _CHUNK):
        frames = part.double().movedim(2, 1).flatten(2)  # [n, T, numbers]
        first = frames.diff(dim=1)
        numbers = {
            "brightness": frames.mean(2),
            "contrast": frames.std(2, correction=0),
            "motion": first.abs().mean(2),
        }
        if frames.shape[1] > 2:
            numbers["acceleration"] = first.diff(dim=1).abs().mean(2)
        for name, values in numbers.items():
            parts.setdefault(name, []).append(values.flatten())
    return {name: torch.cat(values) for name, values in parts.items()}


def wasserstein(one: Tensor, other: Tensor) -> float:
    """The mean distance of equal quantiles of numbers `[N]` and `[M]`: W1 in one dimension."""
    places = (torch.arange(_QUANTILES, dtype=torch.float64, device=one.device) + 0.5) / _QUANTILES
    chosen = [it.sort().values[(places * len(it)).long()] for it in (one, other)]
    return float((chosen[0] - chosen[1]).abs().mean())
