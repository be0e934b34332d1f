"""The networks of text, and the noise that the generator chooses by."""

import torch
from torch import nn
from torch.nn.functional import one_hot, pad

from ganforge import LatentSampler, Progress

BEFORE = Progress(step=0, num_steps=1, images=0)


class GumbelNoise(LatentSampler):
    """Gumbel noise `[n, K, T]`: -log(-log u), with u uniform."""

    def latents(self, n, generator):
        shape = (n, *self.problem.sample_shape)
        noise = torch.empty(shape, device=generator.device).exponential_(generator=generator)
        return -noise.clamp_min(torch.finfo(noise.dtype).tiny).log()


class Generator(nn.Module):
    """Gumbel noise `[B, K, T]` to texts `[B, K, T]`, a character after the other.

    In training a character is softmax((o + g) / tau) with the logits o, the noise g and a
    temperature that falls with progress (equation 3 of Kusner and Hernández-Lobato). In evaluation
    it is the one where o + g is largest, which is a draw from softmax(o).
    """

    def __init__(self, problem, options):
        super().__init__()
        tokens, _ = problem.sample_shape
        if tokens < 2:
            raise ValueError("with one token there is nothing to choose")
        if problem.input_shape != problem.sample_shape:
            raise ValueError(
                f"it makes {list(problem.sample_shape)}, and is fed with "
                f"{list(problem.input_shape)}: a number for each character at each place"
            )
        self.schedule = options.temperature
        self.set_progress(BEFORE)
        self.cell = nn.LSTMCell(tokens, options.hidden)
        self.logits = nn.Linear(options.hidden, tokens)
        self.first = nn.Parameter(torch.zeros(2, options.hidden))

    def set_progress(self, progress):
        self.temperature = progress.value(self.schedule)

    def log_likelihood(self, samples):
        """The mean log probability of a character of texts `[B, K, T]`, `[B]`."""
        hidden, cell = self.first[:, None].expand(-1, len(samples), -1)
        before = pad(samples, (1, -1))
        found = []
        for character in before.unbind(2):
            hidden, cell = self.cell(character, (hidden, cell))
            found.append(self.logits(hidden))
        return (torch.stack(found, 2).log_softmax(1) * samples).sum(1).mean(1)

    def forward(self, inputs):
        hidden, cell = self.first[:, None].expand(-1, len(inputs), -1)
        character, found = torch.zeros_like(inputs[:, :, 0]), []
        for noise in inputs.unbind(2):
            hidden, cell = self.cell(character, (hidden, cell))
            character = self.chosen(self.logits(hidden) + noise)
            found.append(character)
        return torch.stack(found, 2)

    def chosen(self, noisy):
        if self.training:
            return (noisy / self.temperature).softmax(1)
        return one_hot(noisy.argmax(1), noisy.shape[1]).to(noisy.dtype)


class Discriminator(nn.Module):
    """Texts `[B, K, T]` to scores `[B, S]`, one for each of S representations.

    Each has an embedding of its own, and all share the filters (Nie et al., 2019, section 3.3).
    """

    def __init__(self, problem, options):
        super().__init__()
        tokens, _ = problem.sample_shape
        size, filters = options.embedding, options.filters
        self.representations = options.representations
        self.embedding = nn.Conv1d(tokens, options.representations * size, 1, bias=False)
        self.filters = nn.ModuleList(
            nn.Conv1d(size, filters, width, padding=width - 1) for width in options.widths
        )
        features = filters * len(options.widths)
        self.score = nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Linear(features, 1))

    def forward(self, samples):
        embedded = self.embedding(samples).unflatten(1, (self.representations, -1)).flatten(0, 1)
        # Texts are as long as a filter at least, by the zeros around them.
        features = [filtered(embedded).relu().amax(2) for filtered in self.filters]
        return self.score(torch.cat(features, 1)).view(-1, self.representations)
