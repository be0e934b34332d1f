"""Checks of samplers: shapes, labels, the one source of randomness, and pairing."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganforge.contracts import Batch, Inputs, Sampler
from ganforge.plugin.specs import SamplerSpec
from ganforge.printable import described
from ganforge.problem import Problem
from ganforge.testing.checks.latents import CHECKS as LATENTS
from ganforge.testing.fixtures.building import build, same_values, seeded
from ganforge.testing.fixtures.draws import (
    BATCH,
    built,
    draw,
    fed_with_data,
    input_kind,
    real_of,
)
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.fixtures.watching import global_generators_untouched
from ganforge.testing.framework import (
    Check,
    NotApplicable,
    Subject,
    check_of,
)
from ganforge.testing.framework import (
    OldFailure as CheckFailure,
)

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


def inputs_have_the_declared_shape(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        _expect_shape(draw(subject, problem, sampler).values, BATCH, problem)


def none_and_one_can_be_drawn(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        for n in (0, 1):
            try:
                came = str(len(draw(subject, problem, sampler, n).values))
            except (RuntimeError, ValueError, IndexError, ZeroDivisionError) as error:
                came = described(error)
            if came != str(n):
                raise CheckFailure(f"{n} inputs", came=came, mend="allow any n")


def labels_come_with_classes(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        real = real_of(subject, problem)
        for given in (real,) if fed_with_data(subject) else (real, None):
            labels = draw(subject, problem, sampler, real=given).labels
            if problem.num_classes is None:
                if labels is not None:
                    raise CheckFailure(
                        "no labels in a run without classes",
                        came=repr(labels),
                        mend="return Inputs(values) alone where problem.conditions is empty",
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


def given_generator_alone_is_used(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        with seeded(), global_generators_untouched("inputs are drawn"):
            draw(subject, problem, sampler)


def same_seed_gives_the_same_draw(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        draws = []
        for one in (sampler, sampler, build(subject, problem)):
            with seeded():
                draws.append(draw(subject, problem, one))
        first, *others = draws
        for again in others:
            if not same_values(first, again):
                raise CheckFailure(
                    "the same inputs and labels under the same seed, whatever was drawn before",
                    came="others",
                    mend="keep no state between draws: a resumed run begins with a new sampler",
                )


def another_seed_gives_another_draw(subject: Subject[SamplerSpec]) -> None:
    if fed_with_data(subject):
        raise NotApplicable("its inputs are made of real samples, perhaps by a fixed rule")
    for problem, sampler in built(subject):
        draws = [draw(subject, problem, sampler, seed=seed).values for seed in (0, 1)]
        if torch.equal(*draws):
            raise CheckFailure(
                "other inputs under another seed",
                came="the same",
                mend="draw them from the generator that is given",
            )


def inputs_lie_on_the_generators_device(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        try:
            # Whatever is made without a device now lies on another one than the generator.
            with torch.device("meta"):
                inputs = _draw_from(subject, problem, sampler)
            tensors = (inputs.values, *inputs.others.values())
            wrong = any(it.device.type != "cpu" for it in tensors)
            came = "some that lie elsewhere"
        except (RuntimeError, NotImplementedError, ValueError) as error:
            wrong, came = True, f"an error ({error})"
        if wrong:
            raise CheckFailure(
                "inputs on the device of the generator",
                came=came,
                mend="give every tensor that is made device=generator.device",
            )


def _draw_from(subject: Subject[SamplerSpec], problem: Problem, sampler: Sampler) -> Inputs:
    """A draw whose real samples are made on the CPU, whatever the default device is."""
    with torch.device("cpu"):
        real = real_of(subject, problem) if fed_with_data(subject) else None
        generator = torch.Generator().manual_seed(0)
    return sampler.sample(BATCH, generator=generator, real=real)


def image_inputs_lie_in_range(subject: Subject[SamplerSpec]) -> None:
    of_images = [it for it in built(subject) if input_kind(subject, it[0]) == "image"]
    if not of_images:
        raise NotApplicable("its inputs are no images, and have no range")
    for problem, sampler in of_images:
        values = draw(subject, problem, sampler).values
        low, high = values.min().item(), values.max().item()
        if low < -1 - 1e-5 or high > 1 + 1e-5:
            raise CheckFailure(
                "image inputs in [-1, 1]",
                came=f"values from {low:g} to {high:g}",
                mend="scale or clamp them",
            )


def parts_make_up_the_inputs(subject: Subject[SamplerSpec]) -> None:
    for problem in problems(subject):
        if not problem.parts:
            raise NotApplicable("it names no parts of its inputs")
        _, end = max(problem.parts.values(), key=lambda part: part[1])
        if end != problem.input_shape[0]:
            raise CheckFailure(
                f"parts that make up {problem.input_shape[0]} numbers, as input_shape says",
                came=f"{end}",
                mend="name every part, in order",
            )


def data_is_read_as_declared(subject: Subject[SamplerSpec]) -> None:
    """Input i follows value i alone of what the spec says that it reads, and nothing else."""
    reads = subject.says("reads")
    for problem in problems(subject):
        real, other = (real_of(subject, problem, seed=seed) for seed in (0, 1))
        whole, fresh = ({"samples": it.samples, **it.others} for it in (real, other))
        for name in whole:
            if not whole[name].is_floating_point():
                continue  # what labels do to inputs is not laid down
            changed = {**whole, name: whole[name].clone()}
            changed[name][CHANGED] = fresh[name][CHANGED]
            one, two = (_values(subject, problem, given) for given in (whole, changed))
            moved = [i for i in range(BATCH) if not torch.equal(one[i], two[i])]
            if moved == ([CHANGED] if name in reads else []):
                continue
            shown = "the real samples" if name == "samples" else f"the field {name!r}"
            raise CheckFailure(
                f"input i made of number i of {shown} alone, as reads = {reads!r} says"
                if name in reads
                else f"inputs independent of {shown}, which `reads` of the spec does not name",
                came=f"{len(moved)} of {BATCH} inputs changed with number {CHANGED}",
                mend="keep the order of the batch"
                if name in reads
                else f"name {name!r} in `reads` of the spec",
            )


def _values(subject: Subject[SamplerSpec], problem: Problem, given: Mapping[str, Tensor]) -> Tensor:
    """The inputs that a new sampler makes of real samples and their fields."""
    others = {name: value for name, value in given.items() if name != "samples"}
    real = Batch(given["samples"], **others)
    with seeded():
        return draw(subject, problem, build(subject, problem), real=real).values


def paired_labels_are_those_of_the_real_samples(subject: Subject[SamplerSpec]) -> None:
    if not fed_with_data(subject):
        raise NotApplicable("its inputs are not made of real samples")
    for problem, sampler in built(subject):
        real = real_of(subject, problem)
        labels = draw(subject, problem, sampler, real=real).labels
        if real.labels is not None and (labels is None or not torch.equal(labels, real.labels)):
            raise CheckFailure(
                "the label of real sample i with input i",
                came=repr(labels),
                mend="return real.only(self.problem.conditions).others with the inputs",
            )


def real_batch_is_left_unchanged(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        real, before = (real_of(subject, problem) for _ in range(2))
        draw(subject, problem, sampler, real=real)
        if not same_values(real, before):
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
        "data-is-read-as-declared",
        "input i is made of number i of what the spec names in `reads`, and of nothing else",
        data_is_read_as_declared,
    ),
    _check(
        "parts-make-up-the-inputs",
        "the named parts of an input, where there are any, make up the whole",
        parts_make_up_the_inputs,
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
