"""What cannot work together is refused, in words that name it, before torch is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganforge import Field
from ganforge.config.compatibility import incompatibilities, provided
from ganforge.config.layers import Flag, Layer, Names, from_settings, from_text
from ganforge.config.resolve import resolve
from ganforge.config.run_config import NetworkSettings, RunConfig
from ganforge.errors import ConfigError, PluginError
from ganforge.plugin.discovery import discover
from ganforge.plugin.fields import CONDITIONS, grouped
from ganforge.plugin.registry import Registry

from .conftest import FakePlugin

Make = Callable[..., RunConfig]
Refuse = Callable[..., list[str]]

#: components that say of themselves what no bundled one does
SOURCE = """
from ganforge import (
    AugmentationSpec, DatasetSpec, DiscriminatorSpec, Field, GameSpec, GeneratorSpec,
    LossSpec, MetricSpec, SamplerSpec, SequenceShapes, hookimpl,
)

common = {"summary": "s", "build": "m:f"}
label = Field(kind="category")
sound = Field(kind="sequence")
maybe = Field(kind="category", optional=True)
image = Field.of_shape((3, 32, 32))
point = Field.of_shape((2,))


def vector(shape):
    return Field(kind="vector", shape=shape)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="labelled", discriminator="flat", conditions=("label",), required=("label",), **common
    )
    yield GeneratorSpec(name="alone", **common)
    yield GeneratorSpec(name="painter", inputs="image", discriminator="mlp", **common)
    yield GeneratorSpec(
        name="lost", discriminator="nowhere", sampler="nothing", game="chss", **common
    )
    yield GeneratorSpec(
        name="captioned", discriminator="dcgan", conditions=("label", "vector"),
        required=("vector",), gives=("w", "features"), **common
    )
    yield GeneratorSpec(
        name="attributed", discriminator="dcgan", conditions=("labels", "image"), **common
    )
    yield GeneratorSpec(name="player", discriminator="dcgan", game="swap", **common)


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="flat", double_backward=False, conditions=("label",), gives=("features",), **common
    )
    yield DiscriminatorSpec(name="sighted", conditions=("image",), required=("image",), **common)


@hookimpl
def ganforge_losses():
    yield LossSpec(
        name="penalty", trains=("discriminator",), double_backward=("discriminator",), **common
    )
    yield LossSpec(name="distance", trains=("generator",), reads=("samples", "fake"), **common)
    yield LossSpec(name="classes", reads=("real_scores", "fake_scores", "labels"), **common)
    yield LossSpec(
        name="auxiliary",
        reads=("real_scores", "fake_scores", "labels", "fake_labels"),
        **common,
    )
    yield LossSpec(name="style", trains=("generator",), reads=("generated.w",), **common)
    yield LossSpec(name="styles", trains=("generator",), reads=("generated.ws",), **common)
    yield LossSpec(name="logits", reads=("fake_scores", "real.logits"), **common)
    yield LossSpec(name="matching", trains=("generator",), reads=("fake.features",), **common)
    yield LossSpec(name="information", trains=("generator",), reads=("inputs.code",), **common)
    yield LossSpec(name="aside", trains=("generator",), reads=("caption",), **common)
    yield LossSpec(name="near", trains=("generator",), reads=("fake_score",), **common)
    yield LossSpec(name="clipping", trains=(), reads=(), **common)
    yield LossSpec(name="swapped", trains=("generator",), reads=("swapped",), **common)


@hookimpl
def ganforge_datasets():
    yield DatasetSpec(name="bare", fields=lambda o: {"sample": image}, **common)
    yield DatasetSpec(name="points", fields=lambda o: {"sample": point, "label": maybe}, **common)
    yield DatasetSpec(name="broken", fields=lambda o: {"sample": o.nothing}, **common)
    yield DatasetSpec(name="nothing", fields=lambda o: {"label": label}, **common)
    yield DatasetSpec(name="shapes", fields=lambda o: {"sample": (3, 8, 8)}, **common)
    yield DatasetSpec(
        name="described",
        fields=lambda o: {
            "sample": image,
            "label": label,
            "colour": label,
            "caption": Field(kind="vector", shape=(16,)),
            "mask": Field(kind="image", shape=(1, 32, 32)),
            "small": Field(kind="image", shape=(3, 8, 8)),
        },
        gives=("mixture", "scale"),
        **common,
    )
    yield DatasetSpec(name="recordings", fields=lambda o: {"sample": sound}, **common)
    for name, paired in (("pairs", True), ("sides", False)):
        sketch = Field(kind="image", shape=(1, 32, 32), dtype="uint8", paired=paired)
        yield DatasetSpec(
            name=name, fields=lambda o, it=sketch: {"sample": image, "sketch": it}, **common
        )


