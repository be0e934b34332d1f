"""Checks of every component: its spec, its options, its builder, and what its module does."""

from __future__ import annotations

import pickle
import tomllib
from importlib import import_module
from typing import Any

from torch import nn
from torch.optim import Optimizer

from ganforge.config import toml
from ganforge.contracts import (
    Augmentation,
    Callback,
    Dataset,
    Format,
    Game,
    Loss,
    MapDataset,
    Metric,
    Sampler,
)
from ganforge.errors import DataError, GanforgeError, UsageError, listed
from ganforge.plugin.base_specs import ComponentSpec, SampleSpec, Spec
from ganforge.plugin.options import describe, parse, to_toml
from ganforge.plugin.registry import Component
from ganforge.plugin.specs import (
    KINDS,
    SPECS,
    AugmentationSpec,
    CallbackSpec,
    DatasetSpec,
    DiscriminatorSpec,
    FormatSpec,
    GameSpec,
    GeneratorSpec,
    LossSpec,
    MetricSpec,
    OptimizerSpec,
    RecipeSpec,
    SamplerSpec,
)
from ganforge.printable import described, printable
from ganforge.problem import Problem
from ganforge.testing.checks import global_state, hook_modules
from ganforge.testing.fixtures.building import attempt_to_build, build
from ganforge.testing.fixtures.cases import cases
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.framework import Check, NotApplicable, Subject
from ganforge.testing.framework import OldFailure as CheckFailure

MAX_SUMMARY = 120  # letters: a line of a table
BUILT = tuple(kind for kind in KINDS if kind != RecipeSpec.kind)
UNPICKLED = (CallbackSpec.kind, OptimizerSpec.kind, FormatSpec.kind)
PICKLED = tuple(kind for kind in BUILT if kind not in UNPICKLED)


def check_summary(subject: Subject[Spec]) -> None:
    summary = subject.spec.summary
    if printable(summary) != summary or len(summary) > MAX_SUMMARY:
        raise CheckFailure(
            f"a summary of at most {MAX_SUMMARY} letters that can be printed as it is",
            came=f"{len(summary)} letters: {printable(summary, 60)!r}",
            mend="say in a few plain words what it is; the rest belongs in the documentation",
        )


def check_option_help(subject: Subject[ComponentSpec]) -> None:
    for field in describe(subject.spec.options):
        if not field.help.strip() or printable(field.help) != field.help:
            raise CheckFailure(
                f"help of one line for the option {field.name!r}",
                came=repr(field.help),
                mend="say what the option changes, in option(help=...)",
            )


def check_options_in_toml(subject: Subject[ComponentSpec]) -> None:
    options = subject.options
    fields = list(describe(type(options)))
    given = {field.name: to_toml(getattr(options, field.name)) for field in fields}
    lines = [toml.Line(key=name, value=value) for name, value in given.items()]
    read = tomllib.loads(toml.table(["options"], lines))["options"]
    again, complaints = parse(type(options), read)
    if again != options:
        raise CheckFailure(
            "options that are the same after a way through TOML, as a resumed run reads them",
            came=f"{again!r} instead of {options!r}" if again else "; ".join(complaints.values()),
            mend="let no option be changed by __post_init__, and leave a default of None unset",
        )


def check_builder(subject: Subject[ComponentSpec]) -> None:
    builder = _builder(subject.component)
    if not callable(builder):
        raise CheckFailure(
            f"{subject.spec.build!r} to be a class or a function",
            came=type(builder).__name__,
            mend="name what is called as build(problem, options), or build(parameters, options)",
        )


def check_build(subject: Subject[ComponentSpec]) -> None:
    try:
        check_builder(subject)
    except CheckFailure as failure:
        raise NotApplicable("its builder cannot be imported") from failure
    refusals: list[str] = []
    found = cases(subject)
    own_data = any(it.dataset is not None for it in found)
    shapes = [it.problem for it in found]
    for problem in shapes:
        try:
            built = attempt_to_build(subject, problem)
        except DataError as error:
            raise NotApplicable(f"what it needs is not here: {error}") from error
        except GanforgeError as error:
            # Options may not fit every problem, and not every spec can say all that it asks for.
            silent = not isinstance(subject.spec, SampleSpec) and problem.sample.kind != "image"
            foreign = own_data or isinstance(subject.spec, FormatSpec)
            tolerated = subject.given or silent or foreign
            if isinstance(error, UsageError) and tolerated:
                refusals.append(str(error))
                continue
            raise CheckFailure(
                f"something built for {_shown(subject, problem)}",
                came=str(error),
                mend=(
                    "give an optimizer over all parameters that the builder is given"
                    if subject.spec.kind == OptimizerSpec.kind
                    else "declare in the spec which shapes it handles, where not this one"
                ),
            ) from error
        wanted = _WANTED[subject.spec.kind]
        if not isinstance(built, wanted):
            raise CheckFailure(
                f"a {wanted.__module__}.{wanted.__name__}",
                came=f"a {type(built).__name__}",
                mend="derive from it, and let the builder return the object itself",
            )
    if len(refusals) < len(shapes):
        return
    if subject.given:
        raise NotApplicable(refusals[0])
    raise CheckFailure(
        "something built for one of the shapes that the spec declares",
        came=refusals[0],
        mend="declare in the spec which shapes it handles",
    )


