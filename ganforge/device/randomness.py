"""Randomness is counted, not remembered: every draw follows from (seed, stream, numbers).

A resumed run makes the draws of an uninterrupted one without any generator state being saved, with
any number of workers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

import numpy
import torch


def derived_seed(seed: int, stream: str, *numbers: int) -> int:
    """A 63-bit seed that is a fixed function of its arguments."""
    text = "/".join([str(seed), stream, *map(str, numbers)])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


class Randomness:
    """The random generators of a run, on its device."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.seed = seed
        self.device = device
        self._generators: dict[tuple[str, str], torch.Generator] = {}

    def generator(
        self, stream: str, *numbers: int, device: torch.device | None = None
    ) -> torch.Generator:
        """The generator for draw `numbers` of a stream.

        It is seeded anew by the next call with the same stream, so use it before that.
        """
        device = device or self.device
        generator = self._generators.get((stream, str(device)))
        if generator is None:
            generator = self._generators[stream, str(device)] = torch.Generator(device)
        return generator.manual_seed(derived_seed(self.seed, stream, *numbers))

    def reseed_globals(self, *numbers: int) -> None:
        """Seed the global generators, for components that draw from them (dropout does)."""
        seed = derived_seed(self.seed, "global", *numbers)
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        elif self.device.type == "mps":
            torch.mps.manual_seed(seed)
        random.seed(seed)
        numpy.random.seed(seed & 0xFFFFFFFF)

    @contextmanager
    def building(self, name: str) -> Iterator[None]:
        """Seeded global generators for a builder; the state before is restored afterwards."""
        state, numpy_state = random.getstate(), numpy.random.get_state()
        with torch.random.fork_rng(devices=[]):
            seed = derived_seed(self.seed, f"build/{name}")
            torch.default_generator.manual_seed(seed)
            random.seed(seed)
            numpy.random.seed(seed & 0xFFFFFFFF)
            try:
                yield
            finally:
                random.setstate(state)
                numpy.random.set_state(numpy_state)
