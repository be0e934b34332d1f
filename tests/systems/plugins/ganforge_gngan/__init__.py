"""GN-GAN: a discriminator whose gradient is normalised (Wu et al., 2021, arXiv:2109.02235)."""

from dataclasses import dataclass

from ganforge import DiscriminatorSpec, ImageShapes, RecipeSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    width: int = option(128, help="feature maps of every block", minimum=1)


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="gradient-normalised",
        summary="Residual network divided by the norm of its own gradient (Wu et al., 2021)",
        build="ganforge_gngan.network:Discriminator",
        options=Options,
        shapes=(ImageShapes(minimum=8),),
        conditions=("label",),
        differentiates_itself=True,
        bounded=True,
        batch_independent=True,
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="gn-gan",
        summary="Hinge loss, and a discriminator with a Lipschitz constant of 1 as a whole",
        source="Wu et al., 2021",
        file="ganforge_gngan:gn-gan.toml",
    )
