"""Batches of a set that fits in memory: one tensor per field, on the device where it fits there."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganforge.contracts import Batch
from ganforge.device.execution import Execution
from ganforge.errors import PluginError
from ganforge.plugin.fields import GRIDS, SAMPLE, Field

from .batches import Batches
from .order import Order, to_device
from .scaling import prepared

DEVICE_SHARE = 0.4  # of the free memory of an accelerator that a data set may fill


class InMemoryBatches(Batches):
    """A set that fits in memory.

    Grids are stored with their channels last, `[N, H, W, C]`, so that a batch cut out of them is
    channels-last without a copy; `index_select` is some ten times faster than indexing.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        fields: Mapping[str, Field],
        orders: Mapping[str, Order],
        execution: Execution,
        label: str = "the data set",
    ) -> None:
        self.num_samples = orders[SAMPLE].num_samples
        self.num_held_out = min(order.num_held_out for order in orders.values())
        self._execution = execution
        self._orders = orders
        self._fields = fields
        self._stored: dict[str, Tensor] = {}
        for name, field in fields.items():
            if name not in tensors:
                raise PluginError(f"{label} declares the field {name!r}, and does not have it")
            values = _checked(tensors[name], name, field, label)
            if field.kind in GRIDS:
                values = values.movedim(1, -1)
            self._stored[name] = values.contiguous().to(_home(values, execution.device))

    def batch(self, number: int) -> Batch:
        return self._cut(
            {name: order.indices(number, self._home(name)) for name, order in self._orders.items()}
        )

    def held_out(self, start: int, num: int) -> Batch:
        rows = {name: order.held_out(start, num) for name, order in self._orders.items()}
        fewest = min(map(len, rows.values()))
        return self._cut({name: it[:fewest].to(self._home(name)) for name, it in rows.items()})

    def trained_on(self, start: int, num: int, of: int) -> Batch:
        rows = {name: order.trained_on(start, num, of) for name, order in self._orders.items()}
        return self._cut({name: it.to(self._home(name)) for name, it in rows.items()})

    def _home(self, name: str) -> torch.device:
        return self._stored[name].device

    def _cut(self, rows: Mapping[str, Tensor]) -> Batch:
        values = {
            name: self._value(name, rows[name] if name in rows else rows[SAMPLE])
            for name in self._fields
        }
        samples = values.pop(SAMPLE)
        return Batch(samples, **values)

    def _value(self, name: str, rows: Tensor) -> Tensor:
        stored, field = self._stored[name], self._fields[name]
        if rows.device != stored.device:
            rows = rows.to(stored.device)
        values = prepared(to_device(stored.index_select(0, rows), self._execution.device), field)
        if field.kind in GRIDS:
            values = values.movedim(-1, 1)
            if not self._execution.channels_last:
                values = values.contiguous()
        return values


def _checked(values: Tensor, name: str, field: Field, label: str) -> Tensor:
    """Require the shape and the type that the field declares."""
    dtypes = (torch.int64,) if field.kind == "category" else (torch.uint8, torch.float32)
    if values.shape[1:] == field.shape and values.dtype in dtypes:
        return values
    what = "samples" if name == SAMPLE else f"values of the field {name!r}"
    wanted = ", ".join(["N", *map(str, field.known_shape)])
    raise PluginError(
        f"{label} must give {what} of shape [{wanted}], {' or '.join(map(str, dtypes))}, not "
        f"{values.dtype} {list(values.shape)}"
    )


def _home(samples: Tensor, device: torch.device) -> torch.device:
    """The device that the set is kept on."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if samples.nbytes > DEVICE_SHARE * free:
            return torch.device("cpu")
    return device
