"""Generator inputs and samples as a function of seed and stream alone, in training and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ganforge.contracts import Batch, Inputs, Sampler
from ganforge.device.randomness import Randomness

from .step import generate

CHUNK = 64  # samples drawn at once: the first n of a seed are the same however many are asked for


def draw_inputs(
    sampler: Sampler,
    randomness: Randomness,
    stream: str,
    num: int,
    *,
    labels: Tensor | None = None,
    real: Batch | None = None,
) -> Iterator[Inputs]:
    """`num` inputs in chunks, as a function of seed and stream alone.

    `labels`, int64 `[num]`, replace those that the sampler draws. `real` has at least `num`
    samples, for a sampler that is paired: input i is made of sample i.
    """
    device = randomness.device
    for start in range(0, num, CHUNK):
        generator = randomness.generator(stream, start // CHUNK)
        share = None if real is None else _share(real, start, num, device)
        values, drawn = sampler.sample(CHUNK, generator=generator, real=share)
        size = min(CHUNK, num - start)
        wanted = drawn if labels is None else labels[start : start + size].to(device)
        yield Inputs(values[:size], None if wanted is None else wanted[:size])


def _share(real: Batch, start: int, num: int, device: torch.device) -> Batch:
    """One chunk of the first `num` real samples, whole, so that draws do not depend on `num`."""
    chosen = torch.arange(start, start + CHUNK).clamp_(max=num - 1)
    samples = real.samples[chosen.to(real.samples.device)].to(device)
    labels = None if real.labels is None else real.labels[chosen.to(real.labels.device)].to(device)
    return Batch(samples, labels)


def generate_samples(
    network: nn.Module, chunks: Iterable[Inputs]
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Samples `[B, *sample_shape]` and labels, chunk by chunk, without touching training."""
    with torch.inference_mode(), evaluating(network):
        for inputs in chunks:
            yield generate(network, inputs), inputs.labels


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode, and afterwards in the one that it was in."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
