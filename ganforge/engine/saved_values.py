"""Values of a run as it saves them: none may be NaN or infinite, and none is loaded that is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from torch import Tensor

from ganforge.errors import CheckpointError, NonFiniteError, shortened
from ganforge.printable import printable
from ganforge.storage import tensor_file
from ganforge.storage.generator_file import FIT
from ganforge.storage.run_directory import RunDirectory
from ganforge.storage.tensor_header import CHECKPOINT

from .state import TELEMETRY


class SavedValues:
    """Judge of the values in the checkpoints of a run.

    What is measured, or was given, is not judged, and neither is a tensor that holds infinity
    before the first step, as a mask may.
    """

    def __init__(self, run: RunDirectory, beginning: Mapping[str, Tensor]) -> None:
        self._run = run
        self._usual = {*nonfinite(beginning)}
        self._allowed: set[str] = set()

    def check_saving(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Raise NonFiniteError rather than let these be saved."""
        if bad := self._bad(tensors, self._allowed):
            raise NonFiniteError(
                f"{shortened(bad)} became NaN or infinite by step {step}; nothing was saved"
            )

    def check_loading(self, path: Path, tensors: Mapping[str, Tensor]) -> None:
        """Raise CheckpointError rather than let these be loaded."""
        if bad := self._bad(tensors, self._allowed):
            good = self.last_good()
            way = (
                "No checkpoint of the run is finite"
                if good is None
                else f"The newest that is finite is {printable(good)}: remove what is newer, and "
                "resuming goes on from it"
            )
            raise CheckpointError(
                f"{printable(path)} holds values that are NaN or infinite, and nothing was loaded: "
                f"{shortened(bad)}. {way}; --allow-nonfinite goes on from this one all the same"
            )

    def put_up_with(self, tensors: Mapping[str, Tensor]) -> None:
        """Let what is not finite in these be so from now on."""
        self._allowed |= {*self._bad(tensors)}

    def last_good(self) -> Path | None:
        """The newest checkpoint that is sound and finite."""
        return next((path for path, tensors in self._sound() if not self._bad(tensors)), None)

    def _sound(self) -> Iterator[tuple[Path, dict[str, Tensor]]]:
        for _, path in self._run.list_checkpoints():
            with suppress(CheckpointError):
                yield path, tensor_file.read(path, CHECKPOINT)[0]

    def _bad(self, tensors: Mapping[str, Tensor], allowed: Collection[str] = ()) -> list[str]:
        judged = {n: it for n, it in tensors.items() if not n.startswith((TELEMETRY, FIT))}
        return nonfinite(judged, {*self._usual, *allowed})


def nonfinite(tensors: Mapping[str, Tensor], usual: Collection[str] = ()) -> list[str]:
    """The names of the tensors that hold NaN or infinity, but for those that usually do."""
    return [
        printable(name)
        for name, tensor in tensors.items()
        if name not in usual and not bool(tensor.isfinite().all())
    ]
