"""The n-grams of text, and how many texts are like no other."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganforge import Evaluation, Metric, Problem

from . import NgramOptions


class Ngrams(Metric):
    """Distance of the n-grams of generated texts from those of real ones.

    - `js1`, `js2`, ...: the Jensen-Shannon divergence, in bits, of the frequencies of n-grams of
      that length, from 0 to 1, as Gulrajani et al. (2017) watch their language model;
    - `unique`: the share of generated texts that are generated once.

    Samples are one-hot sequences `[N, K, T]`; the token at a place is that with the largest number.
    Long n-grams are rare, so real samples are far from 0 there: compare with their own numbers.
    What n-grams do not reach, a plot or a rhyme, they do not see, and copied texts score best.
    """

    def __init__(self, problem: Problem, options: NgramOptions) -> None:
        sample = problem.sample
        tokens, length = problem.sample_shape
        if sample.format not in (None, "text") or sample.rate is not None:
            raise ValueError(
                "the metric 'n-grams' is for one-hot sequences, whose field has the format 'text'"
            )
        longest = min(options.longest, length)
        if tokens**longest >= 2**63:
            raise ValueError(
                f"n-grams of {longest} of {tokens:,} tokens are too many to number; lower "
                "metric.n-grams.longest"
            )
        self.num_tokens, self.longest = tokens, longest

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real, fake = (it.argmax(1) for it in (evaluation.real, evaluation.fake))
        found = {
            f"js{n}": js_divergence(self._numbers(real, n), self._numbers(fake, n))
            for n in range(1, self.longest + 1)
        }
        counts = torch.unique(fake, dim=0, return_counts=True)[1]
        return {**found, "unique": float((counts == 1).sum() / len(fake))}

    def _numbers(self, texts: Tensor, n: int) -> Tensor:
        """All n-grams of texts `[N, T]`, each as a number."""
        powers = self.num_tokens ** torch.arange(n, device=texts.device)
        return (texts.unfold(1, n, 1) * powers).sum(2).flatten()


def js_divergence(one: Tensor, other: Tensor) -> float:
    """In bits, of the frequencies of values in two lists of integers."""
    values, places = torch.unique(torch.cat([one, other]), return_inverse=True)
    shares = [
        part.bincount(minlength=len(values)).double() / len(part)
        for part in torch.split(places, [len(one), len(other)])
    ]
    middle = (shares[0] + shares[1]) / 2
    bits = [torch.special.xlogy(it, it / middle).sum() / 2 for it in shares]
    return max(0.0, float((bits[0] + bits[1]) / torch.log(torch.tensor(2.0, dtype=torch.float64))))
