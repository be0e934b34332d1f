"""The engine's own settings, one frozen dataclass per section of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ganforge.plugin.options import option

DEFAULT_STEPS = 1200

Schedule = Literal["constant", "linear", "cosine"]


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What is computed."""

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
    discriminate: Literal["samples", "codes"] = option(
        "samples",
        help="what the discriminator judges; codes: those of real samples against latents",
    )
    conditional: bool = option(False, help="condition both networks on the data set's labels")
    seed: int = option(0, help="of everything random", minimum=0, maximum=2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class InstanceNoiseSettings:
    """Gaussian noise on what the discriminator judges (Sønderby et al., 2017; Arjovsky, 2017)."""

    std: float = option(
        0.0, help="standard deviation at the first step, on samples in [-1, 1]", minimum=0.0
    )
    until: float = option(
        1.0, help="share of the run over which it falls to nothing", above=0.0, maximum=1.0
    )


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """When the metrics of a run are measured, and on how much."""

    every: int = option(500, help="steps between measurements", minimum=1, mutable=True)
    num_samples: int = option(
        2500, help="samples of each kind, real and generated", minimum=1, mutable=True
    )
    holdout: float = option(
        0.0, help="share of the data kept out of training, to measure on", minimum=0.0, below=1.0
    )


@dataclass(frozen=True, kw_only=True)
class EMASettings:
    """The exponential moving average of the generator, which is what is sampled from."""

    half_life: int = option(
        5000, help="images after which a weight counts half; 0 keeps no average", minimum=0
    )
    ramp_up: float = option(
        0.05,
        help="the half-life is at most this share of the images seen so far; 0 for no ramp",
        minimum=0.0,
        maximum=1.0,
    )


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """What is written while training, and how often."""

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
    grid_samples: int | None = option(
        None,
        help="samples in a picture; unset: as many as suit their format",
        minimum=1,
        maximum=4096,
        mutable=True,
    )


@dataclass(frozen=True, kw_only=True)
class ExecutionSettings:
    """Where and how it is computed."""

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


@dataclass(frozen=True, kw_only=True)
class _OptimizerSettings:
    learning_rate: float = option(4e-4, help="step size", above=0.0, mutable=True)
    schedule: Schedule = option("constant", help="how the learning rate falls")
    decay_from: float = option(
        0.0, help="share of the run after which a falling schedule starts", minimum=0.0, below=1.0
    )
    final_factor: float = option(
        0.0, help="learning rate at the end, as a share of learning_rate", minimum=0.0, maximum=1.0
    )


@dataclass(frozen=True, kw_only=True)
class AdamSettings(_OptimizerSettings):
    """Kingma & Ba, 2015."""

    betas: tuple[float, float] = option(
        (0.5, 0.999), help="decay of the two moments", minimum=0.0, below=1.0
    )
    epsilon: float = option(1e-8, help="added to the denominator", above=0.0)
    weight_decay: float = option(0.0, help="L2 penalty on the weights", minimum=0.0)


@dataclass(frozen=True, kw_only=True)
class AdamWSettings(_OptimizerSettings):
    """Loshchilov & Hutter, 2019."""

    betas: tuple[float, float] = option(
        (0.5, 0.999), help="decay of the two moments", minimum=0.0, below=1.0
    )
    epsilon: float = option(1e-8, help="added to the denominator", above=0.0)
    weight_decay: float = option(0.01, help="decoupled decay of the weights", minimum=0.0)


@dataclass(frozen=True, kw_only=True)
class RMSpropSettings(_OptimizerSettings):
    """Hinton's RMSprop; 5e-5 is the Wasserstein GAN's learning rate."""

    learning_rate: float = option(5e-5, help="step size", above=0.0, mutable=True)
    smoothing: float = option(0.99, help="decay of the squared gradient", minimum=0.0, below=1.0)
    momentum: float = option(0.0, help="momentum", minimum=0.0, below=1.0)
    epsilon: float = option(1e-8, help="added to the denominator", above=0.0)
    weight_decay: float = option(0.0, help="L2 penalty on the weights", minimum=0.0)


@dataclass(frozen=True, kw_only=True)
class SGDSettings(_OptimizerSettings):
    """Stochastic gradient descent."""

    learning_rate: float = option(0.01, help="step size", above=0.0, mutable=True)
    momentum: float = option(0.0, help="momentum", minimum=0.0, below=1.0)
    weight_decay: float = option(0.0, help="L2 penalty on the weights", minimum=0.0)


OptimizerSettings = AdamSettings | AdamWSettings | RMSpropSettings | SGDSettings

#: the name in the configuration -> its settings
OPTIMIZERS: dict[str, type[OptimizerSettings]] = {
    "adam": AdamSettings,
    "adamw": AdamWSettings,
    "rmsprop": RMSpropSettings,
    "sgd": SGDSettings,
}

#: section of the configuration -> its settings, for the sections without a name to choose
SECTIONS: dict[str, type] = {
    "training": TrainingSettings,
    "instance_noise": InstanceNoiseSettings,
    "ema": EMASettings,
    "evaluation": EvaluationSettings,
    "output": OutputSettings,
    "execution": ExecutionSettings,
}
