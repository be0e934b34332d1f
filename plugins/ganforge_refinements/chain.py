"""MH-GAN (Turner et al., 2019, arXiv:1811.11357): a Markov chain over the generator's samples."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge import Inputs, Pair, Problem, Refined, Refinement

from . import ChainOptions

AT_ONCE = 1024  # proposals, of all chains together, that are judged in one pass


class MetropolisHastings(Refinement):
    """One chain of proposals for each sample, of which the last state is taken.

    Proposals are independent samples of G, so that one is accepted with the probability min(1,
    (D(x)^-1 - 1) / (D(x')^-1 - 1)) = min(1, exp(d(x') - d(x))) (equation 3). A chain begins at the
    score of a real sample of its class, and one that has accepted nothing is run again from a
    sample of G (section 3.2).
    """

    def __init__(self, problem: Problem, options: ChainOptions) -> None:
        super().__init__(problem, options)
        self.options: ChainOptions = options

    def refine(self, pair: Pair, inputs: Inputs) -> Refined:
        state = inputs.values.clone()
        moved, accepted = self._run(pair, inputs, state, self._real_start(pair, inputs))
        num_proposed, num_accepted = self.options.length * len(inputs), accepted
        stuck = (~moved).nonzero()[:, 0]
        if len(stuck):
            again = inputs[stuck]
            values = again.values.clone()
            _, accepted = self._run(pair, again, values, pair.log_ratio(again))
            state[stuck] = values
            num_proposed += self.options.length * len(stuck)
            num_accepted += accepted
        return Refined(
            inputs=Inputs(state, **inputs.others),
            num_proposed=num_proposed,
            num_accepted=num_accepted,
        )

    def _run(
        self, pair: Pair, inputs: Inputs, state: Tensor, current: Tensor
    ) -> tuple[Tensor, int]:
        """Run the chains, whose states are changed in place; which have moved, and how often."""
        num = len(inputs)
        moved = torch.zeros(num, dtype=torch.bool, device=state.device)
        per_pass = max(1, AT_ONCE // num)
        count = torch.zeros((), dtype=torch.int64, device=state.device)
        for start in range(0, self.options.length, per_pass):
            rounds = min(per_pass, self.options.length - start)
            places = torch.arange(num, device=state.device).repeat(rounds)
            proposals = pair.propose(inputs[places])
            log_ratios = pair.log_ratio(proposals).view(rounds, num)
            values = proposals.values.view(rounds, num, *state.shape[1:])
            chances = pair.uniform(rounds, num).log()
            for number in range(rounds):
                taken = chances[number] < log_ratios[number] - current
                current = torch.where(taken, log_ratios[number], current)
                state[taken] = values[number][taken]
                moved |= taken
                count += taken.sum()
        return moved, int(count)

    def _real_start(self, pair: Pair, inputs: Inputs) -> Tensor:
        """d of a real sample for each chain, of its group where there are real samples of it."""
        groups, chosen = pair.groups(inputs), pair.uniform(len(inputs))
        found = torch.empty_like(chosen)
        for number in torch.unique(groups).tolist():
            real = pair.real_log_ratios[pair.real_groups == number]
            real = real if len(real) else pair.real_log_ratios
            ours = groups == number
            found[ours] = real[(chosen[ours] * len(real)).long()]
        return found
