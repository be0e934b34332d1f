"""The labels that a run tells its networks where nobody has said whether it should."""

from __future__ import annotations

from ganforge.config.choosing import Chooser
from ganforge.config.layers import Entry, Flag
from ganforge.config.selection import NetworkSelection, Selection
from ganforge.plugin.fields import LABEL
from ganforge.plugin.specs import DatasetSpec, DiscriminatorSpec, GameSpec, GeneratorSpec

CONDITIONAL = ("training", "conditional")


def add_usual_labels(
    chooser: Chooser,
    dataset: Selection[DatasetSpec] | None,
    generator: NetworkSelection[GeneratorSpec] | None,
    discriminator: NetworkSelection[DiscriminatorSpec] | None,
    game: Selection[GameSpec] | None,
) -> bool:
    """Make a run conditional that is on a data set which usually is; True where that was done.

    It is not where a whole configuration names the data set, where conditions are named, and where
    the networks or the game do not take labels.
    """
    if dataset is None or generator is None or discriminator is None or game is None:
        return False
    if not dataset.spec.conditional or DatasetSpec.kind in chooser.listed:
        return False
    networks = (generator, discriminator)
    if CONDITIONAL in chooser.entries or any(it.settings.conditions for it in networks):
        return False
    if not game.spec.conditions or any(LABEL not in it.spec.conditions for it in networks):
        return False
    origin = Flag(f"the data set {dataset.component.name!r}")
    chooser.entries[CONDITIONAL] = Entry(path=CONDITIONAL, value=True, origin=origin)
    return True
