"""A distance of spectra, which a picture of three bands does not show."""

import torch

from ganforge import Metric


class Spectra(Metric):
    """The Fréchet distance of the spectra of single pixels, as if they were Gaussian.

    |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)), with m the mean and C the covariance of the bands
    (Dowson and Landau, 1982), and beside it its first part, the error of the mean spectrum.
    """

    def __init__(self, problem, options):
        pass

    def measure(self, evaluation):
        mean, covariance = moments(evaluation.real)
        fake_mean, fake_covariance = moments(evaluation.fake)
        off = (mean - fake_mean).square().sum()
        # The trace of a root is the sum of the roots of the eigenvalues, which are those of the
        # symmetric S C' S with S S = C.
        root = symmetric_root(covariance)
        values = torch.linalg.eigvalsh(root @ fake_covariance @ root)
        shared = values.clamp_min(0).sqrt().sum()
        traces = covariance.trace() + fake_covariance.trace()
        return {
            "distance": (off + traces - 2 * shared).clamp_min(0).item(),
            "mean_spectrum": off.item(),
        }


def moments(images):
    """Mean `[C]` and covariance `[C, C]` of the pixels of images `[N, C, H, W]`, in float64."""
    pixels = images.double().movedim(1, 0).flatten(1)
    return pixels.mean(1), torch.atleast_2d(torch.cov(pixels, correction=0))


def symmetric_root(matrix):
    """S with S S = M, of a symmetric M that is not negative."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T
