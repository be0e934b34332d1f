"""`Generator.refined`: the generator with its latents chosen by its discriminator's scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ganforge.config.arguments import Argument
from ganforge.config.layers import Entry, Layer, from_run
from ganforge.config.refinement import choose_refinement
from ganforge.config.resolve import resolve
from ganforge.contracts import Inputs
from ganforge.errors import UsageError
from ganforge.plugin.specs import RefinementSpec
from ganforge.printable import printable
from ganforge.sampling.refining import Refining
from ganforge.sampling.trained_generator import TrainedGenerator
from ganforge.sampling.trained_pair import open_pair, refuse_what_has_no_pair
from ganforge.storage.run_directory import RunDirectory
from ganforge.storage.tensor_header import GENERATOR, read_document

from .generator import Generator
from .registry import found_registry
from .surroundings import own_surroundings


class RefinedGenerator(Generator):
    """A trained generator whose latents are chosen, or moved, by the scores of its discriminator.

    It is sampled from like any other; its samples equal those of `ganforge sample --refine` of the
    same seed.
    """

    def __init__(
        self, trained: TrainedGenerator, file: Path | None, name: str, options: Mapping[str, Any]
    ) -> None:
        super().__init__(trained, file)
        if file is None or not (file.parent / "config.toml").is_file():
            where = "it" if file is None else printable(file)
            raise UsageError(
                f"{where} is a generator alone, and refining needs the discriminator of its run: "
                "load the run directory"
            )
        self._run = RunDirectory.open(file.parent)
        self._document = read_document(file, GENERATOR)
        given = {"name": name, **options}
        entries = (
            Entry(path=(RefinementSpec.kind, key), value=it, origin=Argument("refined()"))
            for key, it in given.items()
        )
        registry = found_registry()
        self._selection = choose_refinement(Layer(entries=tuple(entries)), registry)
        refuse_what_has_no_pair(resolve([from_run(self._run.config)], registry), trained)
        self._refining: Refining | None = None

    @property
    def report(self) -> tuple[str, ...]:
        """What the samples took that were drawn last, in lines for people; none before any were.

        The share of proposals that was accepted is in it, and how the scores were calibrated.
        """
        return () if self._refining is None else tuple(self._refining.report())

    @property
    def acceptance(self) -> float | None:
        """The share of proposals that was accepted for the last samples; None of no rejection."""
        return None if self._refining is None else self._refining.tally.rate

    def _fed(
        self, trained: TrainedGenerator, num: int, seed: int, told: Mapping[str, Tensor]
    ) -> Iterator[Inputs]:
        with own_surroundings():
            pair = open_pair(self._run, trained, self._document, found_registry(), seed)
            self._refining = Refining(self._selection, pair)
        return self._refining(super()._fed(trained, num, seed, told))

    def _inputs(self, given: Any) -> Tensor:
        raise UsageError("inputs= gives latents, and a refinement chooses them")