def _shown(subject: Subject[ComponentSpec], problem: Problem) -> str:
    if subject.spec.kind == OptimizerSpec.kind:
        return "a matrix and a vector to train"
    told = listed([f"{name} ({it.shown()})" for name, it in problem.conditions.items()])
    return (
        f"samples {problem.sample.shown()}, inputs {list(problem.input_shape)}, conditions "
        f"{told or 'none'}"
    )


def check_pickle(subject: Subject[ComponentSpec]) -> None:
    built = build(subject, problems(subject)[0])
    if "<locals>" in type(built).__qualname__ and not isinstance(built, MapDataset):
        raise NotApplicable(
            "its class is made within a function; what is sent to other processes is data sets "
            "that are read item by item"
        )
    try:
        again = pickle.loads(pickle.dumps(built))
    except Exception as error:
        raise CheckFailure(
            "an object that can be pickled, as worker processes need it",
            came=described(error),
            mend="keep no function made inside another, lock or open file in it",
        ) from error
    if type(again) is not type(built):
        raise CheckFailure(
            f"a {type(built).__name__} after pickling",
            came=type(again).__name__,
            mend="let __reduce__ give back the same class",
        )


def _builder(component: Component[ComponentSpec]) -> Any:
    module, _, path = component.spec.build.partition(":")
    try:
        target: Any = import_module(module)
        for attribute in path.split("."):
            target = getattr(target, attribute)
    except Exception as error:
        raise CheckFailure(
            f"{component.spec.build!r} to name something that can be imported",
            came=described(error),
            mend="write 'package.module:callable' and see that the module is in the package",
        ) from error
    return target


#: kind -> what its builder must give
_WANTED: dict[str, type] = {
    GeneratorSpec.kind: nn.Module,
    DiscriminatorSpec.kind: nn.Module,
    LossSpec.kind: Loss,
    DatasetSpec.kind: Dataset,
    SamplerSpec.kind: Sampler,
    GameSpec.kind: Game,
    AugmentationSpec.kind: Augmentation,
    MetricSpec.kind: Metric,
    CallbackSpec.kind: Callback,
    OptimizerSpec.kind: Optimizer,
    FormatSpec.kind: Format,
}

BUILT_SPECS = tuple(it for it in SPECS if it.kind in BUILT)
PICKLED_SPECS = tuple(it for it in SPECS if it.kind in PICKLED)
CHECKS: tuple[Check, ...] = (
    Check(
        name="summary-can-be-printed",
        fix="",
        contract=f"the summary is printable text of at most {MAX_SUMMARY} letters",
        function=check_summary,
    ),
    Check(
        name="every-option-has-help",
        fix="",
        contract="every option has one line of help that can be printed",
        function=check_option_help,
        kinds=BUILT_SPECS,
    ),
    Check(
        name="options-survive-toml",
        fix="",
        contract="options written as TOML and read again are the same",
        function=check_options_in_toml,
        kinds=BUILT_SPECS,
    ),
    Check(
        name="builder-can-be-imported",
        fix="",
        contract="`build` names something that can be imported and called",
        function=check_builder,
        kinds=BUILT_SPECS,
    ),
    Check(
        name="can-be-built",
        fix="",
        contract="the builder gives an object of the right kind for every declared shape",
        function=check_build,
        kinds=BUILT_SPECS,
    ),
    Check(
        name="can-be-pickled",
        fix="",
        contract="what is built can be sent to another process",
        function=check_pickle,
        kinds=PICKLED_SPECS,
    ),
    *hook_modules.CHECKS,
    *global_state.CHECKS,
)
