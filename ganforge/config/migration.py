"""Migration of configurations in the words of 0.1 to those of today.

A file is migrated when it is read, a run's `config.toml` as much as one that somebody keeps. What
cannot be told from the file alone stays as it is, and is an unknown option then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: the keys of one section of a file, or the sections, with their values
Table = dict[str, Any]


def migrate(tree: Table) -> list[str]:
    """Replace, in place, what a file says in words of 0.1, and return these words."""
    before = _keys(tree)
    for section, replace in MIGRATIONS:
        if isinstance(tree.get(section), dict):
            replace(tree[section])
    if isinstance(tree.get("training"), dict):
        judged_codes(tree)
    if isinstance(tree.get("instance_noise"), dict):
        instance_noise(tree)
    after = {*_keys(tree)}
    return [key for key in before if key not in after]


def _keys(tree: Table) -> list[str]:
    """The keys of the sections of a file: `ema.ramp_up`."""
    return [
        f"{section}.{key}"
        for section, table in tree.items()
        if isinstance(table, dict)
        for key in table
    ]


def learning_rate_schedule(optimizer: Table) -> None:
    """`schedule`, `decay_from` and `final_factor` become a schedule of `learning_rate`.

    It is the same to the bit where it ends at 0, as it did unless `final_factor` was given.
    """
    rate, shape = optimizer.get("learning_rate"), optimizer.get("schedule")
    start, factor = optimizer.get("decay_from", 0.0), optimizer.get("final_factor", 0.0)
    if shape not in ("constant", "linear", "cosine"):
        return
    if shape != "constant":
        if not _are_numbers(rate, start, factor):
            return
        schedule = {"from": rate, "to": rate * factor, "start": start, "shape": shape}
        optimizer["learning_rate"] = schedule
    for key in ("schedule", "decay_from", "final_factor"):
        optimizer.pop(key, None)


def half_life_schedule(ema: Table) -> None:
    """`ramp_up`, a share of the images seen, becomes a schedule of `half_life`."""
    half_life: Any = ema.get("half_life")
    share: Any = ema.get("ramp_up")
    if not _are_numbers(half_life, share):
        return
    del ema["ramp_up"]
    if half_life and share > 0.0:
        until = max(1, round(half_life / share))
        ema["half_life"] = {"from": 0.0, "to": half_life, "until_images": until}


def judged_codes(tree: Table) -> None:
    """`training.discriminate` becomes what the game of an autoencoder lets be judged."""
    judged = tree["training"].pop("discriminate", "samples")
    if judged == "codes":
        tree.setdefault("game", {"name": "autoencoder", "judge": "codes"})


def instance_noise(tree: Table) -> None:
    """`[instance_noise]` becomes an augmentation, whose standard deviation falls to nothing."""
    noise = tree["instance_noise"]
    std, until = noise.get("std", 0.0), noise.get("until", 1.0)
    if not _are_numbers(std, until):
        return
    del tree["instance_noise"]
    if std:
        schedule = {"from": std, "to": 0.0, "until": until}
        tree.setdefault("augmentation", {})["instance-noise"] = {"std": schedule}


def _are_numbers(*values: object) -> bool:
    return all(isinstance(it, int | float) and not isinstance(it, bool) for it in values)


#: section -> what replaces its keys of 0.1, in order
MIGRATIONS: tuple[tuple[str, Callable[[Table], None]], ...] = (
    ("generator_optimizer", learning_rate_schedule),
    ("discriminator_optimizer", learning_rate_schedule),
    ("ema", half_life_schedule),
)
