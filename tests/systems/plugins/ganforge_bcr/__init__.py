"""Balanced consistency regularisation (Zhao et al., 2020, arXiv:2002.04724)."""

from dataclasses import dataclass

from ganforge import LossSpec, RecipeSpec, Schedule, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    real: float | Schedule = option(10.0, help="lambda of real images", minimum=0.0, scheduled=True)
    fake: float | Schedule = option(
        10.0, help="lambda of generated images", minimum=0.0, scheduled=True
    )
    shift: int = option(4, help="pixels by which a view is shifted at most", minimum=0)
    flip: bool = option(True, help="mirror half of the views, left to right")


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="balanced-consistency",
        summary="Equal scores for two views of an image, real or not (Zhao et al., 2020)",
        build="ganforge_bcr.term:BalancedConsistency",
        options=Options,
        trains=("discriminator",),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="bcr",
        summary="Hinge loss, and equal scores for shifted and flipped images",
        source="Zhao et al., 2020",
        file="ganforge_bcr:bcr.toml",
    )
