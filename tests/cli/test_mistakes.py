"""What a person can get wrong: exit code 2, one paragraph, no traceback, nothing on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganforge.errors import ConfigError
from tests.conftest import Command, FakePlugin, generators

MISTAKES = {
    "unknown generator": (
        ["--generator", "dcgn"],
        "Error: --generator: there is no generator called 'dcgn'; did you mean 'dcgan'?",
    ),
    "a generator that is a path": (
        ["--generator", "../x"],
        "Error: --generator: there is no generator called '../x'; there are "
        "adversarial-autoencoder, autoencoder, conditional, dcgan and mlp",
    ),
    "unknown loss": (
        ["--loss", "nonsta"],
        "Error: --loss: there is no loss called 'nonsta'; did you mean 'nonsat'?",
    ),
    "unknown data set": (
        ["--dataset", "mnits"],
        "Error: --dataset: there is no dataset called 'mnits'; did you mean 'mnist'?",
    ),
    "unknown option": (
        ["--set", "generator.widht=3"],
        "Error: --set generator.widht=3: generator.widht of the generator 'dcgan': unknown option "
        "'widht'; did you mean 'width'? (`ganforge show dcgan` lists them)",
    ),
    "option of another generator": (
        ["--generator", "mlp", "--set", "generator.width=3"],
        "Error: --set generator.width=3: generator.width of the generator 'mlp': unknown option "
        "'width'; known are activation, conditions, hidden, init, name, output and scale "
        "(`ganforge show mlp` lists them)",
    ),
    "wrong type": (
        ["--set", "training.batch_size=many"],
        "Error: --set training.batch_size=many: training.batch_size: expected an integer, got "
        "'many'",
    ),
    "number where an integer is wanted": (
        ["--set", "training.steps=1e3"],
        "Error: --set training.steps=1e3: training.steps: expected an integer, got 1000.0; write "
        "1000",
    ),
    "out of range": (
        ["--batch-size", "0"],
        "Error: --batch-size: training.batch_size: 0 is out of range: must be at least 1",
    ),
    "negative seed": (
        ["--seed", "-1"],
        "Error: --seed: training.seed: -1 is out of range: must be at least 0 and at most "
        "9223372036854775807",
    ),
    "impossible size": (
        ["--image-size", "30", "--generator", "conditional", "--conditional"],
        "Error: --image-size: the generator 'conditional' handles images whose side is a multiple "
        "of 4 from 8 up, not 1 x 30 x 30, which is what the data set 'digits' gives",
    ),
    "unknown data set of a package": (
        ["--dataset", "ganforge/digit"],
        "Error: --dataset: there is no dataset called 'ganforge/digit'; there are cifar10, digits",
    ),
    "labels that the generator does not take": (
        ["--conditional", "--generator", "autoencoder", "--loss", "mse"],
        "Error: --conditional: the generator 'autoencoder' takes no labels",
    ),
    "labels of a set that has none": (
        ["--conditional", "--dataset", "ring", "--generator", "mlp"],
        "Error: --conditional: the data set 'ring' has no labels",
    ),
    "a conditional network without labels": (
        ["--generator", "conditional", "--no-conditional"],
        "Error: 2 things are wrong with the configuration: --generator: the generator "
        "'conditional' needs labels; set training.conditional = true discriminator.name: the "
        "discriminator 'conditional' needs labels; set training.conditional = true",
    ),
    "a sampler that needs labels": (
        ["--sampler", "class-balanced", "--no-conditional"],
        "Error: --sampler: the sampler 'class-balanced' needs labels; set training.conditional = "
        "true",
    ),
    "an image generator on vectors": (
        ["--generator", "dcgan", "--dataset", "ring"],
        "Error: 2 things are wrong with the configuration: --dataset: the generator 'dcgan' "
        "handles images only, not vectors, which is what the data set 'ring' gives --dataset: the "
        "discriminator 'dcgan' handles images only, not vectors, which is what the data set "
        "'ring' gives",
    ),
    "a loss without its discriminator": (
        ["--generator", "autoencoder", "--loss", "mse", "--loss", "nonsat"],
        "Error: --loss: the loss 'nonsat' needs a discriminator; set discriminator.name",
    ),
    "a reconstruction of nothing": (
        ["--loss", "nonsat", "--loss", "l1"],
        "Error: --loss: the loss 'l1' compares real samples with what the generator makes of "
        "them, and this run has nothing of the kind: it takes a sampler such as 'reconstruct', or "
        "'field' where the data are pairs, or a game such as 'autoencoder'",
    ),
    "a condition that is not there": (
        ["--condition", "lable"],
        "Error: 2 things are wrong with the configuration: --condition: the data set 'digits' has "
        "no field 'lable' to tell; did you mean 'label'? --condition: the data set 'digits' has no "
        "field 'lable' to tell; did you mean 'label'?",
    ),
    "a game that the generator cannot play": (
        ["--game", "autoencoder"],
        "Error: --game: the game 'autoencoder' needs a generator that can encode, and 'dcgan' "
        "cannot",
    ),
    "a field that a game reads": (
        ["--game", "cycle", "--generator", "autoencoder", "--discriminator", "dcgan"],
        "Error: --game: the game 'cycle' reads the field 'source', which the data set 'digits' "
        "does not have",
    ),
    "an augmentation that is not there": (
        ["--augment", "diffaugmnt"],
        "Error: --augment: there is no augmentation called 'diffaugmnt'; did you mean "
        "'diffaugment'?",
    ),
    "updates of a discriminator that is not there": (
        [
            *("--generator", "autoencoder", "--loss", "mse"),
            *("--set", "training.num_discriminator_steps=5"),
        ],
        "Error: --set training.num_discriminator_steps=5: training.num_discriminator_steps is for "
        "the discriminator, and there is none",
    ),
    "a metric that is not there": (
        ["--metric", "mea"],
        "Error: --metric: there is no metric called 'mea'; did you mean 'mae'?",
    ),
    "a logger that is not there": (
        ["--logger", "tensorbord"],
        "Error: --logger: there is no callback called 'tensorbord'; did you mean 'tensorboard'?",
    ),
    "betas that are no numbers": (
        ["--betas", "0.5,often"],
        "Error: 2 things are wrong with the configuration: --betas: "
        "generator_optimizer.betas of the optimizer 'adam': expected a number, got 'often' "
        "--betas: discriminator_optimizer.betas of the optimizer 'adam': expected a number, "
        "got 'often'",
    ),
    "channels of a set that has its own": (
        ["--channels", "3"],
        "Error: --channels: dataset.channels of the dataset 'digits': unknown option 'channels'; "
        "known are name and size (`ganforge show digits` lists them)",
    ),
    "steps and epochs": (
        ["--steps", "3", "--epochs", "3"],
        "Error: --steps and --epochs exclude each other",
    ),
    "steps and epochs, one of them by --set": (
        ["--steps", "3", "--set", "training.epochs=3"],
        "Error: --set training.epochs=3: training.steps and training.epochs exclude each other",
    ),
    "both optimizers": (
        ["--learning-rate", "nan"],
        "Error: 2 things are wrong with the configuration: --learning-rate: "
        "generator_optimizer.learning_rate of the optimizer 'adam': nan is not a finite number "
        "--learning-rate: discriminator_optimizer.learning_rate of the optimizer 'adam': nan is "
        "not a finite number",
    ),
    "no setting": (["--set", "x"], "Error: --set x: must look like generator.width=128"),
    "absent configuration": (
        ["--config", "absent.toml"],
        "Error: absent.toml: cannot be read: there is no such file",
    ),
    "configuration that is a folder": (
        ["--config", "."],
        "Error: .: cannot be read: it is not a file",
    ),
    "absent run": (
        ["--resume", "absent"],
        "Error: there is no run in absent: it has no config.toml",
    ),
    "run that is a name with line breaks": (
        ["--resume", "a\nb\x1b[2J"],
        "Error: there is no run in a b[2J: it has no config.toml",
    ),
    "resumed elsewhere": (
        ["--resume", "absent", "--out", "other"],
        "Error: --resume goes on in the run's own directory",
    ),
    "absent folder": (
        ["--dataset", "absent/photos"],
        "Error: there is no folder or zip file 'absent/photos'. Name one with --set "
        "dataset.root=PATH",
    ),
    "a folder whose name is a number": (
        ["--set", "dataset.name=images", "--set", "dataset.root=2024"],
        "Error: there is no folder or zip file '2024'. Name one with --set dataset.root=PATH",
    ),
    "absent root": (
        ["--dataset", "mnist", "--set", "dataset.root=absent"],
        "Error: the data set mnist is not in 'absent/MNIST/raw'",
    ),
    "folder not named": (
        ["--dataset", "images"],
        "Error: dataset.root of the dataset 'images': must be given: folder or zip file of images",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_clear_paragraph_and_writes_nothing(
    cli: Command, arguments: list[str], message: str
) -> None:
    answer = cli("--no-plugins", "train", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.text.startswith(message)
    assert "Traceback" not in answer.err
    assert "\n\n" not in answer.err
    assert list(Path.cwd().iterdir()) == []


USAGE = {
    "unknown command": (["tran"], "No such command 'tran'."),
    "unknown flag": (
        ["train", "--generatr", "x"],
        "No such option",
    ),
    "flag without a value": (["train", "--steps"], "Option '--steps' requires an argument."),
    "words for a number": (
        ["train", "--steps", "1e3"],
        "Invalid value for '--steps': '1e3' is not a valid integer.",
    ),
    "an argument too many": (["train", "dcgan"], "Got unexpected extra argument (dcgan)"),
    "no name": (["show"], "Missing argument 'NAME'."),
    "no run": (["sample"], "Missing argument 'RUN'."),
    "too few samples": (
        ["sample", ".", "--num", "0"],
        "Invalid value for '--num': 0 is not in the range 1<=x<=1000000.",
    ),
    "nothing to sample from": (
        ["sample", "absent"],
        "Error: absent is neither a run directory nor a generator.safetensors",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_a_command_that_cannot_be_read_is_answered_with_its_usage(
    cli: Command, arguments: list[str], message: str
) -> None:
    answer = cli(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.text
    assert "Traceback" not in answer.err
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"steps 3", "Error: run.toml: is not TOML: Expected '=' after a key in a key/value pair"),
        (b"\x89PNG\r\n\x1a\n\x00", "Error: run.toml: is not UTF-8 text"),
        (b'root = "B\xfccher"', "Error: run.toml: is not UTF-8 text"),
        (b"steps = 3", "Error: run.toml:1: unknown section 'steps'; there are generator, "),
        (
            b"[training]\nsteps = 0\n",
            "Error: run.toml:2: training.steps: 0 is out of range: must be at least 1",
        ),
    ],
)
def test_a_bad_configuration_file_is_named_with_its_line(
    cli: Command, content: bytes, message: str
) -> None:
    Path("run.toml").write_bytes(content)
    answer = cli("train", "--config", "run.toml")
    assert (answer.code, answer.out) == (2, "")
    assert answer.text.startswith(message)
    assert [it.name for it in Path.cwd().iterdir()] == ["run.toml"]


def test_everything_that_is_wrong_is_told_at_once(cli: Command) -> None:
    Path("run.toml").write_text("[generator]\nwidht = 3\n[loss.bce]\nlabel_smoothing = 2\n")
    answer = cli("train", "--config", "run.toml", "--batch-size", "0", "--set", "ema.x=1")
    first, *lines = answer.err.splitlines()
    assert answer.code == 2
    assert first == "Error: 4 things are wrong with the configuration:"
    assert sorted(line.split(": ")[0].strip() for line in lines) == [
        "--batch-size",
        "--set ema.x=1",
        "run.toml:2",
        "run.toml:4",
    ]


def test_the_debug_variable_gives_the_exception_itself(
    cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANFORGE_DEBUG", "1")
    with pytest.raises(ConfigError, match="there is no generator called 'dcgn'"):
        cli("train", "--generator", "dcgn")


def test_a_component_of_a_plugin_that_failed_is_answered_with_why(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-broken", "raise ValueError('too old')", version="3.1")
    answer = cli("train", "--generator", "odd")
    assert answer.code == 2
    assert (
        "there is no generator called 'odd'; there are adversarial-autoencoder, autoencoder, "
        "conditional, dcgan and mlp. Plugins that failed to load: ganforge-broken of "
        "ganforge-broken 3.1 (ValueError: too old)"
    ) in answer.text
    dataset = cli("train", "--dataset", "ganforge-broken/odd")
    assert "there is no dataset called 'ganforge-broken/odd'; there are" in dataset.text
    assert "(ValueError: too old)" in dataset.text


def test_a_component_of_a_disabled_plugin_is_not_there(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-stranger", generators("odd"))
    assert cli("train", "--generator", "odd", "--dry-run").code == 0
    assert cli("--no-plugins", "train", "--generator", "odd", "--dry-run").code == 2


def test_the_short_name_of_two_strangers_has_to_be_made_longer(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-one", generators("odd"))
    fake_plugin("ganforge-two", generators("odd"))
    answer = cli("train", "--generator", "odd", "--dry-run")
    assert answer.code == 2
    assert "write one of 'ganforge-one/odd' and 'ganforge-two/odd'" in answer.text
    assert cli("train", "--generator", "ganforge-two/odd", "--dry-run").code == 0
    assert cli("train", "--dry-run").code == 0


DATA = """
from dataclasses import dataclass
from ganforge import DataError, DatasetSpec, Field, hookimpl, option

