"""State of the whole process, which training needs in a certain way, and leaves as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def own_surroundings() -> Iterator[None]:
    """float32 on the CPU by default, with gradients, whatever the program has set.

    Afterwards the global random generators, the default type and the default device are those of
    the program again. The generators and the type belong to the whole process: another thread that
    draws meanwhile gets other numbers.
    """
    import numpy
    import torch

    states = random.getstate(), numpy.random.get_state()
    dtype = torch.get_default_dtype()
    devices = [*range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            random.setstate(states[0])
            numpy.random.set_state(states[1])
