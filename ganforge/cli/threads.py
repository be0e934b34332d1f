"""How threads wait for each other, decided before torch is loaded.

By default the threads of a parallel region spin at its end. On cores that others use too they burn
the time that those others, and their own partners, need (docs/performance.md has figures); on idle
cores spinning is a little faster. The policy is read when torch loads its thread library.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

WAIT_VARIABLE = "OMP_WAIT_POLICY"


def share_cores(environ: MutableMapping[str, str] = os.environ) -> bool:
    """Make waiting threads sleep where the cores are shared; True where that was done.

    A policy that the user has set stands.
    """
    if WAIT_VARIABLE in environ or "GOMP_SPINCOUNT" in environ:
        return False
    if not (_overloaded() or _has_quota()):
        return False
    environ[WAIT_VARIABLE] = "PASSIVE"
    return True


def _overloaded() -> bool:
    try:
        return os.getloadavg()[0] > (os.cpu_count() or 1)
    except OSError:
        return False


def _has_quota(path: Path = Path("/sys/fs/cgroup/cpu.max")) -> bool:
    try:
        return not path.read_text().startswith("max")
    except OSError:
        return False
