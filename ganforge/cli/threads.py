"""Spinning of threads that wait for each other, limited before torch is loaded.

At the end of a parallel region GNU OpenMP lets threads spin for some 300,000 rounds, milliseconds,
before they sleep. On cores that something else uses too they burn the very time that the last
thread needs to arrive, and a step takes up to twenty times longer. Spinning briefly costs nothing
measurable where the cores are idle; docs/performance.md has the figures.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

SPIN_VARIABLE = "GOMP_SPINCOUNT"
SPIN_ROUNDS = 5000


def spin_briefly(environ: MutableMapping[str, str] = os.environ) -> None:
    """Limit the spinning of threads; a policy that the user has set stands.

    It is read when torch loads its thread library, so this comes before the import of torch.
    """
    if "OMP_WAIT_POLICY" not in environ:
        environ.setdefault(SPIN_VARIABLE, str(SPIN_ROUNDS))
