"""Specs of what measures samples: metrics, and the feature extractors that they look through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, get_args

from ganforge.plugin.base_specs import SampleSpec

Direction = Literal["lower", "higher"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

#: what a metric can read that an extractor makes
OF_FEATURES = ("features", "logits", "class_logits")


@dataclass(frozen=True, kw_only=True)
class MetricSpec(SampleSpec):
    """A measure of how good the samples are, taken between steps and by `ganforge evaluate`.

    `reads` names what it needs besides samples: `features` and `logits` of an extractor,
    `class_logits` where these are to be of the data's own classes, `training` for the samples that
    were trained on, `reconstruction` where it compares real samples with what the generator makes
    of them, `labels`, `fake_labels`, and what the data set gives (`mixture`). `features` names the
    extractor that it takes where none is chosen; None is the usual one for the samples. `better`
    says for its numbers, by their names, whether lower or higher is better; one that is neither is
    left out. `usual` is false for a metric that is measured only where somebody names it.
    """

    kind: ClassVar[str] = "metric"
    reserved_options = SampleSpec.reserved_options | {"features"}

    reads: tuple[str, ...] = ()
    features: str | None = None
    better: Mapping[str, Direction] = field(default_factory=dict)
    usual: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_quantities(self.reads)
        self._require(
            self.features is None or (isinstance(self.features, str) and bool(self.features)),
            f"features must be the name of an extractor or None, not {self.features!r}",
        )
        self._require(
            self.features is None or self.reads_features,
            "features names an extractor, and reads none of its results: add 'features' to reads",
        )
        sound = isinstance(self.better, Mapping) and all(
            isinstance(name, str) and name and it in DIRECTIONS for name, it in self.better.items()
        )
        self._require(sound, f"better must give 'lower' or 'higher' by number, not {self.better!r}")

    @property
    def reads_features(self) -> bool:
        """True where it reads what an extractor makes of samples."""
        return not {*OF_FEATURES}.isdisjoint(self.reads)


@dataclass(frozen=True, kw_only=True)
class FeaturesSpec(SampleSpec):
    """A feature extractor, through which metrics look at samples.

    `logits` says that it scores classes besides. `needs_labels` is for one that is trained on
    demand on the data set's own labels; its logits are those of the data's classes, in their order.
    """

    kind: ClassVar[str] = "features"
    noun: ClassVar[str] = "feature extractor"

    logits: bool = False
    needs_labels: bool = False

    @property
    def provides(self) -> frozenset[str]:
        """The results of it that a metric can read."""
        return frozenset(
            ["features"]
            + (["logits"] if self.logits else [])
            + (["class_logits"] if self.logits and self.needs_labels else [])
        )
