"""Sixty ways to get a configuration wrong: all are told at once, in a second, without torch."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.test_structure import measured

LR = "generator_optimizer.learning_rate"
BETAS = "generator_optimizer.betas"

#: settings of `--set` -> a part of the answer
SETTINGS = {
    "generator_optimizer.lerning_rate=1e-3": "unknown option 'lerning_rate'; did you mean",
    f"{LR}=fast": "expected a number, got 'fast'",
    f"{LR}=-1": "-1.0 is out of range: must be at least 0",
    f"{LR}=nan": "nan is not a finite number",
    f"{LR}=inf": "inf is not a finite number",
    f"{LR}=true": "expected a number, got true",
    f"{LR}=[1]": "expected a number, got [1]",
    f"{LR}=2024-01-01": "expected a number, got datetime.date(2024, 1, 1)",
    f"{LR}=": "has no value",
    f"{BETAS}=[1]": "expected a list of 2, got [1]",
    f"{BETAS}=[0,0.5,0.9]": "expected a list of 2, got [0, 0.5, 0.9]",
    f"{BETAS}=0.5": "expected a list, got 0.5",
    f"{BETAS}=['a','b']": "expected a number, got 'a'",
    "training.batch_size=8.5": "expected an integer, got 8.5",
    "training.batch_size=0": "0 is out of range: must be at least 1",
    "training.batch_size=-3": "-3 is out of range: must be at least 1",
    "training.batch_size=true": "expected an integer, got true",
    "training.batch_size=99999999999999999999": "an integer has at most 64 bits",
    'training.steps="3"': "expected an integer, got '3'",
    "training.steps=1e3": "expected an integer, got 1000.0; write 1000",
    "training.first=both": "'both' is not allowed: one of 'discriminator' and 'generator'",
    "training.seed=1.5": "expected an integer, got 1.5",
    "training=3": "training is a section: write training.KEY, or [training] in a file",
    "training..steps=3": "is not a dotted key",
    "train.lr=1e-4": "unknown section 'train'; did you mean 'training'?",
    "optim.lr=3": "unknown section 'optim'; there are generator, ",
    "a.b.c=1": "unknown section 'a'; there are generator, ",
    "x": "must look like generator.width=128",
    "=3": "must look like generator.width=128",
    "generator.conditions.x=3": "unknown option 'conditions.x'; did you mean 'conditions'?",
    "generator.width=0": "0 is out of range: must be at least 1",
    "generator.width='wide'": "expected an integer, got 'wide'",
    "loss.nonsat.wieght=2": "unknown option 'wieght'; did you mean 'weight'?",
    "loss.nonsat.weight=heavy": "expected a number, got 'heavy'",
    "loss.nonsat.weight=inf": "inf is not a finite number",
    "loss.nonsat.weight={from=1}": "a schedule needs from and to, and to is not given",
    "loss.nonsat.weight={from=1,to=2,untill=1}": "a schedule has no key 'untill'; did you mean",
    'loss.nonsat.weight={from=1,to=2,shape="lin"}': "'lin' is no shape: linear, cosine",
    "loss.nonsat.weight={from=1,to=2,start=0.9,until=0.1}": "start must be at least 0 and below",
    "loss.hinge.weight=2": "the loss 'hinge' is not part of this run, which has 'nonsat'",
    "evaluation.holdout=1.0": "1.0 is out of range: must be at least 0 and below 1",
    "execution.num_workers=-1": "-1 is out of range: must be at least 0",
    "ema.half_life=-5": "-5.0 is out of range: must be at least 0",
    "output.sample_every=0": "0 is out of range: must be at least 1",
    "output.keep_epochs=[0]": "0 is out of range",
    "data.flip=1": "expected true or false, got 1",
}

FLAGS = {
    "--image-size 0": "0 is out of range: must be at least 8",
    "--image-size -4": "-4 is out of range: must be at least 8",
    "--steps 0": "0 is out of range: must be at least 1",
    "--steps 99999999999999999999": "an integer has at most 64 bits",
    "--epochs -1": "-1 is out of range: must be at least 1",
    "--betas x": "expected a list of 2, got ['x']",
    "--betas 0.5,1.5": "1.5 is out of range: must be at least 0 and below 1",
    "--latent-size 0": "0 is out of range: must be at least 1",
    "--channels 2 --dataset images --set dataset.root=x": "2 is not allowed: one of 1 and 3",
    "--device cudaa": "'cudaa' is no device: write auto, cpu, cuda, cuda:N or mps",
    "--loss nonsat --loss nonsat": "the loss 'nonsat' is named twice; give it a weight instead",
    "--best fid": "no metric of this run is called 'fid'; there are none",
    "--preview always": "'always' is not allowed: one of 'end', 'grids' and 'never'",
    "--generator mlp --set generator.activation=rellu": "did you mean 'relu'?",
    "--generator mlp --set generator.hidden=big": "expected a list, got 'big'",
    "--generator mlp --set generator.hidden=[0]": "0 is out of range: must be at least 1",
}

CASES = {f"--set {it}": (["--set", it], told) for it, told in SETTINGS.items()} | {
    it: (it.split(), told) for it, told in FLAGS.items()
}


@pytest.mark.parametrize(("arguments", "told"), CASES.values(), ids=CASES)
def test_a_mistake_is_named_where_it_was_typed(
    cli: Command, arguments: list[str], told: str
) -> None:
    answer = cli("--no-plugins", "train", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.text.startswith("Error: ")
    assert told in answer.text
    assert "\n\n" not in answer.err
    assert list(Path.cwd().iterdir()) == []


def test_sixty_mistakes_need_no_torch_and_less_than_a_second_each(tmp_path: Path) -> None:
    commands = [["train", *arguments] for arguments, _ in CASES.values()]
    codes, modules, seconds = measured(tmp_path, *commands)
    assert len(commands) >= 60
    assert codes == [2] * len(commands)
    assert "torch" not in modules
    assert seconds / len(commands) < 1.0


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "has no settings in it"),
    "of comments": (b"# nothing\n", "has no settings in it"),
    "latin-1": ("[dataset]\nroot = 'é'\n".encode("latin-1"), "is not UTF-8 text"),
    "utf-16": ("[training]\nsteps = 3\n".encode("utf-16"), "is not UTF-8 text"),
    "null byte": (b"[training]\nsteps = 3\x00\n", "is not TOML: "),
    "json": (b'{"training": {"steps": 3}}', "is not TOML: Invalid statement (at line 1"),
    "twice": (b"[training]\nsteps = 3\nsteps = 4\n", "is not TOML: Cannot overwrite a value"),
    "deep": (b"a = " + b"[" * 5000, "is not TOML: "),
    "path of windows": (
        b'[dataset]\nname = "images"\nroot = "C:\\Users\\me"\n',
        "is not TOML: Invalid hex value (at line 3, column 13); a backslash within double quotes "
        "begins an escape: write a path in single quotes",
    ),
    "path of windows with escapes": (
        b'[dataset]\nname = "images"\nroot = "C:\\temp\\new"\n',
        'run.toml:3: "C:\\temp\\new"; a backslash within double quotes begins an escape',
    ),
    "number for a path": (
        b'[dataset]\nname = "images"\nroot = 2024\n',
        "run.toml:3: dataset.root of the dataset 'images': expected a string, got 2024",
    ),
}


@pytest.mark.parametrize(("content", "told"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_meant_is_told(cli: Command, content: bytes, told: str) -> None:
    Path("run.toml").write_bytes(content)
    answer = cli("train", "--config", "run.toml", "--dry-run")
    assert (answer.code, answer.out) == (2, "")
    assert answer.text.startswith("Error: run.toml:")
    assert told in answer.text


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (".", ".: cannot be read: it is not a file"),
        ("-", "-: cannot be read: there is no such file"),
        ("", "--config is empty, as a variable of the shell is that is not set"),
        (os.devnull, f"{os.devnull}: cannot be read: it is not a file"),
        ("large.toml", "large.toml: cannot be read: it is too large for a configuration"),
    ],
)
def test_what_is_no_file_is_not_read(cli: Command, path: str, told: str) -> None:
    with Path("large.toml").open("wb") as file:
        file.truncate(100_000_000)
    answer = cli("train", "--config", path, "--dry-run")
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.text


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unreadable for root"
)
def test_a_file_without_permission_is_told(cli: Command) -> None:
    Path("run.toml").write_text("[training]\nsteps = 3\n")
    Path("run.toml").chmod(0)
    answer = cli("train", "--config", "run.toml", "--dry-run")
    assert (answer.code, "run.toml: cannot be read: Permission denied" in answer.text) == (2, True)


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbf[training]\nsteps = 7\n", b"[training]\r\nsteps = 7\r\n# end\r\n"],
    ids=["byte order mark", "CRLF"],
)
def test_what_editors_of_windows_write_is_read(cli: Command, content: bytes) -> None:
    Path("run.toml").write_bytes(content)
    answer = cli("train", "--config", "run.toml", "--dry-run")
    assert answer.code == 0
    assert "steps = 7 " in answer.out


@pytest.mark.parametrize(
    ("typed", "root"),
    [
        ("2024", "2024"),
        ("true", "true"),
        ("1e3", "1e3"),
        ("2024-01-01", "2024-01-01"),
        (r"C:\temp\new", r"C:\\temp\\new"),
        (r'"C:\temp\new"', r"C:\\temp\\new"),
        (r'"C:\Users\me"', r"C:\\Users\\me"),
        (r"'C:\Users\me'", r"C:\\Users\\me"),
        ('"a b"', "a b"),
    ],
)
def test_what_is_typed_for_a_text_is_that_text(cli: Command, typed: str, root: str) -> None:
    answer = cli("train", "--dataset", "images", "--set", f"dataset.root={typed}", "--dry-run")
    assert answer.code == 0, answer.err
    assert f'root = "{root}" ' in answer.out
