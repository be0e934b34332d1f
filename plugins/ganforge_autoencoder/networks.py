"""The two autoencoders, of the same encoder and decoder."""

from __future__ import annotations

from torch import Tensor, nn

from ganforge import Problem
from ganforge.nn import JoinedLatents

from . import AdversarialOptions, AutoencoderOptions
from .convolutions import Decoder, Encoder, FromVector, ToVector, grids


class Autoencoder(nn.Module):
    """Images `[B, *input_shape]` to images `[B, C, H, W]` in [-1, 1].

    The code in between is a grid of features, or a vector where `bottleneck` gives its size. With
    skip connections it is the U-Net of Isola et al., 2017 (arXiv:1611.07004, section 3.2); their
    dropout is active in training alone here. Inputs may have another number of channels than the
    samples; ValueError where they have other sides.
    """

    def __init__(self, problem: Problem, options: AutoencoderOptions) -> None:
        super().__init__()
        inputs, (channels, height, width) = problem.input_shape, problem.sample_shape
        if inputs[1:] != (height, width):
            raise ValueError(
                f"inputs of {' x '.join(map(str, inputs))} do not have the sides of the samples, "
                f"{height} x {width}"
            )
        sides, widths = (height, width), options.widths
        self.encoder = Encoder(inputs[0], sides, widths)
        self.bottleneck: nn.Module = nn.Identity()
        if options.bottleneck is not None:
            coarsest = grids(sides, len(widths))[-1]
            self.bottleneck = nn.Sequential(
                ToVector(widths[-1], coarsest, options.bottleneck),
                FromVector(options.bottleneck, widths[-1], coarsest),
            )
        self.decoder = Decoder(
            channels,
            sides,
            widths,
            skip_connections=options.skip_connections,
            dropout=options.dropout,
        )

    def forward(self, inputs: Tensor) -> Tensor:
        *finer, coarsest = self.encoder(inputs)
        images: Tensor = self.decoder([*finer, self.bottleneck(coarsest)])
        return images


class AdversarialAutoencoder(nn.Module):
    """Codes `[B, Z]` to images `[B, C, H, W]` in [-1, 1], and `encode` the other way round.

    The encoder is deterministic (Makhzani et al., 2015, arXiv:1511.05644, section 2). In a
    conditional run a learnt vector `[Z]` per class is joined to the code, as the paper joins the
    one-hot label, so that the code is left with what the label does not say (section 4).
    """

    def __init__(self, problem: Problem, options: AdversarialOptions) -> None:
        super().__init__()
        channels, height, width = problem.sample_shape
        sides, widths, size = (height, width), options.widths, problem.input_shape[0]
        coarsest = grids(sides, len(widths))[-1]
        self.encoder = Encoder(channels, sides, widths)
        self.to_code = ToVector(widths[-1], coarsest, size)
        self.embedding = JoinedLatents(size, problem.num_classes)
        self.from_code = FromVector(self.embedding.out_features, widths[-1], coarsest)
        self.decoder = Decoder(channels, sides, widths)

    def forward(self, inputs: Tensor, *, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.decoder([self.from_code(self.embedding(inputs, label))])
        return images

    def encode(self, samples: Tensor, *, label: Tensor | None = None) -> Tensor:
        """Images `[B, C, H, W]` to codes `[B, Z]`, unbounded; the labels are not looked at."""
        codes: Tensor = self.to_code(self.encoder(samples)[-1])
        return codes
