"""The samples of a stored generator and the format that shows them, known without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganforge.config.run_config import Selection
from ganforge.plugin.fields import SAMPLE, Field
from ganforge.plugin.options import NoOptions
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import FormatSpec
from ganforge.storage.provenance import restore
from ganforge.storage.tensor_header import sound_description


def stored_field(stored: Mapping[str, Any]) -> Field:
    """A field of a file; what a newer ganforge says besides is left alone.

    Raises TypeError or ValueError where it is none.
    """
    known = Field.__dataclass_fields__
    values = {name: _restored(value) for name, value in stored.items() if name in known}
    found = Field(**values)
    if found.shape is None:
        raise ValueError("a field without a shape is that of data that was never read")
    return found


def _restored(value: Any) -> Any:
    """JSON knows no tuples."""
    return tuple(value) if isinstance(value, list) else value


def stored_format(
    document: Mapping[str, Any], registry: Registry, where: str
) -> Selection[FormatSpec]:
    """The format of a stored generator. Raises CheckpointError where it is not installed."""
    with sound_description(where):
        if (record := document.get("sample_format")) is not None:
            return restore(FormatSpec, dict(record), registry, where)
        problem = document["problem"]
        if SAMPLE in problem:
            sample = stored_field(problem[SAMPLE])
        else:  # a file of 0.1, which has no more
            sample = Field.of_shape(tuple(int(side) for side in problem["sample_shape"]))
    component = registry.find(FormatSpec, sample.format_name)
    return Selection(component=component, options=NoOptions())
