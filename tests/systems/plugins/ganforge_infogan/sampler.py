"""What InfoGAN's generator is fed."""

import torch
from torch.nn.functional import one_hot

from ganforge import LatentSampler


class Codes(LatentSampler):
    """Noise from N(0, 1), a category as a one-hot vector, and codes uniform in [-1, 1)."""

    def latents(self, n, generator):
        options, device = self.options, generator.device
        noise = torch.randn(n, options.noise, generator=generator, device=device)
        category = torch.randint(options.categories, (n,), generator=generator, device=device)
        codes = torch.rand(n, options.codes, generator=generator, device=device) * 2 - 1
        return torch.cat([noise, one_hot(category, options.categories).float(), codes], 1)
