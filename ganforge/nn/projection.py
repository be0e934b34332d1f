"""The projection score of a conditional discriminator (Miyato & Koyama, 2018, arXiv:1802.05637)."""

from __future__ import annotations

from torch import Tensor, nn

from .conditions import ConditionVectors


class Projection(ConditionVectors):
    """The term e(y)·h of a score: features h `[B, F]` and their condition y to `[B]`, unbounded.

    Miyato & Koyama, 2018 (arXiv:1802.05637, equation 3). e(y) is a learnt vector `[F]` per class,
    or a linear map of a vector condition `[B, V]`. It is added to a score, which is the other term
    of the equation: `self.score(h).squeeze(1) + self.embedding(h, labels)`. An unconditional block
    has no parameter, and its term is zero.

    Labels start within ±F^-½, as the weights of a linear layer on F features do, to which they are
    added; vectors so that e(y) has that variance where V numbers have a variance of 1.

    Args:
        num_features: F.
        num_classes: K, where the condition is labels.
        condition_size: V, where the condition is vectors.
    """

    def __init__(
        self,
        num_features: int,
        num_classes: int | None = None,
        *,
        condition_size: int | None = None,
    ) -> None:
        super().__init__(num_features, num_classes, condition_size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        if self.weight is not None:
            bound = (self.size * (self.condition_size or 1)) ** -0.5
            nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        vectors = self.vectors(condition)
        if vectors is None:
            return features.new_zeros(len(features))
        return (vectors * features).sum(1)


class ProjectionScore(nn.Module):
    """The whole score w·h + b + e(y)·h: features h `[B, F]` and condition y to scores `[B]`.

    Equation 3 of Miyato & Koyama, 2018. Without a condition it is a linear layer alone. The
    arguments are those of `Projection`; the state is `linear.weight`, `linear.bias` and
    `embedding.weight`.
    """

    def __init__(
        self,
        num_features: int,
        num_classes: int | None = None,
        *,
        condition_size: int | None = None,
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(num_features, 1)
        self.embedding = Projection(num_features, num_classes, condition_size=condition_size)

    def forward(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        scores: Tensor = self.linear(features).squeeze(1)
        projected: Tensor = self.embedding(features, condition)
        return scores + projected
