"""Recipes: the systems that people learn GANs with, each a configuration to be run by name.

The files in `recipes/` hold what differs from the defaults; their first lines give the command, the
source and the result to expect.
"""

from __future__ import annotations

from collections.abc import Iterable

from ganforge import RecipeSpec, hookimpl

#: name, one line of summary, source
_RECIPES = (
    (
        "mlp-mnist",
        "The first GAN of every course: two perceptrons on handwritten digits",
        "Goodfellow et al., 2014",
    ),
    (
        "mnist",
        "Handwritten digits without labels, in minutes of one core",
        "Jolicoeur-Martineau, 2019; Huang et al., 2024",
    ),
    (
        "dcgan32-mnist",
        "DCGAN on handwritten digits at 32x32, twenty epochs",
        "Radford et al., 2015",
    ),
    (
        "dcgan64",
        "DCGAN at 64x64, for grey or colour images of any folder",
        "Radford et al., 2015",
    ),
    (
        "wgan",
        "Wasserstein GAN with weight clipping, RMSprop and five critic steps",
        "Arjovsky et al., 2017",
    ),
    (
        "wgan-gp",
        "Wasserstein GAN with a gradient penalty",
        "Gulrajani et al., 2017",
    ),
    (
        "minimax",
        "The original value function, whose generator loss saturates; beside nonsat",
        "Goodfellow et al., 2014, equation 1",
    ),
    (
        "nonsat",
        "The non-saturating generator loss in the setting of minimax",
        "Goodfellow et al., 2014, section 3",
    ),
    (
        "gaussian-1d",
        "A GAN that learns one normal distribution, N(4, 1.5)",
        "the usual first example in one dimension",
    ),
    (
        "ring",
        "Eight Gaussians on a circle: mode coverage",
        "Srivastava et al., 2017; Lin et al., 2018",
    ),
    (
        "grid",
        "Twenty-five Gaussians on a grid: mode coverage",
        "Srivastava et al., 2017; Lin et al., 2018",
    ),
    (
        "conditional",
        "Class-conditional GAN: the label chooses what is drawn",
        "Mirza and Osindero, 2014; Miyato and Koyama, 2018",
    ),
    (
        "autoencoder",
        "Encoder and decoder with a code of 64 numbers, measured on held-out images",
        "Hinton and Salakhutdinov, 2006",
    ),
    (
        "inpainting",
        "An autoencoder that fills a hole, with an adversarial term beside the squared error",
        "Pathak et al., 2016",
    ),
    (
        "super-resolution",
        "An autoencoder that sharpens fourfold enlarged images, with an adversarial term",
        "Ledig et al., 2017",
    ),
    (
        "adversarial-autoencoder",
        "An autoencoder whose codes a discriminator matches to a prior, so that it samples",
        "Makhzani et al., 2015",
    ),
    (
        "f-divergence",
        "The variational f-GAN on a mixture in one dimension, with the KL divergence reported",
        "Nowozin et al., 2016",
    ),
)

#: of one core for the whole recipe, as measured on its page in docs/recipes
_CPU_SECONDS = {
    "mlp-mnist": 166,
    "mnist": 351,
    "wgan": 533,
    "wgan-gp": 536,
    "minimax": 65,
    "nonsat": 64,
    "gaussian-1d": 26,
    "ring": 147,
    "grid": 500,
    "conditional": 248,
    "autoencoder": 312,
    "inpainting": 102,
    "super-resolution": 105,
    "adversarial-autoencoder": 341,
    "f-divergence": 34,
}


@hookimpl
def ganforge_recipes() -> Iterable[RecipeSpec]:
    for name, summary, source in _RECIPES:
        yield RecipeSpec(
            name=name,
            summary=summary,
            source=source,
            file=f"ganforge_recipes:recipes/{name}.toml",
            cpu_seconds=_CPU_SECONDS.get(name),
        )
