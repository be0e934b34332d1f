"""Feature matching (Salimans et al., 2016, arXiv:1606.03498, section 3.1)."""

from dataclasses import dataclass

from ganforge import DiscriminatorSpec, ImageShapes, LossSpec, RecipeSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(64, help="feature maps of the first layer", minimum=1)


@dataclass(frozen=True, kw_only=True)
class LossOptions:
    layers: tuple[int, ...] = option(
        (-1,), help="layers whose features are matched, counted from 0 or, below it, from the end"
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="feature-giving",
        summary="Strided convolutions that give the features of each layer",
        build="ganforge_feature_matching.network:Discriminator",
        options=DiscriminatorOptions,
        shapes=(ImageShapes(minimum=8),),
        gives=("features",),
        batch_independent=True,
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="feature-matching",
        summary="The generator matches mean features alone (Salimans et al., 2016)",
        build="ganforge_feature_matching.loss:FeatureMatching",
        options=LossOptions,
        reads=("real_scores", "fake_scores", "real.features", "fake.features"),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="feature-matching",
        summary="A generator that sees no score, but the mean features of real images",
        source="Salimans et al., 2016",
        file="ganforge_feature_matching:feature-matching.toml",
    )
