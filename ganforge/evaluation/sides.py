"""The two sides of an evaluation: real samples by split, and what is compared with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor

from ganforge.config.run_config import Selection, fields_of
from ganforge.contracts import Batch, Dataset
from ganforge.data.batches import Batches, open_batches
from ganforge.data.classes import Classes, in_trained_order
from ganforge.data.scaling import prepared
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.engine.building import build_dataset
from ganforge.engine.data_record import warn_of_other_data
from ganforge.engine.evaluation import at_most
from ganforge.errors import DataError, UsageError
from ganforge.measuring.streams import Stream
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.plugin.specs import DatasetSpec
from ganforge.printable import printable
from ganforge.problem import Fit

from .plan import Plan


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A data set that was opened, with its fields as its data has them."""

    dataset: Dataset
    fields: Mapping[str, Field]
    batches: Batches


@dataclass(frozen=True, kw_only=True)
class RealData:
    """The real samples of an evaluation: those trained on, and those held out of it."""

    trained_on: Opened
    held_out: Opened | None
    holdout: float

    @property
    def dataset(self) -> Dataset:
        return self.trained_on.dataset

    @property
    def fields(self) -> Mapping[str, Field]:
        return self.trained_on.fields

    def training(self, num: int, *, first: bool | None = None) -> Stream:
        """At most so many of the samples that were trained on, evenly among them.

        `first` takes every other one of twice as many: the one half, or the other.
        """
        batches = self.trained_on.batches
        return _spread(batches, "training samples", num, first)

    def held(self, num: int, *, first: bool | None = None) -> Stream:
        """At most so many of the samples that were not trained on; `first` as in `training`."""
        name = "held-out samples"
        if self.held_out is not None:
            return _spread(self.held_out.batches, name, num, first)
        batches = self.trained_on.batches
        there = batches.num_held_out
        if first is None:
            return Stream(name=name, num=at_most(num, there), read=batches.held_out)
        half = at_most(num, None if there is None else there // 2)
        offset = 0 if first else half
        return Stream(
            name=name, num=half, read=lambda start, size: batches.held_out(offset + start, size)
        )


def _spread(batches: Batches, name: str, num: int, first: bool | None) -> Stream:
    """Samples evenly among those of a set, or every other one of twice as many."""
    there = batches.num_samples
    if first is None:
        of = at_most(num, there)
        return Stream(
            name=name, num=of, read=lambda start, size: batches.trained_on(start, size, of)
        )
    half = at_most(num, None if there is None else there // 2)
    offset = 0 if first else 1

    def read(start: int, size: int) -> Batch:
        both = batches.trained_on(2 * start, 2 * size, 2 * half)
        others = {n: it[offset::2] for n, it in both.others.items()}
        return Batch(both.samples[offset::2], **others)

    return Stream(name=name, num=half, read=read)


def open_real(plan: Plan, execution: Execution, classes: Classes) -> RealData:
    """The real samples of a plan. Raises DataError where they are absent or do not fit.

    `classes` are those that a generator was trained on, by field.
    """
    trained_on = _open(plan, plan.dataset, execution, classes)
    held_out = None if plan.held_out is None else _open(plan, plan.held_out, execution, classes)
    shape = plan.source.shape
    found = trained_on.fields[SAMPLE].shape
    if shape is not None and found != shape:
        shown = [" x ".join(map(str, it or ())) for it in (found, shape)]
        raise DataError(
            f"{plan.dataset.label} gives samples of {shown[0]} here, and "
            f"{printable(plan.source.path)} has samples of {shown[1]}"
        )
    return RealData(trained_on=trained_on, held_out=held_out, holdout=plan.holdout)


def _open(
    plan: Plan, selection: Selection[DatasetSpec], execution: Execution, classes: Classes
) -> Opened:
    selection.check_available()
    randomness = Randomness(plan.split_seed, execution.device)
    dataset, fields = build_dataset(selection, fields_of(selection), randomness)
    read = {name for it in plan.metrics(fields)[0] for name in it.spec.reads}
    # A label costs nothing, and tells what was learnt of it.
    used = ({LABEL, *plan.source.needed, *read} & fields.keys()) - {SAMPLE}
    batches = open_batches(
        dataset,
        {name: fields[name] for name in (SAMPLE, *sorted(used))},
        batch_size=1,
        execution=execution,
        randomness=randomness,
        num_workers=0,
        holdout=plan.holdout,
        label=selection.label,
    )
    if selection is plan.dataset and (run := plan.trained_on_this) is not None:
        told = {name: fields[name] for name in (SAMPLE, *sorted(used))}
        consequence = "The scores are those by what is there now"
        warn_of_other_data(run, selection.label, dataset, told, consequence)
    batches, fields = in_trained_order(batches, fields, classes, "the generator", selection.label)
    return Opened(dataset=dataset, fields=fields, batches=batches)


def samples_of_folder(
    plan: Plan, selection: Selection[DatasetSpec], real: RealData, execution: Execution
) -> tuple[Stream, bool]:
    """The samples of a folder, as a data set reads them; and True where they have its labels."""
    selection.check_available()
    randomness = Randomness(0, execution.device)
    dataset, fields = build_dataset(selection, fields_of(selection), randomness)
    wanted, found = real.fields[SAMPLE].shape, fields[SAMPLE].shape
    if wanted != found:
        shown = [" x ".join(map(str, it or ())) for it in (found, wanted)]
        raise DataError(
            f"{printable(plan.source.path)} has samples of {shown[0]}, and not {shown[1]}"
        )
    classes = real.fields[LABEL].classes if LABEL in real.fields else None
    ours = fields[LABEL].classes if LABEL in fields else None
    labelled = classes is not None and ours is not None and sorted(classes) == sorted(ours)
    names = (SAMPLE, LABEL) if labelled else (SAMPLE,)
    batches = open_batches(
        dataset,
        {name: fields[name] for name in names},
        batch_size=1,
        execution=execution,
        randomness=randomness,
        num_workers=0,
        label=printable(plan.source.path),
    )
    if labelled and classes is not None:
        batches, _ = in_trained_order(
            batches, fields, {LABEL: classes}, "the data", printable(plan.source.path)
        )
    return _spread(batches, "the samples", plan.request.num, None), labelled


def samples_of_arrays(plan: Plan, real: RealData, execution: Execution) -> Stream:
    """The samples of an `.npz` file, as `ganforge sample` writes them. Raises UsageError."""
    where = printable(plan.source.path)
    try:
        with numpy.load(plan.source.path, allow_pickle=False) as loaded:
            values = torch.from_numpy(numpy.ascontiguousarray(loaded["samples"]))
            labels = torch.from_numpy(loaded["labels"]) if "labels" in loaded else None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{where} is not an .npz file of samples") from error
    if not len(values):
        raise UsageError(f"{where} has no samples")
    samples = _as_seen(values, real.fields[SAMPLE], real.dataset.fit)
    if not bool(samples.isfinite().all()):
        raise UsageError(f"{where}: some of its numbers are not finite")
    others: dict[str, Tensor] = {}
    if labels is not None:
        others[LABEL] = _checked(labels, len(samples), real.fields.get(LABEL), where)
    num = min(plan.request.num, len(samples))

    def read(start: int, size: int) -> Batch:
        part = slice(start, min(start + size, num))
        placed = execution.arrange(samples[part].to(execution.device))
        return Batch(placed, **{n: it[part].to(execution.device) for n, it in others.items()})

    return Stream(name="the samples", num=num, read=read)


def _checked(labels: Tensor, num: int, field: Field | None, where: str) -> Tensor:
    classes = field.num_classes if field is not None else None
    sound = labels.shape == (num,) and not labels.dtype.is_floating_point
    if not sound or (
        classes is not None and num and (int(labels.min()) < 0 or int(labels.max()) >= classes)
    ):
        raise UsageError(f"{where}: labels are integers [{num}] in [0, {classes or 'K'})")
    return labels.to(torch.int64)


def _as_seen(values: Tensor, field: Field, fit: Fit | None) -> Tensor:
    """Samples in the units of the data as networks see them: what a format writes, undone."""
    if values.dtype == torch.uint8:
        return prepared(values, field)
    samples = values.to(torch.float32)
    if fit is not None and fit.tensors.keys() & {"scale", "offset"}:
        offset, scale = fit.tensors.get("offset"), fit.tensors.get("scale")
        samples = samples if offset is None else samples - offset
        return samples if scale is None else samples / scale
    return prepared(samples, field) if field.range is not None else samples
