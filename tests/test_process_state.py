"""The state of the process: what code changes of it is set back, and named."""

from __future__ import annotations

import gc
import locale
import logging
import os
import random
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image, ImageFile

from ganforge.plugin.keeping import PARTS, ChangedProcess, settings_kept
from ganforge.plugin.process_state import Part, kept

CHANGES: dict[str, tuple[Callable[[], object], str]] = {
    "chdir": (lambda: os.chdir("/"), "the working directory"),
    "umask": (lambda: os.umask(0o007), "the umask"),
    "a variable": (
        lambda: os.environ.update(OMP_NUM_THREADS="7"),
        "the environment variable OMP_NUM_THREADS",
    ),
    "a new variable": (
        lambda: os.environ.update(CUDA_VISIBLE_DEVICES=""),
        "the environment variable CUDA_VISIBLE_DEVICES",
    ),
    "no variable": (
        lambda: os.environ.pop("GANFORGE_HERE"),
        "the environment variable GANFORGE_HERE",
    ),
    "sys.path": (lambda: sys.path.insert(0, "/evil"), "sys.path"),
    "another sys.path": (lambda: setattr(sys, "path", ["/evil"]), "sys.path"),
    "ignored warnings": (lambda: warnings.simplefilter("ignore"), "the filters of warnings"),
    "no filters": (warnings.resetwarnings, "the filters of warnings"),
    "captured warnings": (
        lambda: setattr(warnings, "showwarning", print),
        "the filters of warnings",
    ),
    "SIGTERM": (
        lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
        "the handler of SIGTERM",
    ),
    "stderr": (lambda: setattr(sys, "stderr", sys.__stdout__), "the standard streams"),
    "recursion": (lambda: sys.setrecursionlimit(12_345), "the recursion limit"),
    "garbage": (gc.disable, "the collection of garbage"),
    "locale": (lambda: locale.setlocale(locale.LC_ALL, "C"), "the locale"),
    "logging": (lambda: logging.disable(logging.ERROR), "the configuration of logging"),
    "a handler": (
        lambda: logging.getLogger().addHandler(logging.NullHandler()),
        "the configuration of logging",
    ),
    "random": (lambda: random.seed(0), "Python's random generator"),
    "dtype": (lambda: torch.set_default_dtype(torch.float64), "the default dtype"),
    "device": (lambda: torch.set_default_device("meta"), "the default device"),
    "threads": (lambda: torch.set_num_threads(3), "the number of threads"),
    "gradient": (lambda: torch.set_grad_enabled(False), "the gradient mode"),
    "deterministic": (
        lambda: torch.use_deterministic_algorithms(True),
        "deterministic algorithms",
    ),
    "products": (
        lambda: torch.set_float32_matmul_precision("medium"),
        "the precision of matrix products",
    ),
    "anomalies": (lambda: torch.autograd.set_detect_anomaly(True), "anomaly detection"),
    "benchmark": (lambda: setattr(torch.backends.cudnn, "benchmark", True), "cudnn.benchmark"),
    "torch.manual_seed": (lambda: torch.manual_seed(0), "torch's random generator"),
    "numpy.seterr": (
        lambda: numpy.seterr(all="raise"),
        "NumPy's treatment of floating-point errors",
    ),
    "numpy.random": (lambda: numpy.random.seed(0), "NumPy's random generator"),
    "bombs": (
        lambda: setattr(Image, "MAX_IMAGE_PIXELS", None),
        "the largest image that Pillow reads",
    ),
    "cut images": (
        lambda: setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True),
        "whether Pillow reads cut images",
    ),
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process in which every one of these changes is one."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("GANFORGE_HERE", "1")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    was = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    torch.manual_seed(5)
    yield
    locale.setlocale(locale.LC_ALL, was)


