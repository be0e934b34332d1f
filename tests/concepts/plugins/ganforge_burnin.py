"""R3GAN's five schedules as a recipe (Huang et al., 2024, arXiv:2501.05441, appendix)."""

from ganforge import RecipeSpec, hookimpl


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="burn-in",
        summary="Learning rate, beta 2, gamma, half-life and augmentation follow schedules",
        file="ganforge_burnin:burn-in.toml",
        source="Huang et al., 2024",
    )
