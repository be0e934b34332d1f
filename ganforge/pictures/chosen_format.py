"""The format of a run or of a trained generator, whose failures name its package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganforge.contracts import Drawn, Format, Parts
from ganforge.errors import PluginError, UsageError, listed
from ganforge.pictures.array_parts import encode_array_parts
from ganforge.pictures.encoding import PICTURE_CHANNELS, encode_arrays, encode_png
from ganforge.pictures.moving import encode_moving
from ganforge.pictures.suffixes import MOVING
from ganforge.plugin.registry import Component
from ganforge.plugin.specs import FormatSpec
from ganforge.printable import printable

FRAME_MILLISECONDS = 80  # of moving pictures whose field has no rate
LARGEST_PICTURE = 2**30  # bytes of the samples of one picture, or of their own pictures
_FAILED = "failed"
_END = object()  # of an iterator


@dataclass(frozen=True, kw_only=True)
class ChosenFormat:
    """A format that was built for a problem.

    What the format raises is a PluginError that names its package, and so is what is no picture.
    A ValueError raised for a file says that these samples cannot be written so: a UsageError.
    """

    component: Component[FormatSpec]
    format: Format

    @property
    def spec(self) -> FormatSpec:
        return self.component.spec

    @property
    def num_pictured(self) -> int | None:
        """The number of samples that one picture shows well; None where it takes any number."""
        return self.format.num_pictured

    @property
    def shows_real(self) -> bool:
        """True if its pictures hold samples against real ones."""
        return self.format.shows_real

    def picture(self, drawn: Drawn) -> Tensor:
        """One picture of all samples, uint8 `[H, W, C]`."""
        return self._checked(self.component.call(_FAILED, self.format.picture, drawn))

    def walk(self, steps: Sequence[Drawn]) -> list[Tensor]:
        """A picture of each step of a walk between latents, all of one size."""
        # Listed within the call: a generator function fails when it is gone through.
        return self._frames(self.component.call(_FAILED, lambda: list(self.format.walk(steps))))

    def encode(self, drawn: Drawn, suffix: str, milliseconds: int | None = None) -> bytes:
        """The contents of a file of samples, with a suffix that the spec declares.

        `milliseconds` is the time of a frame where the samples move, instead of that of the field.
        """
        if suffix == ".png":
            return encode_png(self.picture(drawn))
        if suffix == ".npz":
            return encode_arrays(self._write(self.format.arrays, drawn))
        if suffix in MOVING:
            frames = self._frames(self._write(lambda: list(self.format.film(drawn))))
            return encode_moving(frames, suffix, milliseconds or self._frame_milliseconds)
        contents = self._write(self.format.encode, drawn, suffix)
        if not isinstance(contents, bytes):
            raise self._broken(f"bytes of a {suffix} file", type(contents).__name__)
        return contents

    def encode_parts(
        self, parts: Iterable[Drawn], num: int, suffix: str, milliseconds: int | None = None
    ) -> Iterator[bytes]:
        """The same contents piece by piece, of `num` samples that come in parts.

        All are gathered first where the file is a picture or moves, or where the format has to.
        Raises UsageError for more than one picture holds.
        """
        if suffix == ".png" or suffix in MOVING:
            yield self.encode(Drawn.joined(self._fitting(parts, num)), suffix, milliseconds)
        elif suffix == ".npz":
            arrays = (self._write(self.format.arrays, part) for part in parts)
            yield from self._each(lambda: encode_array_parts(arrays, num))
        else:
            given = Parts(num=num, drawn=parts)
            for piece in self._each(lambda: iter(self.format.encode_parts(given, suffix))):
                if not isinstance(piece, bytes):
                    raise self._broken(f"bytes of a {suffix} file", type(piece).__name__)
                yield piece

    def _fitting(self, parts: Iterable[Drawn], num: int) -> Iterator[Drawn]:
        """The parts, where all samples and their pictures together are not too large.

        The first sample tells how much each takes: by itself, and in a picture of its own where
        each is shown by itself. Raises UsageError otherwise.
        """
        for number, part in enumerate(parts):
            if number == 0:
                one = part.only(0)
                size = one.samples.nbytes
                if self.num_pictured is not None:
                    size = max(size, self.picture(one).nbytes)
                most = max(LARGEST_PICTURE // size, 1)
                if num > most:
                    others = [it for it in self.spec.suffixes if it != ".png" and it not in MOVING]
                    raise UsageError(
                        f"{num:,} samples are too many for one picture, which has to be held in "
                        f"memory: it takes {most:,} of these. Write them as {listed(others)}"
                        + ("" if self.spec.one_file_each is None else ", or to a folder")
                    )
            yield part

    def _each(self, begin: Callable[[], Iterator[Any]]) -> Iterator[Any]:
        """Yield what a generator function of the format gives, one after another."""
        iterator = self._write(begin)
        while (piece := self._write(next, iterator, _END)) is not _END:
            yield piece

    def encode_each(self, drawn: Drawn) -> Iterator[bytes]:
        """The contents of one file for each sample, as the spec declares them."""
        suffix = self.spec.one_file_each
        assert suffix is not None, "the command line lets no such request through"
        for number in range(len(drawn.samples)):
            one = drawn.only(number)
            if suffix == ".png":
                yield encode_png(self._checked(self._write(self.format.picture_of_one, one)))
            else:
                yield self.encode(one, suffix)

    @property
    def _frame_milliseconds(self) -> int:
        rate = self.format.problem.sample.rate
        return FRAME_MILLISECONDS if rate is None else max(1, round(1000 / rate))

    def _frames(self, pictures: Sequence[Any]) -> list[Tensor]:
        frames = [self._checked(it) for it in pictures]
        sizes = {tuple(frame.shape) for frame in frames}
        if len(sizes) != 1:
            raise self._broken("frames of one size", printable(f"{sorted(sizes)}", 100))
        return frames

    def _write(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return self.component.call(_FAILED, function, *arguments)
        except PluginError as error:
            if type(error.__cause__) is ValueError:
                raise UsageError(
                    f"the format {self.component.name!r} cannot write this: "
                    f"{printable(error.__cause__)}"
                ) from error
            raise

    def _checked(self, picture: Any) -> Tensor:
        if (
            isinstance(picture, Tensor)
            and picture.dtype == torch.uint8
            and picture.dim() == 3
            and picture.shape[2] in PICTURE_CHANNELS
            and picture.numel() > 0
        ):
            return picture.detach().cpu()
        shown = type(picture).__name__
        if isinstance(picture, Tensor):
            shown = f"{picture.dtype} {list(picture.shape)}"
        raise self._broken("a picture, uint8 [H, W, C] with C = 1, 3 or 4", shown)

    def _broken(self, wanted: str, found: str) -> PluginError:
        component = self.component
        return PluginError(
            f"the format {component.name!r} of {component.origin} must give {wanted}, not {found}"
        )
