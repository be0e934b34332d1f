"""StyleGAN2's regulariser of path lengths: a term that reads a trace of the generator.

Karras et al., 2020, arXiv:1912.04958, equation 4. The generator gives `w`; the term differentiates
its samples with respect to it, and keeps a moving average of the lengths.
"""

from ganforge import GeneratorSpec, ImageShapes, LossSpec, VectorShapes, hookimpl


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="mapped",
        summary="A mapping network before a synthesis",
        build="ganforge_paths:generator",
        shapes=(ImageShapes(), VectorShapes()),
        gives=("w",),
        discriminator="mlp",
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="path-length",
        summary="Path lengths of equal size in every direction",
        build="ganforge_paths:loss",
        trains=("generator",),
        reads=("fake", "generated.w"),
        double_backward=("generator",),
        every=2,
    )


def generator(problem, options):
    from math import prod

    from torch import nn

    class Mapped(nn.Module):
        def __init__(self):
            super().__init__()
            size = problem.input_shape[0]
            self.mapping = nn.Sequential(nn.Linear(size, 8), nn.LeakyReLU(0.2), nn.Linear(8, 8))
            self.synthesis = nn.Sequential(
                nn.Linear(8, 16), nn.LeakyReLU(0.2), nn.Linear(16, prod(problem.sample_shape))
            )

        def forward(self, inputs):
            return self.trace(inputs)[0]

        def trace(self, inputs):
            w = self.mapping(inputs)
            return self.synthesis(w).tanh().view(-1, *problem.sample_shape), {"w": w}

    return Mapped()


def loss(problem, options):
    import torch

    from ganforge import Loss

    class PathLength(Loss):
        def __init__(self):
            super().__init__()
            self.register_buffer("average", torch.zeros(()))

        def generator_loss(self, step):
            noise = torch.randn_like(step.fake) / step.fake[0].numel() ** 0.5
            (slope,) = torch.autograd.grad(
                (step.fake * noise).sum(), step.trace("generated.w"), create_graph=True
            )
            lengths = slope.square().sum(1).sqrt()
            step.note("lengths", lengths)
            return (lengths - self.average).square().mean()

        def observe(self, observed):
            if "lengths" in observed.noted:
                self.average.lerp_(observed.noted["lengths"].mean(), 0.1)

    return PathLength()
