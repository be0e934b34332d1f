"""Checks of every component: its spec, its options, its builder, and what its module does."""

from __future__ import annotations

import tomllib

from torch import nn
from torch.optim import Optimizer

from ganforge.config import toml
from ganforge.contracts import (
    Augmentation,
    Callback,
    Dataset,
    FeatureExtractor,
    Format,
    Game,
    Loss,
    Metric,
    Refinement,
    Sampler,
)
from ganforge.errors import DataError, GanforgeError, PluginError, UsageError, listed
from ganforge.plugin.base_specs import ComponentSpec, SampleSpec, Spec
from ganforge.plugin.options import describe, parse, to_toml
from ganforge.plugin.specs import FormatSpec, MetricSpec, OptimizerSpec
from ganforge.printable import described, printable
from ganforge.problem import Problem
from ganforge.testing.fixtures.building import attempt_to_build, problems_of
from ganforge.testing.fixtures.cases import cases
from ganforge.testing.fixtures.problems import DECLARE_SHAPES
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

MAX_SUMMARY = 120  # letters: a line of a table
#: kind -> what a builder must give
WANTED: dict[str, type] = {
    "generator": nn.Module,
    "discriminator": nn.Module,
    "loss": Loss,
    "dataset": Dataset,
    "sampler": Sampler,
    "game": Game,
    "augmentation": Augmentation,
    "refinement": Refinement,
    "metric": Metric,
    "features": FeatureExtractor,
    "callback": Callback,
    "optimizer": Optimizer,
    "format": Format,
}


@check(
    f"the summary is text of at most {MAX_SUMMARY} letters that can be printed as it is",
    fix="say in a few plain words what it is; the rest belongs in the documentation",
)
def summary_can_be_printed(subject: Subject[Spec]) -> None:
    summary = subject.spec.summary
    sound = printable(summary) == summary and len(summary) <= MAX_SUMMARY
    require(sound, f"{len(summary)} letters: {printable(summary, 60)!r}")


@check(
    "every option has one line of help that can be printed",
    ComponentSpec,
    fix="say what the option changes, in option(help=...)",
)
def every_option_has_help(subject: Subject[ComponentSpec]) -> None:
    for field in describe(subject.spec.options):
        sound = field.help.strip() and printable(field.help) == field.help
        require(bool(sound), f"{field.help!r} for the option {field.name!r}")


@check(
    "options are the same after a way through TOML, as a resumed run reads them",
    ComponentSpec,
    fix="let no option be changed by __post_init__, and leave a default of None unset",
)
def options_survive_toml(subject: Subject[ComponentSpec]) -> None:
    options = subject.options
    given = {it.name: to_toml(getattr(options, it.name)) for it in describe(type(options))}
    lines = [toml.Line(key=name, value=value) for name, value in given.items()]
    read = tomllib.loads(toml.table(["options"], lines))["options"]
    again, complaints = parse(type(options), read)
    got = f"{again!r} instead of {options!r}" if again else "; ".join(complaints.values())
    require(again == options, got)


@check(
    "`build` names a class or a function that can be imported",
    ComponentSpec,
    fix="write 'package.module:callable', which is called as build(problem, options), or as "
    "build(parameters, options), and see that the module is in the package",
)
def builder_can_be_imported(subject: Subject[ComponentSpec]) -> None:
    try:
        target = subject.component.builder()
    except PluginError as error:
        raise CheckFailure(
            f"{described(error.__cause__ or error)} for {subject.spec.build!r}"
        ) from error
    require(callable(target), f"a {type(target).__name__} for {subject.spec.build!r}")


@check(
    "the builder gives an object of the right kind for every declared shape",
    ComponentSpec,
    fix="declare in the spec which shapes it handles, where not this one",
)
def can_be_built(subject: Subject[ComponentSpec]) -> None:
    try:
        builder_can_be_imported.run(subject)
    except CheckFailure as failure:
        raise NotApplicable("its builder cannot be imported") from failure
    wanted = WANTED[subject.spec.kind]
    refusals: list[str] = []
    made_for_data = isinstance(subject.spec, FormatSpec | MetricSpec)
    own = [it for it in cases(subject) if it.dataset is not None] if made_for_data else []
    found = [*(it.problem for it in own), *problems_of(subject)]
    for problem in found:
        try:
            built = attempt_to_build(subject, problem)
        except DataError as error:
            raise NotApplicable(f"what it needs is not here: {error}") from error
        except UsageError as error:
            if not own and not _may_refuse(subject, problem):
                raise _not_built(subject, problem, error) from error
            refusals.append(str(error))
        except GanforgeError as error:
            raise _not_built(subject, problem, error) from error
        else:
            require(
                isinstance(built, wanted),
                f"a {type(built).__name__}",
                expected=f"a {wanted.__module__}.{wanted.__name__}",
                fix="derive from it, and let the builder return the object itself",
            )
    if len(refusals) == len(found):
        if subject.given:
            raise NotApplicable(refusals[0])
        wish = "something built for one of the shapes that the spec declares"
        raise CheckFailure(refusals[0], expected=wish, fix=DECLARE_SHAPES)


def _may_refuse(subject: Subject[ComponentSpec], problem: Problem) -> bool:
    """True where options may not fit the problem, or the spec has no way to say so."""
    silent = not isinstance(subject.spec, SampleSpec) and problem.sample.kind != "image"
    return bool(subject.given) or silent or isinstance(subject.spec, FormatSpec)


def _not_built(subject: Subject[ComponentSpec], problem: Problem, error: Exception) -> CheckFailure:
    if isinstance(subject.spec, OptimizerSpec):
        return CheckFailure(
            str(error),
            expected="something built for a matrix and a vector to train",
            fix="give an optimizer over all parameters that the builder is given",
        )
    told = listed([f"{name} ({it.shown()})" for name, it in problem.conditions.items()])
    return CheckFailure(
        str(error),
        expected=f"something built for samples {problem.sample.shown()}, inputs "
        f"{list(problem.input_shape)}, conditions {told or 'none'}",
    )
