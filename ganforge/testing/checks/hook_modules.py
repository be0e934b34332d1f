"""Checks of what importing a hook module does: every command of ganforge imports it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

from ganforge.errors import listed
from ganforge.plugin.base_specs import Spec
from ganforge.printable import printable
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

MAX_IMPORT_SECONDS = 0.5
NUM_ATTEMPTS = 3  # at a quick import: the machine may have been busy


@check(
    "the hook module and its hooks import neither torch nor torchvision",
    fix="leave them to the module that `build` names; every command imports this one",
)
def hook_module_imports_no_torch(subject: Subject[Spec]) -> None:
    heavy = _imported(subject)["heavy"]
    require(not heavy, f"{listed(heavy)} after its import and its hooks")


@check(
    f"the hook module is loaded in {MAX_IMPORT_SECONDS} s",
    fix="import what takes time in the module that `build` names",
)
def hook_module_loads_quickly(subject: Subject[Spec]) -> None:
    found = _imported(subject)
    if found["heavy"]:
        raise NotApplicable(f"it imports {listed(found['heavy'])}, which takes seconds")
    got = f"{found['seconds']:.2f} s at the best of {NUM_ATTEMPTS} attempts"
    require(found["seconds"] <= MAX_IMPORT_SECONDS, got)


@check(
    "the import of the hook module and its hooks leave the process as it was",
    fix="change nothing that every run shares, such as the environment, the default dtype, the "
    "number of threads or the filters of warnings, when a module is imported",
)
def hook_module_changes_nothing(subject: Subject[Spec]) -> None:
    changes = _imported(subject)["changes"]
    require(not changes, f"a change of {listed(changes)}")


#: run in a process of its own: what does the import of a hook module bring, and how long is it?
_PROBE = """
import json, sys, time
import ganforge
from importlib import import_module
from ganforge.plugin.keeping import PARTS
from ganforge.plugin.process_state import kept
with kept(PARTS) as changes:
    started = time.perf_counter()
    module = import_module(sys.argv[1])
    for name in ganforge.plugin.hookspecs.HOOKS:
        hook = getattr(module, name, None)
        if callable(hook):
            list(hook())
    seconds = time.perf_counter() - started
heavy = [name for name in ("torch", "torchvision") if name in sys.modules]
found = {"seconds": seconds, "heavy": heavy, "changes": changes}
sys.__stdout__.write("\\n" + json.dumps(found))
"""


def _imported(subject: Subject[Spec]) -> dict[str, Any]:
    module = subject.component.plugin.module.partition(":")[0].strip()
    if not module or getattr(sys.modules.get(module), "__file__", None) is None:
        raise NotApplicable("its hook module is not known, or is no file")
    return _probed(module, os.pathsep.join(filter(None, sys.path)))


@cache
def _probed(module: str, path: str) -> dict[str, Any]:
    """The heavy modules that importing a hook module loads, the seconds that it takes at best, and
    what it changes of the process.
    """
    attempts: list[dict[str, Any]] = []
    while len(attempts) < NUM_ATTEMPTS:
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
                printable(last[0], 200),
                expected=f"a hook module {module!r} that can be imported by itself",
                fix="see that it depends on nothing that another module has done before",
            )
        attempts.append(json.loads(answer.stdout.splitlines()[-1]))
        if attempts[-1]["heavy"] or attempts[-1]["seconds"] <= MAX_IMPORT_SECONDS:
            break
    return min(attempts, key=lambda it: it["seconds"])
