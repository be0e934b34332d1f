"""A generator as a program that runs without ganforge: torch.export's form, and ONNX."""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from ganforge.errors import DEBUG_HINT, ENDINGS, PluginError, UsageError
from ganforge.export.interface import OUTPUT, ExportedGenerator, computed, example_inputs
from ganforge.printable import described, printable
from ganforge.sampling.trained_generator import TrainedGenerator

TRACED_BATCH = 2  # a batch of one is another case for PyTorch, which would fix it
CHECKED_BATCH = 5
TOLERANCE = 1e-3  # of the greatest sample
MOST_BYTES_OF_ONE_FILE = 2**31 - 2**20  # protobuf holds no more than 2 GiB
DESCRIPTION = "ganforge.json"


@dataclass(frozen=True, kw_only=True)
class Check:
    """Comparison of an exported file, in its own runtime, with the generator in torch.

    `difference` is the greatest one between two samples' values; None where there is nothing to
    compare, for the `reason` given.
    """

    runtime: str
    batch: int
    difference: float | None = None
    reason: str = ""

    def __str__(self) -> str:
        if self.difference is None:
            return f"not compared with torch: {self.reason}"
        return (
            f"compared with torch on {self.batch} samples in {self.runtime}: they differ by "
            f"{self.difference:.2g} at most"
        )


def trace(trained: TrainedGenerator, label: str, batch: int | None) -> ExportedProgram:
    """The generator as a graph of torch operations, for any batch size or for a fixed one.

    `label` names the generator. Raises PluginError where its forward cannot be told as a graph.
    """
    module = ExportedGenerator(trained).eval()
    module.name_arguments()
    values = example_inputs(trained, batch or TRACED_BATCH, seed=0)
    size = {} if batch is not None else {0: Dim("batch")}
    shapes = dict.fromkeys(values, size)
    with _explained(label, batch), torch.no_grad():
        try:
            return torch.export.export(module, (), values, dynamic_shapes=shapes, strict=False)
        except Exception:
            # Slower, and reads the source of forward: there len(inputs) is no fixed number.
            return torch.export.export(module, (), values, dynamic_shapes=shapes, strict=True)


def torch_export_bytes(program: ExportedProgram, description: Mapping[str, Any]) -> bytes:
    """The contents of a `.pt2` file, which `torch.export.load` reads."""
    file = io.BytesIO()
    # The one thing in such a file that would be pickled; nothing needs it.
    program.example_inputs = None
    torch.export.save(program, file, extra_files={DESCRIPTION: json.dumps(description)})
    return file.getvalue()


def check_torch_export(contents: bytes, trained: TrainedGenerator, batch: int | None) -> Check:
    """Load a `.pt2` file and compare what it gives with the generator."""
    loaded = torch.export.load(io.BytesIO(contents)).module()

    def run(values: dict[str, Tensor]) -> Tensor:
        with torch.inference_mode():
            samples: Tensor = loaded(**values)
            return samples.cpu()

    return _compared("torch.export", run, trained, batch)


def onnx_files(
    program: ExportedProgram, name: str, label: str, description: Mapping[str, Any]
) -> dict[str, bytes]:
    """The ONNX file `name`; and where it is too large for one file, its weights beside it."""
    inputs = [it["name"] for it in description["inputs"]]
    with _explained(label, None):
        made = torch.onnx.export(
            program, dynamo=True, verbose=False, input_names=inputs, output_names=[OUTPUT]
        )
    assert made is not None
    _name_batch(made.model.graph)
    made.model.metadata_props["ganforge"] = json.dumps(description)
    made.model.producer_name = "ganforge"
    size = sum(it.numel() * it.element_size() for it in program.state_dict.values())
    if size < MOST_BYTES_OF_ONE_FILE:
        return {name: made.model_proto.SerializeToString()}
    with TemporaryDirectory() as folder:
        made.save(Path(folder) / name, external_data=True)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def _name_batch(graph: Any) -> None:
    """Call the axis of samples `batch`, where the exporter has a symbol such as `s6`."""
    size = graph.inputs[0].shape[0]
    if isinstance(size, int):
        return
    symbol = re.compile(rf"\b{re.escape(str(size.value))}\b")
    made = (value for node in graph for value in node.outputs)
    for value in (*graph.inputs, *graph.outputs, *made):
        for axis, dim in enumerate(value.shape or ()):
            if not isinstance(dim, int) and dim.value is not None:
                value.shape[axis] = symbol.sub("batch", dim.value)


def check_onnx(files: Mapping[str, bytes], trained: TrainedGenerator, batch: int | None) -> Check:
    """Run an ONNX file in onnxruntime and compare what it gives with the generator."""
    try:
        onnxruntime: Any = import_module("onnxruntime")
    except ImportError:
        return Check(
            runtime="onnxruntime",
            batch=0,
            reason="onnxruntime is not here (pip install onnxruntime)",
        )
    with TemporaryDirectory() as folder:
        for name, contents in files.items():
            (Path(folder) / name).write_bytes(contents)
        path = next(it for it in Path(folder).iterdir() if it.suffix == ".onnx")
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

        def run(values: dict[str, Tensor]) -> Tensor:
            found = session.run(None, {name: it.cpu().numpy() for name, it in values.items()})
            return torch.from_numpy(found[0])

        return _compared("onnxruntime", run, trained, batch)


def _compared(
    runtime: str,
    run: Callable[[dict[str, Tensor]], Tensor],
    trained: TrainedGenerator,
    batch: int | None,
) -> Check:
    """Compare a runtime with torch. Raises PluginError where they do not agree."""
    num = batch or CHECKED_BATCH
    values, module = example_inputs(trained, num, seed=1), ExportedGenerator(trained)
    wanted = []
    for seed in (0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            wanted.append(computed(module, values))
    if not torch.equal(*wanted):
        return Check(runtime=runtime, batch=num, reason="the generator draws noise of its own")
    found = run(values)
    if found.shape != wanted[0].shape:
        raise PluginError(
            f"the exported file gives samples {list(found.shape)} in {runtime} where torch gives "
            f"{list(wanted[0].shape)}; nothing was written"
        )
    difference = (found - wanted[0]).abs().max().item()
    if not difference <= TOLERANCE * max(1.0, wanted[0].abs().max().item()):
        raise PluginError(
            f"the exported file gives other samples in {runtime} than torch does: they differ by "
            f"{difference:.2g}; nothing was written"
        )
    return Check(runtime=runtime, batch=num, difference=difference)


@contextmanager
def _explained(label: str, batch: int | None) -> Iterator[None]:
    """Failures of PyTorch's exporters as one error that names the generator."""
    try:
        # The exporters print the graph that they failed on, and deprecate each other's functions.
        with redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ENDINGS:
        raise
    except UsageError:
        raise
    except BaseException as error:
        reason = described(error)
        way = "`--format safetensors` exports its weights"
        if batch is None and "specialized" in reason:
            way = f"`--batch N` exports it for batches of N, and {way}"
        raise PluginError(
            f"{label} cannot be exported as a program, since its forward cannot be told as a graph "
            f"of operations: {printable(reason, 300)}. {way} {DEBUG_HINT}"
        ) from error
