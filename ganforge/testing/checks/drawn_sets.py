"""Checks of data sets that are distributions: draws, and the modes of mixtures."""

from __future__ import annotations

import torch

from ganforge.contracts import EndlessDataset
from ganforge.plugin.fields import SAMPLE
from ganforge.plugin.specs import DatasetSpec
from ganforge.printable import described
from ganforge.testing.fixtures import set_items as sets
from ganforge.testing.fixtures.building import seeded
from ganforge.testing.fixtures.conduct import same
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

NUM_DRAWS = 4096  # from a mixture, for its moments


@check(
    "a draw is a function of the seed, whatever was drawn before",
    DatasetSpec,
    fix="draw from the generator that is given alone, and keep no state",
)
def same_seed_gives_the_same_draw(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.endless(subject)
    draws = []
    for one in (dataset, dataset, sets.built(subject)):
        with seeded():
            draws.append(sets.drawn(one))
    require(all(same(draws[0], it) for it in draws), "others under the same seed")
    with seeded():
        other = sets.drawn(dataset, seed=7)
    require(not torch.equal(draws[0].samples, other.samples), "the same under another seed")


@check("any number can be drawn, 0 and 1 among them", DatasetSpec, fix="allow any n")
def none_and_one_can_be_drawn(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.endless(subject)
    for n in (0, 1):
        wanted = [n, *sets.known(subject, dataset)[SAMPLE].known_shape]
        try:
            got = str(list(sets.drawn(dataset, n).samples.shape))
        except (RuntimeError, ValueError, IndexError, ZeroDivisionError) as error:
            got = described(error)
        require(got == str(wanted), got, expected=f"samples {wanted}")


@check(
    "samples and fields are drawn on the device of the generator",
    DatasetSpec,
    fix="give every tensor that is made device=generator.device",
)
def samples_lie_on_the_generators_device(subject: Subject[DatasetSpec]) -> None:
    dataset, generator = sets.endless(subject), torch.Generator().manual_seed(0)
    try:
        # Whatever is made without a device now lies on another one than the generator.
        with torch.device("meta"):
            batch = dataset.draw(sets.NUM_ITEMS, generator)
    except (RuntimeError, NotImplementedError, ValueError) as error:
        raise CheckFailure(f"an error ({error})") from error
    for name, values in {SAMPLE: batch.samples, **batch.others}.items():
        require(values.device.type == "cpu", f"a {name} that lies elsewhere")


@check(
    "a set has modes, or what else `gives` names, if and only if the spec says so",
    DatasetSpec,
    fix="name in `gives` of the spec what the data set has",
)
def what_it_gives_is_as_declared(subject: Subject[DatasetSpec]) -> None:
    dataset, declared = sets.built(subject), subject.spec.gives
    for name in {*declared, "mixture"}:
        has = getattr(dataset, name, None) is not None
        got = f"{'a' if has else 'no'} {name} where gives = {declared!r}"
        require(has == (name in declared), got)


@check(
    "samples have the mean and the variance of the mixture: weights [M] that sum to 1, means "
    "[M, D], standard deviations [M] above 0",
    DatasetSpec,
    fix="give the Mixture that samples are drawn from",
)
def samples_follow_the_mixture(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.built(subject)
    if dataset.mixture is None:
        raise NotApplicable("it is no mixture of Gaussians")
    weights, means, stds = (getattr(dataset.mixture, name) for name in ("weights", "means", "stds"))
    shapes = [list(it.shape) for it in (weights, means, stds)]
    num_modes = len(weights)
    shape = sets.known(subject, dataset)[SAMPLE].known_shape
    sound = abs(weights.sum().item() - 1) < 1e-4 and bool((stds > 0).all())
    require(
        sound and shapes == [[num_modes], [num_modes, *shape], [num_modes]],
        f"shapes {shapes}, weights that sum to {weights.sum():g}",
    )
    samples = (
        sets.drawn(dataset, NUM_DRAWS).samples
        if isinstance(dataset, EndlessDataset)
        else torch.stack(sets.some_samples(dataset))
    )
    mean = weights @ means
    variance = weights @ (stds[:, None].square() + (means - mean).square())
    error = (samples.mean(0) - mean).abs() / (variance / len(samples)).sqrt()
    spread = samples.var(0) / variance
    require(
        bool(error.max() <= 6 and spread.max() <= 1.5 and spread.min() >= 0.6),
        f"a mean {error.max():.1f} standard errors away, and a variance {spread.min():.2f} to "
        f"{spread.max():.2f} times as large",
    )
