"""DRAGAN: the discriminator's gradient is held near the data (Kodali et al., 2017)."""

from dataclasses import dataclass

from ganforge import LossSpec, RecipeSpec, Schedule, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    coefficient: float | Schedule = option(
        10.0, help="lambda, the weight of the penalty", minimum=0.0, scheduled=True
    )
    target: float = option(1.0, help="k, the norm that a gradient should have", above=0.0)
    noise: float = option(
        0.5, help="standard deviation of the noise, in those of the batch", above=0.0
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="dragan",
        summary="Gradient penalty around real samples (Kodali et al., 2017)",
        build="ganforge_dragan.penalty:Penalty",
        options=Options,
        trains=("discriminator",),
        reads=("real",),
        double_backward=("discriminator",),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="dragan",
        summary="DCGAN with the penalty of DRAGAN in place of batch norm in the discriminator",
        source="Kodali et al., 2017",
        file="ganforge_dragan:dragan.toml",
    )
