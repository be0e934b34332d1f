"""Record of the data of a run in `data.json`: compared when the run goes on, and kept."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

from ganforge.config.places import places_of
from ganforge.config.run_config import RunConfig
from ganforge.data.comparing import differences, moved_classes
from ganforge.data.manifest import Manifest, take_manifest
from ganforge.errors import DataError
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.printable import described
from ganforge.storage.run_directory import RunDirectory

from .assemble import Assembly


@dataclass(frozen=True, kw_only=True)
class DataRecord:
    """What a session trains on, and in what that differs from what the run was trained on."""

    manifest: Manifest
    differences: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """What the record of the session says of it."""
        return {
            "samples": self.manifest.num_samples,
            "digest": self.manifest.digest,
            "differences": [*self.differences],
        }


def record_data(run: RunDirectory, assembly: Assembly, *, compare: bool) -> DataRecord:
    """The data of a session; `compare` it with what the run was trained on, and warn.

    Raises DataError where the files of classes have changed places in a run that uses labels. A
    run of which nothing was kept goes on.
    """
    config = assembly.config
    now = take_manifest(assembly.data.dataset, _used(assembly))
    stored = read_manifest(run) if compare else None
    if stored is None:
        return DataRecord(manifest=now, differences=())
    label = config.dataset.label
    if LABEL in config.used_fields and (moved := moved_classes(stored, now)):
        raise DataError(
            f"{label} has other classes than {run} was trained on, so that a label would mean "
            f"something else: {'; '.join(moved)}. Their folders were renamed: name them as they "
            "were"
        )
    found = tuple(differences(stored, now))
    if found:
        warnings.warn(
            f"{label} is not what {run} was trained on: {'; '.join(found)}. The run goes on with "
            "what is there now, and no longer equals one that was never stopped",
            stacklevel=2,
        )
    return DataRecord(manifest=now, differences=found)


def keep_data(run: RunDirectory, config: RunConfig, record: DataRecord) -> None:
    """Write what this session trains on, and where it lies. Raises RunDirectoryError."""
    dataset = config.dataset
    places = places_of(dataset.component.kind, dataset.options, dataset.located)
    run.write_data({"places": places, **record.manifest.to_json()})


def read_manifest(run: RunDirectory) -> Manifest | None:
    """What a run was trained on; None where nothing tells, with a warning if it is damaged."""
    try:
        stored = run.read_data()
        return None if stored is None else Manifest.from_json(stored)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        warnings.warn(
            f"{run.data.name} of {run} cannot be read ({described(error)}), so nothing tells "
            "whether the data is what the run was trained on",
            stacklevel=3,
        )
        return None


def _used(assembly: Assembly) -> dict[str, Field]:
    """The fields of the run, with the classes in the order in which the data set gives them."""
    dataset, config = assembly.data.dataset, assembly.config
    own = dict(assembly.data.fields) | dict(dataset.fields)
    if dataset.classes is not None and LABEL in own:
        own[LABEL] = replace(own[LABEL], classes=tuple(dataset.classes))
    return {name: own[name] for name in (SAMPLE, *sorted(config.used_fields)) if name in own}
