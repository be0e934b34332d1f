"""What cannot work together, found from specs and options before torch is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ganforge.plugin.options import describe
from ganforge.plugin.specs import (
    DatasetSpec,
    DiscriminatorSpec,
    GeneratorSpec,
    LossSpec,
    MetricSpec,
    NetworkSpec,
    SamplerSpec,
)

if TYPE_CHECKING:
    from ganforge.config.run_config import KeyPath, RunConfig, Selection


DEVICE_PATTERN = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


def incompatibilities(config: RunConfig) -> Iterator[tuple[KeyPath, str]]:
    """The key to change, and why, for each thing that cannot work."""
    yield from _networks(config)
    yield from _losses(config)
    yield from _metrics(config)
    yield from _inputs(config)
    yield from _discriminator(config)
    yield from _training(config)
    yield from _execution(config)


def _networks(config: RunConfig) -> Iterator[tuple[KeyPath, str]]:
    dataset = config.dataset.component.spec
    assert isinstance(dataset, DatasetSpec)
    for section, selection, shape in (
        ("generator", config.generator, config.sample_shape),
        ("discriminator", config.discriminator, config.judged_shape),
    ):
        if selection is None:
            continue
        spec = selection.component.spec
        assert isinstance(spec, NetworkSpec)
        shown = f"the {section} {spec.name!r}"
        refusal = spec.refusal(shape)
        if refusal and shape == config.sample_shape:
            yield (
                _size_key(config),
                f"{shown} {refusal}, which is what the data set {dataset.name!r} gives",
            )
        elif refusal:
            yield (section, "name"), f"{shown} {refusal}, and it is to judge codes"
        if config.training.conditional and spec.labels == "none":
            yield ("training", "conditional"), f"{shown} takes no labels"
        if not config.training.conditional and spec.labels == "required":
            yield (section, "name"), f"{shown} needs labels; set training.conditional = true"
    if config.training.conditional and dataset.labelled is False:
        yield ("training", "conditional"), f"the data set {dataset.name!r} has no labels"


def _size_key(config: RunConfig) -> KeyPath:
    """The key that a person would change to get another sample shape."""
    names = {field.name for field in describe(type(config.dataset.options))}
    return ("dataset", "size" if "size" in names else "name")


def _losses(config: RunConfig) -> Iterator[tuple[KeyPath, str]]:
    trained: set[str] = set()
    for term in config.losses:
        spec = term.component.spec
        assert isinstance(spec, LossSpec)
        key = ("loss", spec.name)
        trained.update(spec.trains)
        if spec.needs_discriminator and config.discriminator is None:
            yield key, f"the loss {spec.name!r} needs a discriminator; set discriminator.name"
        if spec.needs_labels and not config.training.conditional:
            yield key, f"the loss {spec.name!r} needs labels; set training.conditional = true"
        if spec.needs_reconstruction and not _reconstructs(config):
            yield key, f"the loss {spec.name!r} {_NOTHING_TO_COMPARE}"
        if spec.double_backward and not _twice_differentiable(config.discriminator):
            yield (
                key,
                f"the loss {spec.name!r} differentiates the discriminator's gradient, which this "
                "discriminator does not allow",
            )
    if config.losses and "generator" not in trained:
        yield ("loss",), "no loss trains the generator; add one, such as --loss nonsat"
    if config.losses and config.discriminator is not None and "discriminator" not in trained:
        yield (
            ("loss",),
            "no loss trains the discriminator; add one, such as --loss nonsat, or do without it: "
            "--discriminator none",
        )


def _metrics(config: RunConfig) -> Iterator[tuple[KeyPath, str]]:
    dataset = config.dataset.component.spec
    assert isinstance(dataset, DatasetSpec)
    for selection in config.metrics:
        spec = selection.component.spec
        assert isinstance(spec, MetricSpec)
        key, shown = ("metric", spec.name), f"the metric {spec.name!r}"
        refusal = spec.refusal(config.sample_shape)
        if refusal:
            yield key, f"{shown} {refusal}, which is what the data set {dataset.name!r} gives"
        if spec.needs_reconstruction and not _reconstructs(config):
            yield key, f"{shown} {_NOTHING_TO_COMPARE}"
        if spec.needs_mixture and not dataset.mixture:
            yield (
                key,
                f"{shown} reads the modes of a Gaussian mixture, which the data set "
                f"{dataset.name!r} is not",
            )


_NOTHING_TO_COMPARE = (
    "compares real samples with what the generator makes of them, and this run has nothing of the "
    "kind: it takes a sampler such as 'reconstruct', or a generator that encodes"
)


def _reconstructs(config: RunConfig) -> bool:
    generator, sampler = config.generator.component.spec, config.sampler.component.spec
    assert isinstance(generator, GeneratorSpec)
    assert isinstance(sampler, SamplerSpec)
    return generator.encodes or sampler.paired


def _twice_differentiable(discriminator: Selection | None) -> bool:
    if discriminator is None:
        return True
    spec = discriminator.component.spec
    return isinstance(spec, DiscriminatorSpec) and spec.double_backward


def _inputs(config: RunConfig) -> Iterator[tuple[KeyPath, str]]:
    generator, sampler = config.generator.component.spec, config.sampler.component.spec
    assert isinstance(generator, GeneratorSpec)
    assert isinstance(sampler, SamplerSpec)
    if generator.inputs != sampler.inputs:
        yield (
            ("sampler", "name"),
            f"the generator {generator.name!r} takes {generator.inputs}, and the sampler "
            f"{sampler.name!r} draws {sampler.inputs}",
        )
    if sampler.needs_labels and not config.training.conditional:
        yield (
            ("sampler", "name"),
            f"the sampler {sampler.name!r} needs labels; set training.conditional = true",
        )


def _discriminator(config: RunConfig) -> Iterator[tuple[KeyPath, str]]:
    """What a run says of its discriminator's inputs."""
    training, selection = config.training, config.discriminator
    generator = config.generator.component.spec
    assert isinstance(generator, GeneratorSpec)
    asked = {
        ("training", "discriminate"): training.discriminate == "codes",
        ("training", "joint_batch"): training.joint_batch,
        ("instance_noise", "std"): config.instance_noise.std > 0,
    }
    if selection is None:
        for key, is_set in asked.items():
            if is_set:
                yield key, "is for the discriminator, and there is none; set discriminator.name"
        return
    if training.discriminate == "codes" and not generator.encodes:
        yield (
            ("training", "discriminate"),
            f"the generator {generator.name!r} has no encoder, so there are no codes to judge",
        )
    if training.joint_batch and not batch_independent(selection):
        name = selection.component.name
        yield (
            ("training", "joint_batch"),
            f"the discriminator {name!r} as it is set up scores a sample by the whole batch; real "
            "and fake samples in one batch would give each other away",
        )


