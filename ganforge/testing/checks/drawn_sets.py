"""Checks of data sets that are distributions: draws, and the modes of mixtures."""

from __future__ import annotations

import torch

from ganforge.contracts import EndlessDataset
from ganforge.plugin.specs import DatasetSpec
from ganforge.printable import described
from ganforge.testing.fixtures.building import same_values, seeded
from ganforge.testing.fixtures.set_items import (
    NUM_ITEMS,
    built,
    drawn,
    one_of,
    sample_of,
    some_samples,
)
from ganforge.testing.framework import (
    Check,
    NotApplicable,
    Subject,
    check_of,
)
from ganforge.testing.framework import (
    OldFailure as CheckFailure,
)

NUM_DRAWS = 4096  # from a mixture, for its moments


def same_seed_gives_the_same_draw(subject: Subject[DatasetSpec]) -> None:
    dataset = one_of(subject, EndlessDataset, "its samples are stored, not drawn")
    draws = []
    for one in (dataset, dataset, built(subject)):
        with seeded():
            draws.append(drawn(one))
    first, *again = draws
    with seeded():
        other = drawn(dataset, seed=7)
    for draw in again:
        if not same_values(first, draw):
            raise CheckFailure(
                "the same samples under the same seed, whatever was drawn before",
                came="others",
                mend="draw from the generator that is given alone, and keep no state",
            )
    if torch.equal(first.samples, other.samples):
        raise CheckFailure(
            "other samples under another seed",
            came="the same",
            mend="draw from the generator that is given",
        )


def none_and_one_can_be_drawn(subject: Subject[DatasetSpec]) -> None:
    dataset = one_of(subject, EndlessDataset, "its samples are stored, not drawn")
    shape = sample_of(subject, dataset).known_shape
    for n in (0, 1):
        try:
            came = str(list(drawn(dataset, n).samples.shape))
        except (RuntimeError, ValueError, IndexError, ZeroDivisionError) as error:
            came = described(error)
        if came != str([n, *shape]):
            raise CheckFailure(f"samples of {[n, *shape]}", came=came, mend="allow any n")


def samples_lie_on_the_generators_device(subject: Subject[DatasetSpec]) -> None:
    dataset = one_of(subject, EndlessDataset, "its samples are stored, not drawn")
    generator = torch.Generator().manual_seed(0)
    try:
        # Whatever is made without a device now lies on another one than the generator.
        with torch.device("meta"):
            batch = dataset.draw(NUM_ITEMS, generator)
        wrong = any(it.device.type != "cpu" for it in (batch.samples, *batch.others.values()))
        came = "some that lie elsewhere"
    except (RuntimeError, NotImplementedError, ValueError) as error:
        wrong, came = True, f"an error ({error})"
    if wrong:
        raise CheckFailure(
            "samples on the device of the generator",
            came=came,
            mend="give every tensor that is made device=generator.device",
        )


def gives_as_declared(subject: Subject[DatasetSpec]) -> None:
    dataset, declared = built(subject), subject.spec.gives
    for name in {*declared, "mixture"}:
        if (getattr(dataset, name, None) is not None) != (name in declared):
            raise CheckFailure(
                f"{'a' if name in declared else 'no'} {name}, as gives = {declared!r} says",
                came="none" if name in declared else "one",
                mend=f"name {name!r} in `gives` of the spec where the data set has it",
            )


def samples_follow_the_mixture(subject: Subject[DatasetSpec]) -> None:
    dataset = built(subject)
    mixture = dataset.mixture
    if mixture is None:
        raise NotApplicable("it is no mixture of Gaussians")
    weights, means, stds = mixture.weights, mixture.means, mixture.stds
    shapes = [tuple(it.shape) for it in (weights, means, stds)]
    num_modes = len(weights)
    shape = sample_of(subject, dataset).known_shape
    wanted = [(num_modes,), (num_modes, *shape), (num_modes,)]
    if shapes != wanted or abs(weights.sum().item() - 1) > 1e-4 or not (stds > 0).all():
        raise CheckFailure(
            "weights [M] that sum to 1, means [M, D], standard deviations [M] above 0",
            came=f"shapes {shapes}, weights that sum to {weights.sum():g}",
            mend="give the Mixture that samples are drawn from",
        )
    samples = (
        drawn(dataset, NUM_DRAWS).samples
        if isinstance(dataset, EndlessDataset)
        else torch.stack(some_samples(dataset))
    )
    mean = weights @ means
    variance = weights @ (stds[:, None].square() + (means - mean).square())
    error = (samples.mean(0) - mean).abs() / (variance / len(samples)).sqrt()
    spread = samples.var(0) / variance
    if error.max() > 6 or spread.max() > 1.5 or spread.min() < 0.6:
        raise CheckFailure(
            "samples with the mixture's mean and variance",
            came=f"a mean {error.max():.1f} standard errors away, and a variance "
            f"{spread.min():.2f} to {spread.max():.2f} times as large",
            mend="give the Mixture that samples are drawn from",
        )


_check = check_of("dataset")


CHECKS: tuple[Check, ...] = (
    _check(
        "same-seed-gives-the-same-draw",
        "a draw is a function of the seed",
        same_seed_gives_the_same_draw,
    ),
    _check("none-and-one-can-be-drawn", "n may be 0 and 1", none_and_one_can_be_drawn),
    _check(
        "samples-lie-on-the-generators-device",
        "samples are drawn on the device of the generator",
        samples_lie_on_the_generators_device,
    ),
    _check(
        "what-it-gives-is-as-declared",
        "a set has modes, or what else `gives` names, if and only if the spec says so",
        gives_as_declared,
    ),
    _check(
        "samples-follow-the-mixture",
        "the modes are those of the samples",
        samples_follow_the_mixture,
    ),
)
