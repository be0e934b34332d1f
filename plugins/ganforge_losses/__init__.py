"""Loss terms: adversarial losses, penalties on the discriminator, and reconstruction errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ganforge import LossSpec, Schedule, hookimpl, option

#: the zero-centred penalties on both sides (Mescheder et al., 2018; Huang et al., 2024), which let
#: every loss here converge that constrains nothing itself; every fourth step costs half as much
PENALTIES: Mapping[str, Mapping[str, object]] = {
    "r1": {"gamma": 0.3, "every": 4},
    "r2": {"gamma": 0.3, "every": 4},
}


@dataclass(frozen=True, kw_only=True)
class BCEOptions:
    label_smoothing: float = option(
        0.0,
        help="how far the target of real samples lies below 1 (Salimans et al., 2016)",
        minimum=0.0,
        below=0.5,
    )
    label_flipping: float = option(
        0.0,
        help="probability that the discriminator is told the wrong label of a sample",
        minimum=0.0,
        below=0.5,
    )


@dataclass(frozen=True, kw_only=True)
class WassersteinOptions:
    clip: float = option(
        0.01, help="the critic's weights are clipped to [-clip, clip]; 0 clips nothing", minimum=0.0
    )


@dataclass(frozen=True, kw_only=True)
class ZeroCentredOptions:
    gamma: float | Schedule = option(
        1.0, help="weight; the penalty is half of it", minimum=0.0, scheduled=True
    )


@dataclass(frozen=True, kw_only=True)
class GradientPenaltyOptions:
    coefficient: float | Schedule = option(
        10.0, help="weight of the penalty", minimum=0.0, scheduled=True
    )
    target: float = option(1.0, help="the norm that a gradient should have", minimum=0.0)
    two_sided: bool = option(True, help="penalise norms below the target too")


@dataclass(frozen=True, kw_only=True)
class DivergenceOptions:
    generator: Literal["variational", "alternative"] = option(
        "variational", help="the generator's objective: equation 4, or that of section 3.2"
    )


#: what a penalty on D's gradient helps against (Mescheder et al., 2018; Thanh-Tung et al., 2019)
AGAINST = (
    "divergence",
    "discriminator-won",
    "vanishing-gradient",
    "collapse",
    "collapse-within-classes",
)


@hookimpl
def ganforge_losses() -> Iterable[LossSpec]:
    yield LossSpec(
        name="nonsat",
        summary="Cross-entropy with the non-saturating generator loss (Goodfellow et al., 2014)",
        build="ganforge_losses.cross_entropy:NonSaturating",
        companions=PENALTIES,
        remedies=("vanishing-gradient",),
    )
    yield LossSpec(
        name="minimax",
        summary="The original value function; its generator saturates (Goodfellow et al., 2014)",
        build="ganforge_losses.cross_entropy:Minimax",
        companions=PENALTIES,
    )
    yield LossSpec(
        name="bce",
        summary="Two-label binary cross-entropy, halved over real and fake, with label smoothing",
        build="ganforge_losses.cross_entropy:BinaryCrossEntropy",
        options=BCEOptions,
        companions=PENALTIES,
    )
    yield LossSpec(
        name="wasserstein",
        summary="Critic difference with weight clipping (Arjovsky et al., 2017)",
        build="ganforge_losses.wasserstein:Wasserstein",
        options=WassersteinOptions,
    )
    yield LossSpec(
        name="lsgan",
        summary="Least squares (Mao et al., 2017)",
        build="ganforge_losses.least_squares:LeastSquares",
        companions=PENALTIES,
    )
    yield LossSpec(
        name="hinge",
        summary="Hinge (Lim and Ye, 2017; Miyato et al., 2018)",
        build="ganforge_losses.hinge:Hinge",
        companions=PENALTIES,
    )
    yield LossSpec(
        name="rpgan",
        summary="Relativistic pairing (Jolicoeur-Martineau, 2019; Huang et al., 2024)",
        build="ganforge_losses.relativistic:RelativisticPairing",
        companions=PENALTIES,
    )
    for name, where in (("r1", "real"), ("r2", "generated")):
        yield LossSpec(
            name=name,
            summary=f"Zero-centred gradient penalty at {where} samples (Mescheder et al., 2018)",
            build=f"ganforge_losses.penalties:{name.upper()}",
            options=ZeroCentredOptions,
            trains=("discriminator",),
            double_backward=("discriminator",),
            remedies=AGAINST,
        )
    yield LossSpec(
        name="gradient-penalty",
        summary="Gradient penalty between real and fake samples (Gulrajani et al., 2017)",
        build="ganforge_losses.penalties:GradientPenalty",
        options=GradientPenaltyOptions,
        trains=("discriminator",),
        double_backward=("discriminator",),
        remedies=AGAINST,
    )
    for name, summary, builder in (
        ("kl", "Kullback-Leibler divergence of the data from the generator", "KullbackLeibler"),
        ("reverse-kl", "Kullback-Leibler divergence the other way", "ReverseKullbackLeibler"),
        ("pearson", "Pearson's chi-squared divergence", "Pearson"),
        ("jensen-shannon", "Jensen-Shannon divergence", "JensenShannon"),
    ):
        yield LossSpec(
            name=name,
            summary=f"{summary}, in variational form (Nowozin et al., 2016)",
            build=f"ganforge_losses.divergences:{builder}",
            options=DivergenceOptions,
            companions=PENALTIES,
        )
    for name, summary, builder, quantity in (
        ("mse", "Mean squared error of the reconstruction", "MeanSquaredError", "reconstruction"),
        ("l1", "Mean absolute error of the reconstruction", "MeanAbsoluteError", "reconstruction"),
        (
            "identity",
            "Mean absolute change of what is of the target set already (Zhu et al., 2017)",
            "IdentityError",
            "identity",
        ),
    ):
        yield LossSpec(
            name=name,
            summary=summary,
            build=f"ganforge_losses.reconstruction:{builder}",
            trains=("generator",),
            reads=("samples", quantity),
        )
