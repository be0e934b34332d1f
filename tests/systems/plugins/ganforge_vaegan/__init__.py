"""VAE/GAN: an autoencoder whose error is measured by the discriminator.

Larsen et al., 2016, arXiv:1512.09300.
"""

from dataclasses import dataclass

from ganforge import (
    DiscriminatorSpec,
    GameSpec,
    GeneratorSpec,
    ImageShapes,
    LossSpec,
    RecipeSpec,
    hookimpl,
    option,
)

SHAPES = (ImageShapes(minimum=8, multiple_of=8),)


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    width: int = option(64, help="channels of the encoder's first convolution", minimum=1)
    hidden: int = option(2048, help="units of the encoder's hidden layer", minimum=1)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    width: int = option(32, help="channels of the first convolution", minimum=1)
    hidden: int = option(512, help="units before the score", minimum=1)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="vae",
        summary="Decoder, with an encoder to a normal distribution of codes (Larsen et al., 2016)",
        build="ganforge_vaegan.networks:VAE",
        options=GeneratorOptions,
        shapes=SHAPES,
        methods=("encode", "posterior"),
        discriminator="vae-gan",
        game="vae-gan",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="vae-gan",
        summary="Strided convolutions, whose last one is a measure (Larsen et al., 2016)",
        build="ganforge_vaegan.networks:Discriminator",
        options=DiscriminatorOptions,
        shapes=SHAPES,
        gives=("features",),
    )


@hookimpl
def ganforge_games():
    yield GameSpec(
        name="vae-gan",
        summary="G(z) and G(E(x)) against x, where E gives a distribution (Larsen et al., 2016)",
        build="ganforge_vaegan.game:VAEGAN",
        conditions=False,
        provides=(
            "posterior_mean",
            "posterior_log_variance",
            "codes",
            "reconstruction",
            "reconstruction_features",
        ),
        calls=("posterior",),
        pairs=(("x", "G(z)"), ("x", "G(E(x))")),
        meanings={
            "posterior_mean": "the mean of E(x)",
            "posterior_log_variance": "the log-variance of E(x)",
            "codes": "a draw from E(x)",
            "reconstruction": "G(E(x))",
            "reconstruction_features": "D's features of G(E(x))",
        },
    )


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="posterior-kl",
        summary="Divergence of the codes of a sample from the standard normal distribution",
        build="ganforge_vaegan.losses:PosteriorKL",
        trains=("generator",),
        reads=("posterior_mean", "posterior_log_variance"),
    )
    yield LossSpec(
        name="learned-similarity",
        summary="Squared error of reconstructions in the features of the discriminator",
        build="ganforge_vaegan.losses:LearnedSimilarity",
        trains=("generator",),
        reads=("real.features", "reconstruction_features"),
    )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="vae-gan",
        summary="An autoencoder with a learned similarity measure",
        source="Larsen et al., 2016",
        file="ganforge_vaegan:vae-gan.toml",
    )
