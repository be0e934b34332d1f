"""Usage of each exported file, in a few lines of Python for its card."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganforge.export.card import PLACES, Listing, code
from ganforge.printable import printable
from ganforge.storage.paths import quoted, suffix_of

NORMAL = "standard normal"  # the distribution of latents that an example can draw by itself

SUFFIXES = (".onnx", ".pt2", ".safetensors")
_NUM = 16
_STATE = "training-state"


def listing(
    name: str, num_bytes: int, description: Mapping[str, Any], repository: str | None = None
) -> Listing:
    """The card's entry of a file, which lies in a `repository` or beside the card."""
    path = Path(name)
    summary, example = {
        ".onnx": ("the generator as an ONNX program", _onnx(name, description)),
        ".pt2": ("the generator as a program of torch.export", _torch_export(name, description)),
        ".safetensors": ("the weights of the generator's network", _weights(name)),
    }[suffix_of(path)]
    if path.stem.endswith(_STATE):
        summary, example = "both networks, the average and the optimizers", _training_state(name)
    elif repository is not None:
        summary, example = "the generator, for ganforge", _own(name, description, repository)
    return Listing(name=name, num_bytes=num_bytes, summary=summary, example=code(*example))


def _onnx(name: str, description: Mapping[str, Any]) -> tuple[str, str]:
    return (
        "import numpy as np\nimport onnxruntime\n\n"
        f"session = onnxruntime.InferenceSession({json.dumps(name)})\n"
        f"{_values(description, 'numpy')}"
        "(samples,) = session.run(None, values)",
        "python",
    )


def _torch_export(name: str, description: Mapping[str, Any]) -> tuple[str, str]:
    return (
        "import torch\n\n"
        f"generator = torch.export.load({json.dumps(name)}).module()\n"
        f"{_values(description, 'torch')}"
        "with torch.inference_mode():\n    samples = generator(**values)",
        "python",
    )


def _weights(name: str) -> tuple[str, str]:
    return (
        "from safetensors.torch import load_file\n\n"
        f"weights = load_file({json.dumps(name)})  # names as in the network's state_dict",
        "python",
    )


def _training_state(name: str) -> tuple[str, str]:
    return f"ganforge train --init {quoted(name)} --config run.toml", "sh"


def _own(name: str, description: Mapping[str, Any], repository: str) -> tuple[str, str]:
    packages = {str(description[it]["package"]) for it in PLACES if it in description}
    wanted = " ".join(["ganforge", *sorted(packages - {"ganforge"})])
    return (
        f"pip install huggingface_hub {shlex.join(wanted.split())}\n"
        f"hf download {quoted(repository)} {quoted(name)} --local-dir .\n"
        f"ganforge sample {quoted(name)} --out samples.png\n"
        f"python -c {shlex.quote(_python(name))}",
        "sh",
    )


def _python(name: str) -> str:
    return f"import ganforge; print(ganforge.load({json.dumps(name)}).sample(16).shape)"


def _values(description: Mapping[str, Any], library: str) -> str:
    """The lines that make `values`, an array or a tensor for each input."""
    lines = [
        f"    {json.dumps(it['name'])}: {_value(it, library)}\n" for it in description["inputs"]
    ]
    return f"values = {{\n{''.join(lines)}}}\n"


def _value(it: Mapping[str, Any], library: str) -> str:
    """An array or a tensor for one input; zeros, with a comment, where only its user can tell."""
    shape = [_NUM if side == "batch" else side for side in it["shape"]]
    numpy = library == "numpy"
    if it["dtype"] == "int64":
        count = f"np.arange({shape[0]})" if numpy else f"torch.arange({shape[0]})"
        return f"{count} % {len(it.get('classes') or [0])},"
    if it.get("distribution") == NORMAL:
        if numpy:
            return f"np.random.default_rng(0).standard_normal({shape}, dtype=np.float32),"
        return f"torch.randn({shape}),"
    zeros = f"np.zeros({shape}, dtype=np.float32)" if numpy else f"torch.zeros({shape})"
    return f"{zeros},  # in their place: {printable(it['units'], 120)}"
