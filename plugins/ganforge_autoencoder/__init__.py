"""Convolutional autoencoders: reconstructing ones (U-Net too) and the adversarial autoencoder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ganforge import GeneratorSpec, ImageShapes, hookimpl, option

_IMAGES = ImageShapes(minimum=8)
_WIDTHS_HELP = "channels of each convolution of the encoder, which halves the image, and back"


@dataclass(frozen=True, kw_only=True)
class AutoencoderOptions:
    widths: tuple[int, ...] = option((32, 64, 128), help=_WIDTHS_HELP, minimum=1)
    bottleneck: int | None = option(
        None, help="size of the code as a vector; unset, the code is a grid of features", minimum=1
    )
    skip_connections: bool = option(
        False, help="the decoder also sees what the encoder saw at its resolution: a U-Net"
    )
    dropout: float = option(
        0.0,
        help="share of the decoder's features that is dropped in training; 0.5 in Isola et al.",
        minimum=0.0,
        below=1.0,
    )

    def __post_init__(self) -> None:
        _require_widths(self.widths)
        if self.bottleneck is not None and self.skip_connections:
            raise ValueError(
                "skip_connections lead past a bottleneck, whose vector would be no code of the "
                "image: choose one of the two"
            )


@dataclass(frozen=True, kw_only=True)
class AdversarialOptions:
    widths: tuple[int, ...] = option((32, 64, 128), help=_WIDTHS_HELP, minimum=1)

    def __post_init__(self) -> None:
        _require_widths(self.widths)


def _require_widths(widths: tuple[int, ...]) -> None:
    if not widths:
        raise ValueError("widths is empty: at least one convolution is needed")


@hookimpl
def ganforge_generators() -> Iterable[GeneratorSpec]:
    yield GeneratorSpec(
        name="autoencoder",
        summary="Convolutional encoder and decoder, or a U-Net (Isola et al., 2017)",
        build="ganforge_autoencoder.networks:Autoencoder",
        options=AutoencoderOptions,
        inputs="image",
        sampler="reconstruct",
        shapes=(_IMAGES,),
    )
    yield GeneratorSpec(
        name="adversarial-autoencoder",
        summary="Decoder of codes that an encoder also makes of images (Makhzani et al., 2015)",
        build="ganforge_autoencoder.networks:AdversarialAutoencoder",
        options=AdversarialOptions,
        discriminator="mlp",
        shapes=(_IMAGES,),
        conditions=("label",),
        methods=("encode",),
        game="autoencoder",
    )
