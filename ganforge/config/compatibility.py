"""Conflicts between components, found from specs and options before torch is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ganforge.config.measures import LACKS, best_number, unmet
from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.plugin.fields import GRIDS, LABEL, SAMPLE, Field
from ganforge.plugin.options import describe
from ganforge.plugin.shapes import PLURALS
from ganforge.plugin.specs import QUANTITIES, TRACED, LossSpec, NetworkSpec

if TYPE_CHECKING:
    from .run_config import KeyPath, RunConfig, Selection, Term

    Complaints = Iterator[tuple[KeyPath, str]]

DEVICE_PATTERN = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
SET_CONDITIONAL = "set training.conditional = true"


def incompatibilities(config: RunConfig, fields: Mapping[str, Field] | None = None) -> Complaints:
    """The key to change, and why, for each thing that cannot work.

    `fields` are what the data turned out to have, where the options alone could not tell: what
    depends on a shape is then asked again, before anything is built.
    """
    known = config.fields if fields is None else fields
    yield from _conditions(config, known)
    yield from _samples(config, known)
    yield from _moves(config, known)
    yield from _inputs(config, known)
    yield from _game(config, known)
    yield from _losses(config, known)
    yield from _metrics(config, known)
    yield from _discriminator(config)
    yield from _training(config)
    yield from _execution(config)


def _samples(config: RunConfig, fields: Mapping[str, Field]) -> Complaints:
    """Components that cannot handle the samples: networks, metrics and augmentations."""
    sample, dataset = fields[SAMPLE], config.dataset.component.name
    judged: Field | None = sample
    if sample.shape is not None:
        judged = config.judged(sample, config.input_shape(fields))
    for section, selection, field in (
        ("generator", config.generator, sample),
        ("discriminator", config.discriminator, judged),
    ):
        if selection is None or field is None:
            continue
        shown = f"the {section} {selection.component.name!r}"
        refusal = selection.spec.refusal(field)
        if refusal and field is not sample:
            game = config.game.component.name
            yield (section, "name"), f"{shown} {refusal}, which the game {game!r} gives it to judge"
        elif refusal:
            key = _size_key(config)
            yield key, f"{shown} {refusal}, which is what the data set {dataset!r} gives"
    for kind, chosen, field in (
        ("metric", config.metrics, sample),
        ("augmentation", config.augmentations, judged),
    ):
        for it in chosen:
            if field is not None and (refusal := it.spec.refusal(field)):
                giver = f"the data set {dataset!r} gives"
                if field is not sample:
                    giver = f"the game {config.game.component.name!r} gives it"
                what = f"the {kind} {it.component.name!r} {refusal}"
                yield (kind, it.component.name), f"{what}, which is what {giver}"


def _moves(config: RunConfig, fields: Mapping[str, Field]) -> Complaints:
    """Flips and shifts are of images, and shifts of images of one size."""
    sample = fields[SAMPLE]
    for name in ("flip", "shift"):
        if getattr(config.data, name) and sample.kind not in GRIDS:
            yield ("data", name), f"moves images, and the samples are {PLURALS[sample.kind]}"
    if not config.data.shift or sample.kind not in GRIDS or sample.shape is None:
        return
    for name in sorted(config.used_fields):
        field = fields.get(name)
        if field is None or field.kind not in GRIDS or field.shape is None or not field.paired:
            continue
        if field.shape[-2:] != sample.shape[-2:]:
            what = f"the field {name!r} has another size than the samples that it belongs to"
            yield ("data", "shift"), f"moves both by as many pixels, and {what}"


def _size_key(config: RunConfig) -> KeyPath:
    """The key that a person would change to get another sample shape."""
    names = {field.name for field in describe(type(config.dataset.options))}
    return ("dataset", "size" if "size" in names else "name")


def _conditions(config: RunConfig, fields: Mapping[str, Field]) -> Complaints:
    """Conditions that the data set cannot give, or that a network does not take or lacks."""
    dataset = config.dataset.component.name
    if config.training.conditional and LABEL not in fields:
        yield ("training", "conditional"), f"the data set {dataset!r} has no labels"
    for selection in (config.generator, config.discriminator):
        if selection is None:
            continue
        section: str = selection.component.kind
        shown = f"the {section} {selection.component.name!r}"
        for name in selection.settings.conditions:
            if name not in fields or name == SAMPLE:
                others = sorted(fields.keys() - {SAMPLE})
                near = did_you_mean(name, others) or f"; it has {_listed(others)}"
                what = f"the data set {dataset!r} has no field {name!r} to tell"
                yield (section, "conditions"), f"{what}{near}"
            elif not fields[name].paired:
                what = f"the field {name!r} has an order of its own"
                yield (section, "conditions"), f"{what}, so it tells nothing of a sample"
        side = "generator" if section == "generator" else "discriminator"
        keywords = config.keywords(side, fields)  # type: ignore[arg-type]
        for keyword, names in keywords.items():
            if keyword not in selection.spec.conditions:
                key: KeyPath = (section, "conditions")
                if LABEL in names and config.training.conditional:
                    key = ("training", "conditional")
                yield key, f"{shown} takes {_not_taken(keyword, names, selection.spec)}"
        for keyword in selection.spec.required:
            if keyword not in keywords:
                instead = SET_CONDITIONAL if keyword == LABEL else f"set {section}.conditions"
                yield (section, "name"), f"{shown} needs {_noun(keyword)}; {instead}"


def not_told(spec: NetworkSpec, keywords: Mapping[str, tuple[str, ...]]) -> str | None:
    """The reason in words why a network cannot be told these; None where it can."""
    for keyword, names in keywords.items():
        if keyword not in spec.conditions:
            return f"takes {_not_taken(keyword, names, spec)}"
    for keyword in spec.required:
        if keyword not in keywords:
            return f"needs {_noun(keyword)}"
    return None


def _not_taken(keyword: str, names: tuple[str, ...], spec: NetworkSpec) -> str:
    """The words for a condition that a network does not take."""
    if keyword == "labels" and LABEL in spec.conditions:
        return f"one category, and is told {len(names)}: {listed(names)}"
    if keyword == LABEL and "labels" in spec.conditions:
        return f"several categories, and is told {names[0]} alone"
    return f"no {_noun(keyword)}"


def _noun(keyword: str) -> str:
    """A condition as messages name it."""
    return "labels" if keyword in (LABEL, "labels") else f"{keyword} as a condition"


def _inputs(config: RunConfig, fields: Mapping[str, Field]) -> Complaints:
    """Labels and fields that the sampler lacks, and inputs that the generator does not take."""
    generator, sampler = config.generator.spec, config.sampler.spec
    for name in config.sampler.says("reads"):
        if name == "labels" and LABEL not in config.conditions("generator"):
            what = f"the sampler {sampler.name!r} needs labels; {SET_CONDITIONAL}"
            yield ("sampler", "name"), what
        elif name not in ("labels", "samples") and name not in fields:
            yield ("sampler", "name"), _no_field(config, f"the sampler {sampler.name!r}", name)
            return
    drawn = config.input_kind(fields)
    wanted = fields[SAMPLE].kind if generator.inputs == SAMPLE else generator.inputs
    if drawn != wanted:
        yield (
            ("sampler", "name"),
            f"the generator {generator.name!r} takes {_inputs_noun(wanted)}, and the sampler "
            f"{sampler.name!r} draws {_inputs_noun(drawn)}",
        )


def _inputs_noun(kind: str) -> str:
    return kind if kind == "latents" else f"{kind}s".replace("ss", "s")


def _no_field(config: RunConfig, who: str, name: str) -> str:
    dataset = config.dataset.component.name
    return f"{who} reads the field {name!r}, which the data set {dataset!r} does not have"


def _game(config: RunConfig, fields: Mapping[str, Field]) -> Complaints:
    """Requirements of the game that the networks, the data or the conditions do not meet."""
    generator, name = config.generator.spec, config.game.component.name
    for method in config.game.says("calls"):
        if method not in generator.methods:
            yield (
                ("game", "name"),
                f"the game {name!r} needs a generator that can {method}, and "
                f"{generator.name!r} cannot",
            )
    for field in config.game.says("reads"):
        if field not in fields:
            yield ("game", "name"), _no_field(config, f"the game {name!r}", field)
    told = {*config.conditions("generator"), *config.conditions("discriminator")}
    if told and not config.game.spec.conditions:
        what = f"the game {name!r} tells the networks no conditions"
        yield ("game", "name"), f"{what}, and this run has {listed(sorted(told))}"


def provided(config: RunConfig, fields: Mapping[str, Field]) -> set[str]:
    """Everything that a term of this run can read of a step."""
    found = {*QUANTITIES, *config.game.says("provides")}
    found |= fields.keys() - {SAMPLE}
    if LABEL in fields:
        found.add("labels")
    if LABEL in fields and LABEL in config.conditions("generator"):
        found.add("fake_labels")
    if config.paired(fields):
        found.add("reconstruction")
    found |= {f"inputs.{name}" for name in config.input_parts}
    for source, side in TRACED.items():
        network = config.generator if side == "generator" else config.discriminator
        if network is not None:
            found |= {f"{source}.{name}" for name in network.spec.gives}
    return found


def _losses(config: RunConfig, fields: Mapping[str, Field]) -> Complaints:
    trained: set[str] = set()
    known = provided(config, fields)
    names = [term.config_name for term in config.losses]
    for term in config.losses:
        spec = term.spec
        key = ("loss", spec.name)
        trained.update(spec.trains)
        if spec.needs_discriminator and config.discriminator is None:
            yield key, f"the loss {spec.name!r} needs a discriminator; set discriminator.name"
            continue
        for name in spec.reads:
            if name not in known:
                yield key, f"the loss {spec.name!r} {_missing(name, known, config)}"
        yield from _double_backward(config, spec)
        for name in _idle_settings(term):
            yield (*key, name), f"has no effect: the loss {spec.name!r} adds nothing to a loss"
        balanced = term.settings.balance
        if balanced is not None and balanced not in {*names} - {term.config_name}:
            others = _listed([name for name in names if name != term.config_name])
            what = f"balance names another loss of the run, not {balanced!r}"
            yield (*key, "balance"), f"{what}; there are {others}"
    if config.losses and "generator" not in trained:
        yield ("loss",), "no loss trains the generator; add one, such as --loss nonsat"
    if config.losses and config.discriminator is not None and "discriminator" not in trained:
        yield (
            ("loss",),
            "no loss trains the discriminator; add one, such as --loss nonsat, or do without it: "
            "--discriminator none",
        )


def _idle_settings(term: Term) -> list[str]:
    """The settings of a term without a loss that say how much a loss counts."""
    usual, given = type(term.settings)(), term.settings
    names = [field.name for field in describe(type(given))] if not term.spec.trains else []
    return [name for name in names if getattr(given, name) != getattr(usual, name)]


def _listed(others: list[str]) -> str:
    return listed(others) if others else "no others"


def _double_backward(config: RunConfig, spec: LossSpec) -> Complaints:
    """A term that differentiates D twice wants that of D, and of what stands before it."""
    if "discriminator" not in spec.double_backward or config.discriminator is None:
        return
    who = f"the loss {spec.name!r} differentiates the discriminator's gradient"
    if not config.discriminator.spec.double_backward:
        yield ("loss", spec.name), f"{who}, which this discriminator does not allow"
    for it in config.augmentations:
        if not it.spec.double_backward:
            name = it.component.name
            yield ("loss", spec.name), f"{who}, which the augmentation {name!r} does not allow"


def _missing(name: str, known: set[str], config: RunConfig) -> str:
    """The reason why a quantity cannot be read in this run."""
    if name == "reconstruction":
        return LACKS["reconstruction"]
    if name == "labels":
        return f"reads labels, which the data set {config.dataset.component.name!r} does not have"
    if name == "fake_labels":
        return LACKS["fake_labels"]
    source, _, given = name.partition(".")
    if given and source in TRACED:
        side = TRACED[source]
        network = config.generator if side == "generator" else config.discriminator
        who = "there is none" if network is None else f"{network.component.name!r} does not give it"
        gives = [] if network is None else list(network.spec.gives)
        near = did_you_mean(given, gives) or (f"; it gives {listed(gives)}" if gives else "")
        return f"reads {given!r} of the {side}, and {who}{near}"
    near = did_you_mean(name, sorted(known))
    game = config.game.component.name
    return f"reads {name!r}, which the game {game!r} does not provide{near}"


def _metrics(config: RunConfig, fields: Mapping[str, Field]) -> Complaints:
    dataset = config.dataset.spec
    known = provided(config, fields)
    if config.evaluation.holdout:
        known.add("training")
    for selection in config.metrics:
        spec = selection.spec
        what = unmet(spec, known, dataset.gives, dataset.name)
        if what is not None:
            yield ("metric", spec.name), f"the metric {spec.name!r} {what}"
    if config.evaluation.best is not None:
        try:
            best_number(config.metrics, config.evaluation.best)
        except UsageError as error:
            yield ("evaluation", "best"), str(error)


def _discriminator(config: RunConfig) -> Complaints:
    """Augmentations without a discriminator, and a joint batch that it cannot score."""
    training, selection = config.training, config.discriminator
    if selection is None:
        for it in config.augmentations:
            name = it.component.name
            what = f"the augmentation {name!r} is for the discriminator, and there is none"
            yield ("augmentation", name), what
        return
    if training.joint_batch and not batch_independent(selection):
        name = selection.component.name
        yield (
            ("training", "joint_batch"),
            f"the discriminator {name!r} as it is set up scores a sample by the whole batch; real "
            "and fake samples in one batch would give each other away",
        )


def batch_independent(discriminator: Selection) -> bool:  # type: ignore[type-arg]
    """True where the score of a sample does not depend on the others in its batch."""
    return bool(discriminator.says("batch_independent"))


def _training(config: RunConfig) -> Complaints:
    training, packing = config.training, config.game.says("packing")
    part, rest = divmod(training.batch_size, training.num_accumulation_steps)
    if rest:
        yield (
            ("training", "num_accumulation_steps"),
            f"training.batch_size = {training.batch_size} cannot be split into "
            f"{training.num_accumulation_steps} equal parts",
        )
    elif part % packing:
        what = f"{part} samples at a time" if part < training.batch_size else f"{part} samples"
        yield (
            ("training", "batch_size"),
            f"{what} are no multiple of {packing}, as many as the game "
            f"{config.game.component.name!r} has judged at once",
        )
    if not training.reuse_fakes:
        return
    for key, is_set, why in (
        (
            "num_accumulation_steps",
            training.num_accumulation_steps > 1,
            "where a batch is split: the parts' graphs would all have to stay in memory, which is "
            "what splitting avoids",
        ),
        (
            "first",
            training.first == "generator",
            "where the generator moves first: there are none yet",
        ),
        (
            "num_generator_steps",
            training.num_generator_steps > 1,
            "for more than one update of the generator, which changes what it makes",
        ),
    ):
        if is_set:
            reason = "reuse_fakes" if key == "num_accumulation_steps" else key
            yield ("training", reason), f"fakes cannot be reused {why}"


def _execution(config: RunConfig) -> Complaints:
    if not DEVICE_PATTERN.fullmatch(config.execution.device):
        yield (
            ("execution", "device"),
            f"{config.execution.device!r} is no device: write auto, cpu, cuda, cuda:N or mps",
        )
