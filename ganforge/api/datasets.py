"""`dataset`: tensors, arrays, a torch data set or an iterable of one's own, ready to train on."""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, TensorDataset

from ganforge.contracts import Dataset, EndlessDataset, InMemoryDataset, MapDataset
from ganforge.data.batches import tensors_of
from ganforge.errors import DataError, UsageError
from ganforge.plugin.fields import LABEL, SAMPLE, Field, Kind
from ganforge.printable import described as shown_error
from ganforge.storage.checkpoint import digest

from .items import Items, ReadByNumber, Stream, by_name, values_of
from .values import Range, as_tensor, category_of, described, field_of, stored

NUM_LOOKED_AT = 16  # items of a set that is not in memory, for its fields and its digest


@dataclass(frozen=True, kw_only=True)
class GivenDataset:
    """Data of a Python program: its fields by name, and the data set that the engine reads.

    `digest` tells other data from it; it is empty where the data cannot be read again.
    """

    fields: Mapping[str, Field]
    dataset: Dataset
    digest: str

    def __len__(self) -> int:
        """The number of samples. Raises TypeError for data without end."""
        if isinstance(self.dataset, InMemoryDataset | MapDataset):
            return len(self.dataset)
        raise TypeError("a stream of samples has no length")

    def description(self) -> str:
        """The fields as JSON, as the configuration of a run has them."""
        return json.dumps(described(self.fields))


def dataset(
    source: Any,
    labels: Any = None,
    *,
    classes: Sequence[object] | None = None,
    range: Range | None = None,
    kind: Kind | None = None,
    conditions: Mapping[str, Any] | None = None,
    fields: Mapping[str, Field] | None = None,
) -> GivenDataset:
    """Data of one's own for `ganforge.train(dataset=...)`.

    `source` is one of
    - a tensor or an array of all samples: images `[N, C, H, W]`, vectors `[N, D]`, sequences
      `[N, C, T]` or videos `[N, C, T, H, W]`, or what `kind` says (`points` `[N, M, C]`, `voxels`);
      or a dictionary of such by field, one of which is called `sample`;
    - a map-style data set of torch, or any sequence: its items are samples, `(sample, label)`, or
      dictionaries by field, of tensors, arrays, numbers or PIL images;
    - an iterable of such items, which is gone through from its beginning in each pass; or a
      function that gives one;
    - a data set of the contracts: `ganforge.InMemoryDataset`, `MapDataset` or `EndlessDataset`.

    `labels` `[N]` are class numbers in [0, K) or class names, and `classes` the names of the K
    classes. `conditions` are other fields by name, `[N, ...]`, that a network can be told. Images
    of bytes need nothing else; of floats `range` says what is brought to -1 and 1: (0, 1) or
    (0, 255). Others are taken as the networks are to see them. `fields` say of a value, by name,
    what cannot be told from it: `{"sample": ganforge.Field(kind="vector", format="table")}`.

    Raises DataError for what is no data, and where it could mean several things.
    """
    if isinstance(source, GivenDataset):
        return source
    said = dict(fields or {})
    if isinstance(source, TensorDataset) and len(source.tensors) <= 2 and labels is None:
        source, *rest = source.tensors
        labels = rest[0] if rest else None
    given = {
        name: value
        for name, value in {**(conditions or {}), LABEL: labels}.items()
        if value is not None
    }
    if isinstance(source, Mapping):
        if SAMPLE not in source:
            raise DataError(f"the data has no {SAMPLE!r} among its fields: {[*source]}")
        given = {**{str(k): v for k, v in source.items() if k != SAMPLE}, **given}
        source = source[SAMPLE]
    if isinstance(source, Dataset):
        return _of_contract(source, kind, range, said)
    if _is_array(source):
        return _in_memory({SAMPLE: source, **given}, classes, range, kind, said)
    if given:
        names = ", ".join(given)
        raise UsageError(
            f"{names} beside {type(source).__name__}: data that is read item by item has them in "
            "its items, as (sample, label) or by name"
        )
    return _by_item(source, classes, range, kind, said)


