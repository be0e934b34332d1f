"""`evaluate`: how good the samples of a run, of a generator or of a folder are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from ganforge.config.arguments import Argument
from ganforge.config.layers import Entry, Layer
from ganforge.errors import UsageError
from ganforge.evaluation.evaluate import carry_out
from ganforge.evaluation.plan import NUM_SAMPLES, Request, make_plan
from ganforge.evaluation.scores import Evaluated
from ganforge.measuring.streams import Progress, no_progress

from .registry import found_registry, hand_over
from .runs import Run
from .surroundings import own_surroundings


def evaluate(
    source: str | PathLike[str] | Run,
    *,
    dataset: Any = None,
    metric: str | Sequence[str] = (),
    features: str | Sequence[str] = (),
    num: int = NUM_SAMPLES,
    split: Literal["held-out", "training"] | None = None,
    seed: int = 0,
    truncation: float | None = None,
    best: bool = False,
    device: str | None = None,
    settings: Mapping[str, object] | None = None,
    progress: Progress = no_progress,
) -> Evaluated:
    """The scores of samples, each beside its floor, as `ganforge evaluate` gives them.

    `source` is a run, a generator's file, an `.npz` file, or a folder or zip of samples. `dataset`
    is a name, a path, or data of one's own as `ganforge.train` takes it. `settings` are options of
    data, metrics and extractors by key: `{"metric.kid.subsets": 10}`. `progress(what, done, total)`
    is told of what is extracted. Raises UsageError for what cannot be evaluated so.
    """
    if split not in (None, "held-out", "training"):
        raise UsageError(f"split= is 'held-out' or 'training', not {split!r}")
    registry = found_registry()
    handed: tuple[Entry, ...] = ()
    if dataset is not None and not isinstance(dataset, str | PathLike):
        from .datasets import dataset as data_of

        registry, handed = hand_over(registry, data_of(dataset), "dataset=")
        dataset = None
    request = Request(
        path=source.path if isinstance(source, Run) else Path(source),
        dataset=None if dataset is None else str(dataset),
        metrics=_names(metric),
        features=_names(features),
        num=num,
        split=split,
        seed=seed,
        truncation=truncation,
        best=best,
        device=device,
        settings=_layer(settings or {}),
        data=handed,
    )
    plan = make_plan(request, registry)
    plan.check_available()
    with own_surroundings():
        return carry_out(plan, registry, progress)


def _layer(settings: Mapping[str, object]) -> Layer:
    """Options by key as a layer."""
    return Layer(
        entries=tuple(
            Entry(path=tuple(key.split(".")), value=value, origin=Argument(f"settings[{key!r}]"))
            for key, value in settings.items()
        )
    )


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
