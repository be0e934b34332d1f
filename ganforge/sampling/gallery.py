"""Pictures of a trained generator: samples in their format, and walks between latents."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor

from ganforge.contracts import Drawn, Inputs
from ganforge.errors import UsageError
from ganforge.pictures.chosen_format import FRAME_MILLISECONDS
from ganforge.pictures.encoding import encode_png
from ganforge.pictures.moving import encode_moving
from ganforge.plugin.fields import LABEL
from ganforge.sampling.interpolation import Variation, Way, path
from ganforge.sampling.real_samples import RealSamples
from ganforge.sampling.refining import Refining
from ganforge.sampling.trained_generator import TrainedGenerator, feed, make
from ganforge.storage.files import whole_folder, write_atomically
from ganforge.storage.paths import suffix_of

NUM_OF_A_CROWD = 1000  # samples of a picture that takes any number, of points for one
MOST_OF_CLASSES = 1024  # of one with a row per class


def usual_num(trained: TrainedGenerator) -> int:
    """The number of samples in a picture: as many as suit the format, or whole rows of classes."""
    num = trained.format.num_pictured
    if num is None:
        return NUM_OF_A_CROWD
    if trained.classes is None:
        return num
    return min(math.isqrt(num) * len(trained.classes), MOST_OF_CLASSES)


def cycled_labels(trained: TrainedGenerator, num: int) -> Tensor | None:
    """0, 1, ..., K - 1, 0, 1, ...: as many of each class as can be; None without classes."""
    if trained.classes is None:
        return None
    return torch.arange(num) % len(trained.classes)


def draw_parts(
    trained: TrainedGenerator,
    *,
    num: int,
    seed: int,
    conditions: Mapping[str, Tensor],
    real: RealSamples | None,
    refining: Refining | None = None,
) -> Iterator[Drawn]:
    """`num` samples part by part, in constant memory, the first of them as those of fewer are.

    They stand between their inputs and what is real where these are data. Without labels among the
    `conditions` those of a conditional generator take turns.
    """
    told, ordered = dict(conditions), True
    if real is None and LABEL not in told and (cycled := cycled_labels(trained, num)) is not None:
        told[LABEL], ordered = cycled, False
    batch = None if real is None else real.batch
    fed = feed(trained, num=num, seed=seed, conditions=told, real=batch)
    chunks = fed if refining is None else refining(fed)
    start = 0
    for samples, inputs in make(trained, chunks):
        labels = None if inputs.labels is None else inputs.labels.cpu()
        drawn = Drawn(samples=samples, labels=labels, classes=trained.classes, ordered=ordered)
        if real is not None and trained.source.fed_with_data:
            drawn = replace(drawn, before={"inputs": inputs.values.float().cpu()})
            if real.paired:
                those = slice(start, start + len(samples))
                original = real.batch.samples[those].float().cpu().contiguous()
                drawn = replace(drawn, after={"real": original}, real=original)
        start += len(samples)
        yield drawn


def save(
    trained: TrainedGenerator, drawn: Drawn, target: Path, milliseconds: int | None = None
) -> None:
    """Write samples that are there, as `save_parts` writes those that come in parts."""
    save_parts(trained, [drawn], len(drawn.samples), target, milliseconds)


def save_parts(
    trained: TrainedGenerator,
    parts: Iterable[Drawn],
    num: int,
    target: Path,
    milliseconds: int | None = None,
) -> None:
    """Write `num` samples to a file of a suffix that their format has, whole or not at all.

    `milliseconds` is the time of a frame where they move. Raises OSError, and UsageError where
    these samples cannot be written so.
    """
    pieces = trained.format.encode_parts(parts, num, suffix_of(target), milliseconds)
    write_atomically(target, pieces)


def save_each(trained: TrainedGenerator, drawn: Drawn, folder: Path) -> None:
    """Write a file for each sample that is there, as `save_each_part` does."""
    save_each_part(trained, [drawn], len(drawn.samples), folder)


def save_each_part(
    trained: TrainedGenerator, parts: Iterable[Drawn], num: int, folder: Path
) -> None:
    """Write a file for each of `num` samples, by number: all of a new folder, or none.

    In a folder that is there each file is whole. Raises OSError and UsageError as `save_parts`.
    """
    digits = max(5, len(str(num - 1)))
    suffix = trained.format.spec.one_file_each
    each = (contents for part in parts for contents in trained.format.encode_each(part))
    first = next(each)  # what cannot be written makes no folder
    with whole_folder(folder) as place:
        for number, contents in enumerate(chain([first], each)):
            write_atomically(place / f"{number:0{digits}d}{suffix}", [contents])


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Ways through the inputs: `num` of them, each with conditions of its own.

    A `way` leads from latent to latent, or along one part of a latent with all else held.
    """

    trained: TrainedGenerator
    way: Way | Variation
    num: int
    seed: int
    conditions: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        if self.trained.sampler_spec.inputs != "latents":
            flag = "--vary" if isinstance(self.way, Variation) else "--interpolate"
            raise UsageError(
                f"{flag}: this generator is fed with images, and there is no way from one to "
                "another"
            )

    def picture(self, columns: int) -> bytes:
        """A PNG with a row per way, from its one end to the other."""
        steps = torch.stack([*self._steps(2, columns - 1, closed=False)])
        labels = self.conditions.get(LABEL)
        drawn = Drawn(
            samples=steps.transpose(0, 1).flatten(0, 1).contiguous(),
            labels=None if labels is None else labels.repeat_interleave(columns),
            classes=self.trained.classes,
            columns=columns,
        )
        return encode_png(self.trained.format.picture(drawn))

    def animation(
        self, anchors: int, per_section: int, suffix: str, milliseconds: int | None
    ) -> bytes:
        """Moving pictures of all ways side by side, at one time after another: a loop."""
        steps = [Drawn(samples=it) for it in self._steps(anchors, per_section, closed=True)]
        frames = self.trained.format.walk(steps)
        return encode_moving(frames, suffix, milliseconds or FRAME_MILLISECONDS)

    def _steps(self, anchors: int, per_section: int, *, closed: bool) -> Iterator[Tensor]:
        """Samples `[num, *sample_shape]`, step by step. Fewer ways are the first of more."""
        if isinstance(self.way, Variation):
            anchors, num_points = 1, anchors * per_section if closed else per_section + 1
        repeated = {
            name: value.repeat_interleave(anchors, 0) for name, value in self.conditions.items()
        }
        fed = feed(
            self.trained,
            num=self.num * anchors,
            seed=self.seed,
            conditions=repeated,
        )
        latents = torch.cat([inputs.values for inputs in fed])
        if isinstance(self.way, Variation):
            points = self.way.path(latents, num_points)
            # There and back again, without a jump.
            points = torch.cat([points, points[1:-1].flip(0)]) if closed else points
        else:
            spread = latents.view(self.num, anchors, *latents.shape[1:]).transpose(0, 1)
            points = path(spread, per_section, self.way, closed=closed)
        told = {name: value.to(points.device) for name, value in self.conditions.items()}
        for samples, _ in make(self.trained, (Inputs(point, **told) for point in points)):
            yield samples
