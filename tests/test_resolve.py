"""Resolution: which value wins, what is wrong and where, and the way through TOML and back."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganforge.config.data_path import path_layer
from ganforge.config.layers import Flag, Layer, Names, from_settings, from_text
from ganforge.config.resolve import resolve
from ganforge.config.run_config import ALL_SECTIONS, NetworkSettings, RunConfig, TermSettings
from ganforge.config.settings import SECTIONS, TrainingSettings
from ganforge.errors import ConfigError
from ganforge.plugin.discovery import discover
from ganforge.plugin.options import describe
from ganforge.plugin.registry import Registry
from ganforge.plugin.schedule import Schedule
from ganforge.plugin.specs import DatasetSpec

from .conftest import FakePlugin, generators

Resolve = Callable[..., RunConfig]


def layers(file: str, assignments: tuple[str, ...], losses: tuple[str, ...] | None) -> list[Layer]:
    flags = Layer(tables={"loss": Names(losses, Flag("--loss"))} if losses else {}, whole=True)
    return [from_text(file, "run.toml"), flags, from_settings(assignments)]


@pytest.fixture
def make(bundled: Registry) -> Resolve:
    def make(*assignments: str, file: str = "", losses: tuple[str, ...] | None = None) -> RunConfig:
        return resolve(layers(file, assignments, losses), bundled)

    return make


@pytest.fixture
def refuse(make: Resolve) -> Callable[..., list[str]]:
    def refuse(*assignments: str, **where: object) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            make(*assignments, **where)
        return [str(complaint) for complaint in caught.value.complaints]

    return refuse


def test_where_nothing_is_said_a_dcgan_learns_the_embedded_digits(make: Resolve) -> None:
    config = make()
    assert config.generator.config_name == "dcgan"
    assert config.discriminator is not None
    assert config.discriminator.config_name == "dcgan"
    assert config.sampler.config_name == "normal"
    assert config.dataset.config_name == "digits"
    assert config.game.config_name == "adversarial"
    term, *penalties = config.losses
    assert (term.config_name, term.settings) == ("nonsat", TermSettings(weight=1.0, every=1))
    found = [(it.config_name, it.options.gamma, it.settings.every) for it in penalties]
    assert found == [("r1", 0.3, 4), ("r2", 0.3, 4)]
    assert config.companions == ("r1", "r2")
    assert config.augmentations == config.metrics == config.callbacks == ()
    assert config.sample_shape == (1, 16, 16)
    assert config.input_shape(config.fields) == (100,)
    assert (config.training.steps, config.training.epochs) == (2000, None)


def test_later_layers_win(make: Resolve) -> None:
    file = "training.seed = 1\n[generator]\nwidth = 8\n"
    assert make().training.seed == 0
    assert make(file=file).training.seed == 1
    assert make("training.seed=2", file=file).training.seed == 2
    assert make("training.seed=2", "training.seed=3", file=file).training.seed == 3
    assert make("training.seed=2", file=file).generator.options.width == 8


def test_another_name_resets_the_options_of_the_one_before(make: Resolve) -> None:
    file = "[generator]\nname = 'mlp'\nhidden = [7]\n[dataset]\nsize = 64\n"
    assert make(file=file).generator.options.hidden == (7,)
    changed = make("generator.name=dcgan", file=file)
    assert changed.generator.options.width == 32
    assert changed.dataset.options.size == 64
    assert make("generator.name=mlp", file=file).generator.options.hidden == (7,)


def test_a_name_and_its_options_in_one_layer_belong_together(make: Resolve) -> None:
    for order in itertools.permutations(("generator.name=mlp", "generator.hidden=[5]")):
        assert make(*order).generator.options.hidden == (5,)


def test_another_optimizer_resets_its_settings(make: Resolve) -> None:
    file = "[generator_optimizer]\nlearning_rate = 0.5\n"
    config = make("generator_optimizer.name=sgd", file=file)
    changed, usual = config.generator_optimizer, config.discriminator_optimizer
    assert (changed.config_name, changed.options.learning_rate) == ("sgd", 0.01)
    falling = Schedule(from_=1e-3, to=0.0, start=0.5, shape="cosine")
    assert (usual.config_name, usual.options.learning_rate) == ("adam", falling)


def test_a_schedule_is_set_in_any_layer_and_replaced_as_a_whole(make: Resolve) -> None:
    file = """
    [generator_optimizer.learning_rate]
    from = 1e-3
    to = 0.0
    start = 0.5
    shape = "cosine"
    """
    schedule = Schedule(from_=1e-3, to=0.0, start=0.5, shape="cosine")
    assert make(file=file).generator_optimizer.options.learning_rate == schedule
    assert make("generator_optimizer.learning_rate=0.1", file=file).generator_optimizer.options == (
        make("generator_optimizer.learning_rate=0.1").generator_optimizer.options
    )
    shorter = make("generator_optimizer.learning_rate={from=1,to=0.1}", file=file)
    assert shorter.generator_optimizer.options.learning_rate == Schedule(from_=1.0, to=0.1)


def test_the_weight_of_a_term_may_be_a_schedule(make: Resolve) -> None:
    config = make("loss.nonsat.weight={from=0,to=1,until_images=800}")
    assert config.losses[0].settings.weight == Schedule(from_=0.0, to=1.0, until_images=800)


#: Huang et al., 2024, arXiv:2501.05441: everything moves during the first tenth of the run
BURN_IN = """
[loss.rpgan]
[loss.r1]
gamma = {from = 2.0, to = 0.2, until_images = 10_000, shape = "cosine"}
[loss.r2]
gamma = {from = 2.0, to = 0.2, until_images = 10_000, shape = "cosine"}
[generator_optimizer]
learning_rate = {from = 2e-4, to = 5e-5, until_images = 10_000, shape = "cosine"}
betas = {from = [0.0, 0.9], to = [0.0, 0.99], until_images = 10_000, shape = "cosine"}
[discriminator_optimizer]
learning_rate = {from = 2e-4, to = 5e-5, until_images = 10_000, shape = "cosine"}
betas = {from = [0.0, 0.9], to = [0.0, 0.99], until_images = 10_000, shape = "cosine"}
[ema]
half_life = {from = 0, to = 500_000, until_images = 10_000, shape = "cosine"}
"""


def test_a_burn_in_of_everything_is_written_and_read_again(
    make: Resolve, bundled: Registry
) -> None:
    config = make(file=BURN_IN)
    assert reread(config, bundled) == config
    assert (
        'gamma = {from = 2.0, to = 0.2, until_images = 10000, shape = "cosine"} # weight; the'
    ) in config.to_toml()


@pytest.mark.parametrize(
    ("assignment", "what"),
    [
        (
            "generator_optimizer.learning_rate={from=1,to=-1}",
            "-1.0 is out of range: must be at least 0",
        ),
        ("generator_optimizer.learning_rate.to=0", "a schedule needs from and to, and from is not"),
        (
            "generator_optimizer.epsilon={from=1,to=2}",
            "expected a number, got {'from': 1, ",
        ),
        (
            "loss.nonsat.weight={from=1,to=2,unti=1}",
            "a schedule has no key 'unti'; did you ",
        ),
        ("loss.nonsat.every={from=1,to=2}", "expected an integer, got {'from': 1, 'to': 2}"),
        ("ema.half_life={from=0,to=1,until=0.5,until_images=3}", "a schedule is counted in shares"),
    ],
)
def test_what_is_no_schedule_is_one_complaint(
    refuse: Callable[..., list[str]], assignment: str, what: str
) -> None:
    (complaint,) = refuse(assignment)
    assert complaint.startswith(f"--set {assignment}: {assignment.partition('=')[0]}"[:60])
    assert what in complaint


def test_the_partners_follow_the_generator_unless_they_are_named(make: Resolve) -> None:
    named = make("generator.name=mlp")
    assert named.discriminator is not None
    assert named.discriminator.config_name == "mlp"
    mixed = make("generator.name=mlp", "discriminator.name=dcgan", "sampler.name=uniform")
    assert mixed.discriminator is not None
    assert (mixed.discriminator.config_name, mixed.sampler.config_name) == ("dcgan", "uniform")
    autoencoder = make("generator.name=adversarial-autoencoder", losses=("mse", "nonsat"))
    assert autoencoder.game.config_name == "autoencoder"
    assert autoencoder.game.options.judge == "samples"
    usual = make("generator.name=adversarial-autoencoder", "game.name=adversarial")
    assert usual.game.config_name == "adversarial"


def test_losses_on_the_command_line_replace_those_of_a_file(make: Resolve) -> None:
    file = "[loss.bce]\nweight = 3\nlabel_smoothing = 0.1\n[loss.nonsat]\nweight = 2\n"

    def terms(losses: tuple[str, ...] | None = None) -> list[tuple[str, float]]:
        found = make(file=file, losses=losses).losses
        return [(it.config_name, it.settings.weight) for it in found]

    assert terms() == [("bce", 3.0), ("nonsat", 2.0)]
    assert terms(("minimax",)) == [("minimax", 1.0)]
    assert terms(("minimax", "nonsat")) == [("minimax", 1.0), ("nonsat", 2.0)]


def test_a_term_can_be_weighed_and_evaluated_lazily(make: Resolve) -> None:
    config = make(
        "loss.wasserstein.clip=0.5", "loss.wasserstein.weight=-2", losses=("wasserstein", "bce")
    )
    first, second = config.losses
    assert first.options.clip == 0.5
    assert (first.settings.weight, second.settings.weight) == (-2.0, 1.0)
    assert make("loss.nonsat.every=16").losses[0].settings == TermSettings(every=16)


def test_a_term_may_begin_late_and_be_held_to_the_size_of_another(
    make: Resolve, bundled: Registry
) -> None:
    file = "[loss.mse]\n[loss.nonsat]\nweight = 0.1\nstart = 500\nbalance = 'mse'\n"
    config = make("generator.name=adversarial-autoencoder", file=file)
    assert [term.settings for term in config.losses] == [
        TermSettings(),
        TermSettings(weight=0.1, start=500, balance="mse"),
    ]
    assert reread(config, bundled) == config


def test_a_lazy_term_has_the_interval_of_its_spec_unless_another_is_set(
    fake_plugin: FakePlugin,
) -> None:
    source = """
