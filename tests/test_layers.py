"""Layers: values from files and from --set, each with the place it came from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganforge.config.layers import MAX_FILE_BYTES, Layer, from_file, from_settings, from_text
from ganforge.errors import ConfigError


def places(layer: Layer) -> dict[str, str]:
    return {".".join(entry.path): entry.where for entry in layer.entries}


def values(layer: Layer) -> dict[str, object]:
    return {".".join(entry.path): entry.value for entry in layer.entries}


def tried(function: Callable[..., Layer], *arguments: object) -> tuple[Layer, list[str]]:
    """The layer, or an empty one and the complaints."""
    try:
        return function(*arguments), []
    except ConfigError as error:
        return Layer(), [str(complaint) for complaint in error.complaints]


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        from_file(path)
    return str(caught.value)


TEXT = """\
# a comment
generator.width = 64

[training]
steps = 3 # three
betas = [   # over
    0.5,

    0.9,
]
note = '''
seed = 7
'''
seed = 1

[loss.r1]
[loss."ganforge-foo/odd"]
weight = 2
[ema]
half_life.deep = { x = 1 }
"""


def test_every_key_of_a_file_knows_its_line() -> None:
    layer = from_text(TEXT, "run.toml")
    assert places(layer) == {
        "generator.width": "run.toml:2",
        "training.steps": "run.toml:5",
        "training.betas": "run.toml:6",
        "training.note": "run.toml:11",
        "training.seed": "run.toml:14",
        "loss.ganforge-foo/odd.weight": "run.toml:18",
        "ema.half_life.deep.x": "run.toml:20",
    }
    assert values(layer)["training.betas"] == [0.5, 0.9]
    assert values(layer)["training.note"] == "seed = 7\n"


def test_the_tables_of_losses_select_terms_each_at_its_own_line() -> None:
    layer = from_text(TEXT, "run.toml")
    chosen = layer.tables["loss"]
    assert chosen.names == ("r1", "ganforge-foo/odd")
    assert chosen.origin.place(("loss", "r1")) == "run.toml:16"
    assert chosen.origin.place(("loss", "ganforge-foo/odd")) == "run.toml:17"


def test_a_schedule_is_one_value_wherever_it_stands() -> None:
    text = """\