def _is_array(source: Any) -> bool:
    """True for values that are all there: tensors, arrays, and nested lists of numbers."""
    if isinstance(source, Tensor) or (
        isinstance(source, list)
        and source
        and isinstance(source[0], Sequence)
        and all(isinstance(it, int | float) for it in source[0])
    ):
        return True
    return type(source).__module__.partition(".")[0] == "numpy"


def _in_memory(
    given: Mapping[str, Any],
    classes: Sequence[object] | None,
    value_range: Range | None,
    kind: Kind | None,
    said: Mapping[str, Field],
) -> GivenDataset:
    values: dict[str, Tensor] = {}
    found: dict[str, Field] = {}
    for name, value in given.items():
        field = said.get(name)
        if name == LABEL or (field is not None and field.kind == "category"):
            named = classes if name == LABEL else None
            if field is not None and field.classes is not None:
                named = field.classes
            values[name], names = category_of(value, name, named)
            found[name] = Field(kind="category", classes=names)
            continue
        tensor = as_tensor(value, name)
        if (
            name != SAMPLE
            and field is None
            and tensor.dim() == 1
            and not tensor.is_floating_point()
        ):
            values[name], names = category_of(tensor, name, None)
            found[name] = Field(kind="category", classes=names)
            continue
        if name != SAMPLE and tensor.dim() == 1:
            tensor = tensor[:, None]
        is_sample = name == SAMPLE
        found[name] = field or field_of(
            tensor, name, kind if is_sample else None, value_range if is_sample else None
        )
        _check_shape(tensor, found[name], name)
        values[name] = stored(tensor, found[name])
    num = len(values[SAMPLE])
    for name, tensor in values.items():
        if len(tensor) != num and found[name].paired:
            raise DataError(f"{name!r} has {len(tensor):,} values for {num:,} samples")
    if num == 0:
        raise DataError("the data has no samples")
    if classes is not None and LABEL not in values:
        raise UsageError("classes= are names of labels, and there are no labels")
    label = found.get(LABEL)
    samples, labels = values.pop(SAMPLE), values.pop(LABEL, None)
    held = InMemoryDataset(
        samples, labels, None if label is None else label.classes, others=values, fields=found
    )
    return _given(found, held, tensors_of(held))


def _check_shape(values: Tensor, field: Field, name: str) -> None:
    if field.shape is not None and tuple(values.shape[1:]) != field.shape:
        raise DataError(
            f"{name} has values of the shape {[*values.shape[1:]]}, and its field says "
            f"{[*field.shape]}"
        )


