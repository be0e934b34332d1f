"""Parts of a process that libraries have: PyTorch, NumPy, Pillow, Matplotlib."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

from .process_state import Part


def _owner(module: Any, path: str) -> tuple[Any, str]:
    *places, last = path.split(".")
    for place in places:
        module = getattr(module, place)
    return module, last


def _attribute(name: str, module: str, path: str) -> Part:
    """An attribute of a module, or of what is in it."""
    return Part(
        name=name,
        module=module,
        read=attrgetter(path),
        restore=lambda module, it: setattr(*_owner(module, path), it),
    )


def _pair(
    name: str,
    read: str,
    restore: str,
    *,
    module: str = "torch",
    same: Callable[[Any, Any], bool] | None = None,
    drawn: bool = False,
) -> Part:
    """A value that one function of a module gives and another takes; `same` compares two."""

    function = attrgetter(read)

    def differences(before: Any, after: Any) -> list[str]:
        equal = before == after if same is None else same(before, after)
        return [] if equal else [name]

    return Part(
        name=name,
        module=module,
        read=lambda module: function(module)(),
        restore=lambda module, it: getattr(*_owner(module, restore))(it),
        differences=differences,
        drawn=drawn,
    )


def _restore_device(torch: Any, before: Any) -> None:
    # The CPU is where tensors are without a default device, which every operation would look at.
    torch.set_default_device(None if before.type == "cpu" else before)


def _same_arrays(one: Any, other: Any) -> bool:
    """True for equal states of NumPy's generator, of which one part is an array."""
    name, numbers, *rest = one
    other_name, other_numbers, *others = other
    alike: bool = (numbers == other_numbers).all()
    return alike and (name, rest) == (other_name, others)


def _read_cuda(torch: Any) -> Any:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []


def _restore_cuda(torch: Any, before: Any) -> None:
    if before:
        torch.cuda.set_rng_state_all(before)


def _name_cuda(before: Any, after: Any) -> list[str]:
    same = not before or all(map(partial(_same_tensors), before, after))
    return [] if same else ["the random generators of the GPU"]


def _same_tensors(one: Any, other: Any) -> bool:
    return bool(one.equal(other))


LIBRARIES = (
    _pair("the default dtype", "get_default_dtype", "set_default_dtype"),
    Part(
        name="the default device",
        module="torch",
        read=lambda torch: torch.get_default_device(),
        restore=_restore_device,
    ),
    _pair("the number of threads", "get_num_threads", "set_num_threads"),
    _pair("the gradient mode", "is_grad_enabled", "set_grad_enabled"),
    _pair(
        "deterministic algorithms", "get_deterministic_debug_mode", "set_deterministic_debug_mode"
    ),
    _pair(
        "the precision of matrix products",
        "get_float32_matmul_precision",
        "set_float32_matmul_precision",
    ),
    _pair("anomaly detection", "is_anomaly_enabled", "autograd.set_detect_anomaly"),
    _attribute("cudnn.benchmark", "torch", "backends.cudnn.benchmark"),
    _attribute("cudnn.deterministic", "torch", "backends.cudnn.deterministic"),
    _attribute("cudnn.enabled", "torch", "backends.cudnn.enabled"),
    _attribute("cudnn.allow_tf32", "torch", "backends.cudnn.allow_tf32"),
    Part(
        name="NumPy's treatment of floating-point errors",
        module="numpy",
        read=lambda numpy: numpy.geterr(),
        restore=lambda numpy, it: numpy.seterr(**it),
    ),
    _attribute("the largest image that Pillow reads", "PIL.Image", "MAX_IMAGE_PIXELS"),
    _attribute("whether Pillow reads cut images", "PIL.ImageFile", "LOAD_TRUNCATED_IMAGES"),
    Part(
        name="Matplotlib's backend",
        module="matplotlib",
        # As it is stored: asking for it would choose one.
        read=lambda matplotlib: dict.get(matplotlib.rcParams, "backend"),
        restore=lambda matplotlib, it: dict.__setitem__(matplotlib.rcParams, "backend", it),
    ),
    _pair(
        "torch's random generator",
        "get_rng_state",
        "set_rng_state",
        same=_same_tensors,
        drawn=True,
    ),
    _pair(
        "NumPy's random generator",
        "get_state",
        "set_state",
        module="numpy.random",
        same=_same_arrays,
        drawn=True,
    ),
    Part(
        name="the random generators of the GPU",
        module="torch",
        read=_read_cuda,
        restore=_restore_cuda,
        differences=_name_cuda,
        drawn=True,
    ),
)
