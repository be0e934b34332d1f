"""Multilayer perceptrons: the networks of Goodfellow et al., 2014, for images and for vectors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ganforge import ANY_SHAPES, DiscriminatorSpec, GeneratorSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    hidden: tuple[int, ...] = option((256,), help="units of each hidden layer", minimum=1)
    activation: Literal["relu", "leaky-relu"] = option("relu", help="after each hidden layer")
    output: Literal["auto", "tanh", "linear"] = option(
        "auto", help="after the last layer; auto is tanh for images and linear for vectors"
    )
    scale: float = option(
        1.0,
        help="samples are multiplied by this inside the network: what its layers give is divided "
        "by it; above 1 for data whose modes are small",
        above=0.0,
    )


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    hidden: tuple[int, ...] = option((256,), help="units of each hidden layer", minimum=1)
    activation: Literal["relu", "leaky-relu"] = option("leaky-relu", help="after each hidden layer")
    scale: float = option(
        1.0,
        help="samples are multiplied by this inside the network; above 1 for data whose modes are "
        "small",
        above=0.0,
    )
    fourier_features: int = option(
        0,
        help="random Fourier features that it sees beside the samples (Tancik et al., 2020), for "
        "data with details that are small beside its range",
        minimum=0,
    )
    fourier_bandwidth: float = option(
        10.0,
        help="standard deviation of their frequencies, in radians per unit of the samples as the "
        "network sees them",
        above=0.0,
    )


@hookimpl
def ganforge_generators() -> Iterable[GeneratorSpec]:
    yield GeneratorSpec(
        name="mlp",
        summary="Multilayer perceptron from latents to any samples (Goodfellow et al., 2014)",
        build="ganforge_mlp.networks:Generator",
        options=GeneratorOptions,
        discriminator="mlp",
        shapes=ANY_SHAPES,
        conditions=("label", "vector"),
    )


@hookimpl
def ganforge_discriminators() -> Iterable[DiscriminatorSpec]:
    yield DiscriminatorSpec(
        name="mlp",
        summary="Multilayer perceptron from any samples to one score",
        build="ganforge_mlp.networks:Discriminator",
        options=DiscriminatorOptions,
        batch_independent=True,
        shapes=ANY_SHAPES,
        conditions=("label", "vector"),
    )
