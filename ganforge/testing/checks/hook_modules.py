"""Checks of the cost of importing a hook module: every command of ganforge imports it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

from ganforge.plugin.base_specs import Spec
from ganforge.printable import printable
from ganforge.testing.framework import Check, NotApplicable, Subject
from ganforge.testing.framework import OldFailure as CheckFailure

MAX_IMPORT_SECONDS = 0.5
NUM_ATTEMPTS = 3  # at a quick import: the machine may have been busy


def check_import_without_torch(subject: Subject[Spec]) -> None:
    heavy = _imported(subject)["heavy"]
    if heavy:
        raise CheckFailure(
            "a hook module that imports neither torch nor torchvision",
            came=f"{' and '.join(heavy)} after its import and its hooks",
            mend="leave them to the module that `build` names; every command imports this one",
        )


def check_import_time(subject: Subject[Spec]) -> None:
    found = _imported(subject)
    if found["heavy"]:
        raise NotApplicable(f"it imports {' and '.join(found['heavy'])}, which takes seconds")
    seconds = found["seconds"]
    if seconds > MAX_IMPORT_SECONDS:
        raise CheckFailure(
            f"a hook module that is loaded in {MAX_IMPORT_SECONDS} s",
            came=f"{seconds:.2f} s at the best of {NUM_ATTEMPTS} attempts",
            mend="import what takes time in the module that `build` names",
        )


#: run in a process of its own: what does the import of a hook module bring, and how long is it?
_PROBE = """
import json, sys, time
import ganforge
started = time.perf_counter()
from importlib import import_module
module = import_module(sys.argv[1])
for name in ganforge.plugin.hookspecs.HOOKS:
    hook = getattr(module, name, None)
    if callable(hook):
        list(hook())
seconds = time.perf_counter() - started
heavy = [name for name in ("torch", "torchvision") if name in sys.modules]
sys.__stdout__.write("\\n" + json.dumps({"seconds": seconds, "heavy": heavy}))
"""


def _imported(subject: Subject[Spec]) -> dict[str, Any]:
    module = subject.component.plugin.module.partition(":")[0].strip()
    file = getattr(sys.modules.get(module), "__file__", None)
    if not module or file is None:
        raise NotApplicable("its hook module is not known, or is no file")
    return _probed(module, os.pathsep.join(filter(None, sys.path)))


@cache
def _probed(module: str, path: str) -> dict[str, Any]:
    """The heavy modules that importing a hook module loads, and the seconds it takes at best."""
    best: dict[str, Any] = {}
    for _ in range(NUM_ATTEMPTS):
        answer = subprocess.run(
            [sys.executable, "-c", _PROBE, module],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            last = answer.stderr.strip().splitlines()[-1:] or ["no message"]
            raise CheckFailure(
                f"a hook module {module!r} that can be imported by itself",
                came=printable(last[0], 200),
                mend="see that it depends on nothing that another module has done before",
            )
        found = json.loads(answer.stdout.splitlines()[-1])
        if not best or found["seconds"] < best["seconds"]:
            best = found
        if best["heavy"] or best["seconds"] <= MAX_IMPORT_SECONDS:
            break
    return best


CHECKS: tuple[Check, ...] = (
    Check(
        name="hook-module-imports-no-torch",
        fix="",
        contract="the hook module imports neither torch nor torchvision",
        function=check_import_without_torch,
    ),
    Check(
        name="hook-module-loads-quickly",
        fix="",
        contract=f"the hook module is loaded in {MAX_IMPORT_SECONDS} s",
        function=check_import_time,
    ),
)