def batch_independent(discriminator: Selection) -> bool:
    """Whether the score of a sample does not depend on the others in its batch."""
    spec = discriminator.component.spec
    assert isinstance(spec, DiscriminatorSpec)
    if callable(spec.batch_independent):
        return bool(
            discriminator.component.call(
                "cannot tell whether it is batch independent",
                spec.batch_independent,
                discriminator.options,
            )
        )
    return spec.batch_independent


def _training(config: RunConfig) -> Iterator[tuple[KeyPath, str]]:
    training = config.training
    if training.batch_size % training.num_accumulation_steps:
        yield (
            ("training", "num_accumulation_steps"),
            f"training.batch_size = {training.batch_size} cannot be split into "
            f"{training.num_accumulation_steps} equal parts",
        )
    if training.reuse_fakes and training.num_accumulation_steps > 1:
        yield (
            ("training", "reuse_fakes"),
            "fakes cannot be reused where a batch is split: the parts' graphs would all have to "
            "stay in memory, which is what splitting avoids",
        )


def _execution(config: RunConfig) -> Iterator[tuple[KeyPath, str]]:
    if not DEVICE_PATTERN.fullmatch(config.execution.device):
        yield (
            ("execution", "device"),
            f"{config.execution.device!r} is no device: write auto, cpu, cuda, cuda:N or mps",
        )
