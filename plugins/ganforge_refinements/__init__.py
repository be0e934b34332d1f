"""Refinements: better samples of a trained pair, by what its discriminator says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ganforge import RefinementSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class RejectionOptions:
    percentile: float = option(
        80.0,
        help="of the samples that are to be taken with a chance of 1/2: the lower, the more",
        above=0.0,
        maximum=100.0,
    )
    burn_in: int = option(10_000, help="samples that the bound is estimated from", minimum=100)


@dataclass(frozen=True, kw_only=True)
class ChainOptions:
    length: int = option(640, help="proposals of a chain, of which one sample comes", minimum=1)


@dataclass(frozen=True, kw_only=True)
class LangevinOptions:
    steps: int = option(400, help="steps of each latent", minimum=1)
    step_size: float = option(0.001, help="epsilon, twice the factor of the gradient", above=0.0)


@dataclass(frozen=True, kw_only=True)
class TopOptions:
    share: float = option(0.75, help="of the samples that are kept", above=0.0, maximum=1.0)
    burn_in: int = option(10_000, help="samples that the threshold is taken from", minimum=100)


@hookimpl
def ganforge_refinements() -> Iterable[RefinementSpec]:
    yield RefinementSpec(
        name="rejection",
        summary="Rejection by the discriminator (Azadi et al., 2019)",
        build="ganforge_refinements.rejection:Rejection",
        options=RejectionOptions,
    )
    yield RefinementSpec(
        name="metropolis-hastings",
        summary="A Metropolis-Hastings chain of proposals for each sample (Turner et al., 2019)",
        build="ganforge_refinements.chain:MetropolisHastings",
        options=ChainOptions,
    )
    yield RefinementSpec(
        name="langevin",
        summary="Langevin dynamics of the latents (DDLS; Che et al., 2020)",
        build="ganforge_refinements.langevin:Langevin",
        options=LangevinOptions,
        differentiates=True,
    )
    yield RefinementSpec(
        name="top-k",
        summary="The best share of the samples, by the discriminator's score",
        build="ganforge_refinements.rejection:Top",
        options=TopOptions,
    )
