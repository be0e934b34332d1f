"""`Problem`: what every builder is given besides its options, and `Fit`: what data taught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .plugin.fields import LABEL, Field

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Facts and tensors that a data set has learnt from its data, stored with the generator.

    `facts` is plain JSON (the columns of a table, the tokens of a text), `tensors` are float32 or
    int64. Where `tensors` has `scale` and `offset`, which broadcast to a sample, a sample in the
    data's own units is `sample * scale + offset`.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)

    def restore(self, samples: Tensor) -> Tensor:
        """Samples `[N, *sample_shape]` in the units of the data that was fitted."""
        if "scale" in self.tensors:
            samples = samples * self.tensors["scale"].to(samples.device)
        if "offset" in self.tensors:
            samples = samples + self.tensors["offset"].to(samples.device)
        return samples


@dataclass(frozen=True, kw_only=True, init=False)
class Problem:
    """Description of a run's data and inputs, as a component is to see them.

    `sample` is the field that is generated; `sample_shape` its shape, `(C, H, W)` for images and
    `(D,)` for vectors. `input_shape` is what the generator is fed, `(Z,)` for latents; `parts` are
    the named parts of such an input, each a range along its first axis. `conditions` are the fields
    that this network is told besides: a network gets those of its own side, every other component
    those of the generator. `generator_conditions` are those of the generator for everybody: what a
    discriminator that is told less is to guess, as an auxiliary classifier does. `num_classes` is
    the number of classes K of the one category that is told, whatever it is called, and None where
    there is none. `fit` is what the data set has learnt from its data.

    `Problem(sample_shape=..., input_shape=..., num_classes=...)` is the short form for images or
    vectors.
    """

    sample: Field
    input_shape: tuple[int, ...]
    conditions: Mapping[str, Field]
    generator_conditions: Mapping[str, Field]
    parts: Mapping[str, tuple[int, int]]
    fit: Fit | None

    def __init__(
        self,
        *,
        sample_shape: tuple[int, ...] | None = None,
        input_shape: tuple[int, ...] = (),
        num_classes: int | None = None,
        sample: Field | None = None,
        conditions: Mapping[str, Field] | None = None,
        generator_conditions: Mapping[str, Field] | None = None,
        parts: Mapping[str, tuple[int, int]] | None = None,
        fit: Fit | None = None,
    ) -> None:
        if sample is None:
            if sample_shape is None:
                raise TypeError("a problem needs sample or sample_shape")
            sample = Field.of_shape(sample_shape)
        told = dict(conditions or {})
        if num_classes is not None:
            told[LABEL] = Field(kind="category", classes=tuple(map(str, range(num_classes))))
        guessed = told if generator_conditions is None else generator_conditions
        for name, value in (
            ("sample", sample),
            ("input_shape", input_shape),
            ("conditions", told),
            ("generator_conditions", dict(guessed)),
            ("parts", dict(parts or {})),
            ("fit", fit),
        ):
            object.__setattr__(self, name, value)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of a sample. Raises ValueError for a data set's builder, which is to tell."""
        return self.sample.known_shape

    @property
    def num_classes(self) -> int | None:
        """The number of classes K of the condition `label`, or of the one category that there is.

        None where no category is told, or several of which none is called `label`.
        """
        told = {name: it for name, it in self.conditions.items() if it.kind == "category"}
        only = next(iter(told.values())) if len(told) == 1 else told.get(LABEL)
        return None if only is None else only.num_classes

    @property
    def vector_size(self) -> int | None:
        """The size V of the condition `vector`, all vectors together; None where there is none."""
        sizes = [it.known_shape[0] for it in self.conditions.values() if it.kind == "vector"]
        return sum(sizes) if sizes else None
