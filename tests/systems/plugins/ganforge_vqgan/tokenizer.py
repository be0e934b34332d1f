"""The autoencoder of VQGAN, whose codes are vectors of a learnt codebook."""

from itertools import pairwise

from torch import nn
from torch.nn.functional import silu

from ganforge.nn import SelfAttention

FACTORS = (1, 1, 2, 2, 4)  # of the width, from the size of the image to a sixteenth of it


def normalised(channels):
    groups = max(it for it in range(1, 33) if channels % it == 0)
    return nn.GroupNorm(groups, channels, eps=1e-6)


class Residual(nn.Module):
    """Features `[B, C, H, W]` to `[B, C', H, W]`."""

    def __init__(self, before, after):
        super().__init__()
        self.first = nn.Sequential(
            normalised(before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1)
        )
        self.second = nn.Sequential(
            normalised(after), nn.SiLU(), nn.Conv2d(after, after, 3, padding=1)
        )
        self.skip = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, features):
        return self.skip(features) + self.second(self.first(features))


def middle(channels):
    """The layers at the smallest size, where every place attends to every other."""
    attention = SelfAttention(channels, reduction=1, initial_gamma=1.0)
    return [Residual(channels, channels), attention, Residual(channels, channels)]


class Tokenizer(nn.Module):
    """Images `[B, C, H, W]` to images by way of tokens `[B, H / 16, W / 16]`.

    Its trace gives what was `encoded`, and the vectors of the codebook nearest to it, `quantised`,
    each `[B, V, H / 16, W / 16]`.
    """

    def __init__(self, problem, options):
        super().__init__()
        channels, size = problem.input_shape[0], options.token_size
        wide = [options.width * factor for factor in FACTORS]
        layers = [nn.Conv2d(channels, wide[0], 3, padding=1)]
        for before, after in pairwise(wide):
            layers += [Residual(before, after), nn.Conv2d(after, after, 3, 2, 1)]
        self.encoder = nn.Sequential(
            *layers,
            *middle(wide[-1]),
            normalised(wide[-1]),
            nn.SiLU(),
            nn.Conv2d(wide[-1], size, 1),
        )
        layers = [nn.Conv2d(size, wide[-1], 3, padding=1), *middle(wide[-1])]
        for before, after in pairwise(wide[::-1]):
            layers += [nn.Upsample(scale_factor=2), Residual(before, after)]
        self.decoder = nn.Sequential(*layers, normalised(wide[0]))
        self.to_image = nn.Conv2d(wide[0], problem.sample_shape[0], 3, padding=1)
        self.codebook = nn.Embedding(options.tokens, size)
        nn.init.uniform_(self.codebook.weight, -1 / options.tokens, 1 / options.tokens)

    @property
    def last_layer(self):
        """Where the adversarial term is balanced with the reconstruction (equation 7)."""
        return self.to_image.weight

    def forward(self, inputs):
        return self.trace(inputs)[0]

    def trace(self, inputs):
        encoded = self.encoder(inputs)
        quantised = self.vectors(self.tokens(encoded))
        # The gradient by the quantised vectors is handed on to what was encoded (equation 3).
        images = self.decode(encoded + (quantised - encoded).detach())
        return images, {"encoded": encoded, "quantised": quantised}

    def tokens(self, encoded):
        """The numbers of the nearest vectors: `[B, V, h, w]` to int64 `[B, h, w]` (equation 2)."""
        codebook = self.codebook.weight
        vectors = encoded.detach().movedim(1, -1).to(codebook.dtype)
        # |e - c|^2 without |e|^2, which is the same for all c.
        return (codebook.square().sum(1) - 2 * vectors @ codebook.T).argmin(-1)

    def vectors(self, tokens):
        return self.codebook(tokens).movedim(-1, 1)

    def decode(self, vectors):
        images = self.to_image(silu(self.decoder(vectors)))
        return images if self.training else images.clamp(-1, 1)