@hookimpl
def ganforge_samplers():
    yield SamplerSpec(
        name="crops", inputs="sample", input_shape=lambda o, fields: fields["sample"].shape,
        **common
    )
    yield SamplerSpec(
        name="codes", input_shape=lambda o, fields: (5,), parts=lambda o: {"noise": 3, "code": 2},
        **common
    )
    yield SamplerSpec(
        name="sketches", inputs="image", reads=("sketch",), input_shape=lambda o, f: (1, 32, 32),
        **common
    )
    yield SamplerSpec(name="wrong", input_shape=lambda o, fields: None, **common)


@hookimpl
def ganforge_games():
    yield GameSpec(name="swap", provides=("swapped",), **common)
    yield GameSpec(name="codes", judged=lambda o, s, shape: vector(shape), **common)
    yield GameSpec(name="told", told=lambda o, s, shape: {"z": vector(shape)}, **common)
    yield GameSpec(name="deaf", conditions=False, **common)
    yield GameSpec(name="reader", reads=("sketch",), **common)
    yield GameSpec(name="caller", calls=("encode", "invert"), **common)
    yield GameSpec(name="silent", conditions=False, **common)
    yield GameSpec(name="packs", packing=lambda options: 4, **common)


@hookimpl
def ganforge_augmentations():
    yield AugmentationSpec(name="once", double_backward=False, **common)
    yield AugmentationSpec(name="vectors-only", shapes=(SequenceShapes(),), **common)


@hookimpl
def ganforge_metrics():
    yield MetricSpec(name="by-class", reads=("labels",), **common)
    yield MetricSpec(name="asked-for", reads=("labels", "fake_labels"), **common)
    yield MetricSpec(name="scaled", reads=("scale",), **common)
    yield MetricSpec(name="remade", reads=("reconstruction",), **common)
    yield MetricSpec(name="audio", shapes=(SequenceShapes(),), **common)
