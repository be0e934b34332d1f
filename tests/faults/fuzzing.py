"""How many inputs are tried, and JSON that is slightly or wholly wrong.

GANFORGE_FUZZ_EXAMPLES=5000 pytest tests/faults -k fuzz tries many more than the usual 50.
"""

from __future__ import annotations

import copy
import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("GANFORGE_FUZZ_EXAMPLES", "50"))


def thorough(share: float = 1.0) -> settings:
    """So many examples, or a share of them where each one takes long."""
    return settings(
        max_examples=max(5, int(EXAMPLES * share)),
        deadline=None,
        database=None,
        # What takes long is shown as it was found.
        phases=[Phase.generate, *([Phase.shrink] if share >= 1 else [])],
        derandomize=EXAMPLES <= 50,  # a change of the code alone makes a short run fail
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


#: anything that JSON can hold, and much that it should not
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([2**31, 2**63, 10**30, -1, 0, 1e308, float("nan"), float("inf")])
    | st.sampled_from(["", "x", "F32", "BOOL", "vector", "generator", "../x", "\x1b[2J", "ü" * 300])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)

#: where (a number, by which a place is chosen), and what is put there; DELETED takes it away
DELETED = object()
EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.just(DELETED) | VALUES), min_size=1, max_size=3
)


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container of a tree of JSON with each of its keys."""
    if not isinstance(tree, dict | list):
        return []
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    found = [(tree, key) for key in keys]
    for key in keys:
        found += places(tree[key])
    return found


def edited(tree: Any, edits: list[tuple[int, Any]]) -> Any:
    """A copy with other values in some places."""
    result = copy.deepcopy(tree)
    for number, value in edits:
        known = places(result)
        if not known:
            break
        container, key = known[number % len(known)]
        if value is DELETED:
            del container[key]
        else:
            container[key] = copy.deepcopy(value)
    return result
