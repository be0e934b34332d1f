"""Order of samples in batches, and those held out: functions of the seed and a number."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge.device.randomness import Randomness


class Order:
    """Order of a field's values: those that batch number n holds, and those held out of training.

    Batch n holds the values n * B to (n + 1) * B of the concatenation of one shuffled pass after
    another. A pass is a function of the seed and its number, so a resumed run goes on in mid-pass
    with nothing remembered. Of the set's `total` values `num_samples` are trained on. A field that
    is not paired has an order of its own, by its name. What is held out is drawn at random too,
    unless it is not `shuffled`, and then begins with the first value.
    """

    def __init__(
        self,
        total: int,
        batch_size: int,
        randomness: Randomness,
        holdout: float = 0.0,
        field: str = "",
        shuffled: bool = True,
    ) -> None:
        self._suffix = f"/{field}" if field else ""
        self._randomness = randomness
        num_held_out = round(holdout * total)
        split = torch.arange(total)
        if shuffled:
            split = torch.randperm(total, generator=self._generator("split"))
        self.num_samples = total - num_held_out
        self.batch_size = batch_size
        self._trained_on = split[num_held_out:] if num_held_out else None
        self._held_out = split[:num_held_out] if num_held_out else split
        self.num_held_out = len(self._held_out)
        self._pass = -1
        self._shuffled = torch.empty(0, dtype=torch.int64)

    def _generator(self, stream: str, *numbers: int) -> torch.Generator:
        name = stream + self._suffix
        return self._randomness.generator(name, *numbers, device=torch.device("cpu"))

    def shuffled(self, number: int, device: torch.device) -> Tensor:
        """The order `[N]` of pass `number`."""
        if number != self._pass or self._shuffled.device != device:
            order = torch.randperm(self.num_samples, generator=self._generator("order", number))
            if self._trained_on is not None:
                order = self._trained_on[order]
            self._shuffled = to_device(order, device)
            self._pass = number
        return self._shuffled

    def indices(self, number: int, device: torch.device) -> Tensor:
        """The indices `[B]` of batch `number`; a batch may span passes."""
        pieces = []
        start, wanted = number * self.batch_size, self.batch_size
        while wanted:
            pass_number, offset = divmod(start, self.num_samples)
            piece = self.shuffled(pass_number, device)[offset : offset + wanted]
            pieces.append(piece)
            start, wanted = start + len(piece), wanted - len(piece)
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def held_out(self, start: int, num: int) -> Tensor:
        """The indices `[num]` of held-out values, or of any where none are; fewer at the end."""
        return self._held_out[start : start + num]

    def trained_on(self, start: int, num: int, of: int) -> Tensor:
        """The indices `[num]` of values `start` on, of `of` evenly among those trained on."""
        places = torch.arange(start, min(start + num, of)) * self.num_samples // of
        return places if self._trained_on is None else self._trained_on.sort().values[places]


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on the device, copied without waiting where the device allows it."""
    if tensor.device == device:
        return tensor
    if device.type == "cuda" and not tensor.is_pinned():
        # Only a copy from pinned memory leaves the host free to go on.
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=device.type == "cuda")