@dataclass(frozen=True, kw_only=True)
class Options:
    low: int = option(0, help="below 5")
    def __post_init__(self):
        if self.low > 5:
            raise ValueError("low must be\\n\\x1b[2J below 5")

def fail(options):
    raise RuntimeError("too\\n\\x1b[2J deep")

def absent(options):
    raise DataError("fetch it first")

@hookimpl
def ganforge_datasets():
    common = {"summary": "s", "build": "m:f"}
    square = {"fields": lambda options: {"sample": Field.of_shape((1, 32, 32))}, **common}
    yield DatasetSpec(name="shapeless", fields=fail, **common)
    yield DatasetSpec(name="flat", fields=lambda options: (32, 32), **common)
    torn = lambda options: {"sample": Field(kind="image", shape=(32, 32))}
    yield DatasetSpec(name="torn", fields=torn, **common)
    yield DatasetSpec(name="unsure", check_available=fail, **square)
    yield DatasetSpec(name="absent", check_available=absent, **square)
    yield DatasetSpec(name="picky", options=Options, **square)
"""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["shapeless"],
            1,
            "the dataset 'shapeless' of ganforge-data 1.0 cannot tell its fields: RuntimeError: "
            "too [2J deep",
        ),
        (
            ["flat"],
            1,
            "the dataset 'flat' of ganforge-data 1.0 must give its fields by name, one of them "
            "'sample', not (32, 32)",
        ),
        (
            ["torn"],
            1,
            "the dataset 'torn' of ganforge-data 1.0 cannot tell its fields: ValueError: the shape "
            "of a field of kind image is like (C, H, W), not (32, 32)",
        ),
        (
            ["unsure"],
            1,
            "the dataset 'unsure' of ganforge-data 1.0 cannot tell whether it can be used: "
            "RuntimeError: too [2J deep",
        ),
        (["absent"], 2, "fetch it first"),
        (
            ["picky", "--set", "dataset.low=6"],
            2,
            "dataset of the dataset 'picky': low must be [2J below 5",
        ),
    ],
)
def test_what_a_spec_raises_while_it_is_read_is_told_with_its_package(
    cli: Command, fake_plugin: FakePlugin, arguments: list[str], code: int, message: str
) -> None:
    fake_plugin("ganforge-data", DATA)
    answer = cli("train", "--dataset", *arguments)
    assert (answer.code, answer.out) == (code, "")
    assert answer.text == f"Error: {message}"
    assert list(Path.cwd().iterdir()) == []
