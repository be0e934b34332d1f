"""Refines the inputs of a trained generator, chunk by chunk, and tells what that took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch

from ganforge.config.selection import Selection
from ganforge.contracts import Inputs, Refined, Refinement
from ganforge.device.randomness import Randomness
from ganforge.engine.building import build
from ganforge.errors import PluginError, UsageError
from ganforge.plugin.specs import RefinementSpec
from ganforge.printable import printable
from ganforge.sampling.trained_pair import TrainedPair

R = TypeVar("R")


def _normal(inputs: Inputs) -> Inputs:
    """Copies that a gradient can reach, of what may have been made in inference mode."""
    return Inputs(inputs.values.clone(), **{n: it.clone() for n, it in inputs.others.items()})


@dataclass(kw_only=True)
class Tally:
    """Account of a refinement: inputs judged, accepted, and given up on."""

    num_proposed: int = 0
    num_accepted: int = 0
    num_failed: int = 0

    def add(self, refined: Refined) -> None:
        self.num_proposed += refined.num_proposed
        self.num_accepted += refined.num_accepted
        self.num_failed += refined.num_failed

    @property
    def rate(self) -> float | None:
        """The share of proposals that were accepted; None where nothing was rejected."""
        return self.num_accepted / self.num_proposed if self.num_proposed else None


class Refining:
    """A refinement at work on a pair; `tally` grows with every chunk."""

    def __init__(self, selection: Selection[RefinementSpec], pair: TrainedPair) -> None:
        self._selection = selection
        self._pair = pair
        self.tally = Tally()
        randomness = Randomness(0, pair.trained.execution.device)
        self._refinement = build(selection, pair.problem, randomness, Refinement)
        with torch.no_grad():
            self._call(lambda: self._refinement.prepare(pair))

    def __call__(self, chunks: Iterable[Inputs]) -> Iterator[Inputs]:
        """Refined inputs for the same conditions, in the same chunks."""
        for number, inputs in enumerate(chunks):
            self._pair.start(number)
            # Whoever draws may be in inference mode, in which nothing has a gradient.
            with torch.inference_mode(False), torch.no_grad():
                inputs = _normal(inputs)
                refined = self._call(lambda: self._refinement.refine(self._pair, inputs))  # noqa: B023
            self._check(refined, inputs)
            self.tally.add(refined)
            yield refined.inputs

    def _call(self, function: Callable[[], R]) -> R:
        """Call the refinement. A ValueError of its own is the user's, as the contract has it."""
        try:
            result: R = self._selection.component.call("failed", function)
        except PluginError as error:
            if type(error.__cause__) is ValueError:
                name = self._selection.component.name
                raise UsageError(f"refining by {name!r}: {printable(error.__cause__)}") from error
            raise
        else:
            return result

    def _check(self, refined: object, inputs: Inputs) -> None:
        if not isinstance(refined, Refined):
            raise PluginError(f"{self._selection.label} must give a ganforge.Refined")
        if refined.inputs.values.shape != inputs.values.shape:
            shapes = [[*it.values.shape] for it in (refined.inputs, inputs)]
            raise PluginError(f"{self._selection.label} gave inputs {shapes[0]} for {shapes[1]}")

    def report(self) -> list[str]:
        """Report what it took, in lines for people."""
        found, tally = [], self.tally
        name = self._selection.component.name
        if tally.rate is not None:
            found.append(
                f"{name} accepted {100 * tally.rate:.3g} % of {tally.num_proposed:,} proposals"
            )
        if tally.num_failed:
            found.append(
                f"for {tally.num_failed:,} samples none was accepted, so they are the best of many"
            )
        calibration = self._pair.calibration
        if calibration.slope == 0.0:
            found.append(
                "the discriminator scores generated samples as high as real ones, so that there is "
                "nothing to refine by"
            )
            return found
        which = "held-out" if self._pair.held_out else "real"
        found.append(
            f"log ratio = {calibration.slope:.3g} score {calibration.intercept:+.3g}, from "
            f"{len(self._pair.real_log_ratios):,} {which} samples against generated ones "
            f"(Z = {calibration.diagnostic:+.1f})"
        )
        return found