"""


def layers(
    assignments: tuple[str, ...], file: str = "", **tables: tuple[str, ...] | None
) -> list[Layer]:
    """`losses`, `metrics` and `augmentations` are names of components."""
    flags = {
        "losses": ("loss", "--loss"),
        "metrics": ("metric", "--metric"),
        "augmentations": ("augmentation", "--augment"),
    }
    chosen = {
        flags[kind][0]: Names(names, Flag(flags[kind][1]))
        for kind, names in tables.items()
        if names
    }
    return [
        from_text(file, "run.toml"),
        from_settings(["training.conditional=false"]),
        Layer(tables=chosen, whole=True),
        from_settings(assignments),
    ]


@pytest.fixture
def registry(fake_plugin: FakePlugin) -> Registry:
    fake_plugin("ganforge-capable", SOURCE)
    return discover().registry


@pytest.fixture
def make(registry: Registry) -> Make:
    return lambda *assignments, **rest: resolve(layers(assignments, **rest), registry)


@pytest.fixture
def refuse(make: Make) -> Refuse:
    def refuse(*assignments: str, **rest: object) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            make(*assignments, **rest)
        return [str(complaint) for complaint in caught.value.complaints]

    return refuse


IMPOSSIBLE = [
    (
        ("dataset.name=mnist", "dataset.size=4"),
        {
            "--set dataset.size=4: the generator 'dcgan' handles images whose side is from 8 up, "
            "not 1 x 4 x 4, which is what the data set 'mnist' gives",
            "--set dataset.size=4: the discriminator 'dcgan' handles images whose side is from 8 "
            "up, not 1 x 4 x 4, which is what the data set 'mnist' gives",
        },
    ),
    (
        ("training.batch_size=10", "training.num_accumulation_steps=3"),
        {
            "--set training.num_accumulation_steps=3: training.batch_size = 10 cannot be split "
            "into 3 equal parts"
        },
    ),
    (
        ("game.name=packs", "training.batch_size=10"),
        {
            "--set training.batch_size=10: 10 samples are no multiple of 4, as many as the game "
            "'packs' has judged at once"
        },
    ),
    (
        ("game.name=packs", "training.batch_size=12", "training.num_accumulation_steps=2"),
        {
            "--set training.batch_size=12: 6 samples at a time are no multiple of 4, as many as "
            "the game 'packs' has judged at once"
        },
    ),
    (
        ("training.reuse_fakes=true", "training.num_accumulation_steps=2"),
        {
            "--set training.reuse_fakes=true: fakes cannot be reused where a batch is split: the "
            "parts' graphs would all have to stay in memory, which is what splitting avoids"
        },
    ),
    (
        ("training.reuse_fakes=true", "training.first=generator"),
        {
            "--set training.first=generator: fakes cannot be reused where the generator moves "
            "first: there are none yet"
        },
    ),
    (
        ("training.reuse_fakes=true", "training.num_generator_steps=2"),
        {
            "--set training.num_generator_steps=2: fakes cannot be reused for more than one update "
            "of the generator, which changes what it makes"
        },
    ),
    (
        ("training.joint_batch=true", "discriminator.normalisation=batch"),
        {
            "--set training.joint_batch=true: the discriminator 'dcgan' as it is set up scores a "
            "sample by the whole batch; real and fake samples in one batch would give each other "
            "away"
        },
    ),
    (
        ("training.conditional=true", "generator.name=mlp", "dataset.name=ring"),
        {"--set training.conditional=true: the data set 'ring' has no labels"},
    ),
    (
        ("execution.device=gpu",),
        {"--set execution.device=gpu: 'gpu' is no device: write auto, cpu, cuda, cuda:N or mps"},
    ),
    (
        ("data.flip=true", "generator.name=mlp", "dataset.name=ring"),
        {"--set data.flip=true: moves images, and the samples are vectors"},
    ),
]


@pytest.mark.parametrize(("assignments", "complaints"), IMPOSSIBLE)
def test_what_cannot_work_together_is_refused(
    refuse: Refuse, assignments: tuple[str, ...], complaints: set[str]
) -> None:
    assert set(refuse(*assignments)) == complaints


def test_a_batch_may_be_split_into_equal_parts(make: Make) -> None:
    config = make("training.batch_size=12", "training.num_accumulation_steps=3")
    assert config.training.num_accumulation_steps == 3


MSE = "generator.name=autoencoder"
DESCRIBED = "dataset.name=described"


@pytest.mark.parametrize(
    ("assignments", "losses", "messages"),
    [
        (
            ("generator.name=labelled",),
            ("nonsat",),
            ["generator.name=labelled: the generator 'labelled' needs labels; set training.cond"],
        ),
        (
            ("generator.name=labelled", "training.conditional=true", "dataset.name=bare"),
            ("nonsat",),
            [
                "training.conditional=true: the data set 'bare' has no labels",
                "the generator 'labelled' needs labels; set training.conditional = true",
            ],
        ),
        (
            ("dataset.name=points",),
            ("nonsat",),
            [
                "dataset.name=points: the generator 'dcgan' handles images only, not vectors",
                "dataset.name=points: the discriminator 'dcgan' handles images only, not vectors",
            ],
        ),
        (
            ("discriminator.name=flat",),
            ("nonsat", "penalty"),
            ["the loss 'penalty' differentiates the discriminator's gradient, which this"],
        ),
        (
            ("dataset.name=bare",),
            ("classes",),
            ["--loss: the loss 'classes' reads labels, which the data set 'bare' does not have"],
        ),
        (
            (),
            ("auxiliary",),
            [
                "--loss: the loss 'auxiliary' reads the labels that fakes are made for, and there "
                "are none; set training.conditional = true"
            ],
        ),
        (
            (),
            ("distance",),
            ["loss: no loss trains the discriminator; add one, such as --loss nonsat"],
        ),
        ((), ("penalty",), ["loss: no loss trains the generator; add one, such as --loss nonsat"]),
        (
            (),
            ("clipping",),
            [
                "loss: no loss trains the generator; add one, such as --loss nonsat",
                "loss: no loss trains the discriminator; add one, such as --loss nonsat",
            ],
        ),
        (
            ("loss.clipping.weight=2", "loss.clipping.start=5"),
            ("nonsat", "clipping"),
            [
                "loss.clipping.weight=2: has no effect: the loss 'clipping' adds nothing to a loss",
                "loss.clipping.start=5: has no effect: the loss 'clipping' adds nothing to a loss",
            ],
        ),
        (
            ("generator.name=alone",),
            ("nonsat",),
            ["--loss: the loss 'nonsat' needs a discriminator; set discriminator.name"],
        ),
        (
            ("generator.name=alone", "discriminator.width=8"),
            ("distance",),
            ["discriminator.width=8: there is no discriminator; set discriminator.name"],
        ),
        (
            ("generator.name=painter",),
            ("nonsat",),
            ["the generator 'painter' takes images, and the sampler 'normal' draws latents"],
        ),
        (
            ("sampler.name=crops",),
            ("nonsat",),
            ["the generator 'dcgan' takes latents, and the sampler 'crops' draws images"],
        ),
        (
            ("generator.name=lost",),
            ("nonsat",),
            [
                "discriminator: there is no discriminator called 'nowhere'; there are",
                "sampler: there is no sampler called 'nothing'; there are",
                "game: there is no game called 'chss'; there are adversarial, autoenc",
            ],
        ),
    ],
)
def test_capabilities_of_third_parties_are_held_against_each_other(
    refuse: Refuse, assignments: tuple[str, ...], losses: tuple[str, ...], messages: list[str]
) -> None:
    check(refuse(*assignments, losses=losses), messages)


def check(complaints: list[str], messages: list[str]) -> None:
    """Require one complaint for each message, which holds it."""
    unsaid = [it for it in messages if not any(it in complaint for complaint in complaints)]
    assert unsaid == [], complaints
    assert len(complaints) == len(messages), complaints
    assert all(complaint.isprintable() for complaint in complaints)


def test_what_fits_together_is_taken(make: Make) -> None:
    alone = make("generator.name=alone", losses=("distance",))
    assert alone.discriminator is None
    painter = make("generator.name=painter", "sampler.name=crops", "dataset.name=bare")
    assert painter.input_shape(painter.fields) == (3, 32, 32)
    assert painter.input_kind(painter.fields) == "image"
    points = make("generator.name=mlp", "dataset.name=points")
    assert points.sample_shape == (2,)


# Conditions.


@pytest.mark.parametrize(
    ("assignments", "messages"),
    [
        (
            ("generator.conditions=['captoin']",),
            [
                "generator.conditions=['captoin']: the data set 'described' has no field "
                "'captoin' to tell; did you mean 'caption'?"
            ],
        ),
        (
            ("discriminator.conditions=['weather']",),
            [
                "discriminator.conditions=['weather']: the data set 'described' has no field "
                "'weather' to tell; it has caption, colour, label, mask and small"
            ],
        ),
        (
            ("generator.conditions=['sample']",),
            ["the data set 'described' has no field 'sample' to tell; it has caption, colour"],
        ),
        (
            ("generator.conditions=['mask']",),
            ["generator.conditions=['mask']: the generator 'dcgan' takes no image as a condition"],
        ),
        (
            ("discriminator.conditions=['caption']",),
            ["the discriminator 'dcgan' takes no vector as a condition"],
        ),
        (
            ("generator.name=captioned",),
            [
                "generator.name=captioned: the generator 'captioned' needs vector as a condition; "
                "set generator.conditions"
            ],
        ),
        (
            ("discriminator.name=sighted",),
            [
                "discriminator.name=sighted: the discriminator 'sighted' needs image as a "
                "condition; set discriminator.conditions"
            ],
        ),
        (
            ("generator.name=alone", "discriminator.name=flat", "training.conditional=true"),
            ["training.conditional=true: the generator 'alone' takes no labels"],
        ),
        (
            ("discriminator.name=sighted", "training.conditional=true"),
            [
                "training.conditional=true: the discriminator 'sighted' takes no labels",
                "the discriminator 'sighted' needs image as a condition",
            ],
        ),
        (
            ("generator.conditions=['label', 'colour']",),
            [
                "generator.conditions=['label', 'colour']: the generator 'dcgan' takes one "
                "category, and is told 2: label and colour"
            ],
        ),
        (
            ("generator.name=attributed", "generator.conditions=['colour']"),
            [
                "generator.conditions=['colour']: the generator 'attributed' takes several "
                "categories, and is told colour alone"
            ],
        ),
    ],
)
def test_what_a_side_is_told_must_be_there_and_be_heard(
    refuse: Refuse, assignments: tuple[str, ...], messages: list[str]
) -> None:
    check(refuse(DESCRIBED, *assignments), messages)


def test_a_set_without_other_fields_has_nothing_to_tell(refuse: Refuse) -> None:
    (complaint,) = refuse("dataset.name=bare", "generator.conditions=['label']")
    assert complaint.endswith("the data set 'bare' has no field 'label' to tell; it has no others")


def test_each_side_is_told_what_it_is_to_hear(make: Make) -> None:
    config = make(
        DESCRIBED,
        "generator.name=captioned",
        "generator.conditions=['caption', 'colour']",
        "discriminator.conditions=['mask', 'small']",
        "discriminator.name=sighted",
    )
    fields = config.fields
    assert config.keywords("generator", fields) == {"vector": ("caption",), "label": ("colour",)}
    assert config.keywords("discriminator", fields) == {"image": ("mask", "small")}
    assert config.used_fields == {"caption", "colour", "mask", "small"}
    both = make(
        DESCRIBED, "generator.name=attributed", "generator.conditions=['label', 'colour', 'mask']"
    )
    assert both.keywords("generator", fields) == {
        "labels": ("label", "colour"),
        "image": ("mask",),
    }
    assert both.keywords("discriminator", fields) == {}


TOLD = ("label", "colour", "caption", "mask", "small")
TAKEN = st.sets(st.sampled_from(CONDITIONS))


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(told=st.permutations(TOLD), num=st.integers(0, 5), taken=TAKEN, required=TAKEN)
def test_a_network_is_told_what_it_takes_and_all_that_it_needs_or_the_run_is_refused(
    make: Make, told: list[str], num: int, taken: set[str], required: set[str]
) -> None:
    config = make(DESCRIBED)
    spec = replace(
        config.generator.spec,
        conditions=tuple(sorted(taken)),
        required=tuple(sorted(required & taken)),
    )
    generator = replace(
        config.generator,
        component=replace(config.generator.component, spec=spec),
        settings=NetworkSettings(conditions=tuple(told[:num])),
    )
    complaints = [*incompatibilities(replace(config, generator=generator))]
    reached = {*grouped({name: config.fields[name] for name in told[:num]})}
    wrong = (reached - taken) | (required & taken) - reached
    assert len(complaints) == len(wrong)
    assert all("the generator 'dcgan'" in what for _, what in complaints)


def test_an_auxiliary_classifier_is_not_told_what_it_is_to_guess(make: Make) -> None:
    config = make("generator.conditions=['label']", losses=("nonsat", "classes"))
    assert config.conditions("generator") == ("label",)
    assert config.conditions("discriminator") == ()
    assert "labels" in provided(config, config.fields)


def test_a_set_that_is_read_may_turn_out_to_have_no_labels(make: Make) -> None:
    config = make("generator.name=mlp", "dataset.name=points", "training.conditional=true")
    fields = {"sample": Field.of_shape((2,))}
    assert list(incompatibilities(config)) == []
    assert list(incompatibilities(config, fields)) == [
        (("training", "conditional"), "the data set 'points' has no labels")
    ]


# What terms and metrics read.


@pytest.mark.parametrize(
    ("assignments", "losses", "messages"),
    [
        (
            (),
            ("nonsat", "near"),
            [
                "--loss: the loss 'near' reads 'fake_score', which the game 'adversarial' does "
                "not provide; did you mean 'fake_scores'?"
            ],
        ),
        (
            (),
            ("nonsat", "style"),
            ["the loss 'style' reads 'w' of the generator, and 'dcgan' does not give it"],
        ),
        (
            (DESCRIBED, "generator.name=captioned", "generator.conditions=['caption']"),
            ("nonsat", "styles"),
            [
                "the loss 'styles' reads 'ws' of the generator, and 'captioned' does not give it; "
                "did you mean 'w'?"
            ],
        ),
        (
            ("discriminator.name=flat",),
            ("nonsat", "logits"),
            [
                "the loss 'logits' reads 'logits' of the discriminator, and 'flat' does not give "
                "it; it gives features"
            ],
        ),
        (
            (),
            ("nonsat", "matching"),
            ["the loss 'matching' reads 'features' of the discriminator, and 'dcgan' does not"],
        ),
        (
            (),
            ("nonsat", "information"),
            ["the loss 'information' reads 'inputs.code', which the game 'adversarial' does not"],
        ),
        (
            (),
            ("nonsat", "aside"),
            ["the loss 'aside' reads 'caption', which the game 'adversarial' does not provide"],
        ),
        (
            (),
            ("nonsat", "swapped"),
            ["the loss 'swapped' reads 'swapped', which the game 'adversarial' does not provide"],
        ),
        (
            (),
            ("nonsat", "mse"),
            [
                "--loss: the loss 'mse' compares real samples with what the generator makes of "
                "them, and this run has nothing of the kind: it takes a sampler such as "
                "'reconstruct', or 'field' where the data are pairs, or a game such as "
                "'autoencoder'"
            ],
        ),
        (
            (),
            ("nonsat", "identity"),
            ["the loss 'identity' reads 'identity', which the game 'adversarial' does not provide"],
        ),
        (
            ("loss.nonsat.balance=msee",),
            ("nonsat", "hinge"),
            [
                "loss.nonsat.balance=msee: balance names another loss of the run, not 'msee'; "
                "there are hinge"
            ],
        ),
        (
            ("loss.nonsat.balance=nonsat",),
            ("nonsat",),
            ["balance names another loss of the run, not 'nonsat'; there are no others"],
        ),
    ],
)
def test_a_term_reads_what_somebody_provides(
    refuse: Refuse, assignments: tuple[str, ...], losses: tuple[str, ...], messages: list[str]
) -> None:
    check(refuse(*assignments, losses=losses), messages)


@pytest.mark.parametrize(
    ("assignments", "losses"),
    [
        (("discriminator.name=flat",), ("nonsat", "matching")),
        (
            (DESCRIBED, "generator.name=captioned", "generator.conditions=['caption']"),
            ("nonsat", "style", "aside"),
        ),
        (("sampler.name=codes",), ("nonsat", "information")),
        (("generator.name=player",), ("nonsat", "swapped")),
        ((DESCRIBED,), ("nonsat", "aside")),
        (("generator.name=autoencoder",), ("mse",)),
        (("generator.name=adversarial-autoencoder",), ("nonsat", "mse")),
        (("loss.nonsat.balance=mse", "generator.name=adversarial-autoencoder"), ("nonsat", "mse")),
    ],
)
def test_what_somebody_provides_can_be_read(
    make: Make, assignments: tuple[str, ...], losses: tuple[str, ...]
) -> None:
    config = make(*assignments, losses=losses)
    read = {name for term in config.losses for name in term.spec.reads}
    assert read <= provided(config, config.fields)


@pytest.mark.parametrize(
    ("assignments", "metric", "message"),
    [
        (
            ("dataset.name=bare",),
            "by-class",
            "--metric: the metric 'by-class' reads labels, which the data set 'bare' does not have",
        ),
        (
            (),
            "asked-for",
            "--metric: the metric 'asked-for' reads the labels that fakes are made for, and there "
            "are none; set training.conditional = true",
        ),
        ((), "remade", "the metric 'remade' compares real samples with what the generator makes"),
        (
            ("dataset.name=points", "generator.name=mlp"),
            "modes",
            "the metric 'modes' reads the modes of a Gaussian mixture, which the data set "
            "'points' is not",
        ),
        (
            (),
            "scaled",
            "the metric 'scaled' reads 'scale', which neither the game nor the data set 'digits' "
            "gives",
        ),
        (
            (),
            "audio",
            "--metric: the metric 'audio' handles sequences only, not images, which is what the "
            "data set 'digits' gives",
        ),
    ],
)
def test_a_metric_reads_what_somebody_provides(
    refuse: Refuse, assignments: tuple[str, ...], metric: str, message: str
) -> None:
    check(refuse(*assignments, metrics=(metric,)), [message])


def test_a_metric_may_read_what_the_data_set_gives(make: Make) -> None:
    config = make(DESCRIBED, metrics=("scaled",))
    assert [it.config_name for it in config.metrics] == ["ganforge-capable/scaled"]
    assert config.used_fields == set()


def test_labels_that_nobody_is_told_can_be_read(make: Make) -> None:
    """A term may compare scores with labels in a run whose networks are not told them."""
    assert make().used_fields == set()
    config = make(losses=("classes",), metrics=("by-class",))
    assert config.used_fields == {"label"}
    assert config.conditions("generator") == config.conditions("discriminator") == ()
    conditional = make("training.conditional=true", losses=("auxiliary",), metrics=("asked-for",))
    assert conditional.used_fields == {"label"}


def test_labels_that_are_read_must_be_there_once_the_data_was_read(make: Make) -> None:
    config = make("generator.name=mlp", "dataset.name=points", losses=("classes",))
    assert list(incompatibilities(config, {"sample": Field.of_shape((2,))})) == [
        (
            ("loss", "classes"),
            "the loss 'classes' reads labels, which the data set 'points' does not have",
        )
    ]


# Games.


@pytest.mark.parametrize(
    ("assignments", "messages"),
    [
        (
            ("game.name=caller",),
            [
                "game.name=caller: the game 'caller' needs a generator that can encode, and "
                "'dcgan' cannot",
                "the game 'caller' needs a generator that can invert, and 'dcgan' cannot",
            ],
        ),
        (
            ("game.name=reader",),
            [
                "game.name=reader: the game 'reader' reads the field 'sketch', which the data set "
                "'digits' does not have"
            ],
        ),
        (
            ("game.name=silent", "training.conditional=true", "generator.conditions=['label']"),
            [
                "game.name=silent: the game 'silent' tells the networks no conditions, and this "
                "run has label"
            ],
        ),
        (
            (
                "dataset.name=sides",
                "discriminator.name=sighted",
                "discriminator.conditions=['sketch']",
            ),
            [
                "discriminator.conditions=['sketch']: the field 'sketch' has an order of its own, "
                "so it tells nothing of a sample"
            ],
        ),
        (
            ("game.name=codes",),
            [
                "the discriminator 'dcgan' handles images only, not vectors, which the game "
                "'codes' gives it to judge"
            ],
        ),
        (
            ("game.name=told",),
            ["the discriminator 'dcgan' takes no vector as a condition"],
        ),
        (
            ("sampler.name=sketches", "generator.name=painter"),
            [
                "sampler.name=sketches: the sampler 'sketches' reads the field 'sketch', which "
                "the data set 'digits' does not have"
            ],
        ),
        (
            ("game.name=deaf", "training.conditional=true"),
            [
                "game.name=deaf: the game 'deaf' tells the networks no conditions, and this run "
                "has label"
            ],
        ),
        (
            ("sampler.name=class-balanced",),
            ["the sampler 'class-balanced' needs labels; set training.conditional = true"],
        ),
    ],
)
def test_a_game_and_a_sampler_have_what_they_ask_for(
    refuse: Refuse, assignments: tuple[str, ...], messages: list[str]
) -> None:
    check(refuse(*assignments), messages)


def test_a_field_that_belongs_to_the_samples_makes_a_reconstruction(
    make: Make, refuse: Refuse
) -> None:
    fed = ("generator.name=painter", "sampler.name=sketches")
    terms = {"losses": ("nonsat", "mse"), "metrics": ("remade",)}
    config = make(*fed, "dataset.name=pairs", **terms)
    assert config.paired(config.fields)
    complaints = refuse(*fed, "dataset.name=sides", **terms)
    assert len(complaints) == 2
    assert all("this run has nothing of the kind" in it for it in complaints)
    # Latents belong to no sample, whatever fields there are beside it.
    assert not make("dataset.name=pairs").paired(config.fields)


def test_the_usual_game_is_that_of_the_generator(make: Make) -> None:
    assert make().game.config_name == "adversarial"
    assert make("generator.name=player").game.config_name == "ganforge-capable/swap"
    chosen = make("generator.name=player", "game.name=adversarial")
    assert chosen.game.config_name == "adversarial"


def test_what_the_game_gives_is_what_is_judged(make: Make) -> None:
    config = make("game.name=codes", "discriminator.name=mlp", "sampler.size=7")
    assert config.judged(config.sample, (7,)) == Field(kind="vector", shape=(7,))
    told = make("game.name=told", "discriminator.name=mlp", "sampler.size=7")
    assert told.judged(told.sample, (7,)) == told.sample
    assert told.condition_fields("discriminator", told.fields) == {
        "z": Field(kind="vector", shape=(7,))
    }
    assert told.condition_fields("generator", told.fields) == {}


# Augmentations.


def test_an_augmentation_handles_what_is_judged(refuse: Refuse, make: Make) -> None:
    check(
        refuse(augmentations=("vectors-only",)),
        [
            "--augment: the augmentation 'vectors-only' handles sequences only, not images, which "
            "is what the data set 'digits' gives"
        ],
    )
    check(
        refuse("game.name=codes", "discriminator.name=mlp", augmentations=("diffaugment",)),
        [
            "--augment: the augmentation 'diffaugment' handles images only, not vectors, which is "
            "what the game 'codes' gives it"
        ],
    )
    assert len(make(augmentations=("diffaugment", "once")).augmentations) == 2


def test_a_penalty_differentiates_the_augmentations_too(refuse: Refuse) -> None:
    check(
        refuse(
            "discriminator.normalisation=none", losses=("nonsat", "r1"), augmentations=("once",)
        ),
        [
            "--loss: the loss 'r1' differentiates the discriminator's gradient, which the "
            "augmentation 'once' does not allow"
        ],
    )


# A discriminator that is not there.


@pytest.mark.parametrize(
    ("assignment", "what"),
    [
        ("training.num_discriminator_steps=5", "training.num_discriminator_steps is for the disc"),
        ("training.discriminator_warmup=9", "training.discriminator_warmup is for the discrimin"),
        ("training.reuse_fakes=true", "training.reuse_fakes is for the discriminator, and there"),
        ("training.first=generator", "training.first is for the discriminator, and there is none"),
        ("training.joint_batch=true", "training.joint_batch is for the discriminator, and there"),
        (
            "discriminator_optimizer.learning_rate=0.1",
            "discriminator_optimizer.learning_rate is for the discriminator, and there is none",
        ),
        (
            "discriminator_optimizer.name=sgd",
            "discriminator_optimizer.name is for the discriminator, and there is none",
        ),
        ("discriminator.conditions=['label']", "there is no discriminator in this run"),
        ("discriminator.hidden=[3]", "there is no discriminator in this run"),
    ],
)
def test_what_is_set_for_a_discriminator_that_is_not_there_is_refused(
    refuse: Refuse, assignment: str, what: str
) -> None:
    (complaint,) = refuse(MSE, "discriminator.name=none", assignment, losses=("mse",))
    assert complaint.startswith(f"--set {assignment}: {what}")


def test_an_augmentation_is_for_a_discriminator(refuse: Refuse) -> None:
    check(
        refuse(MSE, losses=("mse",), augmentations=("diffaugment",)),
        ["--augment: the augmentation 'diffaugment' is for the discriminator, and there is none"],
    )


@pytest.mark.parametrize(
    "assignments",
    [
        ("training.num_discriminator_steps=1",),
        ("training.reuse_fakes=false", "training.first=discriminator"),
        ("discriminator_optimizer.name=adam",),
        # A flag such as --learning-rate sets both sides.
        ("generator_optimizer.learning_rate=0.1", "discriminator_optimizer.learning_rate=0.1"),
        ("generator.init=a-run", "discriminator.init=a-run"),
    ],
)
def test_what_says_nothing_or_is_set_for_both_sides_is_let_be(
    make: Make, assignments: tuple[str, ...]
) -> None:
    config = make(MSE, "discriminator.name=none", *assignments, losses=("mse",))
    assert config.discriminator is None


# Fields.


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (
            "broken",
            "the dataset 'broken' of ganforge-capable 1.0 cannot tell its fields: AttributeError: "
            "'NoOptions' object has no attribute 'nothing'",
        ),
        (
            "nothing",
            "the dataset 'nothing' of ganforge-capable 1.0 must give its fields by name, one of "
            "them 'sample', not {'label': Field(kind='category'",
        ),
        (
            "shapes",
            "the dataset 'shapes' of ganforge-capable 1.0 must give its fields by name, one of "
            "them 'sample', not {'sample': (3, 8, 8)}",
        ),
    ],
)
def test_fields_that_are_none_are_told_with_the_package(
    make: Make, dataset: str, message: str
) -> None:
    with pytest.raises(PluginError) as caught:
        make(f"dataset.name={dataset}")
    assert str(caught.value).startswith(message)


def test_an_input_shape_that_is_none_is_told_with_the_package(make: Make) -> None:
    with pytest.raises(PluginError) as caught:
        make("sampler.name=wrong")
    assert str(caught.value) == (
        "the sampler 'wrong' of ganforge-capable 1.0 must give its input shape as (3, 64, 64) or "
        "(2,), not None"
    )


def test_what_depends_on_a_shape_is_asked_again_once_the_data_was_read(make: Make) -> None:
    config = make("dataset.name=recordings", "generator.name=mlp")
    assert config.sample.shape is None
    assert list(incompatibilities(config)) == []
    read = {"sample": Field(kind="sequence", shape=(1, 800))}
    assert list(incompatibilities(config, read)) == []
    found = {"sample": Field(kind="image", shape=(3, 5, 7))}
    narrow = make(
        "dataset.name=bare",
        "generator.name=labelled",
        "training.conditional=false",
        "generator.name=dcgan",
    )
    messages = [what for _, what in incompatibilities(narrow, found)]
    assert len(messages) == 2
    assert all("not 3 x 5 x 7, which is what the data set 'bare' gives" in it for it in messages)


def test_shifts_move_fields_of_one_size_alone(refuse: Refuse, make: Make) -> None:
    told = (DESCRIBED, "discriminator.name=sighted", "data.shift=2")
    check(
        refuse(*told, "discriminator.conditions=['small']"),
        [
            "data.shift=2: moves both by as many pixels, and the field 'small' has another size "
            "than the samples that it belongs to"
        ],
    )
    assert make(*told, "discriminator.conditions=['mask']").data.shift == 2
