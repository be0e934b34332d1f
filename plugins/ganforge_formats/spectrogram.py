"""Spectrograms: how strong each frequency of a sound is at each time, in colours."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

RANGE = 80.0  # decibels below a sine of full scale that are told from silence
_LONGEST_WINDOW, _SHORTEST_WINDOW = 1024, 16  # samples

#: from silence to full scale, evenly spaced: dark blue over red to light yellow
_COLOURS = torch.tensor(
    [[4, 4, 20], [52, 16, 92], [130, 30, 108], [202, 62, 78], [246, 138, 62], [252, 246, 180]],
    dtype=torch.float64,
)


def spectrogram(sound: Tensor, width: int, height: int) -> Tensor:
    """A sound `[T]` in [-1, 1] as a picture, uint8 `[height, width, 3]`.

    Time goes to the right, and frequency up from 0 to half the sampling rate. Levels are decibels
    relative to a sine of full scale, of a short-time Fourier transform with Hann windows.
    """
    decibels = levels(sound, width)
    scaled = interpolate(decibels[None, None], (height, width), mode="bilinear", antialias=True)
    share = (1 + scaled[0, 0].flip(0) / RANGE).clamp(0, 1) * (len(_COLOURS) - 1)
    lower = share.floor().clamp(max=len(_COLOURS) - 2).long()
    rest = (share - lower)[..., None]
    colours = _COLOURS[lower] * (1 - rest) + _COLOURS[lower + 1] * rest
    return colours.round().to(torch.uint8)


def levels(sound: Tensor, columns: int) -> Tensor:
    """Decibels, at least -RANGE, of each frequency at about `columns` times: `[F, columns']`."""
    sound = sound.detach().double().nan_to_num(0.0, 0.0, 0.0)
    size = _window(len(sound))
    window = torch.hann_window(size, dtype=torch.float64)
    spectrum = torch.stft(
        sound,
        size,
        hop_length=max(1, len(sound) // columns),
        window=window,
        # Mirrored at its ends, a sound has no clicks there; a short one cannot be.
        pad_mode="reflect" if len(sound) > size // 2 else "constant",
        return_complex=True,
    )
    # A sine of amplitude 1 has half the sum of the window at its frequency.
    amplitude = spectrum.abs() / (window.sum() / 2)
    return 20 * amplitude.clamp_min(10 ** (-RANGE / 20)).log10()


def _window(length: int) -> int:
    """A power of two of about a sixteenth of the sound."""
    size = _SHORTEST_WINDOW
    while size < _LONGEST_WINDOW and 16 * size < length:
        size *= 2
    return size
