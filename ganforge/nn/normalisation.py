"""Normalisations whose gain and bias follow a condition, and the pixel norm."""

from __future__ import annotations

from torch import Tensor, nn


class ConditionalNorm(nn.Module):
    """A normalisation of `[B, C, ...]` with a condition y: gain(y) · normalised + bias(y).

    Gain and bias are learnt per channel. For labels they are looked up in tables `[K, C]`, for
    vectors `[B, V]` they are linear maps; without a condition only `norm` is computed.
    Gains start near 1, with the given deviation between conditions, so that conditions are told
    apart from the first step on; biases start at 0.

    Args:
        norm: a normalisation that has gain and bias of its own only without a condition, such as
            `nn.GroupNorm(8, channels, affine=False)`.
        channels: C.
        num_classes: K, where the condition is labels.
        condition_size: V, where the condition is vectors.
        std: the deviation of the first gains, for vectors whose numbers have a variance of 1.

    Raises:
        ValueError: both `num_classes` and `condition_size` are given.
    """

    def __init__(
        self,
        norm: nn.Module,
        channels: int,
        num_classes: int | None = None,
        *,
        condition_size: int | None = None,
        std: float = 0.02,
    ) -> None:
        super().__init__()
        if num_classes is not None and condition_size is not None:
            raise ValueError("num_classes and condition_size are given: a condition is one of both")
        self.norm = norm
        self.std = std
        self.gain: nn.Embedding | nn.Linear | None = None
        self.bias: nn.Embedding | nn.Linear | None = None
        if num_classes is not None:
            self.gain = nn.Embedding(num_classes, channels)
            self.bias = nn.Embedding(num_classes, channels)
        elif condition_size is not None:
            self.gain = nn.Linear(condition_size, channels)
            self.bias = nn.Linear(condition_size, channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the gains anew, and set the biases to 0."""
        if isinstance(self.gain, nn.Embedding):
            nn.init.normal_(self.gain.weight, 1.0, self.std)
        elif isinstance(self.gain, nn.Linear):
            nn.init.normal_(self.gain.weight, 0.0, self.std * self.gain.in_features**-0.5)
            nn.init.ones_(self.gain.bias)
        if self.bias is not None:
            for parameter in self.bias.parameters():
                nn.init.zeros_(parameter)

    def forward(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        normalised: Tensor = self.norm(features)
        if (condition is None) != (self.gain is None):
            found = "none" if condition is None else "one"
            wanted = "no condition" if self.gain is None else "a condition"
            raise ValueError(f"{type(self).__name__} expects {wanted}; got {found}")
        if self.gain is None or self.bias is None:
            return normalised
        shape = (*features.shape[:2], *(1 for _ in features.shape[2:]))
        gain: Tensor = self.gain(condition).view(shape)
        bias: Tensor = self.bias(condition).view(shape)
        return gain * normalised + bias


class ConditionalBatchNorm2d(ConditionalNorm):
    """Batch normalisation of `[B, C, H, W]` with gain and bias by class label or by vector.

    From labels `[B]`: Dumoulin et al., 2017 (arXiv:1610.07629, section 2.2). From vectors `[B, V]`:
    de Vries et al., 2017 (arXiv:1707.00683), as BigGAN has it of latents and class (Brock et al.,
    2019, arXiv:1809.11096, appendix B). Without a condition it is `nn.BatchNorm2d`.

    Args:
        channels: C.
        num_classes: K, where the condition is labels.
        condition_size: V, where the condition is vectors.
        momentum, eps: those of `nn.BatchNorm2d`.
    """

    def __init__(
        self,
        channels: int,
        num_classes: int | None = None,
        *,
        condition_size: int | None = None,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> None:
        conditional = num_classes is not None or condition_size is not None
        norm = nn.BatchNorm2d(channels, eps=eps, momentum=momentum, affine=not conditional)
        super().__init__(norm, channels, num_classes, condition_size=condition_size)


class AdaptiveInstanceNorm2d(ConditionalNorm):
    """Instance normalisation of `[B, C, H, W]` with gain and bias by a style `[B, V]` or by labels.

    Karras et al., 2019 (arXiv:1812.04948, equation 1), after Huang & Belongie, 2017. The first
    gains have a deviation of 1 for styles of variance 1, as in the paper. H·W must exceed 1.

    Args:
        channels: C.
        condition_size: V, where the condition is vectors.
        num_classes: K, where the condition is labels.
        eps: that of `nn.InstanceNorm2d`.

    Raises:
        ValueError: neither or both of `condition_size` and `num_classes` are given.
    """

    def __init__(
        self,
        channels: int,
        condition_size: int | None = None,
        *,
        num_classes: int | None = None,
        eps: float = 1e-5,
    ) -> None:
        if num_classes is None and condition_size is None:
            raise ValueError("an adaptive norm needs a condition: give condition_size")
        norm = nn.InstanceNorm2d(channels, eps=eps)
        super().__init__(norm, channels, num_classes, condition_size=condition_size, std=1.0)


class PixelNorm(nn.Module):
    """Vectors divided by their root mean square: `[B, C, ...]` over C, at each place alone.

    Karras et al., 2018 (arXiv:1710.10196, section 4.2). Of latents `[B, Z]` it makes points on the
    sphere of radius √Z.
    """

    def __init__(self, eps: float = 1e-8) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, features: Tensor) -> Tensor:
        return features * (features.square().mean(1, keepdim=True) + self.eps).rsqrt()

    def extra_repr(self) -> str:
        return f"eps={self.eps:g}"
