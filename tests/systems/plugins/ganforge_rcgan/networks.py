"""The two recurrent networks, and what the generator is fed with."""

import torch
from torch import nn

from ganforge import LatentSampler
from ganforge.nn import OneHot


class NoiseSequence(LatentSampler):
    """Noise `[n, Z, T]` from N(0, 1), independent at each moment."""

    def __init__(self, problem, options):
        super().__init__(problem)
        self.shape = (options.size, problem.sample_shape[1])

    def latents(self, n, generator):
        return torch.randn(n, *self.shape, generator=generator, device=generator.device)


class Recurrent(nn.Module):
    """Sequences `[B, C, T]`, and what is told, joined at each moment, to `[B, T, size]`."""

    def __init__(self, problem, channels, hidden, size):
        super().__init__()
        self.one_hot = None if problem.num_classes is None else OneHot(problem.num_classes)
        told = (problem.num_classes or 0) + (problem.vector_size or 0)
        self.lstm = nn.LSTM(channels + told, hidden, batch_first=True)
        self.last = nn.Linear(hidden, size)

    def forward(self, sequences, label, vector):
        moments = [sequences.transpose(1, 2)]
        if label is not None:
            moments.append(self.one_hot(label)[:, None])
        if vector is not None:
            moments.append(vector[:, None])
        length = sequences.shape[2]
        joined = torch.cat([it.expand(-1, length, -1) for it in moments], 2)
        return self.last(self.lstm(joined)[0])


class Generator(nn.Module):
    """Noise `[B, Z, T]` and what is told to signals `[B, C, T]`."""

    def __init__(self, problem, options):
        super().__init__()
        size, length = problem.input_shape
        channels, wanted = problem.sample_shape
        if length != wanted:
            raise ValueError(f"it makes {wanted} moments, and is fed with {length}")
        self.recurrent = Recurrent(problem, size, options.hidden, channels)
        self.last = nn.Tanh() if problem.sample.scaled else nn.Identity()

    def forward(self, inputs, *, label=None, vector=None):
        return self.last(self.recurrent(inputs, label, vector)).transpose(1, 2)


class Discriminator(nn.Module):
    """Signals `[B, C, T]` and what is told to scores `[B, T]`, one at each moment."""

    def __init__(self, problem, options):
        super().__init__()
        self.recurrent = Recurrent(problem, problem.sample_shape[0], options.hidden, 1)

    def forward(self, samples, *, label=None, vector=None):
        return self.recurrent(samples, label, vector).squeeze(2)
