"""A component in training: two steps with its partners on sixteen samples, and resuming."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from ganforge.config.run_config import RunConfig
from ganforge.engine.assemble import assemble
from ganforge.engine.observers import Observer
from ganforge.engine.state import Reached, snapshot
from ganforge.engine.trainer import Trainer
from ganforge.errors import listed
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.specs import (
    SPECS,
    CallbackSpec,
    FeaturesSpec,
    FormatSpec,
    MetricSpec,
    RecipeSpec,
    RefinementSpec,
)
from ganforge.printable import described
from ganforge.storage.run_directory import RunDirectory
from ganforge.testing.fixtures.partners import NoPartner
from ganforge.testing.fixtures.runs import NUM_STEPS, runs_of
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

#: the kinds that take part in a step
TRAINED = tuple(
    {*SPECS} - {MetricSpec, FeaturesSpec, CallbackSpec, FormatSpec, RecipeSpec, RefinementSpec}
)


@check(
    "two steps with reference partners are finite and change both networks",
    *TRAINED,
    fix="see that the loss of each network depends on its weights",
)
def trains_with_reference_partners(subject: Subject[ComponentSpec]) -> None:
    try:
        configs = runs_of(subject)
    except NoPartner as refusals:
        raise CheckFailure(
            str(refusals),
            expected="a run with the kit's own partners, or with those of its plugin",
            fix="add what it works with to the plugin, or to pairs_with; or declare in its spec "
            "what it needs",
        ) from refusals
    for config in configs:
        with _place() as place:
            trainer = _trainer(config, place)
            before = _tensors(trainer)
            for _ in range(NUM_STEPS):
                trainer.train_step()
            after = _tensors(trainer)
        wrong = [name for name, it in after.items() if not it.isfinite().all()]
        if wrong:
            raise CheckFailure(
                f"infinite numbers or NaN in {wrong[0]}",
                fix="look for a division, a root or a logarithm at 0",
            )
        for network in ("generator", "discriminator"):
            names = [name for name in before if name.startswith(f"{network}/")]
            moved = [name for name in names if not torch.equal(before[name], after[name])]
            require(bool(moved), f"the same {network} after {NUM_STEPS} steps")


@check(
    "a run that is stopped and resumed equals one that was not, to the bit",
    *TRAINED,
    fix="keep what changes in training in parameters and buffers, and draw from the generator "
    "that is given, or from torch's global one",
)
def resumes_to_the_bit(subject: Subject[ComponentSpec]) -> None:
    for config in runs_of(subject):
        with _place() as place:
            try:
                straight = _trainer(config, place)
                straight.train_step()
            except Exception as error:
                raise NotApplicable(f"it does not train: {described(error)}") from error
            straight.save()
            resumed = _trainer(config, place)
            resumed.resume()
            for trainer in (straight, resumed):
                while trainer.step < NUM_STEPS:
                    trainer.train_step()
            expected, found = _tensors(straight), _tensors(resumed)
        different = [
            name
            for name, tensor in expected.items()
            if name not in found or not torch.equal(tensor, found[name])
        ]
        require(not different, f"a difference in {listed(different[:3])}")


@contextmanager
def _place() -> Iterator[Path]:
    """A place for a run directory, which ends with the check."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # No partner reads all that a network gives, and one check asks for every gradient.
        warnings.filterwarnings("ignore", module=r"ganforge\.engine\.")
        yield Path(folder) / "run"


def _trainer(config: RunConfig, path: Path) -> Trainer:
    """A trainer in a run directory, which is made where it is not there."""
    new = not path.exists()
    run = RunDirectory.create(path) if new else RunDirectory.open(path)
    if new:
        run.write_config(config.to_toml())
        run.make_folders()
    return Trainer(assemble(config), run, Observer())


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    """Everything that a checkpoint would hold, as it is now."""
    tensors, _ = snapshot(
        trainer.assembly, trainer.averages, trainer.symptoms, Reached(step=trainer.step)
    )
    return {name: tensor.clone() for name, tensor in tensors.items()}