def _by_item(
    source: Any,
    classes: Sequence[object] | None,
    value_range: Range | None,
    kind: Kind | None,
    said: Mapping[str, Field],
) -> GivenDataset:
    """A set whose items are read when they are needed; a few are looked at."""
    start: Callable[[], Iterable[Any]] | None = None
    if isinstance(source, ReadByNumber) and not isinstance(
        source, IterableDataset | str | bytes | type
    ):
        if len(source) == 0:
            raise DataError("the data has no samples")
        numbers = sorted(
            {k * (len(source) - 1) // (NUM_LOOKED_AT - 1) for k in range(NUM_LOOKED_AT)}
        )
        items = [_item(source, number) for number in numbers]
    elif isinstance(source, Iterable) and not isinstance(source, str | bytes):
        if isinstance(source, Iterator):
            raise UsageError(
                "an iterator can be gone through once, and training begins anew with each pass: "
                "give a function that makes it, as in ganforge.dataset(lambda: samples())"
            )
        start = lambda: source  # noqa: E731
        items = [*itertools.islice(source, NUM_LOOKED_AT)]
    elif callable(source):
        start = source
        items = [*itertools.islice(source(), NUM_LOOKED_AT)]
    else:
        raise DataError(
            f"{type(source).__name__} is no data: give a tensor, an array, a torch data set, an "
            "iterable, or the name or the path of a data set"
        )
    if not items:
        raise DataError("the data has no samples")
    found = _fields_of_items(items, source, classes, value_range, kind, said)
    looked_at = [values_of(it, found, f"item {number}") for number, it in enumerate(items)]
    tensors = {
        f"{number}/{name}": value
        for number, values in enumerate(looked_at)
        for name, value in values.items()
    }
    second = _item(source, 0) if start is None else next(iter(start()))
    if not _same(looked_at[0], values_of(second, found, "item 0")):
        tensors = {}
    if start is not None:
        return _given(found, Stream(start, found), tensors)
    tensors["length"] = torch.tensor(len(source))
    return _given(found, Items(source, found), tensors)


def _same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """True where data that was read twice is the same; a warning where it is not."""
    if all(torch.equal(other[name], value) for name, value in one.items()):
        return True
    warnings.warn(
        "the first item of the data is another when it is read again, as random transforms make "
        "it: a run that goes on will not equal one that was never stopped. The setting data.flip "
        "mirrors images at random, by their number in the run",
        stacklevel=4,
    )
    return False


def _item(source: ReadByNumber, number: int) -> Any:
    try:
        return source[number]
    except Exception as error:
        raise DataError(
            f"item {number} of the data cannot be read: {shown_error(error)}"
        ) from error


def _fields_of_items(
    items: Sequence[Any],
    source: Any,
    classes: Sequence[object] | None,
    value_range: Range | None,
    kind: Kind | None,
    said: Mapping[str, Field],
) -> dict[str, Field]:
    """The fields of items, told from some of them."""
    named = [by_name(it, f"item {number}") for number, it in enumerate(items)]
    # Torchvision's sets name their classes so.
    classes = classes if classes is not None else getattr(source, "classes", None)
    found: dict[str, Field] = {}
    for name in named[0]:
        if name in said:
            found[name] = said[name]
        elif name == LABEL:
            # Labels without names of classes are not used: which there are would take a reading.
            if classes is not None:
                found[name] = Field(kind="category", classes=tuple(map(str, classes)))
        else:
            tensors = [as_tensor(it[name], f"{name!r} of item {k}") for k, it in enumerate(named)]
            if len({it.shape for it in tensors}) > 1:
                shapes = ", ".join(sorted({str([*it.shape]) for it in tensors})[:3])
                raise DataError(
                    f"{name!r} has several shapes ({shapes}): all samples must have one"
                )
            is_sample = name == SAMPLE
            found[name] = field_of(
                torch.stack(tensors),
                name,
                kind if is_sample else None,
                value_range if is_sample else None,
            )
    return found


def _of_contract(
    held: Dataset, kind: Kind | None, value_range: Range | None, said: Mapping[str, Field]
) -> GivenDataset:
    """A data set of the contracts, whose fields are told from what it gives."""
    rows, repeatable = _rows(held)
    found: dict[str, Field] = {}
    for name, values in rows.items():
        field = said.get(name) or held.fields.get(name)
        if name == LABEL:
            if held.classes is not None:
                found[name] = Field(kind="category", classes=tuple(held.classes))
        elif name == SAMPLE:
            found[name] = field or field_of(values, name, kind, value_range)
        else:
            found[name] = field or field_of(values, name, None, None)
    told = {name: values for name, values in rows.items() if name in found}
    return _given(found, held, told if repeatable else {})


def _rows(held: Dataset) -> tuple[dict[str, Tensor], bool]:
    """Values of all fields, `[N, ...]`, and whether they are the same when they are read again."""
    if isinstance(held, InMemoryDataset):
        return tensors_of(held), True
    if isinstance(held, MapDataset):
        one, other = (
            {n: torch.as_tensor(it)[None] for n, it in by_name(held[0], "item 0").items()}
            for _ in range(2)
        )
        return one, _same(one, other)
    if isinstance(held, EndlessDataset):
        one, other = (
            {SAMPLE: drawn.samples, **drawn.others}
            for drawn in (
                held.draw(NUM_LOOKED_AT, torch.Generator().manual_seed(0)) for _ in range(2)
            )
        )
        return one, _same(one, other)
    raise DataError(f"{type(held).__name__} is none of the kinds of data set")


def _given(
    fields: Mapping[str, Field], held: Dataset, tensors: Mapping[str, Tensor]
) -> GivenDataset:
    ordered = {SAMPLE: fields[SAMPLE], **{k: v for k, v in fields.items() if k != SAMPLE}}
    told = blake2b(digest(tensors).encode(), digest_size=16)
    told.update(json.dumps(described(ordered)).encode())
    return GivenDataset(fields=ordered, dataset=held, digest=told.hexdigest())