from ganforge import LossSpec, hookimpl

@hookimpl
def ganforge_losses():
    yield LossSpec(name="lazy", summary="s", build="m:f", every=16)
"""
    fake_plugin("ganforge-lazy", source)
    registry = discover().registry
    assert resolve(layers("", (), ("lazy",)), registry).losses[0].settings.every == 16
    set_ = layers("", ("loss.lazy.every=4",), ("lazy",))
    assert resolve(set_, registry).losses[0].settings.every == 4


def test_each_network_has_conditions_and_starting_weights_of_its_own(
    make: Resolve, bundled: Registry
) -> None:
    usual = make()
    assert usual.discriminator is not None
    assert usual.generator.settings == usual.discriminator.settings == NetworkSettings()
    file = """
    [generator]
    conditions = ["label"]
    [discriminator]
    init = "runs/00001-dcgan/checkpoints/step-00000500.safetensors"
    """
    config = make(file=file)
    assert config.discriminator is not None
    assert config.generator.settings == NetworkSettings(conditions=("label",))
    assert config.discriminator.settings.conditions == ()
    assert config.discriminator.settings.init == (
        "runs/00001-dcgan/checkpoints/step-00000500.safetensors"
    )
    assert (config.conditions("generator"), config.conditions("discriminator")) == (("label",), ())
    assert reread(config, bundled) == config


def test_a_conditional_run_tells_both_sides_the_label_once(make: Resolve) -> None:
    config = make("training.conditional=true", "generator.conditions=['label']")
    assert config.conditions("generator") == config.conditions("discriminator") == ("label",)
    assert config.keywords("generator", config.fields) == {"label": ("label",)}
    alone = make("discriminator.name=none", "generator.name=autoencoder", losses=("mse",))
    assert alone.conditions("discriminator") == ()


def test_steps_replace_the_epochs_of_an_earlier_layer_and_the_reverse(make: Resolve) -> None:
    assert make("training.steps=7", file="training.epochs = 2").training.steps == 7
    assert make("training.steps=7", file="training.epochs = 2").training.epochs is None
    config = make("training.epochs=2", file="training.steps = 7")
    assert (config.training.steps, config.training.epochs) == (None, 2)


def test_steps_and_epochs_of_one_layer_exclude_each_other(
    refuse: Callable[..., list[str]],
) -> None:
    message = "training.steps and training.epochs exclude each other"
    assert refuse("training.steps=7", "training.epochs=2") == [
        f"--set training.epochs=2: {message}"
    ]
    assert refuse(file="[training]\nepochs = 2\nsteps = 7\n") == [f"run.toml:2: {message}"]


BAD = """\
[generator]
widht = 64

