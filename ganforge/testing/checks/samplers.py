"""Checks of samplers: shapes, conditions, the one source of randomness, and pairing."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge.contracts import Batch
from ganforge.plugin.fields import LABEL
from ganforge.plugin.specs import SamplerSpec
from ganforge.problem import Problem
from ganforge.testing.fixtures.building import build, seeded
from ganforge.testing.fixtures.conduct import (
    left_unchanged,
    require_same,
    require_the_given_device,
)
from ganforge.testing.fixtures.draws import BATCH, built, draw, fed_with_data, input_kind, real_of
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.fixtures.watching import global_generators_untouched
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

CHANGED = 1  # a real sample that stays nowhere when a batch is turned round
NUM_LABELS = 64  # among which each of three classes is, but once in 10^11 times


def expect_shape(values: object, n: int, problem: Problem) -> None:
    """Require finite float32 inputs `[n, *input_shape]`."""
    wanted = [n, *problem.input_shape]
    expected = f"finite float32 inputs {wanted} for samples {list(problem.sample_shape)}"
    if not isinstance(values, Tensor):
        raise CheckFailure(type(values).__name__, expected=expected)
    finite = bool(values.isfinite().all())
    sound = values.dtype == torch.float32 and list(values.shape) == wanted and finite
    got = f"{values.dtype} {list(values.shape)}" + ("" if finite else ", not all of them finite")
    require(sound, got, expected=expected)


@check(
    "inputs are float32 [n, *input_shape], for every problem",
    SamplerSpec,
    fix="let input_shape of the spec and sample() agree",
)
def inputs_have_the_declared_shape(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        expect_shape(draw(subject, problem, sampler).values, BATCH, problem)


@check("n may be 0 and 1", SamplerSpec, fix="allow any n")
def none_and_one_can_be_drawn(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        for n in (0, 1):
            got = len(draw(subject, problem, sampler, n).values)
            require(got == n, f"{got}", expected=f"{n} inputs")


@check(
    "inputs have the conditions of the run and no others; labels lie in [0, K), and all of them "
    "are drawn where there is no real batch",
    SamplerSpec,
    fix="return real.only(self.problem.conditions).others, or drawn labels, with the inputs",
)
def labels_come_with_classes(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        real = real_of(subject, problem)
        for n, given in ((BATCH, real), (NUM_LABELS, None)):
            if given is None and fed_with_data(subject):
                continue
            drawn = draw(subject, problem, sampler, n, real=given)
            found, wanted = sorted(drawn.others), sorted(problem.conditions)
            require(found == wanted, f"{found}", expected=f"the conditions {wanted}")
            if drawn.labels is not None:
                _expect_labels(drawn.labels, n, problem.num_classes or 0, drawn=given is None)


def _expect_labels(labels: Tensor, n: int, num_classes: int, *, drawn: bool) -> None:
    expected = f"labels int64 [{n}] in [0, {num_classes})"
    whole = labels.dtype == torch.int64 and list(labels.shape) == [n]
    require(whole, f"{labels.dtype} {list(labels.shape)}", expected=expected)
    low, high = int(labels.min()), int(labels.max())
    require(low >= 0 and high < num_classes, f"some from {low} to {high}", expected=expected)
    missing = {*range(num_classes)} - {*labels.tolist()} if drawn else ()
    require(not missing, f"the labels {missing} never", expected=f"every class among {n} labels")


@check(
    "the global random state plays no part in a draw",
    SamplerSpec,
    fix="pass generator= to every random function",
)
def given_generator_alone_is_used(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        with seeded(), global_generators_untouched("inputs are drawn"):
            draw(subject, problem, sampler)


@check(
    "a draw is a function of the seed, whatever was drawn before",
    SamplerSpec,
    fix="keep no state between draws: a resumed run begins with a new sampler",
)
def same_seed_gives_the_same_draw(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        draws = []
        for one in (sampler, sampler, build(subject, problem)):
            with seeded():
                draws.append(draw(subject, problem, one))
        require_same(draws)


@check("another seed gives other inputs", SamplerSpec, fix="draw from the generator that is given")
def another_seed_gives_another_draw(subject: Subject[SamplerSpec]) -> None:
    if fed_with_data(subject):
        raise NotApplicable("its inputs are made of real samples, perhaps by a fixed rule")
    for problem, sampler in built(subject):
        draws = [draw(subject, problem, sampler, seed=seed).values for seed in (0, 1)]
        require(not torch.equal(*draws), "the same")


@check(
    "inputs are made on the device of the generator",
    SamplerSpec,
    fix="give every tensor that is made device=generator.device",
)
def inputs_lie_on_the_generators_device(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        require_the_given_device(lambda: draw(subject, problem, sampler))  # noqa: B023


@check("image inputs lie in [-1, 1]", SamplerSpec, fix="scale or clamp them")
def image_inputs_lie_in_range(subject: Subject[SamplerSpec]) -> None:
    of_images = [it for it in built(subject) if input_kind(subject, it[0]) == "image"]
    if not of_images:
        raise NotApplicable("its inputs are no images, and have no range")
    for problem, sampler in of_images:
        values = draw(subject, problem, sampler).values
        low, high = values.min().item(), values.max().item()
        require(low >= -1 - 1e-5 and high <= 1 + 1e-5, f"values from {low:g} to {high:g}")


@check(
    "the named parts of an input, where there are any, make up the whole",
    SamplerSpec,
    fix="name every part, in order",
)
def parts_make_up_the_inputs(subject: Subject[SamplerSpec]) -> None:
    for problem in problems(subject):
        if not problem.parts:
            raise NotApplicable("it names no parts of its inputs")
        end, size = max(end for _, end in problem.parts.values()), problem.input_shape[0]
        require(end == size, f"parts of {end} numbers, and inputs of {size}")


@check(
    "input i is made of number i of what the spec names in `reads`, and of nothing else",
    SamplerSpec,
    fix="keep the order of the batch, and name in `reads` what inputs are made of",
)
def data_is_read_as_declared(subject: Subject[SamplerSpec]) -> None:
    reads = subject.says("reads")
    for problem in problems(subject):
        for name, changed in _with_one_changed(subject, problem):
            real = real_of(subject, problem)
            one, two = (_drawn(subject, problem, it) for it in (real, changed))
            moved = [i for i in range(BATCH) if not torch.equal(one[i], two[i])]
            allowed = [[CHANGED]] if name in reads else [[]]
            if name == LABEL:  # what it does to an input is not laid down
                allowed = [[], [CHANGED]]
            shown = "the real samples" if name == "samples" else f"the field {name!r}"
            got = f"{len(moved)} of {BATCH} inputs changed with number {CHANGED} of {shown}"
            require(moved in allowed, f"{got}, where reads = {reads!r}")


@check(
    "condition i is that of real sample i, or is drawn; it is never another's",
    SamplerSpec,
    fix="keep the order of the batch: real.only(self.problem.conditions).others",
)
def conditions_keep_their_order(subject: Subject[SamplerSpec]) -> None:
    if fed_with_data(subject):
        raise NotApplicable("its inputs are made of real samples, whose conditions they have")
    for problem in problems(subject):
        if not problem.conditions:
            continue
        for name, changed in _with_one_changed(subject, problem):
            real = real_of(subject, problem)
            one, two = (
                draw(subject, problem, build(subject, problem), real=it).others
                for it in (real, changed)
            )
            for told in one:
                moved = [i for i in range(BATCH) if not torch.equal(one[told][i], two[told][i])]
                got = f"number {moved} of {told!r} changed with number {CHANGED} of {name!r}"
                require(moved in ([], [CHANGED]), got)


def _with_one_changed(subject: Subject[SamplerSpec], problem: Problem) -> list[tuple[str, Batch]]:
    """For each thing that a data set gives, a real batch in which number CHANGED has another."""
    real, other = (real_of(subject, problem, seed=seed) for seed in (0, 1))
    whole, fresh = ({"samples": it.samples, **it.others} for it in (real, other))
    found = []
    for name, value in whole.items():
        changed = value.clone()
        classes = not value.is_floating_point()
        changed[CHANGED] = value[CHANGED - 1] if classes else fresh[name][CHANGED]
        others = {key: it for key, it in {**whole, name: changed}.items() if key != "samples"}
        found.append((name, Batch(changed if name == "samples" else whole["samples"], **others)))
    return found


def _drawn(subject: Subject[SamplerSpec], problem: Problem, real: Batch) -> Tensor:
    """The inputs that a new sampler makes of real samples and their fields."""
    with seeded():
        return draw(subject, problem, build(subject, problem), real=real).values


@check(
    "an input that is made of a real sample has its conditions",
    SamplerSpec,
    fix="return real.only(self.problem.conditions).others with the inputs",
)
def paired_labels_are_those_of_the_real_samples(subject: Subject[SamplerSpec]) -> None:
    if not fed_with_data(subject):
        raise NotApplicable("its inputs are not made of real samples")
    for problem, sampler in built(subject):
        real = real_of(subject, problem)
        told = draw(subject, problem, sampler, real=real).others
        for name in problem.conditions:
            kept = name in told and torch.equal(told[name], real.others[name])
            require(kept, f"{name!r}: {told.get(name)}", expected=f"{real.others[name]}")


@check(
    "the real batch is not changed in its place, for the discriminator sees it too",
    SamplerSpec,
    fix="use operations that make a new tensor",
)
def real_batch_is_left_unchanged(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        real = real_of(subject, problem)
        with left_unchanged(real=real):
            draw(subject, problem, sampler, real=real)
