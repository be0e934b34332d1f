"""Labels and vectors as conditions of a network.

A condition is labels `[B]`, int64 in [0, K), where a block is built with `num_classes` = K, and
vectors `[B, V]`, floating point, where it is built with `condition_size` = V. A block that is built
with neither is unconditional, so that one line of a network serves both kinds of run.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, linear, one_hot


class LabelEmbedding(nn.Embedding):
    """A learnt vector per class: labels `[B]`, int64 in [0, K), to vectors `[B, size]`.

    The vectors start as draws from N(0, 1), as latents are drawn, so that a layer which sees both
    hears the class as loudly as the latents. Of a one-hot vector it would hear one unit of K.
    A label out of range is an IndexError on a CPU.
    """

    def __init__(self, num_classes: int, size: int) -> None:
        super().__init__(num_classes, size)

    def reset_parameters(self) -> None:
        """Draw the vectors from N(0, 1)."""
        nn.init.normal_(self.weight)


class OneHot(nn.Module):
    """Labels `[B]`, int64 in [0, K), to float32 `[B, K]`: 1 at the label and 0 elsewhere."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, labels: Tensor) -> Tensor:
        return one_hot(labels, self.num_classes).float()

    def extra_repr(self) -> str:
        return f"num_classes={self.num_classes}"


class ConditionVectors(nn.Module):
    """Base of the blocks that learn a vector `[size]` per class, or per vector a linear map of it.

    The one parameter is `weight`: `[K, size]` for labels, as that of `nn.Embedding`; `[size, V]`
    for vectors, as that of `nn.Linear`; None for an unconditional block. So a block that a network
    keeps as `self.embedding` has its state under `embedding.weight`.

    Raises:
        ValueError: both `num_classes` and `condition_size` are given.
    """

    def __init__(self, size: int, num_classes: int | None, condition_size: int | None) -> None:
        super().__init__()
        if num_classes is not None and condition_size is not None:
            raise ValueError("num_classes and condition_size are given: a condition is one of both")
        self.size = size
        self.num_classes = num_classes
        self.condition_size = condition_size
        self.weight: nn.Parameter | None
        if num_classes is not None:
            self.weight = nn.Parameter(torch.empty(num_classes, size))
        elif condition_size is not None:
            self.weight = nn.Parameter(torch.empty(size, condition_size))
        else:
            self.register_parameter("weight", None)

    def vectors(self, condition: Tensor | None) -> Tensor | None:
        """The vectors `[B, size]` of a condition; None for an unconditional block.

        Raises:
            ValueError: a condition is missing, or is given to an unconditional block.
        """
        if (condition is None) != (self.weight is None):
            wanted = self._condition()
            found = "none" if condition is None else f"{condition.dtype} {list(condition.shape)}"
            raise ValueError(f"{type(self).__name__} expects {wanted}; got {found}")
        if condition is None or self.weight is None:
            return None
        if self.num_classes is not None:
            return embedding(condition, self.weight)
        return linear(condition, self.weight)

    def extra_repr(self) -> str:
        return f"size={self.size}, condition={self._condition()}"

    def _condition(self) -> str:
        if self.num_classes is not None:
            return f"labels [B] of {self.num_classes} classes"
        if self.condition_size is not None:
            return f"vectors [B, {self.condition_size}]"
        return "no condition"


class JoinedLatents(ConditionVectors):
    """Latents `[B, Z]`, joined with the vector of their condition to `[B, out_features]`.

    Labels `[B]` are looked up in a table that starts as draws from N(0, 1) (see `LabelEmbedding`).
    Vectors `[B, V]` pass a linear map of weights from N(0, 1/V) without bias, which keeps a
    variance of 1. An unconditional block returns the latents, and has no parameter.

    Args:
        latent_size: Z.
        num_classes: K, where the condition is labels.
        condition_size: V, where the condition is vectors.
        size: numbers that are joined to the latents; Z unless given.

    Attributes:
        out_features: Z + size, and Z for an unconditional block.
    """

    def __init__(
        self,
        latent_size: int,
        num_classes: int | None = None,
        *,
        condition_size: int | None = None,
        size: int | None = None,
    ) -> None:
        super().__init__(latent_size if size is None else size, num_classes, condition_size)
        self.out_features = latent_size + (0 if self.weight is None else self.size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        if self.weight is not None:
            nn.init.normal_(self.weight, std=(self.condition_size or 1) ** -0.5)

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        vectors = self.vectors(condition)
        return latents if vectors is None else torch.cat([latents, vectors], 1)