[dataset]
size = "big"
[training]
batch_size = 0
stpes = 3
betas = [
  1,
]
[generator_optimizer]
betas = [0.5]
name = "adma"
[discriminator_optimizer]
learning_rate = nan
[outptu]
log_every = 3
[loss.nonsta]
[loss.bce]
label_smoothing = 0.7
every = 1.0
"""


def test_every_problem_is_found_at_once_with_its_line_and_what_is_near(
    refuse: Callable[..., list[str]],
) -> None:
    found = refuse("execution.memory_format=channels_last", "sampler.size=0", file=BAD)
    assert sorted(found) == sorted(
        [
            "run.toml:2: generator.widht of the generator 'dcgan': unknown option 'widht'; "
            "did you mean 'width'? (`ganforge show dcgan` lists them)",
            "run.toml:5: dataset.size of the dataset 'digits': expected an integer, got 'big'",
            "run.toml:7: training.batch_size: 0 is out of range: must be at least 1",
            "run.toml:8: training.stpes: unknown option 'stpes'; did you mean 'steps'?",
            "run.toml:9: training.betas: unknown option 'betas'; known are batch_size, "
            "conditional, discriminator_warmup, epochs, first, joint_batch, "
            "num_accumulation_steps, num_discriminator_steps, num_generator_steps, reuse_fakes, "
            "seed and steps",
            "run.toml:14: there is no optimizer called 'adma'; did you mean 'adam'?",
            "run.toml:16: discriminator_optimizer.learning_rate of the optimizer 'adam': nan is "
            "not a finite number",
            "run.toml:18: unknown section 'outptu'; did you mean 'output'?",
            "run.toml:19: there is no loss called 'nonsta'; did you mean 'nonsat'?",
            "run.toml:21: loss.bce.label_smoothing of the loss 'bce': 0.7 is out of range: "
            "must be at least 0 and below 0.5",
            "run.toml:22: loss.bce.every: expected an integer, got 1.0; write 1",
            "--set execution.memory_format=channels_last: execution.memory_format: "
            "'channels_last' is not allowed: one of 'auto', 'contiguous' and 'channels-last'; "
            "did you mean 'channels-last'?",
            "--set sampler.size=0: sampler.size of the sampler 'normal': 0 is out of range: "
            "must be at least 1",
        ]
    )


@pytest.mark.parametrize(
    ("assignment", "what"),
    [
        ("generator.name=dcgn", "there is no generator called 'dcgn'; did you mean 'dcgan'?"),
        ("generator.name=../x", "there is no generator called '../x'; there are"),
        ("generator.name=3", "generator.name must be a string, not 3"),
        ("generator.name=[]", "generator.name must be a string, not []"),
        ("generator.name.x=3", "generator.name.x of the generator 'dcgan': unknown option"),
        ("generator.width.x=3", "generator.width.x of the generator 'dcgan': unknown option"),
        ("generator.width={}", "generator.width of the generator 'dcgan': expected an integer"),
        ("generator=mlp", "generator is a section: write generator.KEY, or [generator] in a"),
        ("loss=bce", "loss is a section: write loss.KEY, or [loss] in a file"),
        ("loss.nonsat=2", "loss.nonsat is a section: write loss.nonsat.OPTION"),
        ("loss.bce.weight=2", "the loss 'bce' is not part of this run, which has 'nonsat', 'r1'"),
        ("loss.nonsat.weight=inf", "loss.nonsat.weight: inf is not a finite number"),
        ("loss.nonsat.every=0", "loss.nonsat.every: 0 is out of range: must be at least 1"),
        ("loss.nonsat.x=0", "loss.nonsat.x of the loss 'nonsat': unknown option 'x'; known are"),
        ("loss.nonsat.every.x=0", "loss.nonsat.every.x of the loss 'nonsat': unknown option"),
        ("generator.init.x=3", "generator.init.x of the generator 'dcgan': unknown option"),
        ("generator.init=[3]", "generator.init: expected a string, got [3]"),
        ("generator.conditions=label", "generator.conditions: expected a list, got 'label'"),
        ("loss.nonsat.start=-1", "loss.nonsat.start: -1 is out of range: must be at least 0"),
        ("loss.nonsat.balance=[3]", "loss.nonsat.balance: expected a string, got [3]"),
        ("game.name=cycel", "there is no game called 'cycel'; did you mean 'cycle'?"),
        ("game.judge=codes", "game.judge of the game 'adversarial': unknown option 'judge'; "),
        ("training.first=encoder", "training.first: 'encoder' is not allowed: one of 'discrim"),
        ("training.discriminate=codes", "training.discriminate: unknown option 'discriminate'"),
        ("augmentation=ada", "augmentation is a section: write augmentation.KEY"),
        ("augmentation.ada.target=1", "the augmentation 'ada' is not part of this run, which has"),
        ("loss.nonsat.wieght=2", "loss.nonsat.wieght of the loss 'nonsat': unknown option 'wieg"),
        ("generator_optimizer.name=[1]", "generator_optimizer.name must be a string, not [1]"),
        ("generator_optimizer.name=agd", "there is no optimizer called 'agd'; did you mean 'sgd'"),
        ("generator_optimizer.schedule=linear", "generator_optimizer.schedule of the optimizer 'a"),
        ("ema.ramp_up=0.1", "ema.ramp_up: unknown option 'ramp_up'; known are half_life"),
        ("training.name=x", "training.name: unknown option 'name'"),
        ("training.steps=1e3", "training.steps: expected an integer, got 1000.0; write 1000"),
        ("training.steps=2026-11-21", "training.steps: expected an integer, got datetime.date"),
        ("dataset.name=digit", "there is no dataset called 'digit'; did you mean 'digits'?"),
        ("sampler.name=norml", "there is no sampler called 'norml'; did you mean 'normal'?"),
        ("a.b.c=1", "unknown section 'a'; there are generator, discriminator, game"),
        ("a=1", "unknown section 'a'; there are generator, discriminator, game"),
        ('"".x=1', "unknown section ''; there are generator, discriminator, game"),
    ],
)
def test_one_mistake_is_one_complaint(
    refuse: Callable[..., list[str]], assignment: str, what: str
) -> None:
    (complaint,) = refuse(assignment)
    assert complaint.startswith(f"--set {assignment}: {what}")


def test_the_keys_that_stand_beside_options_are_suggested_too(
    refuse: Callable[..., list[str]],
) -> None:
    assert refuse("loss.nonsat.wieght=2")[0].endswith("did you mean 'weight'?")
    assert "did you mean 'name'?" in refuse("sampler.nme='normal'")[0]


def test_a_wrong_generator_is_not_held_against_its_partners(
    refuse: Callable[..., list[str]],
) -> None:
    (complaint,) = refuse("generator.name=dcgn", "discriminator.width=8", "sampler.size=8")
    assert "there is no generator called 'dcgn'" in complaint
    (complaint,) = refuse("generator.widht=8", "discriminator.width=8", "sampler.size=8")
    assert "unknown option 'widht'" in complaint


def test_an_option_without_a_default_is_asked_for(refuse: Callable[..., list[str]]) -> None:
    assert refuse("dataset.name=images") == [
        "dataset.root of the dataset 'images': must be given: folder or zip file of images"
    ]


def test_a_loss_named_twice_is_refused(refuse: Callable[..., list[str]]) -> None:
    for losses in (("nonsat", "nonsat"), ("nonsat", "ganforge/nonsat")):
        assert refuse(losses=losses) == [
            "--loss: the loss 'nonsat' is named twice; give it a weight instead"
        ]


def test_a_run_without_a_loss_is_refused(refuse: Callable[..., list[str]]) -> None:
    assert refuse(file="training.steps = 3\n[loss]\n") == [
        "run.toml:2: a run needs at least one loss; the default is nonsat"
    ]


def test_a_complaint_cannot_steer_the_terminal(refuse: Callable[..., list[str]]) -> None:
    file = '"\\u001b[2Ja" = 1\n[generator]\n"\\u202eb\\n" = "\\u009b2J"\nwidth = "\\u001b[2J"\n'
    for complaint in refuse(file=file):
        assert complaint.isprintable()


def test_a_run_without_a_discriminator_stays_without_one(bundled: Registry) -> None:
    settings = ("generator.name=adversarial-autoencoder", "discriminator.name=none")
    config = resolve(layers("", settings, ("mse",)), bundled)
    assert config.discriminator is None
    assert reread(config, bundled) == config
    with pytest.raises(ConfigError, match="there is no discriminator in this run"):
        resolve(layers("", (*settings, "discriminator.hidden=[8]"), ("mse",)), bundled)
    assert config.conditions("discriminator") == ()
    assert list(config.optimizers) == ["generator"]
    with pytest.raises(ConfigError, match="do without it: --discriminator none"):
        resolve(layers("", settings[:1], ("mse",)), bundled)


FOR_ITS_DISCRIMINATOR = """
[generator]
name = "adversarial-autoencoder"
[discriminator]
name = "mlp"
hidden = [8]
[training]
num_discriminator_steps = 5
discriminator_warmup = 3
reuse_fakes = true
joint_batch = true
seed = 7
[generator_optimizer]
learning_rate = 1e-3
[discriminator_optimizer]
name = "sgd"
learning_rate = 2e-4
"""


def test_without_a_discriminator_what_a_file_has_set_for_it_says_nothing(
    make: Resolve, bundled: Registry
) -> None:
    """A recipe with a discriminator can be trained without one."""
    config = make("discriminator.name=none", file=FOR_ITS_DISCRIMINATOR, losses=("mse",))
    assert config.discriminator is None
    assert config.training == TrainingSettings(steps=2000, seed=7)
    assert config.generator_optimizer.options.learning_rate == 1e-3
    assert config.discriminator_optimizer.config_name == "adam"
    assert reread(config, bundled) == config


def test_what_is_set_beside_no_discriminator_is_refused(
    refuse: Callable[..., list[str]],
) -> None:
    file = FOR_ITS_DISCRIMINATOR.replace('"mlp"\nhidden = [8]', '"none"')
    assert {it.partition(" is for")[0] for it in refuse(file=file, losses=("mse",))} == {
        "run.toml:7: training.num_discriminator_steps",
        "run.toml:8: training.discriminator_warmup",
        "run.toml:9: training.reuse_fakes",
        "run.toml:10: training.joint_batch",
        "run.toml:15: discriminator_optimizer.name",
        "run.toml:16: discriminator_optimizer.learning_rate",
    }


def reread(config: RunConfig, registry: Registry) -> RunConfig:
    return resolve([from_text(config.to_toml(), "run.toml")], registry)


def pairings(registry: Registry) -> list[tuple[str, str, str]]:
    return [
        (generator.name, loss.name, dataset.name)
        for generator in registry.of_kind("generator")
        for loss in registry.of_kind("loss")
        for dataset in registry.of_kind("dataset")
    ]


def test_a_resolved_configuration_resolves_to_itself_whatever_is_combined(
    bundled: Registry,
) -> None:
    """Every pairing resolves to itself, or is refused in words that name a component."""
    tried = 0
    for generator, loss, dataset in pairings(bundled):
        spec = bundled.find("dataset", dataset).spec
        assert isinstance(spec, DatasetSpec)
        needed = [f"dataset.{spec.path_option}=some/place"] if spec.path_option else []
        assignments = (f"generator.name={generator}", f"dataset.name={dataset}", *needed)
        optimizers = [it.name for it in bundled.of_kind("optimizer")]
        for optimizer in optimizers if tried == 0 else ("adam",):
            chosen = (*assignments, f"generator_optimizer.name={optimizer}")
            try:
                config = resolve(layers("", chosen, (loss,)), bundled)
            except ConfigError as error:
                named = any(name in str(error) for name in (generator, loss, dataset))
                assert named or "no loss trains the" in str(error)  # noqa: PT017
                continue
            tried += 1
            assert reread(config, bundled) == config
            assert reread(config, bundled).to_toml() == config.to_toml()
    assert tried > 100


def test_the_resolved_configuration_has_every_key_with_its_help(make: Resolve) -> None:
    text = make("training.epochs=2").to_toml()
    tree = tomllib.loads(text)
    assert set(tree) == set(ALL_SECTIONS) - {"augmentation", "metric", "features", "callback"}
    for section, cls in SECTIONS.items():
        for it in describe(cls):
            unset = f"# {it.name} is unset" in text
            assert (it.name in tree[section]) != unset
            assert it.help in text
    assert "# steps is unset" in text
    assert set(tree["loss"]) == {"nonsat", "r1", "r2"}
    assert tree["loss"]["nonsat"] == {"weight": 1.0, "every": 1, "start": 0}
    for kind, beside in (
        ("generator", NetworkSettings),
        ("discriminator", NetworkSettings),
        ("loss", TermSettings),
    ):
        table = text.split(f"[{kind}")[1].split("\n[")[0]
        for it in describe(beside):
            assert it.name in table
            assert it.help in table


def test_a_configuration_with_nasty_strings_resolves_to_itself(bundled: Registry) -> None:
    root = "a\x1b[2J\x9b\u202e\"'\\\n\t\x7f 😀"
    file = f"[dataset]\nname = 'images'\nroot = {toml_string(root)}\nheight = 32\nsize = 32\n"
    config = resolve(layers(file, (), None), bundled)
    assert config.dataset.options.root == root
    assert reread(config, bundled) == config
    assert all(char.isprintable() or char == "\n" for char in config.to_toml())


def toml_string(text: str) -> str:
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'


def test_a_third_party_component_is_written_by_its_full_name(fake_plugin: FakePlugin) -> None:
    source = generators("odd", summary="a \x1b[2J\u202e\x9b\rb") + (
        "\nfrom ganforge import LossSpec\n@hookimpl\ndef ganforge_losses():\n"
        "    yield LossSpec(name='extra', summary='s', build='m:f')\n"
    )
    fake_plugin("ganforge-stranger", source)
    registry = discover().registry
    config = resolve(layers("", ("generator.name=odd",), ("nonsat", "extra")), registry)
    text = config.to_toml()
    tree = tomllib.loads(text)
    assert tree["generator"]["name"] == "ganforge-stranger/odd"
    assert tree["discriminator"]["name"] == "mlp"
    assert list(tree["loss"]) == ["nonsat", "ganforge-stranger/extra"]
    assert "# a [2J b" in text
    assert all(char.isprintable() or char == "\n" for char in text)
    assert reread(config, registry) == config
    weighed = ('loss."ganforge-stranger/extra".weight=3',)
    again = resolve([from_text(text, "run.toml"), from_settings(weighed)], registry)
    assert [term.settings.weight for term in again.losses] == [1.0, 3.0]
    for name in ("extra", "ganforge-stranger/extra"):
        settings = ("generator.name=odd", f"loss.nonsat.balance={name}")
        balanced = resolve(layers("", settings, ("nonsat", "extra")), registry)
        assert balanced.losses[0].settings.balance == "ganforge-stranger/extra"
        assert reread(balanced, registry) == balanced


def test_values_tell_which_keys_a_resumed_run_may_change(make: Resolve) -> None:
    lines = make().values()
    assert lines[("training", "steps")].mutable
    assert lines[("output", "log_every")].mutable
    assert not lines[("training", "seed")].mutable
    assert not lines[("generator", "width")].mutable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("digits", {"name": "digits"}),
        ("ganforge/mnist", {"name": "ganforge/mnist"}),
        ("ganforge/nothing", {"name": "ganforge/nothing"}),
        ("nothing", {"name": "nothing"}),
        ("", {"name": ""}),
        ("x" * 5000, {"name": "x" * 5000}),
        ("./digits", {"name": "images", "root": "./digits"}),
        ("photos/cats", {"name": "images", "root": "photos/cats"}),
        ("/photos", {"name": "images", "root": "/photos"}),
        ("~/photos", {"name": "images", "root": "~/photos"}),
        ("..", {"name": "images", "root": ".."}),
    ],
)
def test_a_data_set_is_a_name_or_a_path(
    bundled: Registry, text: str, expected: dict[str, str]
) -> None:
    layer = path_layer(text, bundled)
    assert {entry.path[1]: entry.value for entry in layer.entries} == expected
    assert {entry.where for entry in layer.entries} == {"--dataset"}


def test_a_folder_in_sight_is_a_path_unless_a_data_set_has_its_name(
    bundled: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "digits"):
        (tmp_path / name).mkdir()
    (name,) = path_layer("digits", bundled).entries
    assert name.value == "digits"
    assert [entry.value for entry in path_layer("photos", bundled).entries] == ["images", "photos"]


def tried(
    registry: Registry, read: Callable[..., list[Layer]], *arguments: object
) -> tuple[RunConfig | None, list[str]]:
    """The configuration, or the complaints."""
    try:
        return resolve(read(*arguments), registry), []
    except ConfigError as error:
        return None, [str(complaint) for complaint in error.complaints]


KEYS = st.sampled_from(
    [
        f"{section}.{key}"
        for section in ALL_SECTIONS
        for key in ("name", "size", "width", "steps", "nonsat", "nonsat.weight", "betas", "x.y")
    ]
)
TREES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.builds("{}={}".format, KEYS, st.text() | TREES.map(str)), max_size=4),
    st.lists(st.sampled_from(["nonsat", "bce", "x", "../x", "\x1b[2J"]), max_size=2),
)
def test_whatever_is_set_is_resolved_or_refused(
    bundled: Registry, assignments: list[str], losses: list[str]
) -> None:
    config, complaints = tried(bundled, layers, "", tuple(assignments), tuple(losses) or None)
    assert (config is None) == bool(complaints)
    assert all(complaint.isprintable() for complaint in complaints)
    if config is not None:
        assert reread(config, bundled) == config


NODES = st.dictionaries(
    st.sampled_from([*ALL_SECTIONS, "x", ""]),
    TREES
    | st.dictionaries(
        st.sampled_from(["name", "size", "width", "steps", "nonsat", "weight", ""]), TREES
    ),
    max_size=4,
)


@given(NODES)
def test_whatever_a_file_holds_is_resolved_or_refused(
    bundled: Registry, tree: dict[str, object]
) -> None:
    text = "".join(f"{toml_string(key)} = {written(value)}\n" for key, value in tree.items())
    config, complaints = tried(bundled, layers, text, (), None)
    assert (config is None) == bool(complaints)
    assert all(complaint.startswith("run.toml") for complaint in complaints)


def written(value: object) -> str:
    """A value as TOML, tables included."""
    if isinstance(value, dict):
        pairs = (f"{toml_string(key)} = {written(it)}" for key, it in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, str):
        return toml_string(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


SHAPELY = """
from ganforge import DatasetSpec, Field, hookimpl

