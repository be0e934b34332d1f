"""`Step`: what is real and what is fake in one update, and what the networks say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganforge.plugin.schedule import Progress
from ganforge.plugin.specs import Side

from .batches import Inputs

if TYPE_CHECKING:
    from .games import Draw

#: `[B]`, `[B, ...]` for patches, or a list of such
Scores = Tensor | list[Tensor]
#: what a network gives besides its output, by name
Trace = Mapping[str, Tensor | Sequence[Tensor]]
#: keyword of a network -> the names of the conditions that reach it so
Keywords = Mapping[str, tuple[str, ...]]

_NOTHING: Trace = {}


def _nothing(name: str) -> Any:
    raise LookupError(f"{name} is not part of this step: the spec of what reads it must name it")


@dataclass(frozen=True, kw_only=True)
class Update:
    """State that the steps of one update share: the networks, whose turn it is, and what is due.

    `side` is the one that is trained. With `joint` D scores real and fake in one batch in its own
    update. With `differentiable` what D judges wants a gradient there, so that a term can
    differentiate D with respect to it. `traced` names what the terms that are due read of the
    networks' traces.
    """

    side: Side
    generator: nn.Module
    discriminator: nn.Module | None
    progress: Progress
    make_random: Callable[[], torch.Generator]
    joint: bool = False
    differentiable: bool = False
    traced: frozenset[str] = frozenset()
    generator_keywords: Keywords = field(default_factory=dict)
    discriminator_keywords: Keywords = field(default_factory=dict)
    parts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None

    @property
    def trains_generator(self) -> bool:
        return self.side == "generator"

    @cached_property
    def random(self) -> torch.Generator:
        """The generator, on the device, that games and augmentations draw from in this update."""
        return self.make_random()

    def traces(self, source: str) -> bool:
        """True where a term that is due reads something of this source, `generated` for one."""
        return any(name.startswith(source) for name in self.traced) if self.traced else False


class Step:
    """One pair of what is real and what is fake, in one update of one side, as a term sees it.

    Everything is computed when it is first read, and once. In the discriminator's update nothing
    that the generator makes carries a gradient; in the generator's it does. A game derives from
    this class: it says what is real and what is fake by `make_real` and `make_fake`, and adds
    quantities as cached properties of its own, which its spec names in `provides`.
    """

    def __init__(self, update: Update, draw: Draw) -> None:
        self.update = update
        self.draw = draw
        self._notes: dict[str, Tensor] = {}

    # What was drawn.

    @property
    def progress(self) -> Progress:
        """The progress of training: `step.progress.value(schedule)` is the number of a schedule."""
        return self.update.progress

    @property
    def samples(self) -> Tensor:
        """Samples of the data set, `[B, *sample_shape]`."""
        return self.draw.batch.samples

    @property
    def conditions(self) -> Mapping[str, Tensor]:
        """The other fields of `samples` that the run uses, by name."""
        return self.draw.batch.others

    @property
    def labels(self) -> Tensor | None:
        """The labels `[B]` of `samples` in a conditional run, else None."""
        return self.draw.batch.labels

    @property
    def inputs(self) -> Tensor:
        """The generator's inputs, `[B, *input_shape]`."""
        return self.draw.inputs.values

    @property
    def generated(self) -> Tensor:
        """G of the inputs, `[B, *sample_shape]`, whatever the game counts as fake."""
        return self._generated[0]

    def part(self, name: str) -> Tensor:
        """The part `[B, size, ...]` of the inputs that the sampler names so."""
        start, end = self.update.parts[name]
        return self.inputs[:, start:end]

    # What the discriminator is to tell apart. A game overrides the first four.

    def make_real(self) -> Tensor:
        """The samples that count as real: those of the data set."""
        return self.samples

    def make_fake(self) -> Tensor:
        """The samples that count as fake: G(z)."""
        return self._generated[0]

    @property
    def real_conditions(self) -> Mapping[str, Tensor]:
        """The conditions that the discriminator is told of `real`, by name."""
        return self.draw.batch.others

    @cached_property
    def fake_conditions(self) -> Mapping[str, Tensor]:
        """The conditions that the discriminator is told of `fake`, by name.

        They are those that the generator was told; any other is that of the real samples.
        """
        return {**self.draw.batch.others, **self.draw.inputs.others}

    @property
    def fake_labels(self) -> Tensor | None:
        """The labels `[B]` that `fake` was generated for, else None."""
        return self.draw.inputs.labels

    @cached_property
    def real(self) -> Tensor:
        """The samples that the discriminator is to take for real; in the usual game, `samples`."""
        return self._judged(self.make_real())

    @cached_property
    def fake(self) -> Tensor:
        """The samples that the discriminator is to take for fake; in the usual game, G(z)."""
        return self._judged(self.make_fake())

    @property
    def reconstruction(self) -> Tensor:
        """The reconstructions of `samples`, one by one, where the inputs are made of them."""
        return self.fake

    def _judged(self, samples: Tensor) -> Tensor:
        if self.update.side == "generator":
            return samples
        samples = samples.detach()
        return samples.requires_grad_() if self.update.differentiable else samples

    # What the networks say.

    @property
    def real_scores(self) -> Scores:
        """The discriminator's scores of `real`: `[B]`, `[B, ...]` patches, or a list of such."""
        return self._scored_real[0]

    @property
    def fake_scores(self) -> Scores:
        """The discriminator's scores of `fake`."""
        return self._scored_fake[0]

    def trace(self, name: str) -> Any:
        """An output that a network gives besides its main one: a tensor, or a list of them.

        `real.NAME` and `fake.NAME` are the discriminator's of `real` and `fake`, `generated.NAME`
        the generator's of the inputs. The term's spec must name it in `reads`.
        """
        if name not in self.update.traced:
            _nothing(name)
        source, _, key = name.partition(".")
        if source == "generated":
            return self._generated[1][key]
        return (self._scored_real if source == "real" else self._scored_fake)[1][key]

    def discriminate(
        self,
        samples: Tensor,
        conditions: Mapping[str, Tensor] | None = None,
        *,
        augment: bool = True,
    ) -> Scores:
        """The discriminator's scores of other samples, told `real_conditions` where none are given.

        Without `augment` they are seen as they are, in a run with augmentations too.
        """
        told = self.real_conditions if conditions is None else conditions
        return self._score(samples, told, traced=False, augment=augment)[0]

    def generate(self, inputs: Tensor, conditions: Mapping[str, Tensor] | None = None) -> Tensor:
        """G of other inputs `[B, *input_shape]`, told the same where nothing is given.

        It carries a gradient in the generator's update alone.
        """
        told = self.draw.inputs.others if conditions is None else conditions
        with torch.set_grad_enabled(self.update.trains_generator):
            samples: Tensor = self.update.generator(
                inputs, **arguments(told, self.update.generator_keywords)
            )
            return samples

    def note(self, name: str, values: Tensor) -> None:
        """Leave values `[B, ...]` that the term has measured for its `observe`.

        There `observed.noted[name]` has those of the whole batch, detached. Raises ValueError for a
        scalar.
        """
        if values.dim() == 0:
            raise ValueError(f"{name!r} is noted as a scalar: give a value for each sample, [B]")
        self._notes[name] = values.detach()

    def take_notes(self) -> dict[str, Tensor]:
        """The values that were left since this was asked last, by name; for the engine."""
        notes, self._notes = self._notes, {}
        return notes

    def told(self, conditions: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Conditions by name as the keyword arguments of a network of the generator's side."""
        return arguments(conditions, self.update.generator_keywords)

    def weights(self, side: Side) -> list[nn.Parameter]:
        """The parameters of one side that are trained, for penalties on weights."""
        network = self.update.generator if side == "generator" else self.update.discriminator
        assert network is not None, "compatibility.py lets no such run begin"
        return [parameter for parameter in network.parameters() if parameter.requires_grad]

    @cached_property
    def _generated(self) -> tuple[Tensor, Trace]:
        return self.draw.generate(self.update)

    @cached_property
    def _scored_real(self) -> tuple[Scores, Trace]:
        if self.update.joint and self.update.side == "discriminator":
            return self._scored_both[0]
        real, told = self.real, self.real_conditions
        # In G's update D(x) is a constant, unless the game makes x or what D is told of it.
        grad = self.update.side == "discriminator" or _wants_gradient(real, told)
        with torch.set_grad_enabled(grad):
            return self._score(real, told, traced=self.update.traces("real."))

    @cached_property
    def _scored_fake(self) -> tuple[Scores, Trace]:
        if self.update.joint and self.update.side == "discriminator":
            return self._scored_both[1]
        return self._score(self.fake, self.fake_conditions, traced=self.update.traces("fake."))

    @cached_property
    def _scored_both(self) -> tuple[tuple[Scores, Trace], tuple[Scores, Trace]]:
        real, told = self.real, self.real_conditions
        both = {
            name: torch.cat([told[name], self.fake_conditions[name]])
            for names in self.update.discriminator_keywords.values()
            for name in names
        }
        traced = self.update.traces("real.") or self.update.traces("fake.")
        scores, trace = self._score(torch.cat([real, self.fake]), both, traced=traced)
        size = len(real)
        first = {name: _cut(value, None, size) for name, value in trace.items()}
        second = {name: _cut(value, size, None) for name, value in trace.items()}
        return (_cut(scores, None, size), first), (_cut(scores, size, None), second)

    def _score(
        self,
        samples: Tensor,
        told: Mapping[str, Tensor],
        *,
        traced: bool,
        augment: bool = True,
    ) -> tuple[Scores, Trace]:
        update = self.update
        network = update.discriminator
        assert network is not None, "compatibility.py lets no such run begin"
        if update.augment is not None and augment:
            samples = update.augment(samples, update.random)
        keywords = arguments(told, update.discriminator_keywords)
        if traced:
            output: tuple[Scores, Trace] = network.trace(samples, **keywords)  # type: ignore[operator]
            return output
        return network(samples, **keywords), _NOTHING


def arguments(values: Mapping[str, Tensor], keywords: Keywords) -> dict[str, Tensor]:
    """Conditions as the keyword arguments of a network: several of one kind are joined."""
    found: dict[str, Tensor] = {}
    for keyword, names in keywords.items():
        if len(names) == 1:
            found[keyword] = values[names[0]]
        elif keyword == "labels":
            found[keyword] = torch.stack([values[name] for name in names], dim=1)
        else:
            found[keyword] = torch.cat([values[name] for name in names], dim=1)
    return found


def generate(
    network: nn.Module, inputs: Inputs, keywords: Keywords, *, traced: bool = False
) -> tuple[Tensor, Trace]:
    """G(z, conditions), and its trace where that is read."""
    told = arguments(inputs.others, keywords)
    if traced:
        output: tuple[Tensor, Trace] = network.trace(inputs.values, **told)  # type: ignore[operator]
        return output
    return network(inputs.values, **told), _NOTHING


def _cut(value: Any, start: int | None, end: int | None) -> Any:
    """Part of a batch: of a tensor, or of every tensor in a list."""
    if isinstance(value, Tensor):
        return value[start:end]
    return [_cut(element, start, end) for element in value]


def _wants_gradient(samples: Tensor, told: Mapping[str, Tensor]) -> bool:
    return samples.requires_grad or any(tensor.requires_grad for tensor in told.values())


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Observation of an update, for what adapts: one, however many parts the batch came in.

    Scores are detached, `[B, ...]` over the whole batch; None where no term has read them. `noted`
    has what the term that is told has left by `step.note`, by name: empty where it was not due.
    """

    side: Side
    progress: Progress
    batch_size: int
    real_scores: Tensor | None
    fake_scores: Tensor | None
    noted: Mapping[str, Tensor] = field(default_factory=dict)


def mean_score(scores: Scores) -> Tensor:
    """The mean of scores, a scalar; of a list, the mean of its means."""
    if isinstance(scores, Tensor):
        return scores.mean()
    return torch.stack([element.mean() for element in scores]).mean()


def input_gradients(scores: Scores, samples: Tensor) -> Tensor:
    """The gradient `[B, *sample_shape]` of each score with respect to its own sample.

    It can be differentiated again. `scores` are those of `samples`, which need a gradient: those of
    a step do where the term's spec names the discriminator in `double_backward`, in its update.
    Samples must not influence each other's scores, or the gradient is that of the sum.
    """
    listed = [scores] if isinstance(scores, Tensor) else scores
    total = sum((element.sum() for element in listed[1:]), listed[0].sum())
    (gradients,) = torch.autograd.grad(total, samples, create_graph=True)
    return gradients
