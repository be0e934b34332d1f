"""Rejection of samples by their score: with a chance, or below a threshold.

A sample that is rejected is drawn again with its own conditions, so that classes stay as they were
asked for. Bounds and thresholds are those of its group, a class where there are some.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from ganforge import Inputs, Pair, Problem, Refined, Refinement

from . import RejectionOptions, TopOptions

PART = 256  # inputs that are judged at once
MOST = 2000  # proposals for one sample, after which the best of them is taken
EPSILON = 1e-14  # for the numerics of equation 6, as in the paper
MIN_OF_GROUP = 50  # scores of a burn-in that a quantile is taken of


class _Rejecting(Refinement):
    """Draws each sample again until one is accepted."""

    @abstractmethod
    def chance(self, log_ratios: Tensor, groups: Tensor) -> Tensor:
        """The probability `[B]` to accept samples with these d, of these groups."""

    def refine(self, pair: Pair, inputs: Inputs) -> Refined:
        num, device = len(inputs), inputs.values.device
        chosen = inputs.values.clone()
        best = torch.full((num,), -torch.inf, device=device)
        waiting = torch.arange(num, device=device)
        num_proposed, tries = 0, 0
        candidates = inputs
        while len(waiting) and tries < MOST:
            repeats = 1 if tries == 0 else max(1, PART // len(waiting))
            if tries:
                candidates = pair.propose(inputs[waiting.repeat_interleave(repeats)])
            log_ratios = pair.log_ratio(candidates)
            groups = pair.groups(candidates)
            accepted = pair.uniform(len(candidates)) < self.chance(log_ratios, groups)
            accepted = accepted.view(-1, repeats)
            taken = accepted.any(1)
            # The first that is accepted; where none is, the best, for the case that none ever is.
            scores = log_ratios.view(-1, repeats)
            first = torch.where(taken, accepted.int().argmax(1), scores.argmax(1))
            num_proposed += int(torch.where(taken, first + 1, repeats).sum())
            places = first + torch.arange(len(waiting), device=device) * repeats
            better = taken | (scores.amax(1) > best[waiting])
            chosen[waiting[better]] = candidates.values[places[better]]
            best[waiting[better]] = log_ratios[places[better]]
            waiting = waiting[~taken]
            tries += repeats
        return Refined(
            inputs=Inputs(chosen, **inputs.others),
            num_proposed=num_proposed,
            num_accepted=num - len(waiting),
            num_failed=len(waiting),
        )


class Rejection(_Rejecting):
    """Discriminator rejection sampling (Azadi et al., 2019, arXiv:1810.06758).

    A sample is accepted with the probability sigmoid(F(x)), where F(x) = d(x) - M - log(1 -
    exp(d(x) - M - epsilon)) - gamma (equations 6 and 8): exp(d(x) - M) for gamma = 0, exact
    rejection sampling where d is right. M is the greatest d so far, of a group. gamma, a percentile
    of F without it over the burn-in, makes that a matter of the budget: at the 80th one sample in
    five has a chance of 1/2 or more.
    """

    def __init__(self, problem: Problem, options: RejectionOptions) -> None:
        super().__init__(problem, options)
        self.options: RejectionOptions = options
        self.bounds = self.shift = torch.zeros(0)

    def prepare(self, pair: Pair) -> None:
        log_ratios, groups = burn_in(pair, self.options.burn_in)
        self.bounds = log_ratios.new_full((pair.num_groups,), log_ratios.max().item())
        lowest = log_ratios.new_full((pair.num_groups,), -torch.inf)
        found = lowest.scatter_reduce(0, groups, log_ratios, "amax")
        self.bounds = torch.where(found.isfinite(), found, self.bounds)
        self.shift = quantiles(
            self._log_odds(log_ratios, groups), groups, self.options.percentile / 100, pair
        )

    def _log_odds(self, log_ratios: Tensor, groups: Tensor) -> Tensor:
        """F(x) without gamma, in float64: next to the bound it is a difference of 1e-14."""
        apart = (log_ratios.double() - self.bounds[groups].double()).clamp(max=0.0)
        return apart - torch.log(-torch.expm1(apart - EPSILON))

    def chance(self, log_ratios: Tensor, groups: Tensor) -> Tensor:
        self.bounds = self.bounds.scatter_reduce(0, groups, log_ratios, "amax")
        return torch.sigmoid(self._log_odds(log_ratios, groups) - self.shift[groups])


class Top(_Rejecting):
    """The samples whose score is among the highest `share` of their group.

    The threshold is a quantile of the burn-in, so that samples can be drawn one by one: top-k of
    infinitely many.
    """

    def __init__(self, problem: Problem, options: TopOptions) -> None:
        super().__init__(problem, options)
        self.options: TopOptions = options
        self.thresholds = torch.zeros(0)

    def prepare(self, pair: Pair) -> None:
        log_ratios, groups = burn_in(pair, self.options.burn_in)
        self.thresholds = quantiles(log_ratios, groups, 1.0 - self.options.share, pair)

    def chance(self, log_ratios: Tensor, groups: Tensor) -> Tensor:
        return (log_ratios >= self.thresholds[groups]).to(log_ratios)


def burn_in(pair: Pair, num: int) -> tuple[Tensor, Tensor]:
    """d `[num]` of fresh samples, and their groups `[num]`."""
    found, groups = [], []
    for start in range(0, num, PART):
        inputs = pair.fresh(min(PART, num - start))
        found.append(pair.log_ratio(inputs))
        groups.append(pair.groups(inputs))
    return torch.cat(found), torch.cat(groups)


def quantiles(values: Tensor, groups: Tensor, share: float, pair: Pair) -> Tensor:
    """The quantile of each group, `[num_groups]`; a group with few values has that of all."""
    overall = values.quantile(share)
    each = [values[groups == number] for number in range(pair.num_groups)]
    return torch.stack([it.quantile(share) if len(it) >= MIN_OF_GROUP else overall for it in each])
