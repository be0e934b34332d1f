"""The networks of CTGAN, and what its generator is fed with (Xu et al., 2019, section 4.4)."""

import torch
from torch import nn

from ganforge import Inputs, LatentSampler
from ganforge.nn import OneHot

from . import CHOSEN, FREQUENCIES
from .columns import choices, described


class TableNormal(LatentSampler):
    """`[n, Z + D]` from N(0, 1): a latent, and a number for each of a row.

    Without a real batch the chosen value is drawn as frequent as it is in the data.
    """

    def __init__(self, problem, options):
        super().__init__(problem)
        self.size = options.size + problem.sample_shape[0]

    def latents(self, n, generator):
        return torch.randn(n, self.size, generator=generator, device=generator.device)

    def sample(self, n, *, generator, real=None):
        inputs = super().sample(n, generator=generator, real=real)
        fit = self.problem.fit
        if real is not None or fit is None or CHOSEN not in inputs.others:
            return inputs
        bounds = fit.tensors[FREQUENCIES].cumsum(0)[:-1].to(generator.device)
        which = torch.rand(n, generator=generator, device=generator.device)
        return Inputs(inputs.values, **{CHOSEN: torch.bucketize(which, bounds, right=True)})


class Residual(nn.Module):
    """Features `[B, F]` and a layer of them side by side, `[B, F + size]`."""

    def __init__(self, features, size):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, size), nn.BatchNorm1d(size), nn.ReLU())

    def forward(self, features):
        return torch.cat([self.layers(features), features], 1)


class Generator(nn.Module):
    """Numbers from N(0, 1), `[B, Z + D]`, and a choice `[B]` to rows `[B, D]`.

    The last D numbers are the randomness of the choices. It is part of the input, so that a sample
    depends on nothing else, and normal as all latents are: -log(-log Phi(x)) is Gumbel noise.
    """

    def __init__(self, problem, options):
        super().__init__()
        (self.size,) = problem.sample_shape
        latents = problem.input_shape[0] - self.size
        if latents < 1:
            raise ValueError(
                f"it takes more than {self.size} inputs, one of which is for each number of a row, "
                f"and is fed with {problem.input_shape[0]}"
            )
        self.one_hot = None if problem.num_classes is None else OneHot(problem.num_classes)
        self.choices = choices(problem)
        self.numbers = [it["start"] for it in described(problem) if "modes" in it]
        self.temperature = options.temperature
        layers, features = [], latents + (problem.num_classes or 0)
        for size in options.hidden:
            layers.append(Residual(features, size))
            features += size
        self.layers = nn.Sequential(*layers, nn.Linear(features, self.size))

    def forward(self, inputs, *, label=None):
        return self.trace(inputs, label=label)[0]

    def trace(self, inputs, *, label=None):
        latents, normal = inputs[:, : -self.size], inputs[:, -self.size :]
        if label is not None:
            latents = torch.cat([latents, self.one_hot(label)], 1)
        logits = self.layers(latents)
        noise = -(-torch.special.log_ndtr(normal)).log()
        rows = logits.clone()
        rows[:, self.numbers] = logits[:, self.numbers].tanh()
        for part in self.choices:
            rows[:, part] = ((logits[:, part] + noise[:, part]) / self.temperature).softmax(1)
        return rows, {"logits": logits}


class Critic(nn.Module):
    """Rows `[B, D]` and a choice `[B]`, or packs of rows and the choice of each `[B, n]`, to `[B]`.

    The choices are joined to the rows, one-hot.
    """

    def __init__(self, problem, options):
        super().__init__()
        sizes = [it.num_classes for it in problem.conditions.values() if it.kind == "category"]
        self.one_hots = nn.ModuleList(OneHot(size) for size in sizes)
        features, layers = problem.sample_shape[0] + sum(sizes), []
        for size in options.hidden:
            layers += [nn.Linear(features, size), nn.LeakyReLU(0.2), nn.Dropout(options.dropout)]
            features = size
        self.layers = nn.Sequential(*layers, nn.Linear(features, 1))

    def forward(self, samples, *, label=None, labels=None):
        told = [label] if labels is None else labels.unbind(1)
        pairs = zip(self.one_hots, told, strict=bool(self.one_hots))
        joined = [samples, *(one_hot(choice) for one_hot, choice in pairs)]
        return self.layers(torch.cat(joined, 1)).squeeze(1)
