"""InfoGAN's mutual-information term: a layer of its own on the discriminator's features.

Chen et al., 2016, arXiv:1606.03657. The code is a named part of the inputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ganforge import ANY_SHAPES, DiscriminatorSpec, LossSpec, SamplerSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    noise: int = option(4, help="numbers that mean nothing", minimum=1)
    code: int = option(2, help="numbers that are to mean something", minimum=1)


def parts(options: Options) -> Mapping[str, int]:
    return {"noise": options.noise, "code": options.code}


@hookimpl
def ganforge_samplers():
    yield SamplerSpec(
        name="coded",
        summary="Noise and a code",
        build="ganforge_heads:sampler",
        options=Options,
        input_shape=lambda options, fields: (options.noise + options.code,),
        parts=parts,
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="telling",
        summary="A perceptron that gives its features",
        build="ganforge_heads:discriminator",
        shapes=ANY_SHAPES,
        gives=("features",),
        batch_independent=True,
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="information",
        summary="The code is to be read off the samples",
        build="ganforge_heads:loss",
        trains=("generator",),
        reads=("fake.features", "inputs.code"),
        parameters="generator",
    )


def sampler(problem, options):
    import torch

    from ganforge import LatentSampler

    class Coded(LatentSampler):
        def latents(self, n, generator):
            size = self.options.noise + self.options.code
            return torch.rand(n, size, generator=generator, device=generator.device) * 2 - 1

    return Coded(problem, options)


def discriminator(problem, options):
    from math import prod

    from torch import nn

    class Telling(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(prod(problem.sample_shape), 16), nn.LeakyReLU(0.2))
            self.head = nn.Linear(16, 1)

        def forward(self, samples):
            return self.trace(samples)[0]

        def trace(self, samples):
            features = self.body(samples.flatten(1))
            return self.head(features).squeeze(1), {"features": features}

    return Telling()


def loss(problem, options):
    from torch import nn
    from torch.nn.functional import mse_loss

    from ganforge import Loss

    start, end = problem.parts["code"]

    class Information(Loss):
        def __init__(self):
            super().__init__()
            self.q = nn.Linear(16, end - start)

        def generator_loss(self, step):
            return mse_loss(self.q(step.trace("fake.features")), step.part("code"))

    return Information()
