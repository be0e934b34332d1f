"""A network that breaks one contract fails the check of that contract, and no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from ganforge import (
    DiscriminatorSpec,
    GeneratorSpec,
    ImageShapes,
    SequenceShapes,
    VectorShapes,
)
from ganforge.testing import CheckResult, check_component
from ganforge.testing.catalogue import ALL_CHECKS

from . import wrong_networks as wrong

MODULE = wrong.__name__


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """torch's settings, which one of the networks changes, as they were."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def generator(builder: str = "Generator", **changes: object) -> GeneratorSpec:
    fields = {
        "name": "tiny",
        "summary": "A perceptron",
        "build": f"{MODULE}:{builder}",
        "options": wrong.Options,
        "shapes": (ImageShapes(), VectorShapes()),
        "conditions": ("label",),
        **changes,
    }
    return GeneratorSpec(**fields)


def discriminator(builder: str = "Discriminator", **changes: object) -> DiscriminatorSpec:
    fields = {
        "name": "tiny",
        "summary": "A perceptron",
        "build": f"{MODULE}:{builder}",
        "options": wrong.Options,
        "shapes": (ImageShapes(), VectorShapes()),
        "conditions": ("label",),
        "batch_independent": True,
        **changes,
    }
    return DiscriminatorSpec(**fields)


def of_status(results: list[CheckResult], *statuses: str) -> dict[str, str]:
    return {result.check: result.message for result in results if result.status in statuses}


NO_TRACE = {"trace-is-as-declared"}
NO_CODES = {"codes-have-the-shape-of-inputs"}
RIGHT = {
    "generator": (generator(), NO_CODES | NO_TRACE),
    "autoencoder": (generator("Autoencoder", methods=("encode",)), NO_TRACE),
    "without classes": (
        generator(conditions=()),
        NO_CODES | NO_TRACE | {"conditions-count", "labels-out-of-range-are-refused"},
    ),
    "with a trace": (generator(gives=("w",)), NO_CODES),
    "told a picture": (
        generator("Painter", conditions=("label", "image"), required=("image",)),
        NO_CODES | NO_TRACE,
    ),
    "fed with a sequence": (generator(inputs="sequence"), NO_CODES | NO_TRACE),
    "of sequences": (
        generator(shapes=(SequenceShapes(minimum=16, multiple_of=4),)),
        NO_CODES | NO_TRACE,
    ),
    "discriminator": (discriminator(), NO_TRACE),
    "of patches": (discriminator("TwoScores", patches=True), NO_TRACE),
    "of several scales": (discriminator("ListOfScores", several=lambda options: True), NO_TRACE),
    "with a head": (discriminator("Classifier", gives=("logits",)), set()),
    "honest about its batch": (
        discriminator("ComparesWithTheBatch", batch_independent=lambda options: False),
        NO_TRACE | {"batch-independent-as-declared"},
    ),
    "honest about its gradient": (
        discriminator("DifferentiableOnce", double_backward=False),
        NO_TRACE | {"gradient-can-be-differentiated"},
    ),
}
UNKNOWN_MODULE = {
    "hook-module-imports-no-torch",
    "hook-module-loads-quickly",
    "hook-module-changes-nothing",
}


@pytest.mark.parametrize(("spec", "skipped"), RIGHT.values(), ids=RIGHT)
def test_a_right_component_passes(spec, skipped):
    results = check_component(spec)
    assert not of_status(results, "failed")
    assert set(of_status(results, "skipped")) == skipped | UNKNOWN_MODULE
    assert len(results) == sum(check.concerns(spec) for check in ALL_CHECKS)


