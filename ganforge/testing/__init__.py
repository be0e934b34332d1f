"""The conformance kit: the contracts of components, as checks that a plugin's author runs.

Three doors lead to the same checks: `parametrize_with_checks` for pytest, `check_component` in
Python, and `ganforge check-plugin` in the shell. Importing this imports neither torch nor pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .framework import CheckFailure, CheckResult, NotApplicable

if TYPE_CHECKING:
    from .catalogue import check_component
    from .parametrizing import parametrize_with_checks

__all__ = [
    "CheckFailure",
    "CheckResult",
    "NotApplicable",
    "check_component",
    "parametrize_with_checks",
]

_LATE = {"check_component": ".catalogue", "parametrize_with_checks": ".parametrizing"}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(_LATE[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
