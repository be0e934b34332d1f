"""`Adversary`: the discriminator's side and its updates, inside a training loop of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganforge.config.arguments import Named, Several
from ganforge.contracts import Batch, Draw, Inputs
from ganforge.device.execution import Execution
from ganforge.engine import step as engine
from ganforge.errors import UsageError, listed
from ganforge.plugin.fields import SAMPLE, Field
from ganforge.plugin.schedule import Progress
from ganforge.printable import printable

from .networks import Shape, as_field, as_fields
from .one_side import counted_in_shares, side_configuration, side_setup

CHECKED_EVERY = 100  # updates, on a device where looking for NaN waits

#: the modules of an adversary that have state, by their place in its state
Modules = dict[str, nn.Module]


class Adversary:
    """A discriminator with its losses and its optimizer, for a generator that a program trains.

        critic = ganforge.Adversary(discriminator="dcgan", loss=["hinge"], sample=(3, 64, 64))
        for inputs, target in loader:
            output = network(inputs)
            loss = task(output, target) + 0.01 * critic.generator_loss(output)
            optimizer.zero_grad(); loss.backward(); optimizer.step()
            critic.update(target, output)

    It is the discriminator's update of the engine, on the same terms: lazy ones (`every`), gradient
    penalties, augmentations and constraints work as in a run. To the engine the program's generator
    is one that gives as samples what it is fed.
    """

    def __init__(
        self,
        *,
        discriminator: Named | nn.Module,
        sample: Field | Shape,
        loss: Several = "nonsat",
        conditions: Mapping[str, Field | Shape | int] | None = None,
        augmentation: Several = (),
        optimizer: Named | None = None,
        joint_batch: bool = False,
        num_steps: int | None = None,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ) -> None:
        """Build the discriminator's side.

        `discriminator` is a name, a dictionary with a name and options, or a module of one's own
        that gives scores of samples. `sample` is what it judges: a shape `(C, H, W)` or `(D,)`, or
        a field. `conditions` are what it is told, by name: fields, shapes, or a number of classes.
        `loss`, `augmentation` and `optimizer` are as in `ganforge.train`, but that the losses are
        those that are named alone, and the optimizer unless it is given Adam at a constant rate of
        0.001: the length of the training need not be known. `num_steps`, the length
        of the training in updates, is needed where something follows the share that is done.

        Raises UsageError for what does not fit, ConfigError for options.
        """
        self._fields = {SAMPLE: as_field(sample), **as_fields(conditions)}
        config = side_configuration(
            self._fields,
            discriminator,
            joint_batch=joint_batch,
            num_steps=num_steps,
            seed=seed,
            device=str(device),
            loss=loss,
            augmentation=augmentation,
            optimizer=optimizer or {"name": "adam", "learning_rate": 1e-3},
        )
        self._execution = Execution.from_settings(config.execution)
        self._setup = side_setup(config, self._fields, self._execution)
        if num_steps is None and (keys := counted_in_shares(config, self._setup)):
            raise UsageError(
                f"{listed(keys)} follow the share of the training that is done: give its length in "
                "updates by num_steps="
            )
        self._num_updates = 0
        self._images = 0
        self._latest = self._progress()
        self._unobserved: tuple[Progress, engine.Sums] | None = None

    @property
    def network(self) -> nn.Module:
        """The discriminator, in training mode: samples `[B, *sample_shape]` to scores."""
        return self._setup.sides["discriminator"].network

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer of the discriminator's side."""
        return self._setup.sides["discriminator"].optimizer

    @property
    def device(self) -> torch.device:
        """The device that the discriminator is on."""
        return self._execution.device

    @property
    def num_updates(self) -> int:
        """The number of updates that were done."""
        return self._num_updates

    def generator_loss(
        self,
        fake: Tensor,
        real: Tensor | None = None,
        *,
        conditions: Mapping[str, Tensor] | None = None,
        fake_conditions: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """The generator's adversarial loss of its samples, a scalar to add to one's own.

        `fake` is `[B, *sample_shape]`, with its gradient, in the range of the real samples. `real`
        is needed by losses that compare the two, relativistic ones for example. `conditions` are
        those of the real samples and, unless `fake_conditions` says otherwise, of the fake ones.
        Its gradient reaches `fake` alone: no weight of the discriminator gets one.

        Raises UsageError for what does not fit, and where `fake` carries no gradient.
        """
        if not fake.requires_grad:
            raise UsageError("fake carries no gradient, so a loss of it trains no generator")
        draw = self._draw(real, fake, conditions, fake_conditions)
        setup, progress = self._setup, self._latest
        if not setup.objective.due("generator", progress.step):
            return fake.new_zeros((), dtype=torch.float32)
        self._observe()
        sums = engine.Sums(1)
        with self._precisely(), _frozen(self.network):
            setup.schedules.set(progress)
            total, _ = engine.loss(setup, "generator", draw, progress, sums)
        if setup.objective.observes("generator"):
            self._unobserved = (progress, sums)
        return total

    def update(
        self,
        real: Tensor,
        fake: Tensor,
        *,
        conditions: Mapping[str, Tensor] | None = None,
        fake_conditions: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor | float]:
        """One update of the discriminator, on as many real samples as fake ones.

        Both are `[B, *sample_shape]`; `fake` may carry a gradient, which is not followed. Gives the
        losses, the scores and the norm of the gradient by the names that `metrics.jsonl` has, on
        the device. Raises UsageError for what does not fit, and NonFiniteError, on an accelerator
        some updates later, where a loss or a gradient is not finite.
        """
        draw = self._draw(real, fake, conditions, fake_conditions)
        setup, progress = self._setup, self._progress()
        self._observe()
        metrics: dict[str, Tensor | float] = {}
        with self._precisely():
            setup.schedules.set(progress)
            if setup.objective.due("discriminator", progress.step):
                metrics = engine.update(setup, "discriminator", [draw], progress, 0)
        self._latest = progress
        self._num_updates += 1
        self._images += len(real)
        if self._num_updates % CHECKED_EVERY == 0:
            setup.guard.check()
        return metrics

    def state_dict(self) -> dict[str, Any]:
        """Everything that goes on from here, tensors and numbers, for `torch.save`."""
        self._setup.guard.check()
        self._observe()
        return {
            "modules": {name: it.state_dict() for name, it in self._modules().items()},
            "optimizer": self.optimizer.state_dict(),
            "num_updates": self._num_updates,
            "images": self._images,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the state of an adversary that was built in the same way. Raises UsageError."""
        modules = self._modules()
        if not {"modules", "optimizer", "num_updates", "images"} <= state.keys():
            raise UsageError("this is no state of a ganforge.Adversary")
        if state["modules"].keys() != modules.keys():
            theirs = listed([printable(name) for name in state["modules"]])
            raise UsageError(
                f"this is the state of other parts: {theirs}, not {listed([*modules])}"
            )
        try:
            for name, module in modules.items():
                module.load_state_dict(state["modules"][name])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise UsageError(f"the state does not fit: {printable(error, 400)}") from error
        self._num_updates, self._images = int(state["num_updates"]), int(state["images"])
        self._latest, self._unobserved = self._progress(before=1), None

    def _modules(self) -> Modules:
        setup = self._setup
        found: Modules = {"discriminator": self.network, "game": setup.game}
        found |= {f"loss/{term.name}": term.loss for term in setup.objective.terms}
        for it in setup.augmenting.chosen:
            found[f"augmentation/{it.selection.config_name}"] = it.module
        return found

    def _progress(self, before: int = 0) -> Progress:
        step = max(0, self._num_updates - before)
        return Progress(step=step, num_steps=self._setup.num_steps, images=self._images)

    @contextmanager
    def _precisely(self) -> Iterator[None]:
        """float32 and gradients, whatever mode the program's loop is in."""
        with torch.enable_grad(), torch.autocast(self.device.type, enabled=False):
            yield

    def _observe(self) -> None:
        """Let terms move their state by the generator's loss before, whose graph was used."""
        if self._unobserved is not None:
            with torch.no_grad():
                engine.observe(self._setup, "generator", *self._unobserved)
            self._unobserved = None

    def _draw(
        self,
        real: Tensor | None,
        fake: Tensor,
        conditions: Mapping[str, Tensor] | None,
        fake_conditions: Mapping[str, Tensor] | None,
    ) -> Draw:
        """Real and fake samples as the engine draws them: G's inputs are the fakes."""
        made = self._samples(fake, "fake")
        told = self._told(conditions, len(made), "conditions=")
        guessed = told
        if fake_conditions is not None:
            guessed = self._told(fake_conditions, len(made), "fake_conditions=")
        if real is None:
            return Draw(_NoReal(made.detach(), **told), Inputs(made, **guessed))
        true = self._samples(real, "real").detach()
        if len(true) != len(made):
            raise UsageError(f"there are {len(true)} real samples for {len(made)} fake ones")
        return Draw(Batch(self._execution.arrange(true), **told), Inputs(made, **guessed))

    def _samples(self, given: Tensor, name: str) -> Tensor:
        shape = self._fields[SAMPLE].known_shape
        if not isinstance(given, Tensor) or tuple(given.shape[1:]) != shape or not len(given):
            wanted = ", ".join(["B", *map(str, shape)])
            shown = [*given.shape] if isinstance(given, Tensor) else type(given).__name__
            raise UsageError(f"{name} must be a tensor [{wanted}], not {shown}")
        if not given.is_floating_point():
            raise UsageError(
                f"{name} must be of floats in the range of the samples, not {given.dtype}"
            )
        self._check_device(given, name)
        return given.float()

    def _told(self, given: Mapping[str, Tensor] | None, num: int, shown: str) -> dict[str, Tensor]:
        fields = {name: it for name, it in self._fields.items() if name != SAMPLE}
        told = dict(given or {})
        if told.keys() != fields.keys():
            wanted = listed([repr(name) for name in fields])
            theirs = listed([repr(printable(name)) for name in told])
            raise UsageError(f"{shown} must have {wanted}, and has {theirs}")
        for name, values in told.items():
            where = f"{shown} {name!r}"
            if tuple(values.shape) != (num, *fields[name].known_shape):
                wanted = ", ".join(map(str, (num, *fields[name].known_shape)))
                raise UsageError(f"{where} must be [{wanted}], not {[*values.shape]}")
            self._check_device(values, where)
            told[name] = values.long() if fields[name].kind == "category" else values.float()
        return told

    def _check_device(self, values: Tensor, name: str) -> None:
        if values.device != self.device:
            raise UsageError(f"{name} is on {values.device}, and the adversary on {self.device}")


class _NoReal(Batch):
    """The real samples of a generator's update that was given none."""

    __slots__ = ()

    @property
    def samples(self) -> Tensor:
        raise UsageError(
            "a loss reads real samples in the generator's update: give them by real= to "
            "generator_loss"
        )


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """A network whose weights want no gradient, so that none is computed."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
