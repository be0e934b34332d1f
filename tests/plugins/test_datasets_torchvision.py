"""The sets that torchvision reads, from small files in its layout; MNIST itself where it is."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torchvision import datasets

import ganforge_datasets
from ganforge import DataError, InMemoryDataset, Problem
from ganforge_datasets import torchvision_sets
from ganforge_datasets.options import TorchvisionOptions
from tests.torchvision_files import FOLDERS, write_idx, write_mnist

CHECKS: dict[str, Callable[[Any], None]] = {
    spec.name: spec.check_available
    for spec in ganforge_datasets.ganforge_datasets()
    if spec.check_available is not None
}
BUILDERS = {
    "mnist": torchvision_sets.mnist,
    "fashion-mnist": torchvision_sets.fashion_mnist,
    "kmnist": torchvision_sets.kmnist,
    "cifar10": torchvision_sets.cifar10,
}
REAL = Path(os.environ.get("GANFORGE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))


def build(name: str, root: Path, size: int = 32, **given: Any) -> InMemoryDataset:
    channels = 3 if name == "cifar10" else 1
    problem = Problem(sample_shape=(channels, size, size), input_shape=(4,))
    return BUILDERS[name](problem, TorchvisionOptions(root=str(root), size=size, **given))


@pytest.fixture
def cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of two images each, pickled as the published ones are, and their checksums."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()

    def write(name: str, content: dict[str, object]) -> str:
        data = pickle.dumps(content, protocol=2)
        # The published files say 0 and 1 where NumPy today writes False and True.
        data = re.sub(rb"(?<=u1q.)\x89\x88", lambda _: b"K\0K\1", data, flags=re.DOTALL)
        assert (b"K\0K\1" in data) == ("data" in content)
        (folder / name).write_bytes(data)
        return hashlib.md5(data).hexdigest()

    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    batches = []
    for number, name in enumerate(names):
        data = np.full((2, 3072), number, dtype=np.uint8)
        data[:, :1024] += 100  # the red plane
        batches.append([name, write(name, {"data": data, "labels": [number, 9]})])
    meta = write("batches.meta", {"label_names": [f"kind {label}" for label in range(10)]})
    monkeypatch.setattr(datasets.CIFAR10, "train_list", batches[:5])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", batches[5:])
    monkeypatch.setitem(datasets.CIFAR10.meta, "md5", meta)
    return tmp_path


@pytest.mark.parametrize("name", FOLDERS)
def test_what_is_missing_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        CHECKS[name](TorchvisionOptions(root=str(tmp_path)))
    message = str(caught.value)
    for part in (
        f"the data set {name} is not in",
        repr(str(tmp_path / FOLDERS[name] / "raw")),
        "train-images-idx3-ubyte",
        "--set dataset.root=PATH",
        "--set dataset.download=true",
    ):
        assert part in message


def test_one_missing_file_is_named_alone_and_a_packed_one_is_pointed_out(tmp_path: Path) -> None:
    write_mnist(tmp_path, "mnist")
    options = TorchvisionOptions(root=str(tmp_path))
    CHECKS["mnist"](options)
    file = tmp_path / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    file.rename(file.with_name(f"{file.name}.gz"))
    with pytest.raises(DataError, match=r"missing t10k-labels-idx1-ubyte \(.*\.gz is there"):
        CHECKS["mnist"](options)


def test_cifar10_is_looked_for_where_torchvision_keeps_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cifar-10-batches-py.*data_batch_1, .*batches\.meta"):
        CHECKS["cifar10"](TorchvisionOptions(root=str(tmp_path)))


@pytest.mark.parametrize("name", FOLDERS)
def test_images_and_labels_at_their_own_size(name: str, tmp_path: Path) -> None:
    written = write_mnist(tmp_path, name)
    for split, part in (("train", "train"), ("test", "t10k")):
        images = build(name, tmp_path, 28, split=split)
        assert (images.samples[:, 0].numpy() == written[part]).all()
        assert images.labels is not None
        assert images.labels.tolist() == [index % 10 for index in range(len(written[part]))]
        assert images.classes is not None
        assert len(images.classes) == 10


def test_class_names(tmp_path: Path) -> None:
    for name, label, word in (("mnist", 3, "3"), ("fashion-mnist", 9, "Ankle boot")):
        write_mnist(tmp_path, name)
        classes = build(name, tmp_path, 28).classes
        assert classes is not None
        assert classes[label] == word


def test_resizing_keeps_the_mean_and_padding_adds_black(tmp_path: Path) -> None:
    written = write_mnist(tmp_path, "mnist")["train"]
    scaled = build("mnist", tmp_path, 32).samples
    assert scaled.shape == (20, 1, 32, 32)
    assert scaled.float().mean().item() == pytest.approx(written.mean(), abs=1)
    padded = build("mnist", tmp_path, 33, fit="pad").samples
    assert (padded[:, 0, 2:30, 2:30].numpy() == written).all()
    assert int(padded.sum()) == written.sum()
    # There is nothing to pad when the image is too large.
    assert build("mnist", tmp_path, 14, fit="pad").samples.shape == (20, 1, 14, 14)


def test_many_images_are_resized_as_few_are(tmp_path: Path) -> None:
    write_mnist(tmp_path, "mnist")
    few = build("mnist", tmp_path, 16).samples
    folder = tmp_path / "MNIST" / "raw"
    images = np.random.default_rng(1).integers(0, 256, (20, 28, 28))
    write_idx(folder / "train-images-idx3-ubyte", np.tile(images, (250, 1, 1)))
    write_idx(folder / "train-labels-idx1-ubyte", np.zeros(5000))
    assert torch.equal(build("mnist", tmp_path, 16).samples, few.repeat(250, 1, 1, 1))


def test_cifar10(cifar: Path) -> None:
    options = TorchvisionOptions(root=str(cifar))
    CHECKS["cifar10"](options)
    train = build("cifar10", cifar)
    assert train.samples.shape == (10, 3, 32, 32)
    assert train.samples[4, :, 0, 0].tolist() == [102, 2, 2]
    assert train.labels is not None
    assert train.labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert train.classes is not None
    assert train.classes[9] == "kind 9"
    test = build("cifar10", cifar, 64, split="test", fit="pad")
    assert test.samples.shape == (2, 3, 64, 64)
    assert test.samples[0, :, 15:17, 15:17].tolist() == [
        [[0, 0], [0, 105]],
        [[0, 0], [0, 5]],
        [[0, 0], [0, 5]],
    ]


def test_a_changed_cifar_file_is_not_unpickled(cifar: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (cifar / "sprung",))

    (cifar / "cifar-10-batches-py" / "data_batch_3").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DataError, match=r"CIFAR10 .* cannot be read: .*corrupted"):
        build("cifar10", cifar)
    assert not (cifar / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"nonsense", struct.pack(">4I", 0x803, 9, 28, 28)])
def test_damaged_images(content: bytes, tmp_path: Path) -> None:
    write_mnist(tmp_path, "mnist")
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(
        DataError, match=r"MNIST in .* cannot be read: .*\. A file of it is cut off"
    ) as it:
        build("mnist", tmp_path)
    place = tmp_path / "MNIST" / "raw"
    assert str(it.value).endswith(
        f"remove {str(place)!r} and have it fetched again with --set dataset.download=true"
    )


def test_labels_that_do_not_belong_to_the_images(tmp_path: Path) -> None:
    write_mnist(tmp_path, "mnist")
    labels = tmp_path / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    write_idx(labels, np.zeros(19))
    with pytest.raises(DataError, match="damaged: 20 images, 19 labels"):
        build("mnist", tmp_path)
    write_idx(labels, np.full(20, 10))
    with pytest.raises(DataError, match=r"damaged: labels must lie in \[0, 10\)"):
        build("mnist", tmp_path)


def test_nothing_is_fetched_unless_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(self: datasets.MNIST) -> None:
        asked.append(type(self).__name__)
        raise URLError("no network")

    monkeypatch.setattr(datasets.MNIST, "download", download)
    with pytest.raises(DataError, match="cannot be read"):
        build("mnist", tmp_path)
    assert asked == []
    CHECKS["mnist"](TorchvisionOptions(root=str(tmp_path), download=True))
    with pytest.raises(DataError, match=r"MNIST in .* cannot be fetched or read: .*no network"):
        build("mnist", tmp_path, download=True)
    assert asked == ["MNIST"]


@pytest.mark.skipif(
    not (REAL / "MNIST" / "raw" / "train-images-idx3-ubyte").is_file(),
    reason="MNIST is not here; GANFORGE_TEST_DATA names the folder that holds it",
)
def test_mnist_itself() -> None:
    CHECKS["mnist"](TorchvisionOptions(root=str(REAL)))
    train = build("mnist", REAL, 28)
    assert train.samples.shape == (60_000, 1, 28, 28)
    assert train.labels is not None
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert train.samples.float().mean().item() == pytest.approx(33.318, abs=0.001)
    test = build("mnist", REAL, 32, split="test", fit="pad")
    assert test.samples.shape == (10_000, 1, 32, 32)
    assert test.describe().startswith("10,000 samples in 10 classes: 0 (980), 1 (1,135)")
