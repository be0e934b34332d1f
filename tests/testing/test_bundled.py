"""Every component that comes with ganforge passes the kit; what is skipped has a known reason."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from PIL import Image

from ganforge.plugin.discovery import discover
from ganforge.testing.catalogue import check_subject
from ganforge.testing.framework import Subject
from tests.torchvision_files import FOLDERS, write_mnist

COMPONENTS = {f"{it.kind}/{it.name}": it for it in discover(third_party=False, environ={}).registry}

LATENTS = {"normal", "uniform", "truncated-normal", "spherical", "class-balanced"}
PAIRED = {"reconstruct", "mask", "downscale", "field"}
#: sets whose data nobody has here: hundreds of megabytes, and whatever a program hands over
ABSENT = {"dataset/cifar10": "the data set", "dataset/python": "the data of this run came from"}
STORED = {"digits", "mnist", "fashion-mnist", "kmnist", "images", "image-pairs"}
MIXTURES = {"normal", "mixture", "ring", "grid"}
STACKED = {"stacked-mnist", "stacked-digits"}
UNLABELLED = MIXTURES | {"uniform", "swiss-roll"}
DRAWN = UNLABELLED | STACKED
PENALTIES = {"r1", "r2", "gradient-penalty"}
COMPARISONS = {"mse", "l1", "identity"}
ALL_LOSSES = {it.name for it in COMPONENTS.values() if it.kind == "loss"}
FORMATS = {it.name for it in COMPONENTS.values() if it.kind == "format"}
DATASETS = STORED | DRAWN
FEATURES = {it.name for it in COMPONENTS.values() if it.kind == "features"}

#: what needs a package, or weights, that nothing here downloads
EXTRAS = {"inception", "efficientnet-lite0", "trackio", "wandb", "mlflow"}
#: wandb's own program keeps a log in the user's cache, and cuts no file that a session has written
KNOWN = {"callback/wandb": {"files-lie-in-the-run", "resumed-run-is-told"}}

#: (check, beginning of the reason) -> kinds and names of the components that skip it
SKIPS: Mapping[tuple[str, str], tuple[str, set[str]]] = {
    **{
        # Three classes are no stacks of three channels; the other checks have those of one.
        (check, "what it needs is not here: the extractor 'channel-classifier' is for stacks"): (
            "features",
            {"channel-classifier"},
        )
        for check in (
            "can-be-built",
            "global-random-state-is-untouched",
            "torch-settings-are-untouched",
            "process-is-untouched",
        )
    },
    ("conditions-count", "it takes no conditions"): ("generator", {"autoencoder"}),
    ("trace-is-as-declared", "it gives nothing besides"): (
        "generator discriminator",
        {"autoencoder", "adversarial-autoencoder", "conditional", "dcgan", "mlp"},
    ),
    ("own-parameters-are-trained", "it has no parameters of its own"): ("loss", ALL_LOSSES),
    ("updates-without-scores-are-observed", "it observes nothing"): ("loss", ALL_LOSSES),
    ("labels-out-of-range-are-refused", "it takes no labels"): ("generator", {"autoencoder"}),
    ("codes-have-the-shape-of-inputs", "it declares no encoder"): (
        "generator",
        {"autoencoder", "conditional", "dcgan", "mlp"},
    ),
    **{
        (check, "it is no gradient penalty"): ("loss", ALL_LOSSES - PENALTIES)
        for check in (
            "constant-critic-has-a-constant-penalty",
            "each-point-has-its-own-draw",
            "penalty-does-not-follow-the-resolution",
            "penalty-rises-with-the-gradient",
        )
    },
    ("each-point-has-its-own-draw", "it looks at real and fake"): ("loss", {"r1", "r2"}),
    ("mistaken-discriminator-learns", "it has no loss for the"): ("loss", COMPARISONS),
    ("mistaken-discriminator-learns", "it is a penalty, not an"): ("loss", PENALTIES),
    ("scheduled-options-take-schedules", "none of its options is scheduled"): (
        "loss",
        ALL_LOSSES - PENALTIES,
    ),
    ("constraint-keeps-the-weights", "it constrains no weights"): (
        "loss",
        ALL_LOSSES - {"wasserstein"},
    ),
    ("discriminator-wants-fake-scores-low", "it has no loss for the"): ("loss", COMPARISONS),
    ("discriminator-wants-fake-scores-low", "it is a penalty, not an"): ("loss", PENALTIES),
    ("discriminator-wants-real-scores-high", "it has no loss for the"): ("loss", COMPARISONS),
    ("discriminator-wants-real-scores-high", "it is a penalty, not an"): ("loss", PENALTIES),
    ("generator-wants-fake-scores-high", "it has no loss for the"): ("loss", PENALTIES),
    ("generator-wants-fake-scores-high", "it reads no fake scores"): ("loss", COMPARISONS),
    ("strength-rises-with-the-scores", "it observes nothing"): (
        "augmentation",
        {"instance-noise", "diffaugment"},
    ),
    ("fewer-real-samples-are-accepted", "it compares real samples one by one"): (
        "metric",
        {"mae"},
    ),
    ("another-seed-gives-another-draw", "its inputs are made of real samples"): (
        "sampler",
        PAIRED,
    ),
    ("parts-make-up-the-inputs", "it names no parts of its inputs"): ("sampler", LATENTS | PAIRED),
    ("image-inputs-lie-in-range", "its inputs are no images, and have no range"): (
        "sampler",
        LATENTS,
    ),
    ("paired-labels-are-those-of-the-real-samples", "its inputs are not made of real samples"): (
        "sampler",
        LATENTS,
    ),
    ("conditions-keep-their-order", "its inputs are made of real samples"): ("sampler", PAIRED),
    ("inputs-are-independent-of-batch-mates", "its inputs are no latents"): ("sampler", PAIRED),
    ("latents-are-centred", "its inputs are no latents"): ("sampler", PAIRED),
    ("latents-are-uncorrelated", "its inputs are no latents"): ("sampler", PAIRED),
    ("latents-vary", "its inputs are no latents"): ("sampler", PAIRED),
    ("truncation-bounds-the-inputs", "it cannot be truncated"): (
        "sampler",
        PAIRED | {"spherical"},
    ),
    ("fields-are-as-declared", "it declares no fields but sample and label"): (
        "dataset",
        DATASETS - {"image-pairs"},
    ),
    ("classes-are-names", "it has no classes"): ("dataset", UNLABELLED | {"image-pairs"}),
    ("length-is-that-of-the-data", "it has no length"): ("dataset", DRAWN),
    ("same-index-gives-the-same-item", "its samples are drawn, not stored"): ("dataset", DRAWN),
    ("none-and-one-can-be-drawn", "its samples are stored, not drawn"): ("dataset", STORED),
    ("same-seed-gives-the-same-draw", "its samples are stored, not drawn"): ("dataset", STORED),
    ("samples-lie-on-the-generators-device", "its samples are stored, not drawn"): (
        "dataset",
        STORED,
    ),
    ("samples-follow-the-mixture", "it is no mixture of Gaussians"): (
        "dataset",
        DATASETS - MIXTURES,
    ),
    ("missing-data-is-a-clear-error", "it names no path, and checks nothing before training"): (
        "dataset",
        UNLABELLED | {"digits", "stacked-digits"},
    ),
    ("missing-data-is-a-clear-error", "its data is there, even in an empty folder"): (
        "dataset",
        {*FOLDERS, "image-pairs", "stacked-mnist"},
    ),
    ("splits-share-nothing", "it has no option `split` with choices"): (
        "dataset",
        DATASETS - set(FOLDERS),
    ),
    ("every-class-is-there", "it has no classes"): ("dataset", UNLABELLED | {"image-pairs"}),
    ("logits-are-of-the-classes", "its logits, if any, are of classes"): (
        "features",
        FEATURES - {"classifier", "channel-classifier"},
    ),
    ("what-is-learnt-is-kept", "it learns nothing from the data"): (
        "features",
        FEATURES - {"classifier", "channel-classifier"},
    ),
    ("films-move", "it writes no moving pictures"): ("format", FORMATS - {"video"}),
    ("order-of-samples-does-not-count", "it compares real samples one by one"): ("metric", {"mae"}),
    ("found-inf-calls-a-step-off", "it does not take found_inf"): ("optimizer", {"rmsprop"}),
    ("workers-can-be-spawned", "it is not read by worker processes"): ("dataset", DATASETS),
}


@pytest.fixture(scope="session")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Options of the components that cannot be built without data."""
    root = tmp_path_factory.mktemp("data")
    noise = np.random.default_rng(0)
    for name in ("a", "b"):
        (root / "images" / name).mkdir(parents=True)
        for number in range(8):
            pixels = noise.integers(0, 256, (70, 80, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "images" / name / f"{number}.png")
    for name in FOLDERS:
        write_mnist(root, name)
    return {
        "dataset/images": {"root": str(root / "images")},
        "dataset/image-pairs": {"root": str(root / "images"), "source": str(root / "images")},
        "dataset/python": {"fields": '{"sample": {"kind": "vector", "shape": [2]}}'},
        "dataset/cifar10": {"root": str(root)},
        "features/classifier": {"steps": 10},
        "features/channel-classifier": {"steps": 10},
        **{f"dataset/{name}": {"root": str(root)} for name in (*FOLDERS, "stacked-mnist")},
    }


@pytest.mark.parametrize("label", COMPONENTS)
def test_a_bundled_component_keeps_to_every_contract(label, given):
    subject = Subject(component=COMPONENTS[label], given=given.get(label, {}))
    results = check_subject(subject)
    assert len(results) >= 3
    known = KNOWN.get(label, set())
    assert not [
        f"{it.check}: {it.message}" for it in results if it.failed and it.check not in known
    ]
    skipped = {(it.check, it.message) for it in results if it.status == "skipped"}
    if label.partition("/")[2] in EXTRAS:
        absent = [reason for _, reason in skipped if reason.startswith("what it needs is not here")]
        if absent:  # a package, or weights that nothing here downloads
            return
    if label in ABSENT:
        reasons = {reason for check, reason in skipped if check != "splits-share-nothing"}
        start = f"what it needs is not here: {ABSENT[label]}"
        assert all(it.startswith(start) for it in reasons)
        return
    kind, _, name = label.partition("/")
    expected = {
        key for key, (kinds, names) in SKIPS.items() if kind in kinds.split() and name in names
    }
    unexplained = {
        (check, reason)
        for check, reason in skipped
        if not any(check == it and reason.startswith(start) for it, start in expected)
    }
    assert not unexplained
    assert {check for check, _ in skipped} == {check for check, _ in expected}


@pytest.mark.parametrize("judge", ["reconstructions", "codes"])
def test_a_game_keeps_to_every_contract_whatever_is_judged(judge):
    subject = Subject(component=COMPONENTS["game/autoencoder"], given={"judge": judge})
    assert [(it.check, it.message) for it in check_subject(subject) if it.status != "passed"] == []


@pytest.mark.parametrize("options", [{}, {"pairing": "none"}], ids=["pairs", "two sets"])
def test_pairs_that_are_read_from_the_disk_keep_to_every_contract(options, given):
    chosen = {**given["dataset/image-pairs"], "memory_limit": 0, **options}
    results = check_subject(Subject(component=COMPONENTS["dataset/image-pairs"], given=chosen))
    assert [f"{it.check}: {it.message}" for it in results if it.failed] == []
    assert "workers-can-be-spawned" in {it.check for it in results if it.status == "passed"}
