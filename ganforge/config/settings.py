"""The engine's own settings, one frozen dataclass per section of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ganforge.plugin.options import option
from ganforge.plugin.schedule import Schedule

DEFAULT_STEPS = 2000


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of training: its length, the batches, the updates of either side, and the seed."""

    steps: int | None = option(
        None,
        help=f"generator updates; {DEFAULT_STEPS} where epochs is unset",
        minimum=1,
        mutable=True,
    )
    epochs: int | None = option(
        None, help="passes over the data set, instead of steps", minimum=1, mutable=True
    )
    batch_size: int = option(64, help="samples per update of a network", minimum=1)
    num_accumulation_steps: int = option(
        1, help="parts a batch is split into, each with its own backward pass", minimum=1
    )
    num_discriminator_steps: int = option(
        1, help="discriminator updates per generator update", minimum=1
    )
    reuse_fakes: bool = option(
        False, help="the fake batch of the last discriminator update serves the generator's too"
    )
    joint_batch: bool = option(
        False, help="real and fake samples go through the discriminator in one batch"
    )
    num_generator_steps: int = option(
        1, help="generator updates per step, each with fresh inputs", minimum=1
    )
    first: Literal["discriminator", "generator"] = option(
        "discriminator", help="which side moves first in a step"
    )
    discriminator_warmup: int = option(
        0, help="steps at the start in which the discriminator alone moves", minimum=0
    )
    conditional: bool = option(False, help="condition both sides on the data set's labels")
    seed: int = option(0, help="random seed", minimum=0, maximum=2**63 - 1)


#: settings of training that say nothing in a run without a discriminator
FOR_DISCRIMINATOR = frozenset(
    {"num_discriminator_steps", "discriminator_warmup", "reuse_fakes", "joint_batch", "first"}
)


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Settings of real samples: what is done to them before they are used."""

    flip: bool = option(False, help="mirror real images at random, left to right")
    shift: int = option(0, help="pixels by which real images are shifted at most", minimum=0)


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """Settings of evaluation: when the metrics of a run are measured, and on how much."""

    every: int = option(500, help="steps between measurements", minimum=1, mutable=True)
    num_samples: int = option(
        2500, help="samples of each kind, real and generated", minimum=1, mutable=True
    )
    best: str | None = option(
        None,
        help="metric, or metric/number, by which the best checkpoint is kept beside the last",
        mutable=True,
    )
    holdout: float = option(
        0.0, help="share of the data kept out of training, to measure on", minimum=0.0, below=1.0
    )


@dataclass(frozen=True, kw_only=True)
class EMASettings:
    """The exponential moving average of the generator, which is what is sampled from."""

    half_life: float | Schedule = option(
        Schedule(from_=0.0, to=40_000.0, until_images=800_000),
        help="images after which a weight counts half; 0 keeps no average",
        minimum=0.0,
        scheduled=True,
    )


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """Settings of output: what is written while training, and how often."""

    log_every: int = option(
        25, help="steps between lines of metrics.jsonl", minimum=1, mutable=True
    )
    sample_every: int = option(250, help="steps between sample grids", minimum=1, mutable=True)
    checkpoint_every: int = option(500, help="steps between checkpoints", minimum=1, mutable=True)
    keep_checkpoints: int = option(
        2, help="how many of the newest checkpoints are kept", minimum=1, mutable=True
    )
    keep_epochs: tuple[int, ...] = option(
        (), help="epochs after which a checkpoint is written and kept", minimum=1, mutable=True
    )
    preview: Literal["end", "grids", "never"] = option(
        "end",
        help="when a terminal that can show it shows the newest grid: at the end, with each grid",
        mutable=True,
    )
    grid_samples: int | None = option(
        None,
        help="samples in a picture; unset: as many as suit their format",
        minimum=1,
        maximum=4096,
        mutable=True,
    )


@dataclass(frozen=True, kw_only=True)
class ExecutionSettings:
    """Settings of execution: the device, and how it is used."""

    device: str = option(
        "auto", help="auto, cpu, cuda, cuda:N or mps; auto takes the best one", mutable=True
    )
    memory_format: Literal["auto", "contiguous", "channels-last"] = option(
        "auto", help="of images on the device; auto is channels-last"
    )
    compile: bool = option(
        False,
        help="compile the networks with torch.compile: a slow start, a quicker step",
        mutable=True,
    )
    num_workers: int = option(
        2, help="processes that read a data set too large for memory", minimum=0, mutable=True
    )


#: section of the configuration -> its settings, for the sections without a name to choose
SECTIONS: dict[str, type] = {
    "training": TrainingSettings,
    "data": DataSettings,
    "ema": EMASettings,
    "evaluation": EvaluationSettings,
    "output": OutputSettings,
    "execution": ExecutionSettings,
}
