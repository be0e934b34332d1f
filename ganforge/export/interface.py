"""The interface of an exported generator: named inputs, samples, and their units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

import torch
from torch import Tensor, nn

from ganforge import __version__
from ganforge.contracts import Format
from ganforge.contracts.step import arguments
from ganforge.data.scaling import prepared
from ganforge.device.randomness import Randomness
from ganforge.engine.generation import evaluating
from ganforge.errors import UsageError
from ganforge.export.card import PLACES
from ganforge.export.usage import NORMAL
from ganforge.plugin.fields import Field
from ganforge.printable import printable
from ganforge.sampling.trained_generator import TrainedGenerator, feed

OUTPUT = "samples"
LATENTS = "latents"
_NUM_LOOKED_AT = 2048


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of an exported generator, `[B, *shape]`.

    `condition` is the field that it is a value of; None for what the sampler draws.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    units: str
    condition: Field | None = None

    @property
    def dtype(self) -> str:
        return "int64" if self.kind == "category" else "float32"

    def record(self, batch: int | str) -> dict[str, Any]:
        """The input as JSON."""
        classes = None if self.condition is None else self.condition.classes
        return {
            "name": self.name,
            "dtype": self.dtype,
            "shape": [batch, *self.shape],
            "kind": self.kind,
            "units": self.units,
            **({} if classes is None else {"classes": [*classes]}),
        }


class ExportedGenerator(nn.Module):
    """The generator as one function of named tensors, in the units of the data.

    `forward(latent=..., label=...)` gives what `ganforge sample --out samples.npz` holds: samples
    `[B, *sample_shape]`, float32. What is fed to it and the conditions follow the same rule: bytes
    are in [-1, 1], values of a field that declares a range are in its own units.
    """

    def __init__(self, trained: TrainedGenerator) -> None:
        super().__init__()
        self.network = trained.source.network
        self.game = trained.source.game
        self._keywords = trained.source.keywords
        self._format: Format = trained.format.format
        self._conditions = dict(trained.problem.conditions)
        self.inputs = inputs_of(trained)
        truncation = trained.source.truncation
        self._truncates = truncation is not None
        self._truncation: Tensor
        self.register_buffer("_truncation", torch.tensor(truncation or 0.0))

    def name_arguments(self) -> None:
        """Give `forward` a signature with the names of the inputs.

        torch.export makes the arguments of the exported program of it, and cannot do so of
        `**values`.
        """
        parameters = [Parameter(it.name, Parameter.POSITIONAL_OR_KEYWORD) for it in self.inputs]

        def forward(**values: Tensor) -> Tensor:
            return ExportedGenerator.forward(self, **values)

        forward.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        self.forward = forward  # type: ignore[method-assign]

    def forward(self, **values: Tensor) -> Tensor:
        fed, *names = (it.name for it in self.inputs)
        others = {name: prepared(values[name], self._conditions[name]) for name in names}
        told = arguments(others, self._keywords)
        if self._truncates:
            told["truncation"] = self._truncation
        samples = self.game.generate(self.network, values[fed], **told)
        return self._format.restored(samples).float()


def inputs_of(trained: TrainedGenerator) -> list[Input]:
    """The inputs of the exported generator: what the sampler draws first, then the conditions."""
    problem = trained.problem
    latents = trained.sampler_spec.inputs == LATENTS
    name = "latent" if latents else "input"
    if name in problem.conditions:
        raise UsageError(
            f"this generator is told a condition {name!r}, which is the name that its own input "
            "has in an exported file"
        )
    sampler = trained.source.selection.component
    drawn = (
        f"as the sampler {sampler.qualified_name!r} gives them: {printable(sampler.spec.summary)}"
    )
    first = Input(
        name=name,
        shape=tuple(problem.input_shape),
        kind=LATENTS if latents else "input",
        units=drawn if latents else f"{drawn}; bytes are in [-1, 1]",
    )
    conditions = [
        Input(
            name=name,
            shape=field.known_shape,
            kind=field.kind,
            units=_units(field),
            condition=field,
        )
        for name, field in problem.conditions.items()
    ]
    return [first, *conditions]


def _units(field: Field) -> str:
    if field.kind == "category":
        return f"the number of a class, from 0 to {(field.num_classes or 1) - 1}"
    if field.range is not None:
        low, high = field.range
        return f"those of the data, from {low:g} to {high:g}"
    if field.dtype == "uint8":
        return "[-1, 1]; a byte is (x + 1) * 127.5"
    return "those of the data"


def describe(
    trained: TrainedGenerator, document: Mapping[str, Any], batch: int | None
) -> dict[str, Any]:
    """Facts that a program must know of an exported generator, as JSON.

    `document` is that of the generator's file; `batch` the size of a batch where it is fixed.
    """
    problem, source = trained.problem, trained.source
    size: int | str = "batch" if batch is None else batch
    return {
        "ganforge": __version__,
        **{place: document[place] for place in PLACES if place in document},
        "inputs": [it.record(size) | _distribution(it, trained) for it in inputs_of(trained)],
        "output": {
            "name": OUTPUT,
            "dtype": "float32",
            "shape": [size, *problem.sample_shape],
            "kind": problem.sample.kind,
            "units": _units(problem.sample),
        },
        "parts": {name: [*span] for name, span in problem.parts.items()},
        "truncation": source.truncation,
        "best": document.get("best"),
        "fit": None if problem.fit is None else dict(problem.fit.facts),
    }


def example_inputs(trained: TrainedGenerator, num: int, seed: int) -> dict[str, Tensor]:
    """`num` values for each input, of the sampler where it draws latents, else noise."""
    randomness = Randomness(seed, trained.execution.device)
    generator = randomness.generator("export")
    first, *conditions = inputs_of(trained)
    told = {it.name: _noise(num, it, generator) for it in conditions}
    if trained.source.fed_with_data:
        return {first.name: _noise(num, first, generator), **told}
    fields = trained.problem.conditions
    seen = {name: prepared(value, fields[name]) for name, value in told.items()}
    fed = feed(trained, num=num, seed=seed, conditions=seen)
    return {first.name: torch.cat([it.values for it in fed]), **told}


def _distribution(it: Input, trained: TrainedGenerator) -> dict[str, str]:
    """Name the distribution of latents that anybody can draw: standard normal, if they are."""
    if it.kind != LATENTS or len(it.shape) != 1:
        return {}
    drawn = example_inputs(trained, _NUM_LOOKED_AT, seed=0)[it.name].double()
    return {"distribution": NORMAL} if _is_standard_normal(drawn) else {}


def _is_standard_normal(values: Tensor) -> bool:
    """True if numbers `[N, Z]`, and their squares summed over Z, are spread as those of N(0, I)."""
    size = values.shape[1]
    ordered = values.flatten().sort().values
    expected = (torch.arange(len(ordered)).double() + 0.5) / len(ordered)
    # Kolmogorov-Smirnov: 2.5 is passed by chance once in 10^5 draws.
    apart = (torch.special.ndtr(ordered.cpu()) - expected).abs().max().item()
    spread = values.square().sum(1).var().item() / (2 * size)
    return apart * len(ordered) ** 0.5 < 2.5 and 0.7 < spread < 1.3


def _noise(num: int, wanted: Input, generator: torch.Generator) -> Tensor:
    field, device = wanted.condition, generator.device
    if wanted.kind == "category":
        classes = (field.num_classes if field is not None else None) or 1
        return torch.randint(classes, (num,), generator=generator, device=device)
    low, high = (-1.0, 1.0) if field is None or field.range is None else field.range
    uniform = torch.rand(num, *wanted.shape, generator=generator, device=device)
    return uniform * (high - low) + low


def computed(module: ExportedGenerator, values: dict[str, Tensor]) -> Tensor:
    """Samples `[B, *sample_shape]` of torch itself, to hold an exported file against."""
    with torch.inference_mode(), evaluating(module):
        samples: Tensor = module(**values)
        return samples.cpu()