@pytest.mark.parametrize(("change", "name"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_set_back_and_named(change: Callable[[], object], name: str) -> None:
    before = {it: it.now() for it in PARTS if it.there}
    with kept(PARTS) as changes:
        change()
    assert changes == [name]
    assert [it.name for it, value in before.items() if it.changed(value)] == []
    if name == "sys.path":  # what was added goes to the end, where its own code finds it
        assert sys.path.pop() == "/evil"


def change_and_end(folder: Path, changes: list[list[str]]) -> None:
    with kept(PARTS) as found:
        changes.append(found)
        os.chdir(folder)
        raise SystemExit(3)


def test_it_is_set_back_after_an_exception(tmp_path: Path) -> None:
    where = Path.cwd()
    changes: list[list[str]] = []
    with pytest.raises(SystemExit):
        change_and_end(tmp_path, changes)
    assert Path.cwd() == where
    assert changes == [["the working directory"]]


def test_the_marks_of_libraries_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    class OwnWarning(UserWarning):
        pass

    monkeypatch.setattr(sys, "path", [*sys.path])
    with warnings.catch_warnings(), kept(PARTS) as changes:
        warnings.filterwarnings("ignore", message="numpy.dtype size changed")
        warnings.simplefilter("ignore", OwnWarning)
        os.environ["KMP_DUPLICATE_LIB_OK"] = "True"
        sys.path.append("/somewhere")
    assert changes == []
    assert os.environ.pop("KMP_DUPLICATE_LIB_OK") == "True"
    assert sys.path[-1] == "/somewhere"


def test_nothing_is_read_of_what_is_not_imported() -> None:
    part = Part(name="x", module="not_there", read=lambda it: it.x, restore=setattr)
    with kept([part]) as changes:
        pass
    assert changes == []
    assert not [it for it in sys.meta_path if type(it).__module__.startswith("ganforge")]


def test_a_module_that_comes_in_between_is_compared_with_what_it_was_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "comes_late.py").write_text("import os; x = os.environ.get('OMP_NUM_THREADS')")
    monkeypatch.syspath_prepend(tmp_path)
    part = Part(
        name="its x",
        module="comes_late",
        read=lambda module: module.x,
        restore=lambda module, it: setattr(module, "x", it),
    )
    try:
        with kept([*PARTS, part]) as changes:
            os.environ["OMP_NUM_THREADS"] = "5"
            import comes_late  # type: ignore[import-not-found]

            comes_late.x = 3
        # The variable was set back before the import, or its effect would be there for good.
        assert comes_late.x == "1"
        assert changes == ["the environment variable OMP_NUM_THREADS", "its x"]
        assert "exec_module" not in vars(comes_late.__spec__.loader)
    finally:
        sys.modules.pop("comes_late", None)


def test_the_settings_of_a_builder_are_kept_with_a_warning_and_draws_are_its_own() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with settings_kept("the loss 'odd' of x 1.0"):
            torch.set_num_threads(torch.get_num_threads() + 1)
            torch.randn(3)
    (warning,) = caught
    assert str(warning.message) == (
        "the loss 'odd' of x 1.0 changed the number of threads, which every run shares; it was set "
        "back"
    )
    assert (warning.category, warning.filename) == (ChangedProcess, __file__)


def test_torch_is_set_back_where_the_code_is_the_first_to_import_it() -> None:
    code = (
        "import sys\n"
        "from ganforge.plugin.keeping import PARTS\n"
        "from ganforge.plugin.process_state import kept\n"
        "with kept(PARTS) as changes:\n"
        "    import os; os.environ['OMP_NUM_THREADS'] = '3'\n"
        "    import torch\n"
        "    torch.set_default_dtype(torch.float64); torch.set_num_threads(7)\n"
        "print(*changes, sep='\\n')\n"
        "print(torch.get_default_dtype(), torch.get_num_threads())\n"
    )
    environ = {**os.environ, "OMP_NUM_THREADS": "2"}
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines() == [
        "the environment variable OMP_NUM_THREADS",
        "the default dtype",
        "the number of threads",
        "torch.float32 2",
    ]
