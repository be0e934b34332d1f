"""The penalties that a run gets beside losses which a person has named, or has not."""

from __future__ import annotations

from collections.abc import Sequence

from ganforge.config.choosing import Chooser
from ganforge.config.compatibility import batch_independent
from ganforge.config.layers import Entry, Flag, Names
from ganforge.config.selection import Selection
from ganforge.errors import UsageError
from ganforge.plugin.specs import AugmentationSpec, DiscriminatorSpec, LossSpec

NO_COMPANIONS = "--no-companions"


def add_companions(
    chooser: Chooser,
    discriminator: Selection[DiscriminatorSpec] | None,
    augmentations: Sequence[Selection[AugmentationSpec]],
) -> tuple[str, ...]:
    """Add the companions of the losses to a configuration; their names.

    There are none where a penalty is named, where the losses stand in a file, and where the
    discriminator cannot have them: its scores depend on the batch, or it, or an augmentation before
    it, cannot be differentiated twice.
    """
    chosen = chooser.tables[LossSpec.kind]
    listed = LossSpec.kind in chooser.listed
    if not chooser.companions:
        if listed:
            what = "has no effect: the losses of this run stand in a file, and are all that it has"
            chooser.complain(None, NO_COMPANIONS, what)
        return ()
    if listed or discriminator is None:
        return ()
    differentiable = [discriminator.spec.double_backward]
    differentiable += [it.spec.double_backward for it in augmentations]
    if not batch_independent(discriminator) or not all(differentiable):
        return ()
    try:
        specs = [chooser.registry.find(LossSpec, name).spec for name in chosen.names]
    except UsageError:
        return ()  # which is complained of where losses are chosen
    if any(it.is_penalty for it in specs):
        return ()
    found: list[str] = []
    for spec in specs:
        for name, options in spec.companions.items():
            if name in found:
                continue
            found.append(name)
            for key, value in options.items():
                path = (LossSpec.kind, name, key)
                entry = Entry(path=path, value=value, origin=Flag(f"the loss {spec.name!r}"))
                chooser.entries.setdefault(path, entry)
    chooser.tables[LossSpec.kind] = Names((*chosen.names, *found), chosen.origin)
    return tuple(found)
