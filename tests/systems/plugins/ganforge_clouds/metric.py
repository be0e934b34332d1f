"""Distances between sets of clouds (Achlioptas et al., 2018, section 4)."""

import torch

from ganforge import Metric


def chamfer(cloud, others):
    """The Chamfer distance of a cloud `[N, C]` to each of others `[M, N', C]`, `[M]`."""
    distances = torch.cdist(cloud.expand(len(others), -1, -1), others).square()
    return distances.amin(2).mean(1) + distances.amin(1).mean(1)


class Chamfer(Metric):
    """Coverage: the share of real clouds that are the nearest one of some generated cloud.

    Minimum matching distance: the mean distance of real clouds to the nearest generated one.
    """

    def __init__(self, problem, options):
        pass

    def measure(self, evaluation):
        real, fake = evaluation.real, evaluation.fake
        distances = torch.stack([chamfer(cloud, real) for cloud in fake])
        covered = torch.zeros(len(real), device=real.device)
        covered[distances.argmin(1)] = 1
        return {
            "coverage": covered.mean().item(),
            "minimum_matching_distance": distances.amin(0).mean().item(),
        }
