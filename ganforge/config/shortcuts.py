"""Short names of settings, and the keys that each one sets: `batch_size`, `--batch-size`."""

from __future__ import annotations

from ganforge.config.run_config import KeyPath

SHORTCUTS: dict[str, tuple[KeyPath, ...]] = {
    "generator": (("generator", "name"),),
    "discriminator": (("discriminator", "name"),),
    "game": (("game", "name"),),
    "condition": (("generator", "conditions"), ("discriminator", "conditions")),
    "init": (("generator", "init"), ("discriminator", "init")),
    "sampler": (("sampler", "name"),),
    "steps": (("training", "steps"),),
    "epochs": (("training", "epochs"),),
    "batch_size": (("training", "batch_size"),),
    "betas": (("generator_optimizer", "betas"), ("discriminator_optimizer", "betas")),
    "learning_rate": (
        ("generator_optimizer", "learning_rate"),
        ("discriminator_optimizer", "learning_rate"),
    ),
    "image_size": (("dataset", "size"),),
    "channels": (("dataset", "channels"),),
    "latent_size": (("sampler", "size"),),
    "seed": (("training", "seed"),),
    "device": (("execution", "device"),),
    "workers": (("execution", "num_workers"),),
    "compile": (("execution", "compile"),),
    "sample_every": (("output", "sample_every"),),
    "checkpoint_every": (("output", "checkpoint_every"),),
    "preview": (("output", "preview"),),
    "conditional": (("training", "conditional"),),
    "best": (("evaluation", "best"),),
}
