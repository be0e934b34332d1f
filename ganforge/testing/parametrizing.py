"""The door for pytest: one test item per component and check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest

from ganforge.plugin.base_specs import Spec

from .catalogue import checks_of, require_names
from .finding import Expected, Given, chosen, find_components
from .finding import expected_failures as all_expected
from .framework import Check, NotApplicable, Subject

Test = TypeVar("Test", bound=Callable[..., Any])


def parametrize_with_checks(
    module: ModuleType | str | Path,
    *,
    options: Given | None = None,
    expected_failures: Expected | None = None,
) -> Callable[[Test], Test]:
    """Run the decorated test, which takes `check`, once per component and check of a plugin.

        @parametrize_with_checks(ganforge_tinygan)
        def test_contract(check):
            check()

    `module` is the hook module, which need not be installed, or what `ganforge check-plugin`
    takes. `options` are plain values to check a component with, over its defaults, and
    `expected_failures` reasons by name of the check; both by component, as `generator/tinygan`. Of
    a project that is given by its path, `[tool.ganforge.expected-failures]` in its `pyproject.toml`
    counts too. A failure that is expected is an xfail, and a pass in its place a failure.

    Raises UsageError where the plugin cannot be loaded or a name is unknown.
    """
    subjects = find_components(module, options)
    expected = all_expected(module, expected_failures)
    chosen(subjects, expected)  # an unknown component is an error
    cases = []
    for subject in subjects:
        reasons = expected.get(subject.label, {})
        require_names(subject, reasons)
        for check in checks_of(subject):
            case = _Case(check, subject, reasons.get(check.name))
            cases.append(pytest.param(case, id=f"{subject.label}/{check.name}"))
    return pytest.mark.parametrize("check", cases)


class _Case:
    """A check of a component, to be called within a test."""

    def __init__(self, check: Check, subject: Subject[Spec], expected: str | None) -> None:
        self._check = check
        self._subject = subject
        self._expected = expected

    def __call__(self) -> None:
        # What a component raises is left to pytest, which shows where it was raised.
        try:
            self._check.run(self._subject)
        except NotApplicable as reason:
            pytest.skip(str(reason))
        except Exception as error:
            if self._expected is None:
                raise
            pytest.xfail(f"{self._expected} ({error})")
        if self._expected is not None:
            pytest.fail(f"it passed, though it was to fail: {self._expected}", pytrace=False)

    def __repr__(self) -> str:
        return f"<{self._check.name} of {self._subject.label}: {self._check.contract}>"