WRONG = [
    # every kind of component
    (generator(summary="a" * 121), "summary-can-be-printed"),
    (generator(summary="plain \x1b[31mred"), "summary-can-be-printed"),
    (generator(options=wrong.OptionsWithoutHelp), "every-option-has-help"),
    (generator(options=wrong.OptionsThatGrow), "options-survive-toml"),
    (generator("Nothing"), "builder-can-be-imported"),
    (discriminator("NUM_FEATURES"), "builder-can-be-imported"),
    (generator("UnbuildableForGrey"), "can-be-built"),
    (generator("NoisyInEvaluation"), "global-random-state-is-untouched"),
    (generator("AnotherNumberOfThreads"), "torch-settings-are-untouched"),
    (generator("OtherEnvironment"), "process-is-untouched"),
    # both networks
    (generator("Unseeded"), "one-seed-builds-one-network"),
    (generator("OwnSeed"), "another-seed-builds-another-network"),
    (generator("PlainTensor"), "tensors-are-registered"),
    (generator("LayersInList"), "tensors-are-registered"),
    (generator("UnusedLayer"), "every-parameter-gets-a-gradient"),
    (generator("Autoencoder"), "every-parameter-gets-a-gradient"),
    (discriminator("ReadsMemoryOrder"), "memory-format-changes-nothing"),
    (generator("WritesIntoInputs"), "arguments-are-not-changed"),
    (generator("LateBuffer"), "no-parameter-appears-at-first-forward"),
    (generator("KeepsItsFeatures"), "can-be-copied-after-a-pass"),
    (generator("UnsavedNumber"), "state-survives-safetensors"),
    (generator("OneDtypeAlone"), "finite-under-bfloat16-autocast"),
    (generator("DeafToLabels"), "conditions-count"),
    (generator("Blind", conditions=("image",)), "conditions-count"),
    (generator("AnyLabel"), "labels-out-of-range-are-refused"),
    (generator("GivesAnother", gives=("w",)), "trace-is-as-declared"),
    (generator("GivesOne", gives=("w",)), "trace-is-as-declared"),
    (discriminator("Classifier"), "every-parameter-gets-a-gradient"),
    # generators
    (generator("HeightForWidth"), "samples-have-the-declared-shape"),
    (generator("DoubleForGrey"), "samples-are-float32"),
    (generator("Unbounded"), "images-lie-in-range"),
    (generator("Constant"), "samples-are-not-constant"),
    (generator("MeanOfTheBatch"), "evaluation-is-independent-of-batch-mates"),
    (generator("SqueezedCodes", methods=("encode",)), "codes-have-the-shape-of-inputs"),
    # discriminators
    (discriminator("SqueezedScores"), "scores-have-the-declared-shape"),
    (discriminator(several=True), "scores-have-the-declared-shape"),
    (discriminator("DoubleScoresForGrey"), "scores-are-float32"),
    (discriminator("Probabilities"), "scores-are-unbounded"),
    (discriminator("PositiveScores"), "scores-are-unbounded"),
    (discriminator("ConstantScores"), "scores-are-not-constant"),
    (discriminator("DetachesTheFirst"), "samples-get-a-gradient"),
    (discriminator("GradientOnlyForWeights"), "frozen-weights-pass-the-gradient"),
    (discriminator("DifferentiableOnce"), "gradient-can-be-differentiated"),
    (discriminator("ComparesWithTheBatch"), "batch-independent-as-declared"),
    # pairings
    (generator("FixedBatch"), "trains-with-reference-partners"),
    (generator("CountsInSecret"), "resumes-to-the-bit"),
]


@pytest.mark.parametrize(("spec", "check"), WRONG, ids=lambda it: getattr(it, "build", it))
def test_a_wrong_component_fails_its_own_check_alone(spec, check):
    assert list(of_status(check_component(spec), "failed", "unexpected")) == [check]


def test_what_this_processor_cannot_compute_is_no_fault_of_a_network():
    results = check_component(generator("WithoutKernels"))
    assert not of_status(results, "failed", "unexpected")
    skipped = of_status(results, "skipped")["finite-under-bfloat16-autocast"]
    assert skipped == "this processor has no bfloat16 for one of its layers"


@pytest.mark.parametrize("builder", ["TwoScores", "ListOfScores"])
def test_scores_that_are_not_declared_end_a_run_too(builder):
    results = check_component(discriminator(builder))
    assert list(of_status(results, "failed")) == [
        "scores-have-the-declared-shape",
        "trains-with-reference-partners",
    ]


def test_a_failure_says_what_was_expected_what_came_and_what_to_do():
    results = check_component(discriminator("Probabilities"))
    (message,) = of_status(results, "failed").values()
    assert message.startswith("expected: scores can be anything, unless the spec says")
    assert "got: scores from 0 to 1, whatever the weights are. Fix: end with a linear" in message


def test_what_cannot_be_imported_is_told_once_and_the_rest_is_skipped_with_the_reason():
    results = check_component(generator("Nothing"))
    skipped = of_status(results, "skipped")
    assert "it cannot be built" in skipped["samples-are-float32"]
    assert skipped["can-be-built"] == "its builder cannot be imported"
