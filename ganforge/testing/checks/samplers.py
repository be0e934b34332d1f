"""Checks of samplers: shapes, labels, the one source of randomness, and pairing."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge.contracts import Batch, Inputs, Sampler
from ganforge.printable import described
from ganforge.problem import Problem
from ganforge.testing.checks.latents import CHECKS as LATENTS
from ganforge.testing.fixtures.building import build, problems, real_batch, seeded
from ganforge.testing.fixtures.draws import BATCH, built, draw, equal, spec_of
from ganforge.testing.fixtures.watching import global_generators_untouched
from ganforge.testing.framework import Check, CheckFailure, NotApplicable, Subject, check_of

CHANGED = 1  # a real sample that stays nowhere when a batch is turned round


def _expect_shape(values: object, n: int, problem: Problem) -> None:
    shape = (n, *problem.input_shape)
    if (
        isinstance(values, Tensor)
        and values.dtype == torch.float32
        and tuple(values.shape) == shape
        and values.isfinite().all()
    ):
        return
    came = type(values).__name__
    if isinstance(values, Tensor):
        came = f"{values.dtype} {list(values.shape)}"
        came += "" if values.isfinite().all() else ", not all of them finite"
    raise CheckFailure(
        f"finite float32 inputs {list(shape)} for samples {list(problem.sample_shape)}",
        came=came,
        mend="let input_shape of the spec and sample() agree",
    )


def inputs_have_the_declared_shape(subject: Subject) -> None:
    for problem, sampler in built(subject):
        _expect_shape(draw(subject, problem, sampler).values, BATCH, problem)


def none_and_one_can_be_drawn(subject: Subject) -> None:
    for problem, sampler in built(subject):
        for n in (0, 1):
            try:
                came = str(len(draw(subject, problem, sampler, n).values))
            except (RuntimeError, ValueError, IndexError, ZeroDivisionError) as error:
                came = described(error)
            if came != str(n):
                raise CheckFailure(f"{n} inputs", came=came, mend="allow any n")


def labels_come_with_classes(subject: Subject) -> None:
    for problem, sampler in built(subject):
        real = real_batch(problem, BATCH)
        for given in (real,) if spec_of(subject).paired else (real, None):
            labels = draw(subject, problem, sampler, real=given).labels
            if problem.num_classes is None:
                if labels is not None:
                    raise CheckFailure(
                        "no labels in a run without classes",
                        came=repr(labels),
                        mend="return Inputs(values, None) where problem.num_classes is None",
                    )
                continue
            good = (
                isinstance(labels, Tensor)
                and labels.dtype == torch.int64
                and tuple(labels.shape) == (BATCH,)
                and bool(((labels >= 0) & (labels < problem.num_classes)).all())
            )
            if not good:
                raise CheckFailure(
                    f"labels int64 [{BATCH}] in [0, {problem.num_classes})",
                    came=repr(labels),
                    mend="return those of the real batch, or drawn ones, with the inputs",
                )


def given_generator_alone_is_used(subject: Subject) -> None:
    for problem, sampler in built(subject):
        with seeded(), global_generators_untouched("inputs are drawn"):
            draw(subject, problem, sampler)


def same_seed_gives_the_same_draw(subject: Subject) -> None:
    for problem, sampler in built(subject):
        draws = []
        for one in (sampler, sampler, build(subject, problem)):
            with seeded():
                draws.append(draw(subject, problem, one))
        first, *others = draws
        for again in others:
            if not equal(first, again):
                raise CheckFailure(
                    "the same inputs and labels under the same seed, whatever was drawn before",
                    came="others",
                    mend="keep no state between draws: a resumed run begins with a new sampler",
                )


def another_seed_gives_another_draw(subject: Subject) -> None:
    if spec_of(subject).paired:
        raise NotApplicable("its inputs are made of real samples, perhaps by a fixed rule")
    for problem, sampler in built(subject):
        draws = [draw(subject, problem, sampler, seed=seed).values for seed in (0, 1)]
        if torch.equal(*draws):
            raise CheckFailure(
                "other inputs under another seed",
                came="the same",
                mend="draw them from the generator that is given",
            )


def inputs_lie_on_the_generators_device(subject: Subject) -> None:
    for problem, sampler in built(subject):
        try:
            # Whatever is made without a device now lies on another one than the generator.
            with torch.device("meta"):
                inputs = _draw_from(subject, problem, sampler)
            wrong = any(it is not None and it.device.type != "cpu" for it in inputs)
            came = "some that lie elsewhere"
        except (RuntimeError, NotImplementedError, ValueError) as error:
            wrong, came = True, f"an error ({error})"
        if wrong:
            raise CheckFailure(
                "inputs on the device of the generator",
                came=came,
                mend="give every tensor that is made device=generator.device",
            )


def _draw_from(subject: Subject, problem: Problem, sampler: Sampler) -> Inputs:
    """A draw whose real samples are made on the CPU, whatever the default device is."""
    with torch.device("cpu"):
        real = real_batch(problem, BATCH) if spec_of(subject).paired else None
        generator = torch.Generator().manual_seed(0)
    return sampler.sample(BATCH, generator=generator, real=real)


def image_inputs_lie_in_range(subject: Subject) -> None:
    if spec_of(subject).inputs != "images":
        raise NotApplicable("its inputs are latents, which have no range")
    for problem, sampler in built(subject):
        values = draw(subject, problem, sampler).values
        low, high = values.min().item(), values.max().item()
        if low < -1 - 1e-5 or high > 1 + 1e-5:
            raise CheckFailure(
                "image inputs in [-1, 1]",
                came=f"values from {low:g} to {high:g}",
                mend="scale or clamp them",
            )


def pairing_is_as_declared(subject: Subject) -> None:
    """Input i follows real sample i alone where the spec says paired, else no real sample."""
    paired = spec_of(subject).paired
    for problem in problems(subject):
        real = real_batch(problem, BATCH)
        changed = real.samples.clone()
        changed[CHANGED] = real_batch(problem, BATCH, seed=1).samples[CHANGED]
        draws = []
        for given in (real, Batch(changed, real.labels)):
            with seeded():
                draws.append(draw(subject, problem, build(subject, problem), real=given).values)
        one, other = draws
        moved = [i for i in range(BATCH) if not torch.equal(one[i], other[i])]
        if moved != ([CHANGED] if paired else []):
            raise CheckFailure(
                "input i made of real sample i alone, as `paired` says"
                if paired
                else "inputs independent of the real samples, for the spec does not say `paired`",
                came=f"{len(moved)} of {BATCH} inputs changed with real sample {CHANGED}",
                mend="keep the order of the batch" if paired else "set paired=True in the spec",
            )


def paired_labels_are_those_of_the_real_samples(subject: Subject) -> None:
    if not spec_of(subject).paired:
        raise NotApplicable("its inputs are not made of real samples")
    for problem, sampler in built(subject):
        real = real_batch(problem, BATCH)
        labels = draw(subject, problem, sampler, real=real).labels
        if real.labels is not None and (labels is None or not torch.equal(labels, real.labels)):
            raise CheckFailure(
                "the label of real sample i with input i",
                came=repr(labels),
                mend="return real.labels with the inputs",
            )


def real_batch_is_left_unchanged(subject: Subject) -> None:
    for problem, sampler in built(subject):
        real = real_batch(problem, BATCH)
        before = real.samples.clone()
        draw(subject, problem, sampler, real=real)
        if not torch.equal(before, real.samples):
            raise CheckFailure(
                "a real batch that is as it was, for the discriminator sees it too",
                came="another",
                mend="use operations that make a new tensor",
            )


_check = check_of("sampler")


CHECKS: tuple[Check, ...] = (
    _check(
        "inputs-have-the-declared-shape",
        "inputs are float32 [n, *input_shape], for every problem",
        inputs_have_the_declared_shape,
    ),
    _check(
        "none-and-one-can-be-drawn",
        "n may be 0 and 1",
        none_and_one_can_be_drawn,
    ),
    _check(
        "labels-come-with-classes",
        "in a conditional run inputs have labels in [0, K), in another none",
        labels_come_with_classes,
    ),
    _check(
        "given-generator-alone-is-used",
        "the global random state plays no part in a draw",
        given_generator_alone_is_used,
    ),
    _check(
        "same-seed-gives-the-same-draw",
        "a draw is a function of the seed",
        same_seed_gives_the_same_draw,
    ),
    _check(
        "another-seed-gives-another-draw",
        "another seed gives other inputs",
        another_seed_gives_another_draw,
    ),
    _check(
        "inputs-lie-on-the-generators-device",
        "inputs are made on the device of the generator",
        inputs_lie_on_the_generators_device,
    ),
    _check("image-inputs-lie-in-range", "image inputs lie in [-1, 1]", image_inputs_lie_in_range),
    _check(
        "pairing-is-as-declared",
        "input i is made of real sample i if, and only if, the spec says `paired`",
        pairing_is_as_declared,
    ),
    _check(
        "paired-labels-are-those-of-the-real-samples",
        "an input that is made of a real sample has its label",
        paired_labels_are_those_of_the_real_samples,
    ),
    _check(
        "real-batch-is-left-unchanged",
        "the real batch is not changed in its place",
        real_batch_is_left_unchanged,
    ),
    *LATENTS,
)
