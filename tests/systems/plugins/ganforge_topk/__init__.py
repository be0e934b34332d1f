"""Top-k training: the generator learns from its best samples (Sinha et al., 2020)."""

from dataclasses import dataclass
from typing import Literal

from ganforge import LossSpec, RecipeSpec, Schedule, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    share: float | Schedule = option(
        Schedule(from_=1.0, to=0.5, until=0.5, shape="exponential"),
        help="k as a share of the batch; nu is where it ends",
        above=0.0,
        maximum=1.0,
        scheduled=True,
    )
    loss: Literal["hinge", "nonsat"] = option("hinge", help="loss that the k highest scores enter")


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="top-k",
        summary="Trains the generator on its k best samples (Sinha et al., 2020)",
        build="ganforge_topk.loss:TopK",
        options=Options,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="top-k-mixture",
        summary="A grid of Gaussians, of which top-k training recovers more",
        source="Sinha et al., 2020, section 4.1",
        file="ganforge_topk:top-k.toml",
    )