[generator_optimizer]
learning_rate = {from = 1e-3, to = 0.0}
[generator_optimizer.betas]
from = [0.0, 0.9]
to = [0.0, 0.99]
[loss.r1]
gamma = {from = 1, too = 2}
weight.to = 0
[loss.to]
from = 3
[ema]
half_life = {too = 1}
"""
    layer = from_text(text, "run.toml")
    assert values(layer) == {
        "generator_optimizer.learning_rate": {"from": 1e-3, "to": 0.0},
        "generator_optimizer.betas": {"from": [0.0, 0.9], "to": [0.0, 0.99]},
        "loss.r1.gamma": {"from": 1, "too": 2},
        "loss.r1.weight": {"to": 0},
        "loss.to.from": 3,
        "ema.half_life.too": 1,
    }
    assert list(places(layer).values())[:3] == ["run.toml:2", "run.toml:3", "run.toml:7"]


def test_a_file_without_losses_leaves_them_alone() -> None:
    assert from_text("[training]\nsteps = 3\n", "x").tables == {}
    assert from_text("[loss]\n", "x").tables["loss"].names == ()


def test_the_lines_are_those_of_an_editor_where_python_sees_more_of_them() -> None:
    layer = from_text("# a\u2028b\x85c\n[training]\nseed = 'x\u2029y'\nsteps = 3\n", "run.toml")
    assert places(layer) == {"training.seed": "run.toml:3", "training.steps": "run.toml:4"}


def test_a_very_long_file_is_named_without_lines() -> None:
    layer = from_text("[training]\n" + "\n" * 1000 + "steps = 3\n", "run.toml")
    assert places(layer) == {"training.steps": "run.toml"}
    layer = from_text(f"[training]\nsteps = 3\nroot = '{'x' * 100_000}'\n", "run.toml")
    assert places(layer)["training.steps"] == "run.toml"


@pytest.mark.parametrize(
    "content",
    [
        b"[training]\nsteps = 3\n",
        b"\xef\xbb\xbf[training]\nsteps = 3\n",
        b"[training]\r\nsteps = 3\r\n",
        b"\xef\xbb\xbf[training]\r\nsteps = 3",
    ],
    ids=["plain", "byte-order mark", "CRLF", "both, and no last line break"],
)
def test_a_file_as_editors_write_it_is_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(content)
    layer = from_file(path)
    assert values(layer) == {"training.steps": 3}
    assert places(layer) == {"training.steps": f"{path}:2"}


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b"")
    assert from_file(path).entries == ()


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes("root = 'Bücher'".encode("latin-1"))
    assert refusal(path) == f"{path}: is not UTF-8 text"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps = ", "is not TOML: Invalid value (at end of document)"),
        ("steps = 1\nsteps = 2\n", "is not TOML: Cannot overwrite a value (at line 2, column 10)"),
        ("steps = " + "9" * 5000, "is not TOML: Exceeds the limit (4300 digits)"),
        ("steps = " + "[" * 5000, "is not TOML"),
        ("\x89PNG\x0d\x0a\x1a\x0a\x00", "is not TOML"),
        ("{'json': 1}", "is not TOML"),
        (
            '[dataset]\nroot = "C:\\data"\n',
            "is not TOML: Unescaped '\\' in a string (at line 2, column 13); in double quotes a "
            "backslash begins an escape, so write a Windows path in single quotes, 'C:\\data'",
        ),
        (
            '[dataset]\nroot = "\\Users\\me"\n',
            "is not TOML: Invalid hex value",
        ),
    ],
    ids=["no value", "twice", "digits", "brackets", "binary", "json", "Windows", "no drive"],
)
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    assert refusal(path).startswith(f"{path}: {message}")
    assert "\n" not in refusal(path)


def test_a_path_without_a_configuration_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).endswith("cannot be read: it is not a file")
    assert refusal(tmp_path / "nope").endswith("cannot be read: there is no such file")
    assert "x: cannot be read: " in refusal(tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").endswith("cannot be read: it is not a file")


def test_a_file_too_large_for_a_configuration_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    with path.open("wb") as stream:
        stream.truncate(20 * 2**30)
    assert refusal(path) == f"{path}: cannot be read: it is too large for a configuration"
    assert path.stat().st_size > MAX_FILE_BYTES


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read it all")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("")
    path.chmod(0)
    assert refusal(path) == f"{path}: cannot be read: Permission denied"


def test_a_file_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2J\u202e\nb.toml"
    path.write_text("steps = ")
    assert refusal(path).startswith(f"{tmp_path}/a[2J b.toml: is not TOML")


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("generator.width=128", {"generator.width": 128}),
        (" generator.width = 128 ", {"generator.width": 128}),
        ("training.rate=1e-4", {"training.rate": 1e-4}),
        ("training.on=true", {"training.on": True}),
        ("a.b=[1, 2]", {"a.b": [1, 2]}),
        ("a={b = 1, c.d = 'x'}", {"a.b": 1, "a.c.d": "x"}),
        ("a.b={from=1e-3, to=0}", {"a.b": {"from": 1e-3, "to": 0}}),
        ("a.b.to=0", {"a.b": {"to": 0}}),
        ("loss.r1.gamma={from=1, to=[2]}", {"loss.r1.gamma": {"from": 1, "to": [2]}}),
        ("dataset.name=mnist", {"dataset.name": "mnist"}),
        ("dataset.root=../data/my images", {"dataset.root": "../data/my images"}),
        ("dataset.root='128'", {"dataset.root": "128"}),
        ('dataset.root="a\\tb"', {"dataset.root": "a\tb"}),
        ("dataset.root=C:\\new", {"dataset.root": "C:\\new"}),
        ("dataset.root=a=b", {"dataset.root": "a=b"}),
        ("dataset.root=#1", {"dataset.root": "#1"}),
        ("dataset.root=True", {"dataset.root": "True"}),
        ("dataset.root='half", {"dataset.root": "'half"}),
        ("dataset.root=Bücher/😀", {"dataset.root": "Bücher/😀"}),
        ('loss."ganforge-foo/odd".weight=2', {"loss.ganforge-foo/odd.weight": 2}),
        ("dataset.root=x\nseed = 3", {"dataset.root": "x\nseed = 3"}),
        ("dataset.size=3\nseed = 3", {"dataset.size": "3\nseed = 3"}),
        ("dataset.size=3\r\nseed = 3", {"dataset.size": "3\r\nseed = 3"}),
        ("a.x=" + "9" * 5000, {"a.x": "9" * 5000}),
        ("a.x=" + "[" * 5000, {"a.x": "[" * 5000}),
    ],
)
def test_a_setting_is_a_toml_value_or_else_a_string(
    assignment: str, expected: dict[str, object]
) -> None:
    layer = from_settings([assignment])
    assert values(layer) == expected
    assert all(where.startswith("--set ") for where in places(layer).values())
    assert all("\n" not in where for where in places(layer).values())


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("x", "--set x: must look like generator.width=128"),
        ("", "--set : must look like generator.width=128"),
        ("=1", "--set =1: must look like generator.width=128"),
        ("  =1", "--set =1: must look like generator.width=128"),
        ("lr=", "--set lr=: has no value"),
        ("lr=  ", "--set lr=: has no value"),
        ("a..b=1", "--set a..b=1: 'a..b' is not a dotted key"),
        ("a b=1", "--set a b=1: 'a b' is not a dotted key"),
        ("#a=1", "--set #a=1: '#a' is not a dotted key"),
        ("a # b=1", "--set a # b=1: 'a # b' is not a dotted key"),
        ("a\nb=1", "--set a b=1: 'a b' is not a dotted key"),
        ("[generator]#=1", "--set [generator]#=1: sets nothing"),
        ("generator={}", "--set generator={}: sets nothing"),
        ("loss.r1={}", "--set loss.r1={}: sets nothing"),
        ("dataset.root=a\udcff", "--set dataset.root=a: is not UTF-8 text"),
    ],
)
def test_a_setting_that_cannot_be_read_is_refused(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_settings([assignment])
    assert str(caught.value) == message


def test_every_bad_setting_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        from_settings(["x", "a.b=1", "lr=", "a..b=1"])
    assert [complaint.where for complaint in caught.value.complaints] == [
        "--set x",
        "--set lr=",
        "--set a..b=1",
    ]


def test_a_later_setting_of_a_key_comes_later() -> None:
    layer = from_settings(["a.b=1", "a.b=2"])
    assert [entry.value for entry in layer.entries] == [1, 2]


def test_a_key_of_thousands_of_parts_is_one_entry() -> None:
    (entry,) = from_settings(["a" + ".a" * 5000 + "=1"]).entries
    assert len(entry.path) == 4


@given(st.text() | st.builds("{}={}".format, st.text(), st.text()))
def test_any_setting_is_either_read_or_refused(assignment: str) -> None:
    layer, complaints = tried(from_settings, [assignment])
    assert bool(layer.entries) != bool(complaints)
    assert all(complaint.startswith("--set ") for complaint in complaints)


@given(st.text(st.sampled_from("ab=[]{}\"'#.\n\\1 ,")) | st.text())
def test_any_text_is_either_toml_or_refused_in_one_line(text: str) -> None:
    layer, complaints = tried(from_text, text, "run.toml")
    assert all(where.startswith("run.toml:") for where in places(layer).values())
    for complaint in complaints:
        assert complaint.startswith("run.toml: is not TOML: ")
        assert "\n" not in complaint
