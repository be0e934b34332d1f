"""Clips of one length, each read from its .wav file when it is asked for."""

import wave
from pathlib import Path

import torch

from ganforge import DataError, MapDataset

from . import check_clips

LOUDEST = 32_768  # of 16 bits


class Clips(MapDataset):
    """Sounds `(1, T)` in [-1, 1): the beginning of each file, or all of it and silence."""

    def __init__(self, problem, options):
        check_clips(options)
        self.files = sorted(Path(options.root).glob("*.wav"))
        self.rate = options.rate
        self.length = options.length

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        sound = self.read(self.files[index])
        return {"sample": torch.nn.functional.pad(sound, (0, self.length - len(sound)))[None]}

    def read(self, path):
        """The first samples of a file, float32 `[t]`, its channels mixed."""
        try:
            with wave.open(str(path), "rb") as file:
                channels, width, rate, *_ = file.getparams()
                frames = bytearray(file.readframes(self.length))
        except (OSError, EOFError, wave.Error) as error:
            raise DataError(f"{path} cannot be read as a .wav file: {error}") from error
        if width != 2 or rate != self.rate or not frames:
            raise DataError(
                f"{path} has {8 * width} bits at {rate} Hz in {len(frames)} bytes; it should have "
                f"16 bits at {self.rate} Hz (see dataset.rate)"
            )
        levels = torch.frombuffer(frames, dtype=torch.int16).view(-1, channels)
        return levels.float().mean(1) / LOUDEST
