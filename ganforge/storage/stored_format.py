"""The samples of a stored generator and the format that shows them, known without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganforge.config.run_config import Selection
from ganforge.errors import CheckpointError
from ganforge.plugin.fields import Field
from ganforge.plugin.options import NoOptions
from ganforge.plugin.registry import Registry
from ganforge.storage.provenance import restore


def stored_field(document: Mapping[str, Any]) -> Field:
    """The field that a generator makes; the one of its shape in a file of 0.1, which has no more.

    Raises KeyError, TypeError or ValueError where the document is incomplete.
    """
    stored = document["problem"]
    if "sample" not in stored:
        return Field.of_shape(tuple(int(side) for side in stored["sample_shape"]))
    given = {name: _restored(value) for name, value in dict(stored["sample"]).items()}
    return Field(**given)


def _restored(value: Any) -> Any:
    """JSON knows no tuples."""
    return tuple(value) if isinstance(value, list) else value


def stored_format(document: Mapping[str, Any], registry: Registry, where: str) -> Selection:
    """The format of a stored generator. Raises CheckpointError where it is not installed."""
    try:
        if (record := document.get("sample_format")) is not None:
            return restore("format", dict(record), registry, where)
        component = registry.find("format", stored_field(document).format_name)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{where} is damaged: its description is incomplete") from error
    return Selection(component=component, options=NoOptions())