@hookimpl
def ganforge_datasets():
    for name in ("tabel", "audio"):
        field = Field(kind="vector", shape=(2,), format=name)
        yield DatasetSpec(name=name, summary="s", build="nowhere:Data",
                          fields=lambda options, field=field: {"sample": field})
"""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "tabel",
            "names a format for its samples, and there is no format called 'tabel'; did you mean "
            "'table'?",
        ),
        (
            "audio",
            "gives samples of kind 'vector', and names the format 'audio' for them, which shows "
            "sequence",
        ),
    ],
)
def test_a_format_that_is_not_there_or_does_not_fit_is_one_error(
    fake_plugin: FakePlugin, name: str, message: str
) -> None:
    fake_plugin("ganforge-shapely", SHAPELY)
    chosen = [from_settings([f"dataset.name={name}", "generator.name=mlp"])]
    with pytest.raises(ConfigError) as caught:
        resolve(chosen, discover().registry)
    (complaint,) = map(str, caught.value.complaints)
    assert complaint.startswith(f"--set dataset.name={name}: ")
    assert complaint.endswith(message)
    assert f"{name!r} of ganforge-shapely 1.0" in complaint


def test_the_format_of_the_samples_is_part_of_a_run_and_not_of_its_file(make: Resolve) -> None:
    config = make()
    assert config.format.config_name == "image"
    assert config.format in config.selections
    assert "format" not in tomllib.loads(config.to_toml())
    assert make("dataset.name=ring", "generator.name=mlp").format.config_name == "vector"
