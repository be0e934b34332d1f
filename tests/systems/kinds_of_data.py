"""Systems for what is no picture, as plugins."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from tests.systems.harness import System

RATE = 256  # Hz; a clip is a second


def write_clips(folder: Path) -> None:
    """Twenty sounds of half a second to one and a half, 16 bits."""
    noise = np.random.default_rng(0)
    (folder / "clips").mkdir()
    for number in range(20):
        length = RATE // 2 + number * RATE // 20
        tone = np.sin(np.arange(length) * noise.uniform(0.1, 1.0)) * noise.uniform(0.2, 0.9)
        with wave.open(str(folder / "clips" / f"{number:02d}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((tone * 32_767).astype("<i2").tobytes())


SYSTEMS: dict[str, System] = {
    "WaveGAN": System(
        package="ganforge-wavegan",
        recipe="wavegan",
        settings=(
            "dataset.root=clips",
            f"dataset.rate={RATE}",
            f"dataset.length={RATE}",
            "generator.width=2",
            "discriminator.width=2",
            "discriminator.period_width=1",
            "discriminator.periods=[2,3]",
        ),
        data=write_clips,
        shape=(1, RATE),
        options={
            "dataset/clips": {"rate": RATE, "length": RATE},
            "discriminator/waveform-and-periods": {"periods": [2, 3], "period_width": 2},
        },
        expected_failures={
            "discriminator/waveform-and-periods": {
                "can-be-pickled": "no network is pickled, and torch's weight_norm cannot be (kit)",
            },
        },
    ),
}
