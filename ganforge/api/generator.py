"""`load`: a trained generator, to sample from and to compute with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganforge.config.settings import ExecutionSettings
from ganforge.contracts import Drawn, Inputs
from ganforge.contracts.step import arguments
from ganforge.data.scaling import to_unit_range
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.engine.generation import CHUNK
from ganforge.errors import UsageError, listed
from ganforge.plugin.fields import LABEL, Field, undrawn
from ganforge.printable import printable
from ganforge.problem import Problem
from ganforge.runs.run import Run
from ganforge.sampling import gallery
from ganforge.sampling.checkpoint_generator import open_any
from ganforge.sampling.conditions import num_asked
from ganforge.sampling.trained_generator import TrainedGenerator, feed, make, truncated
from ganforge.storage.derived import generator_file
from ganforge.storage.paths import suffix_of

from .conditions import as_conditions
from .registry import found_registry
from .surroundings import own_surroundings
from .values import as_tensor

if TYPE_CHECKING:
    from PIL.Image import Image

    from .refined import RefinedGenerator

MAX_SEED = 2**63 - 1


class Generator:
    """A trained generator, on its device, in evaluation mode.

    Samples are float32 `[N, *problem.sample_shape]` on that device, as the networks see them: in
    [-1, 1] for images and whatever has a declared range. `restore` brings them to the units of the
    data.
    """

    def __init__(self, trained: TrainedGenerator, file: Path | None = None) -> None:
        self._trained = trained
        self._file = file

    @property
    def problem(self) -> Problem:
        """Problem that it was trained for: the sample's field, input shape, conditions, fit."""
        return self._trained.problem

    @property
    def network(self) -> nn.Module:
        """The module, in evaluation mode; of a game with several generators, all of them."""
        return self._trained.source.network

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names of the K classes of the condition `label`; None without labels."""
        return self._trained.classes

    @property
    def device(self) -> torch.device:
        """The device that it computes on."""
        return self._trained.execution.device

    @property
    def takes_latents(self) -> bool:
        """False where it is fed with data, images for one, which `inputs` are to give."""
        return not self._trained.source.fed_with_data

    def __repr__(self) -> str:
        name = type(self.network).__name__
        told = f", told {listed([*self.problem.conditions])}" if self.problem.conditions else ""
        return f"<{name}: {self.problem.sample.shown()} of {_by(self.problem)}{told}>"

    def __call__(self, inputs: Tensor, conditions: Mapping[str, Any] | None = None) -> Tensor:
        """Samples `[B, *sample_shape]` of inputs `[B, *input_shape]`, all in one pass.

        Gradients flow through it, unless the program has switched them off. Conditions are those
        of `sample`; each of the network's must be given.
        """
        values = self._inputs(inputs)
        told = as_conditions(self._trained, conditions)
        _require_number(told, len(values))
        for name in self.problem.conditions:
            if name not in told:
                raise UsageError(f"conditions= must have {printable(name)!r} here")
        rows = torch.arange(len(values))
        chosen = {name: _rows(value, rows, self.device) for name, value in told.items()}
        source = self._trained.source
        return source.game.generate(source.network, values, **arguments(chosen, source.keywords))

    def sample(
        self,
        n: int | None = None,
        seed: int = 0,
        *,
        conditions: Mapping[str, Any] | None = None,
        inputs: Any = None,
        truncation: float | None = None,
    ) -> Tensor:
        """`n` samples `[n, *sample_shape]`, float32 on the device.

        They are a function of the seed, and fewer are the first of more; without `n` they are as
        many as conditions or inputs ask for, else as a picture shows. They equal those of `ganforge
        sample`.

        `conditions` are what to generate for, by name: class names or numbers of a category, and
        tensors or arrays of anything else, in the units of the data; `[n, ...]`, or one for all.
        Labels that are not given take turns: sample i has the label i mod K. `inputs`
        `[n, *input_shape]` are latents or images of one's own, as the network sees them; bytes are
        scaled to [-1, 1]. `truncation` is less variety: latents, or styles, nearer to their mean.

        Raises UsageError for what this generator does not take, or cannot do without.
        """
        chunks = self._chunks(n, seed, conditions, inputs, truncation)
        return torch.cat([*chunks])

    def stream(
        self,
        n: int | None = None,
        seed: int = 0,
        *,
        conditions: Mapping[str, Any] | None = None,
        inputs: Any = None,
        truncation: float | None = None,
    ) -> Iterator[Tensor]:
        """The samples of `sample` in chunks `[B, *sample_shape]`, in constant memory."""
        return self._chunks(n, seed, conditions, inputs, truncation)

    def refined(self, refinement: str, **options: Any) -> RefinedGenerator:
        """This generator with its latents chosen, or moved, by the scores of its discriminator.

        `refinement` is the name of one that is installed, `rejection` or `langevin` for one, and
        `options` are its own. It needs the run that the generator was loaded from, and its data.

        Raises UsageError without run or discriminator, and ConfigError for wrong options.
        """
        from .refined import RefinedGenerator

        return RefinedGenerator(self._trained, self._file, refinement, options)

    def labels(self, n: int) -> Tensor:
        """The labels `[n]` of samples for which none were given.

        Raises UsageError where there are no classes.
        """
        if self.classes is None:
            raise UsageError("this generator was trained without labels, so it has no classes")
        return torch.arange(n) % len(self.classes)

    def latents(self, n: int, seed: int = 0) -> Tensor:
        """The inputs `[n, *input_shape]` that `sample` draws for this seed, on the device."""
        self._require_latents()
        _check_number(n, seed)
        told = {**self._stand_ins(), **self._usual_labels({})}
        fed = feed(self._trained, num=n, seed=seed, conditions=told)
        with own_surroundings():
            return torch.cat([chunk.values for chunk in fed])

    def restore(self, samples: Tensor) -> Tensor:
        """Samples in the units of the data, as `ganforge sample --out samples.npz` writes them.

        Those of a data set with a fit or a range are brought back to it; others, images of bytes
        among them, stay as they are.
        """
        return self._trained.format.format.restored(self._on_host(samples))

    def picture(self, samples: Tensor, labels: Any = None) -> Image:
        """One picture of samples, as the grids of a run are: images side by side, points."""
        from PIL import Image

        pixels = self._trained.format.picture(self._drawn(samples, labels)).numpy()
        return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)

    def save(self, path: str | PathLike[str], samples: Tensor, labels: Any = None) -> None:
        """Write samples to a file that their format has, by its suffix, or to a folder.

        `.png` is one picture and `.npz` arrays; what else there is depends on the samples: `.csv`,
        `.wav`, `.gif`. A path without a suffix is a folder that gets a file for each sample. Raises
        UsageError.
        """
        target, spec = Path(path), self._trained.format.spec
        drawn, shown = self._drawn(samples, labels), printable(target)
        ways = [*spec.suffixes, *(["a folder"] if spec.one_file_each else [])]
        suffix = "" if target.is_dir() else suffix_of(target)
        if suffix not in spec.suffixes and (suffix or spec.one_file_each is None):
            raise UsageError(
                f"{shown}: samples of the format {spec.name!r} are written as {listed(ways)}"
            )
        try:
            if suffix:
                gallery.save(self._trained, drawn, target)
            else:
                gallery.save_each(self._trained, drawn, target)
        except OSError as error:
            raise UsageError(f"{shown} cannot be written: {error.strerror}") from error

    def _chunks(
        self,
        n: int | None,
        seed: int,
        conditions: Mapping[str, Any] | None,
        inputs: Any,
        truncation: float | None,
    ) -> Iterator[Tensor]:
        """Everything that is wrong is raised here, and not when the first chunk is asked for."""
        told = as_conditions(self._trained, conditions)
        values = None if inputs is None else self._inputs(inputs)
        num = n if n is not None else num_asked(told)
        if values is not None:
            if num is not None and num != len(values):
                raise UsageError(f"there are {len(values)} inputs for {num} samples")
            num = len(values)
        num = gallery.usual_num(self._trained) if num is None else num
        _check_number(num, seed)
        _require_number(told, num)
        for name in sorted(undrawn(self.problem.conditions).keys() - told.keys()):
            shown = self.problem.conditions[name].shown()
            raise UsageError(
                f"this generator is told {printable(name)!r} ({shown}), which nothing draws: give "
                f"it by conditions={{{printable(name)!r}: ...}}"
            )
        told |= self._usual_labels(told)
        if values is None:
            self._require_latents()
            trained = truncated(self._trained, truncation)
            fed = self._fed(trained, num, seed, told)
        else:
            trained = self._trained
            if truncation is not None and not trained.source.truncates:
                raise UsageError("truncation= narrows the draw of latents, and inputs= gives them")
            trained = truncated(trained, truncation)
            fed = _given(values, told, self.device)
        return self._made(trained, fed, Randomness(seed, self.device))

    def _fed(
        self, trained: TrainedGenerator, num: int, seed: int, told: Mapping[str, Tensor]
    ) -> Iterator[Inputs]:
        """The latents of `num` samples, in chunks."""
        return feed(trained, num=num, seed=seed, conditions=told)

    def _made(
        self, trained: TrainedGenerator, fed: Iterator[Inputs], randomness: Randomness
    ) -> Iterator[Tensor]:
        number = 0
        while True:
            # Left between chunks: what the program does meanwhile is its own.
            with own_surroundings():
                inputs = next(fed, None)
                if inputs is None:
                    return
                # Of a network that draws from them; no other needs it.
                randomness.reseed_globals(number)
                (samples,) = [it for it, _ in make(trained, [inputs])]
            number += 1
            # Out of the mode of inference, in which a tensor cannot be used for training.
            yield samples.to(self.device, copy=True)

    def _inputs(self, given: Any) -> Tensor:
        """Inputs of one's own on the device. Raises UsageError for another shape."""
        values = given if isinstance(given, Tensor) else as_tensor(given, "inputs=")
        shape = self.problem.input_shape
        if tuple(values.shape[1:]) != shape or not len(values):
            wanted = ", ".join(["N", *map(str, shape)])
            raise UsageError(
                f"inputs= must be [{wanted}] here, as {_by(self.problem)}, not {[*values.shape]}"
            )
        if values.dtype == torch.uint8:
            values = to_unit_range(values, Field(kind="image", dtype="uint8"))
        return values.to(self.device, torch.float32)

    def _require_latents(self) -> None:
        if not self.takes_latents:
            wanted = ", ".join(["N", *map(str, self.problem.input_shape)])
            raise UsageError(
                f"this generator is not fed with latents, but with data: give it by inputs=, "
                f"[{wanted}] in [-1, 1]"
            )

    def _usual_labels(self, told: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if self.classes is None or LABEL in told:
            return {}
        return {LABEL: torch.arange(len(self.classes))}

    def _stand_ins(self) -> dict[str, Tensor]:
        """Zeros for conditions, on which latents do not depend."""
        return {
            name: torch.zeros(1, *field.known_shape)
            for name, field in undrawn(self.problem.conditions).items()
        }

    def _drawn(self, samples: Tensor, labels: Any) -> Drawn:
        told = None
        if labels is not None:
            told = as_conditions(self._trained, {LABEL: labels})[LABEL].cpu()
            if len(told) != len(samples):
                raise UsageError(f"there are {len(told)} labels for {len(samples)} samples")
        return Drawn(samples=self._on_host(samples), labels=told, classes=self.classes)

    def _on_host(self, samples: Tensor) -> Tensor:
        shape = self.problem.sample_shape
        if tuple(samples.shape[1:]) != shape or not len(samples):
            wanted = ", ".join(["N", *map(str, shape)])
            raise UsageError(f"samples are [{wanted}] here, not {[*samples.shape]}")
        return samples.detach().float().cpu().contiguous()


def load(
    path: str | PathLike[str] | Run, *, best: bool = False, device: str | torch.device = "auto"
) -> Generator:
    """The generator of a run, of one of its checkpoints, or of a `generator.safetensors` alone.

    With `best` it is that of the run as it was when the metric of `evaluation.best` was best.
    `device` is auto, cpu, cuda, cuda:N or mps. Raises UsageError where there is none, and
    CheckpointError where it is damaged or its plugin is not installed.
    """
    source = path.path if isinstance(path, Run) else Path(path)
    file = generator_file(source, best=best)
    execution = Execution.from_settings(ExecutionSettings(device=str(device)))
    with own_surroundings():
        return Generator(open_any(file, found_registry(), execution), file)


def _given(values: Tensor, told: Mapping[str, Tensor], device: torch.device) -> Iterator[Inputs]:
    """Inputs of one's own, in chunks, with what they are told."""
    for start in range(0, len(values), CHUNK):
        rows = torch.arange(start, min(start + CHUNK, len(values)))
        others = {name: _rows(value, rows, device) for name, value in told.items()}
        yield Inputs(values[start : start + CHUNK], **others)


def _rows(values: Tensor, rows: Tensor, device: torch.device) -> Tensor:
    return values[(rows % len(values)).to(values.device)].to(device)


def _by(problem: Problem) -> str:
    shape = problem.input_shape
    return f"{shape[0]} numbers" if len(shape) == 1 else " x ".join(map(str, shape))


def _check_number(num: int, seed: int) -> None:
    if isinstance(num, bool) or not isinstance(num, int) or num < 1:
        raise UsageError(f"n= must be a number of samples from 1 up, not {printable(num)}")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        raise UsageError(f"seed= must be a number from 0 to {MAX_SEED}, not {printable(seed)}")


def _require_number(told: Mapping[str, Tensor], num: int) -> None:
    for name, values in told.items():
        if len(values) not in (1, num):
            raise UsageError(
                f"conditions= has {len(values)} values of {printable(name)!r} for {num} samples: "
                "give one for each, or one for all"
            )
