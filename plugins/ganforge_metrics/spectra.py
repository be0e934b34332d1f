"""Spectra of sequences: of sound in bands that ears tell apart, of time series in even ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from ganforge import Evaluation, Metric, NoOptions, Problem

from .frechet import RunningGaussian, frechet_distance

_LONGEST = 512  # numbers in a frame
_BANDS = 32
_LAGS = 64
_CHUNK = 256  # samples whose frames are in memory at a time
_LEAST = 1e-10  # of the real power: less is silence


class Spectrum(Metric):
    """Distances of the spectra of generated sequences from those of real ones.

    - `log_spectral_distance`, in dB: the root of the mean squared difference of the logarithms of
      the mean power, over frequencies and channels (Gray and Markel, 1976);
    - `autocorrelation`: the mean difference of the autocorrelation at lags of 1 to 64 steps (the
      ACF score of Wiese et al., 2020, "Quant GANs"), from 0 to 2;
    - `frechet_log_bands`: the Fréchet distance of the log energies of frames in 32 bands, mel bands
      where the field has a sampling rate. It is what the Fréchet audio distance is without its
      network (VGGish), and comparable with nothing else.

    The first two are about the mean over samples, and do not see a generator that makes one sample;
    the third sees it.
    """

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        sample = problem.sample
        if sample.format == "text":
            raise ValueError("the metric 'spectrum' is for signals, and these samples are text")
        channels, length = problem.sample_shape
        self.size = min(_LONGEST, length)
        self.channels, self.length = channels, length
        self.filters = bands(self.size // 2 + 1, sample.rate)

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real, fake = evaluation.real, evaluation.fake
        least = _LEAST * float(real.double().square().mean()) + torch.finfo(torch.float32).tiny
        powers, gaussians = [], []
        for samples in (real, fake):
            running, total, count = RunningGaussian(), torch.zeros(()), 0
            for frames in self._frames(samples):
                energies = frames @ self.filters.T.to(frames.device)
                running.add((energies + least).log().flatten(1))
                total = total.to(frames.device) + frames.sum(0)
                count += len(frames)
            powers.append(10 * torch.log10(total / count + least))
            gaussians.append(running.gaussian())
        lags = [self._autocorrelation(it, real) for it in (real, fake)]
        return {
            "log_spectral_distance": float((powers[0] - powers[1]).square().mean().sqrt()),
            "autocorrelation": float((lags[0] - lags[1]).abs().mean()),
            "frechet_log_bands": frechet_distance(*gaussians),
        }

    def _frames(self, samples: Tensor) -> Iterator[Tensor]:
        """The power of windowed frames that overlap by half, float64 `[n, C, size / 2 + 1]`."""
        window = torch.hann_window(self.size, dtype=torch.float64, device=samples.device)
        for part in torch.split(samples, _CHUNK):
            cut = part.double().unfold(2, self.size, max(1, self.size // 2))
            power = torch.fft.rfft(cut * window, dim=3).abs().square() / self.size
            yield power.movedim(2, 1).flatten(0, 1)

    def _autocorrelation(self, samples: Tensor, real: Tensor) -> Tensor:
        """By channel and lag, `[C, L]`, around the means of the real samples; 0 without spread."""
        centred = samples.double() - real.mean((0, 2), keepdim=True).double()
        found = []
        for lag in range(min(_LAGS, self.length - 1) + 1):
            found.append((centred[:, :, lag:] * centred[:, :, : self.length - lag]).mean((0, 2)))
        covariances = torch.stack(found, 1)
        least = torch.finfo(torch.float32).tiny
        return covariances[:, 1:] / covariances[:, :1].clamp_min(least)


def bands(num_frequencies: int, rate: int | None) -> Tensor:
    """Triangular filters `[K, F]` over frequencies from 0 to half the sampling rate, float64.

    They are evenly spaced in mel (O'Shaughnessy, 1987) where there is a rate, else in frequency.
    """
    num = min(_BANDS, max(1, num_frequencies // 2))
    places = torch.linspace(0, 1, num + 2, dtype=torch.float64)
    if rate is not None:
        most = 2595 * math.log10(1 + rate / 2 / 700)
        places = 700 * (10 ** (places * most / 2595) - 1) / (rate / 2)
    grid = torch.linspace(0, 1, num_frequencies, dtype=torch.float64)
    # A low band may lie between two frequencies, and is to hold one all the same.
    step = 1 / max(1, num_frequencies - 1)
    low, centre, high = places[:-2, None], places[1:-1, None], places[2:, None]
    rising = (grid - low + step) / (centre - low + step)
    falling = (high + step - grid) / (high + step - centre)
    return torch.minimum(rising, falling).clamp_min(0)
