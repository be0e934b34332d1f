"""Inception v3 of 2015, with the weights and the resizing of TensorFlow 1, by torch-fidelity."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

from ganforge import DataError, Extracted, FeatureExtractor, Problem

from . import InceptionOptions
from .availability import INCEPTION_FILE, check_inception, weights_of
from .pretrained import digest_of, in_colour, read_weights

HASH = INCEPTION_FILE.rpartition("-")[2].partition(".")[0]  # how its sha256 begins
READ = ["2048", "logits_unbiased"]  # as FID and the Inception score want them


def build(problem: Problem, options: InceptionOptions) -> FeatureExtractor:
    """The network with its weights. Raises DataError where they are not there, or others."""
    check_inception(options)
    path = weights_of(options)
    if not path.is_file():
        _download(path)
    digest = digest_of(path)
    if options.weights is None and not digest.startswith(HASH):
        raise DataError(
            f"{path} is not what was published: its sha256 is {digest[:16]}..., and should begin "
            f"with {HASH}. Remove it, and set features.inception.download = true"
        )
    return Inception(problem, _network(path), digest)


class Inception(FeatureExtractor):
    """Features `[B, 2048]` before the last layer, and the scores of its 1,008 classes.

    Images become bytes, as if they had been saved; grey ones have three channels that are alike.
    """

    def __init__(self, problem: Problem, network: nn.Module, digest: str) -> None:
        super().__init__(problem)
        self.network = network
        which = "the weights of 2015" if digest.startswith(HASH) else f"weights {digest[:8]}"
        self.convention = f"{which}; bytes, resized to 299 x 299 as in TensorFlow 1" + (
            "; grey as three channels" if problem.sample_shape[0] == 1 else ""
        )

    def extract(self, samples: Tensor) -> Extracted:
        images = samples.add(1).mul(127.5).round_().clamp_(0, 255).to(torch.uint8)
        features, logits = self.network(in_colour(images))
        return Extracted(features, logits)


def _network(path: Path) -> nn.Module:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    weights = read_weights(path)
    # It unpickles whatever file it is given, so it is given one that was read safely before.
    with tempfile.TemporaryDirectory() as folder:
        checked = Path(folder) / "weights.pth"
        torch.save(weights, checked)
        try:
            network: nn.Module = FeatureExtractorInceptionV3(
                "inception", READ, feature_extractor_weights_path=str(checked)
            )
        except RuntimeError as error:
            raise DataError(f"{path} holds the weights of another network") from error
    return network


def _download(path: Path) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            URL_INCEPTION_V3, str(path), hash_prefix=HASH, progress=False
        )
    except (OSError, RuntimeError) as error:
        raise DataError(f"{URL_INCEPTION_V3} cannot be fetched: {error}") from error
