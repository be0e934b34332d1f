"""A data set and a generator in one file, as docs/plugins/README.md shows them."""

from dataclasses import dataclass

from ganforge import DatasetSpec, Field, GeneratorSpec, VectorShapes, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class RingOptions:
    radius: float = option(1.0, help="of the circle", above=0.0)


@dataclass(frozen=True, kw_only=True)
class PolarOptions:
    hidden: int = option(32, help="units of the hidden layer", minimum=1)


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(
        name="circle",
        summary="Points on a circle",
        build="ganforge_ring:build_circle",
        options=RingOptions,
        fields=lambda options: {"sample": Field(kind="vector", shape=(2,))},
    )


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="polar",
        summary="A perceptron that gives an angle and a radius",
        build="ganforge_ring:build_polar",
        options=PolarOptions,
        discriminator="mlp",
        shapes=(VectorShapes(minimum=2, maximum=2),),
    )


def build_circle(problem, options):
    import torch

    from ganforge import Batch, EndlessDataset

    class Circle(EndlessDataset):
        def draw(self, n, generator):
            angle = torch.rand(n, generator=generator, device=generator.device) * 2 * torch.pi
            points = torch.stack([angle.cos(), angle.sin()], 1)
            return Batch(options.radius * points)

    return Circle()


def build_polar(problem, options):
    import torch
    from torch import nn

    class Polar(nn.Module):
        def __init__(self):
            super().__init__()
            (latents,) = problem.input_shape
            self.layers = nn.Sequential(
                nn.Linear(latents, options.hidden), nn.ReLU(), nn.Linear(options.hidden, 2)
            )

        def forward(self, inputs):
            angle, radius = self.layers(inputs).unbind(1)
            return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)

    return Polar()
