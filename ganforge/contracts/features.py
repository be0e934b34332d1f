"""`FeatureExtractor`, through which metrics look at samples, and what it `Extracted`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.problem import Problem


@dataclass(frozen=True)
class Extracted:
    """Features of N samples, `[N, D]`, and the scores of K classes, `[N, K]`, where there are some.

    Both are float32. Where a metric sees them they lie on the CPU, all N of them.
    """

    features: Tensor
    logits: Tensor | None = None

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: slice | Tensor) -> Extracted:
        """Those of some of the samples."""
        return Extracted(self.features[rows], None if self.logits is None else self.logits[rows])

    @staticmethod
    def joined(parts: Sequence[Extracted]) -> Extracted:
        """Those of several parts, one after the other."""
        scored = [it.logits for it in parts if it.logits is not None]
        return Extracted(
            torch.cat([it.features for it in parts]), torch.cat(scored) if scored else None
        )


class FeatureExtractor(nn.Module, ABC):
    """A network, usually, whose features stand for samples when metrics compare them.

    The problem that it is built for has the field `label` among its conditions where the data has
    labels. Its first weights are made under a fixed seed, the same for every run. It is in
    evaluation mode and without gradient whenever it extracts.

    `convention` says in words what is done to samples before they are looked at ("resized to 299 x
    299 as TensorFlow 1 did, grey as three equal channels"). `facts` are what is worth printing
    beside its name, such as the accuracy of a classifier; those that `fit` writes there are kept
    with the weights.
    """

    convention: str = ""

    def __init__(self, problem: Problem, options: Any = None) -> None:
        super().__init__()
        self.problem = problem
        self.options = options
        self.facts: dict[str, str | int | float] = {}

    @abstractmethod
    def extract(self, samples: Tensor) -> Extracted:
        """Features of samples `[B, *sample_shape]`, float32, as networks see them.

        Images are in [-1, 1]. A sample's features do not depend on the others of its batch.
        """

    def fit(self, samples: Tensor, labels: Tensor, generator: torch.Generator) -> None:
        """Learn from labelled samples that were trained on; for a spec with `needs_labels` alone.

        Samples are `[N, *sample_shape]`, labels int64 `[N]`, `generator` is on the CPU and what
        everything is drawn from. What is learnt belongs in parameters and buffers, which are
        cached by the content of the data.
        """
        raise NotImplementedError(f"{type(self).__name__} must define fit()")

    def fingerprint(self) -> str:
        """Line of text that its features follow from: another one, and cached features are void.

        The usual one is the class, the convention and a digest of all parameters and buffers.
        """
        digest = blake2b(digest_size=8)
        for name, tensor in sorted(self.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {[*tensor.shape]} ".encode())
            values = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            digest.update(values.numpy().data)
        kind = type(self)
        parts = [f"{kind.__module__}.{kind.__qualname__}", self.convention, digest.hexdigest()]
        return "; ".join(part for part in parts if part)

    def describe(self) -> str:
        """One line for people: the convention and the facts."""
        facts = [f"{name} {_shown(value)}" for name, value in self.facts.items()]
        return "; ".join(part for part in [self.convention, *facts] if part)


def _shown(value: str | int | float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
