"""Framework of the checks: a check, what it is run on, and its result.

A check holds one contract of `ganforge.contracts`, and is a plain function of a `Subject` that
raises `CheckFailure` where the contract is broken and `NotApplicable` where it says nothing.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Literal, TypeVar

from ganforge.config.run_config import Selection
from ganforge.errors import ENDINGS, GanforgeError
from ganforge.plugin.base_specs import ComponentSpec, Spec
from ganforge.plugin.keeping import ChangedProcess
from ganforge.plugin.options import parse
from ganforge.plugin.registry import Component
from ganforge.printable import described

Status = Literal["passed", "failed", "skipped", "expected", "unexpected"]
S = TypeVar("S", bound=Spec, covariant=True)
P = TypeVar("P", bound=Spec)
R = TypeVar("R")


class CheckFailure(AssertionError):
    """A broken contract: what came in place of it.

    `expected` and `fix` are more exact than what the check itself says, where something is.
    """

    def __init__(self, got: str, *, expected: str = "", fix: str = "") -> None:
        super().__init__(got)
        self.got = got
        self.expected = expected
        self.fix = fix

    def __str__(self) -> str:
        return f"expected: {self.expected}; got: {self.got}. Fix: {self.fix}"


def require(condition: bool, got: str, *, expected: str = "", fix: str = "") -> None:
    """Raise CheckFailure unless the condition holds."""
    if not condition:
        raise CheckFailure(got, expected=expected, fix=fix)


class NotApplicable(Exception):
    """A contract that says nothing about this component, and why."""


@dataclass(frozen=True, kw_only=True)
class Subject(Generic[S]):
    """The component that is checked, with the options to build it with.

    `given` are options as plain data over the defaults, for a component that cannot be built
    without. Raises NotApplicable, when the options are read, where one that must be given is not.

    `partners` are the components that belong with it, those of its own plugin: where the kit's own
    networks have not what it asks for, it is checked with them.
    """

    component: Component[S]
    given: Mapping[str, object] = field(default_factory=dict)
    partners: tuple[Subject[Spec], ...] = ()
    _found: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def spec(self) -> S:
        return self.component.spec

    @property
    def label(self) -> str:
        """`generator/dcgan`."""
        return f"{self.component.kind}/{self.component.name}"

    @property
    def options(self) -> Any:
        assert isinstance(self.spec, ComponentSpec)
        options, complaints = parse(self.spec.options, dict(self.given))
        if complaints:
            shown = "; ".join(f"{name or 'options'}: {what}" for name, what in complaints.items())
            raise NotApplicable(f"it cannot be built without options to check it with ({shown})")
        return options

    @property
    def selection(self) -> Selection[Any]:
        """The component with its options, as a run has it."""
        component: Component[Any] = self.component
        return Selection(component=component, options=self.options)

    def says(self, attribute: str) -> Any:
        """The spec's value under this name; if it is a function, its result for the options."""
        return self.selection.says(attribute)

    def once(self, what: str, find: Callable[[], R]) -> R:
        """The result of `find`, found out once for all checks with these options."""
        key = f"{what} with {dict(self.given)!r}"
        if key not in self._found:
            self._found[key] = find()
        found: R = self._found[key]
        return found

    def partners_of(self, kind: type[P]) -> list[Subject[P]]:
        """The partners of a kind that can be built with the options that are given.

        None of them has partners itself.
        """
        found: Any = [it for it in self.partners if isinstance(it.spec, kind) and it.complete]
        return list(found)

    @property
    def complete(self) -> bool:
        """True unless options are missing that it cannot be built without."""
        assert isinstance(self.spec, ComponentSpec)
        return not parse(self.spec.options, dict(self.given))[1]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One contract, how a component breaks it and what helps.

    `kinds` are the specs that it is about; empty for all.
    """

    name: str
    contract: str
    fix: str
    function: Callable[[Subject[Any]], None]
    kinds: tuple[type[Spec], ...] = ()

    def concerns(self, spec: Spec) -> bool:
        return not self.kinds or isinstance(spec, self.kinds)

    def run(self, subject: Subject[Any]) -> None:
        """Raise CheckFailure for a broken contract, NotApplicable where it says nothing."""
        try:
            self.function(subject)
        except CheckFailure as failure:
            failure.expected = failure.expected or self.contract
            failure.fix = failure.fix or self.fix
            raise


def check(
    contract: str, *kinds: type[Spec], fix: str
) -> Callable[[Callable[[Subject[Any]], None]], Check]:
    """Make a check of a function, whose name it takes: `images_lie_in_range`."""

    def make(function: Callable[[Subject[Any]], None]) -> Check:
        name = function.__name__.replace("_", "-")
        return Check(name=name, contract=contract, fix=fix, function=function, kinds=kinds)

    return make


def checks_in(module: ModuleType) -> list[Check]:
    """The checks that a module defines, in its order."""
    return [it for it in vars(module).values() if isinstance(it, Check)]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """Result of one check. `message` says why, where it did not simply pass.

    `expected` is a failure that was announced with a reason, `unexpected` a pass in its place.
    """

    component: str
    check: str
    contract: str
    status: Status
    message: str = ""

    @property
    def failed(self) -> bool:
        return self.status in ("failed", "unexpected")


def place_of(error: BaseException) -> str:
    """The place where an error was raised, or torch was called that did: `networks.py, line 9`."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [it for it in frames if "torch" not in Path(it.filename).parts]
    place = (own or frames)[-1]
    return f"{Path(place.filename).name}, line {place.lineno}"


def perform(check: Check, subject: Subject[Spec], expected: str | None = None) -> CheckResult:
    """Run one check; `expected` is the reason why it is known to fail."""
    status: Status = "passed"
    message = ""
    try:
        with warnings.catch_warnings():
            # Checks of the state of the process tell it, and once is enough.
            warnings.simplefilter("ignore", ChangedProcess)
            check.run(subject)
    except NotApplicable as reason:
        status, message = "skipped", str(reason)
    except CheckFailure as failure:
        status, message = "failed", str(failure)
    except GanforgeError as error:
        status, message = "failed", str(error)
    except ENDINGS:
        raise
    except BaseException as error:  # what a component raises is its failure, wherever it does
        status, message = "failed", f"it raised {described(error)} ({place_of(error)})"
    if expected is not None and status == "failed":
        status, message = "expected", f"{expected} ({message})"
    elif expected is not None and status == "passed":
        status, message = "unexpected", f"it passed, though it was to fail: {expected}"
    return CheckResult(
        component=subject.label,
        check=check.name,
        contract=check.contract,
        status=status,
        message=message,
    )


def perform_all(
    checks: Sequence[Check],
    subject: Subject[Spec],
    expected_failures: Mapping[str, str] | None = None,
) -> list[CheckResult]:
    """Run every check that concerns the component. Failures are expected by name of the check."""
    expected = expected_failures or {}
    return [
        perform(check, subject, expected.get(check.name))
        for check in checks
        if check.concerns(subject.spec)
    ]
