"""`--dataset NAME|PATH`: a name of a data set, or a path that one of them opens."""

from __future__ import annotations

from ganforge.config.layers import Entry, Flag, Layer
from ganforge.config.places import path_exists
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import DatasetSpec


def path_layer(dataset: str, registry: Registry, place: str = "--dataset") -> Layer:
    """The layer of `--dataset NAME_OR_PATH`; `place` is how complaints name it.

    A path is one that exists or has a separator, and is no component's name nor begins with the
    name of a plugin's package; it goes to the data set whose spec names a `path_option`.
    """
    origin = Flag(place)
    datasets = registry.of_kind(DatasetSpec)
    is_name = any(dataset in (c.name, c.qualified_name) for c in datasets)
    openers = [(c, c.spec.path_option) for c in datasets if c.spec.path_option is not None]
    package, separator, _ = dataset.partition("/")
    looks_like_path = (
        dataset.startswith((".", "~"))
        or (separator and package not in registry.packages)
        or (dataset and path_exists(dataset))
    )
    if is_name or not openers or not looks_like_path:
        return Layer(entries=(Entry(path=("dataset", "name"), value=dataset, origin=origin),))
    opener, option_name = openers[0]
    return Layer(
        entries=(
            Entry(path=("dataset", "name"), value=registry.short_name(opener), origin=origin),
            Entry(path=("dataset", option_name), value=dataset, origin=origin),
        )
    )
