"""Bugs of networks as they are made in earnest: each is told by the check that it is about."""

from __future__ import annotations

import pytest

from ganforge import DiscriminatorSpec, GeneratorSpec
from ganforge.testing import check_component
from ganforge.testing.catalogue import ALL_CHECKS

from . import wrong_flows, wrong_states
from .test_wrong_networks import UNKNOWN_MODULE, WRONG, discriminator, generator, of_status

FLOWS, STATES = wrong_flows.__name__, wrong_states.__name__
COUNTS = "every-part-of-the-input-counts"
TRAINED = "every-parameter-gets-a-gradient"
SLOPES = "gradients-are-slopes"
ALONE = "evaluation-is-independent-of-batch-mates"
STATE = "state-survives-safetensors"
DEVICE = "tensors-are-made-on-the-right-device"
PASSES = "passes-change-no-weights"

GENERATORS = [
    ("HalfOfTheLatents", COUNTS, {}),
    ("OwnLatents", COUNTS, {}),
    ("HalfOfTheVector", COUNTS, {"conditions": ("vector",)}),
    ("OneChannelOfThePicture", COUNTS, {"conditions": ("image",)}),
    ("DetachedSkip", SLOPES, {}),
    ("DetachedPart", TRAINED, {}),
    ("OtherLabels", "conditions-count", {}),
    ("MeanLabel", "conditions-count", {}),
    ("TwoClassesAlike", "conditions-count", {}),
    ("CentredFeatures", ALONE, {}),
    ("StatisticsOfTheBatch", ALONE, {}),
    ("AttendsToTheBatch", ALONE, {}),
    ("NoisyDropout", "global-random-state-is-untouched", {}),
    ("TwiceSquashed", "images-use-the-whole-range", {}),
    ("FromZeroToOne", "images-use-the-whole-range", {}),
    ("ZerosOnTheCPU", DEVICE, {}),
    ("HardCodedLatents", "samples-have-the-declared-shape", {}),
    ("SharedByAll", "two-networks-share-nothing", {}),
    ("SeededHalfWay", "another-seed-builds-another-network", {}),
    ("ParameterInAList", "tensors-are-registered", {}),
    ("DoubleBuffer", "numbers-of-the-state-are-float32", {}),
    ("MeanInSecret", STATE, {}),
    ("MeanThatMovesInEvaluation", PASSES, {}),
    ("SetsItsOwnMode", PASSES, {}),
    ("UnsavedNoise", STATE, {}),
    ("TenClasses", "labels-out-of-range-are-refused", {}),
    ("ClampedLabels", "labels-out-of-range-are-refused", {}),
    ("CachesTheLabels", "conditions-count", {}),
]
DISCRIMINATORS = [
    ("RedAlone", COUNTS, {}),
    ("LeftHalfAlone", COUNTS, {}),
    ("DetachedHead", SLOPES, {"several": True}),
    ("DetachedFactor", SLOPES, {}),
    ("OtherLabelsScored", "conditions-count", {}),
    ("CentredScores", "batch-independent-as-declared", {}),
    ("ViewOfChannelsLast", "memory-format-changes-nothing", {}),
    ("ZerosWhereItIsTold", DEVICE, {}),
    ("WidthForHeight", "scores-have-the-declared-shape", {}),
    ("LabelInPlace", "arguments-are-not-changed", {}),
    ("RectifiedInPlace", "arguments-are-not-changed", {}),
    ("HardCodedSize", "scores-have-the-declared-shape", {}),
    ("ClampsItsWeights", PASSES, {}),
]


@pytest.mark.parametrize(
    ("make", "builder", "check", "more"),
    [
        *((generator, *it) for it in GENERATORS),
        *((discriminator, *it) for it in DISCRIMINATORS),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_a_planted_bug_is_told(make, builder, check, more):
    module = FLOWS if hasattr(wrong_flows, builder) else STATES
    results = check_component(make(build=f"{module}:{builder}", **more))
    assert check in of_status(results, "failed")


def test_every_check_of_a_network_has_a_component_that_fails_it():
    kinds = (GeneratorSpec, DiscriminatorSpec)
    networks = {
        it.name
        for it in ALL_CHECKS
        if not it.kinds or any(issubclass(kind, it.kinds) for kind in kinds)
    }
    told = {check for _, check in WRONG} | {it for _, it, _ in [*GENERATORS, *DISCRIMINATORS]}
    assert networks - told == UNKNOWN_MODULE  # test_doors.py has those


def test_an_error_shows_the_shapes_that_were_given():
    results = check_component(generator(build=f"{FLOWS}:HardCodedLatents"))
    message = of_status(results, "failed")["samples-are-float32"]
    assert message == (
        "expected: a forward that works; got: forward raised RuntimeError: mat1 and mat2 shapes "
        "cannot be multiplied (7x6 and 100x8) (wrong_networks.py, line 40), for inputs [7, 6] and "
        "samples [3, 11, 11]. Fix: mend what is raised there"
    )
