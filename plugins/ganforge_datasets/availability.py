"""Check that a data set is there, by file names alone and without torch."""

from __future__ import annotations

from pathlib import Path

from ganforge import DataError

from .options import StackedOptions, TorchvisionOptions

_IDX_FILES = tuple(
    f"{part}-{content}-ubyte"
    for part in ("train", "t10k")
    for content in ("images-idx3", "labels-idx1")
)
# Where torchvision looks below its root; it wants both parts, whichever is asked for.
_LAYOUTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "mnist": ("MNIST/raw", _IDX_FILES),
    "fashion-mnist": ("FashionMNIST/raw", _IDX_FILES),
    "kmnist": ("KMNIST/raw", _IDX_FILES),
    "cifar10": (
        "cifar-10-batches-py",
        (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta"),
    ),
}


def check_stacked(options: StackedOptions) -> None:
    """Raises DataError where files of the set that is stacked are missing."""
    check_torchvision(options.source, options)


def check_torchvision(name: str, options: TorchvisionOptions | StackedOptions) -> None:
    """Raises DataError where files of the set `name` are missing and may not be downloaded."""
    if options.download:
        return
    folder, files = _LAYOUTS[name]
    place = Path(options.root).expanduser() / folder
    missing = [file for file in files if not (place / file).is_file()]
    if not missing:
        return
    packed = [file for file in missing if (place / f"{file}.gz").is_file()]
    unpack = f" ({packed[0]}.gz is there: unpack it)" if packed else ""
    absent = ", ".join(missing) if len(missing) < len(files) else f"all of {', '.join(files)}"
    raise DataError(
        f"the data set {name} is not in {str(place)!r}: missing {absent}{unpack}. Name the folder "
        f"that holds {folder.split('/')[0]} with --set dataset.root=PATH, or let torchvision fetch "
        "the set with --set dataset.download=true"
    )
