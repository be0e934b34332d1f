"""Features of many samples, extracted part by part, and kept chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganforge.config.run_config import Selection
from ganforge.contracts import Batch, Extracted, FeatureExtractor
from ganforge.errors import PluginError
from ganforge.plugin.specs import FeaturesSpec

from .store import Store, digest_of, key_of
from .streams import PART, Progress, Stream

KIND = "features"  # of file
CHUNK_BYTES = 64 * 1024 * 1024  # of samples that are in memory at once
LARGEST_CHUNK = 1024  # samples whose features are in one file


@dataclass(frozen=True, kw_only=True)
class ReadyExtractor:
    """An extractor that is ready: what metrics look at samples through.

    `fingerprint` is what its features follow from besides the samples.
    """

    selection: Selection[FeaturesSpec]
    network: FeatureExtractor
    fingerprint: str
    device: torch.device
    store: Store

    @property
    def name(self) -> str:
        return self.selection.config_name

    def look_at(self, stream: Stream, progress: Progress) -> tuple[Extracted, dict[str, Tensor]]:
        """The features of a stream, on the CPU, and the fields besides the samples.

        These are empty where the samples need not be read, since what was extracted is known.
        Raises PluginError where the extractor breaks its contract.
        """
        what = f"{self.selection.component.name} of {stream.name}"
        found: list[Extracted] = []
        others: list[dict[str, Tensor]] = []
        done = 0
        progress(what, 0, stream.num)
        for start, end in self._chunks(stream):
            known = None
            if stream.key is not None:
                known = self._known(self._key(stream.key, f"{start}-{end}"))
            if known is None:
                parts = [*stream.parts(start, end)]
                others.append(_gathered(parts))
                known = self._extracted(stream, start, end, parts)
            found.append(known)
            done = end
            progress(what, done, stream.num)
        complete = len(others) == len(found)
        names = others[0] if complete and others else {}
        return Extracted.joined(found), {n: torch.cat([it[n] for it in others]) for n in names}

    def _chunks(self, stream: Stream) -> Iterator[tuple[int, int]]:
        """Beginnings and ends of chunks, whose size follows from that of a sample alone."""
        shape = self.network.problem.sample_shape
        fitting = CHUNK_BYTES // (4 * math.prod(shape)) // PART * PART
        size = min(max(fitting, PART), LARGEST_CHUNK)
        for start in range(0, stream.num, size):
            yield start, min(start + size, stream.num)

    def _extracted(self, stream: Stream, start: int, end: int, parts: list[Batch]) -> Extracted:
        """The features of a chunk: those that are known by what it is made of, or fresh ones."""
        key = None
        if stream.key is not None:
            key = self._key(stream.key, f"{start}-{end}")
        elif stream.cached:
            key = self._key(digest_of(*(it.samples for it in parts)))
            known = self._known(key)
            if known is not None:
                return known
        fresh = Extracted.joined([self.extract(part.samples) for part in parts])
        if key is not None:
            tensors = {"features": fresh.features}
            if fresh.logits is not None:
                tensors["logits"] = fresh.logits
            self.store.put(KIND, key, tensors, {"fingerprint": self.fingerprint})
        return fresh

    def extract(self, samples: Tensor) -> Extracted:
        """The features of some samples `[B, *sample_shape]`, on the CPU. Raises PluginError."""
        component = self.selection.component
        with torch.inference_mode():
            found = component.call("failed", self.network.extract, samples.to(self.device))
        fault = _fault(found, len(samples), self.selection.spec.logits)
        if fault:
            raise PluginError(f"{self.selection.label} must give {fault}")
        logits = None if found.logits is None else found.logits.cpu()
        return Extracted(found.features.cpu(), logits)

    def _key(self, *parts: str) -> str:
        return key_of(self.fingerprint, *parts)

    def _known(self, key: str) -> Extracted | None:
        kept = self.store.get(KIND, key)
        if kept is None or "features" not in kept[0]:
            return None
        return Extracted(kept[0]["features"], kept[0].get("logits"))


def _fault(found: Any, num: int, logits: bool) -> str | None:
    """Say what is wrong with what an extractor gave; None where nothing is."""
    if not isinstance(found, Extracted):
        return f"a ganforge.Extracted, not {type(found).__name__}"
    if (found.logits is not None) is not logits:
        has = "gives none" if logits else "gives some"
        return f"logits exactly where its spec says so, logits={logits}, and {has}"
    for name, value in (("features", found.features), ("logits", found.logits)):
        if value is None:
            continue
        if value.dtype != torch.float32 or value.dim() != 2 or len(value) != num:
            shape = f"{value.dtype} {[*value.shape]}"
            return f"{name} of shape [B, D], float32, for B = {num}, not {shape}"
        if not bool(value.isfinite().all()):
            return f"finite {name}"
    return None


def _gathered(parts: list[Batch]) -> dict[str, Tensor]:
    names = parts[0].others
    return {name: torch.cat([it.others[name] for it in parts]) for name in names}
