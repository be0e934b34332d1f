"""LeCam regularisation, for training on little data (Tseng et al., 2021, arXiv:2104.03310)."""

from dataclasses import dataclass

from ganforge import LossSpec, RecipeSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    decay: float = option(
        0.99, help="of the two running means of the scores", minimum=0.0, below=1.0
    )
    one_sided: bool = option(
        True, help="leave alone scores beyond the other mean, as the authors' code does"
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="lecam-divergence",
        summary="Holds scores near the running mean of the other side (Tseng et al., 2021)",
        build="ganforge_lecamgan.term:Divergence",
        options=Options,
        trains=("discriminator",),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="lecam",
        summary="Hinge loss with LeCam regularisation, for small sets of images",
        source="Tseng et al., 2021",
        file="ganforge_lecamgan:lecam.toml",
    )
