"""Orthogonal regularisation (Brock et al., 2017, arXiv:1609.07093; 2019, arXiv:1809.11096)."""

from dataclasses import dataclass

from ganforge import LossSpec, RecipeSpec, Schedule, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    beta: float | Schedule = option(
        1e-4, help="strength of the regularisation", minimum=0.0, scheduled=True
    )
    diagonal: bool = option(
        False, help="hold the norms of filters at 1, too, as in the paper of 2017"
    )


@hookimpl
def ganforge_losses():
    for side in ("generator", "discriminator"):
        yield LossSpec(
            name=f"orthogonal-{side}",
            summary=f"Filters of the {side} at right angles (Brock et al., 2019)",
            build=f"ganforge_orthogonal.terms:Orthogonal{side.capitalize()}",
            options=Options,
            trains=(side,),
            reads=(),
        )


@hookimpl
def ganforge_recipes():
    yield RecipeSpec(
        name="orthogonal",
        summary="Hinge loss with a generator whose filters are kept at right angles",
        source="Brock et al., 2019",
        file="ganforge_orthogonal:orthogonal.toml",
    )
