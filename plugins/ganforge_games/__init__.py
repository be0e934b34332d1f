"""Games: how the networks of a run are connected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ganforge import Field, GameSpec, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class AutoencoderOptions:
    judge: Literal["samples", "reconstructions", "codes"] = option(
        "samples",
        help="what the discriminator tells from real samples: G(z), or G(E(x)); codes: E(x) from z",
    )


@dataclass(frozen=True, kw_only=True)
class CycleOptions:
    source: str = option("source", help="field of the data set that samples are made of")
    pool: int = option(
        50,
        help="past fakes that the discriminators are shown half of the time; 0 for none",
        minimum=0,
    )


def _judged(options: AutoencoderOptions, sample: Field, input_shape: tuple[int, ...]) -> Field:
    if options.judge == "codes":
        return Field(kind="vector", shape=input_shape)
    return sample


def _pairs(options: AutoencoderOptions) -> tuple[tuple[str, str], ...]:
    return {
        "samples": (("x", "G(z)"),),
        "reconstructions": (("x", "G(E(x))"),),
        "codes": (("z", "E(x)"),),
    }[options.judge]


def _code(options: object, sample: Field, input_shape: tuple[int, ...]) -> Mapping[str, Field]:
    return {"code": Field(kind="vector", shape=input_shape)}


def _source(options: CycleOptions) -> tuple[str, ...]:
    return (options.source,)


@hookimpl
def ganforge_games() -> Iterable[GameSpec]:
    yield GameSpec(
        name="adversarial",
        summary="The usual game: G(z) against real samples (Goodfellow et al., 2014)",
        build="ganforge:Game",
    )
    yield GameSpec(
        name="autoencoder",
        summary="G decodes what its encoder E makes of real samples (Makhzani et al., 2015)",
        build="ganforge_games.autoencoder:Autoencoder",
        options=AutoencoderOptions,
        provides=("codes", "reconstruction"),
        calls=("encode",),
        judged=_judged,
        sides=("one generator G, which has an encoder E", "one discriminator D"),
        pairs=_pairs,
        meanings={"codes": "E(x)", "reconstruction": "G(E(x))"},
    )
    yield GameSpec(
        name="inference",
        summary="Pairs (x, E(x)) against (G(z), z): BiGAN and ALI (Donahue et al., 2017)",
        build="ganforge_games.inference:Inference",
        provides=("codes", "reconstruction"),
        calls=("encode",),
        told=_code,
        sides=("one generator G, which has an encoder E", "one discriminator D of pairs"),
        pairs=(("(x, E(x))", "(G(z), z)"),),
        meanings={
            "real": "x, of which D is told E(x) as code",
            "fake": "G(z), of which D is told z as code",
            "codes": "E(x)",
            "reconstruction": "G(E(x))",
        },
    )
    yield GameSpec(
        name="cycle",
        summary="Two generators, there and back, between two sets (Zhu et al., 2017)",
        build="ganforge_games.cycle:Cycle",
        options=CycleOptions,
        provides=("reconstruction", "identity"),
        reads=_source,
        conditions=False,
        sides=(
            "two generators: G makes samples b of the source a, and F goes back",
            "two discriminators: one of b, one of a",
        ),
        pairs=(("b", "G(a)"), ("a", "F(b)")),
        meanings={
            "samples": "b; a in the other step",
            "inputs": "a; b in the other step",
            "reconstruction": "G(F(b)); F(G(a)) in the other step",
            "identity": "G(b); F(a) in the other step",
        },
    )
