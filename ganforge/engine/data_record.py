"""Record of the data of a run in `data.json`: compared when the run goes on, and kept."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from ganforge.config.places import places_of
from ganforge.config.run_config import RunConfig
from ganforge.contracts import Dataset
from ganforge.data.comparing import differences, moved_classes
from ganforge.data.manifest import Manifest, take_manifest
from ganforge.device.randomness import Randomness
from ganforge.errors import DataError
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.printable import described
from ganforge.storage.run_directory import RunDirectory

from .assemble import Assembly
from .building import build_dataset

_GOES_ON = "The run goes on with what is there now, and no longer equals one that was never stopped"


@dataclass(frozen=True, kw_only=True)
class DataRecord:
    """The data of a session, and in what it differs from what the run was trained on."""

    manifest: Manifest
    differences: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """The part of it that the record of the session has."""
        return {
            "samples": self.manifest.num_samples,
            "digest": self.manifest.digest,
            "differences": [*self.differences],
        }


def record_data(
    run: RunDirectory, assembly: Assembly, *, compare: bool, consequence: str = _GOES_ON
) -> DataRecord:
    """The data of a session; `compare` it with what the run was trained on, and warn.

    Raises DataError where the files of classes have changed places in a run that uses labels. A
    run of which nothing was kept goes on.
    """
    config, data = assembly.config, assembly.data
    now = _taken(config, data.dataset, data.fields)
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
    return DataRecord(manifest=now, differences=_told(run, label, stored, now, consequence))


def warn_of_other_data(
    run: RunDirectory, label: str, dataset: Dataset, fields: Mapping[str, Field], consequence: str
) -> None:
    """Warn where a data set is not what a run was trained on; `label` is how messages name it."""
    stored = read_manifest(run)
    if stored is not None:
        _told(run, label, stored, take_manifest(dataset, fields), consequence)


def _told(
    run: RunDirectory, label: str, stored: Manifest, now: Manifest, consequence: str
) -> tuple[str, ...]:
    found = tuple(differences(stored, now))
    if found:
        warnings.warn(
            f"{label} is not what {run} was trained on: {'; '.join(found)}. {consequence}",
            stacklevel=3,
        )
    return found


def keep_data(run: RunDirectory, config: RunConfig, record: DataRecord) -> None:
    """Write what this session trains on, and where it lies. Raises RunDirectoryError."""
    dataset = config.dataset
    places = places_of(dataset.component.kind, dataset.options, dataset.located)
    run.write_data({"places": places, **record.manifest.to_json()})


def read_manifest(run: RunDirectory) -> Manifest | None:
    """The manifest of a run; None where there is none, with a warning if it is damaged."""
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


def compare_data(run: RunDirectory, config: RunConfig) -> tuple[str, ...] | None:
    """In what the data of a run is other than it was trained on; None where nothing was kept.

    The data set is read, and nothing else is built. Raises DataError where it is absent, and
    PluginError where it cannot be built.
    """
    stored = read_manifest(run)
    if stored is None:
        return None
    config.dataset.check_available()
    randomness = Randomness(config.training.seed, torch.device("cpu"))
    dataset, fields = build_dataset(config.dataset, config.fields, randomness)
    now = _taken(config, dataset, fields)
    return (*moved_classes(stored, now), *differences(stored, now))


def _taken(config: RunConfig, dataset: Dataset, fields: Mapping[str, Field]) -> Manifest:
    """The manifest of a run's data. Raises PluginError where the data set does not give it.

    Of the fields of the run, with the classes in the order in which the data set gives them.
    """
    own = dict(fields) | dict(dataset.fields)
    if dataset.classes is not None and LABEL in own:
        own[LABEL] = replace(own[LABEL], classes=tuple(dataset.classes))
    used = {name: own[name] for name in (SAMPLE, *sorted(config.used_fields)) if name in own}
    # Data that a program hands over has a digest among its options, and may be read but once.
    take = partial(take_manifest, look=not config.dataset.spec.handed_over)
    manifest: Manifest = config.dataset.component.call("cannot be looked at", take, dataset, used)
    return manifest
