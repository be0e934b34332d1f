"""The losses of the first GAN papers: cross-entropy in its three forms, and Wasserstein."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ganforge import LossSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class BCEOptions:
    label_smoothing: float = option(
        0.0,
        help="how far the target of real samples lies below 1 (Salimans et al., 2016)",
        minimum=0.0,
        below=0.5,
    )


@dataclass(frozen=True, kw_only=True)
class WassersteinOptions:
    clip: float = option(
        0.01, help="the critic's weights are clipped to [-clip, clip]; 0 clips nothing", minimum=0.0
    )


@hookimpl
def ganforge_losses() -> Iterable[LossSpec]:
    yield LossSpec(
        name="nonsat",
        summary="Cross-entropy with the non-saturating generator loss (Goodfellow et al., 2014)",
        build="ganforge_losses.cross_entropy:NonSaturating",
    )
    yield LossSpec(
        name="minimax",
        summary="The original value function; its generator saturates (Goodfellow et al., 2014)",
        build="ganforge_losses.cross_entropy:Minimax",
    )
    yield LossSpec(
        name="bce",
        summary="Two-label binary cross-entropy, halved over real and fake, with label smoothing",
        build="ganforge_losses.cross_entropy:BinaryCrossEntropy",
        options=BCEOptions,
    )
    yield LossSpec(
        name="wasserstein",
        summary="Critic difference with weight clipping (Arjovsky et al., 2017)",
        build="ganforge_losses.wasserstein:Wasserstein",
        options=WassersteinOptions,
    )
