"""`ganforge runs`: a table of what is there, and its removal."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path

import pytest

from ganforge.storage.run_directory import Lock, RunDirectory
from tests.conftest import Command
from tests.runs.conftest import MakeRun, make_run

__all__ = ["make_run"]

EVIL = "x\x1b[2J\u202e[red]y"


@pytest.fixture
def ganforge(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return cli


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_table(ganforge: Command, make_run: MakeRun) -> None:
    make_run("runs/00010-dcgan-nonsat-digits", metrics={100: {"metric/fid": 12.25}})
    make_run("runs/00009-mine", state="failed", step=40, losses=("nonsat", "r1"))
    make_run("runs/00011-dcgan-nonsat-digits", state="running", pid=2**22 + 1, step=20)
    running = RunDirectory(make_run("runs/00012-dcgan-nonsat-digits", state="running", step=30))
    with Lock(running):
        answer = ganforge("runs")
    assert (answer.code, answer.err) == (0, "")
    assert max(map(len, answer.out.splitlines())) <= 80
    rows = lines(answer.out)
    assert rows[0] == "Run State Step Age Size Metric"
    assert rows[1].startswith("00009-mine failed 40/100 ")
    assert rows[2] == "dcgan nonsat+r1 digits"
    assert rows[3].endswith("fid 12.25")
    assert " lost 20/100 " in rows[4]
    assert " running 30/100 " in rows[5]


def test_foreign_and_damaged_folders_are_named(
    ganforge: Command, make_run: MakeRun, tmp_path: Path
) -> None:
    make_run("runs/good")
    for name in ("thesis", EVIL, ".hidden"):
        (tmp_path / "runs" / name).mkdir()
    (make_run("runs/broken") / "config.toml").write_text("[[[")
    (make_run("runs/silent") / "status.json").write_text("{")
    (tmp_path / "runs" / "notes.txt").touch()
    answer = ganforge("runs")
    assert (answer.code, answer.err) == (0, "")
    rows = lines(answer.out)
    assert rows[-1] == "No runs: thesis and x[2J[red]y"
    assert rows[-2].startswith("broken is damaged: ")
    assert any(row.startswith("silent unknown 0/100") for row in rows)
    found = json.loads(ganforge("runs", "--json").out)
    assert [run["name"] for run in found["runs"]] == ["good", "silent"]
    assert found["others"]["thesis"] == "no run"


def test_a_sweep_is_named_with_what_lists_it(ganforge: Command, tmp_path: Path) -> None:
    (tmp_path / "sweeps" / "one").mkdir(parents=True)
    (tmp_path / "sweeps" / "one" / "sweep.json").touch()
    assert ganforge("runs", "sweeps").out.splitlines() == [
        "There are no runs in sweeps.",
        "Sweeps: one (`ganforge runs sweeps/one` lists the runs of one)",
    ]


def test_hostile_settings_are_text(ganforge: Command, make_run: MakeRun) -> None:
    path = make_run(f"runs/{EVIL}", metrics={100: {f"metric/{EVIL}": 1.0}}, state="failed")
    text = (path / "config.toml").read_text().replace('"dcgan"', json.dumps(EVIL))
    (path / "config.toml").write_text(text)
    answer = ganforge("runs")
    assert answer.code == 0
    assert "\x1b" not in answer.out
    assert "\u202e" not in answer.out
    assert "[red]" in answer.out


def test_orders(ganforge: Command, make_run: MakeRun) -> None:
    make_run("runs/a", step=10, metrics={10: {"metric/fid": 1.0}})
    make_run("runs/b", step=90, metrics={90: {"metric/fid": 3.0}}, state="failed")
    make_run("runs/c", step=50, metrics={50: {"metric/fid": 2.0}})

    def order(*arguments: str) -> str:
        found = json.loads(ganforge("runs", "--json", *arguments).out)["runs"]
        return "".join(run["name"] for run in found)

    assert order() == "abc"
    assert order("--sort", "step") == "bca"
    assert order("--sort", "state") == "bac"
    assert order("--sort", "metric", "--metric", "fid") == "acb"


def test_mistakes(ganforge: Command, make_run: MakeRun, tmp_path: Path) -> None:
    answer = ganforge("runs")
    assert (answer.code, answer.out) == (0, "No runs here yet; `ganforge train` makes one.\n")
    answer = ganforge("runs", "absent")
    assert answer.code == 2
    assert answer.err == "Error: absent does not exist; name a folder that holds runs\n"
    make_run("runs/a", metrics={1: {"metric/fid": 1.0}})
    answer = ganforge("runs", "--metric", "fdi")
    assert answer.code == 2
    assert "did you mean 'fid'?" in answer.err
    assert ganforge("runs", "remove", "runs").code == 2
    assert "it has no config.toml" in ganforge("runs", "remove", "runs").err


def test_removal_asks_and_takes_everything(
    ganforge: Command, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run("runs/a")
    (path / ".tmp-left").touch()
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    answer = ganforge("runs", "remove", "runs/a")
    assert answer.code == 0
    assert "runs/a step 100, 1.5 kB" in " ".join(answer.out.split())
    assert answer.out.endswith("Nothing was removed.\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    answer = ganforge("runs", "remove", "runs/a")
    assert answer.code == 2
    assert "--yes answers it" in answer.text
    assert path.exists()
    answer = ganforge("runs", "remove", "runs/a", "--yes")
    assert (answer.code, answer.out, answer.err) == (0, "Removed runs/a\n", "")
    assert not path.exists()
    assert path.parent.exists()


def test_what_somebody_else_put_there_stays(
    ganforge: Command, make_run: MakeRun, tmp_path: Path
) -> None:
    path = make_run("runs/a")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "00000001.png").touch()
    (path / "notes.txt").write_text("mine")
    (path / "samples" / "favourite.png").touch()
    (path / "link").symlink_to(elsewhere)
    answer = ganforge("runs", "remove", "runs/a", "--yes")
    assert answer.code == 0
    assert lines(answer.out)[1] == (
        "left there, as no run wrote it: link, notes.txt, samples/favourite.png"
    )
    assert (elsewhere / "00000001.png").exists()
    assert sorted(it.name for it in path.rglob("*")) == [
        "favourite.png", "link", "notes.txt", "samples"
    ]  # fmt: skip
    assert "No runs: a" in ganforge("runs").out


def test_a_running_run_and_a_link_are_refused(
    ganforge: Command, make_run: MakeRun, tmp_path: Path
) -> None:
    path, other = make_run("runs/a", state="running"), make_run("runs/b")
    with Lock(RunDirectory(path)):
        answer = ganforge("runs", "remove", "runs/b", "runs/a", "--yes")
    assert answer.code == 2
    assert "runs/a is running and is left alone" in answer.err
    assert other.exists()
    (tmp_path / "runs" / "link").symlink_to(other)
    answer = ganforge("runs", "remove", "runs/link", "--yes")
    assert answer.code == 2
    assert "is a link" in answer.err
    far = make_run("runs/c", state="running", host=f"not-{socket.gethostname()}")
    assert ganforge("runs", "remove", far, "--yes").code == 2


def test_compare_in_eighty_columns(ganforge: Command, make_run: MakeRun) -> None:
    for loss in ("nonsat", "hinge"):
        for seed in (0, 1):
            numbers = {f"metric/modes/a_long_name_{it}": it + seed for it in range(8)}
            make_run(f"s/{loss}-{seed}", losses=(loss,), seed=seed, metrics={100: numbers})
    answer = ganforge("compare", "s")
    assert (answer.code, answer.err) == (0, "")
    assert max(map(len, answer.out.splitlines())) <= 80
    rows = lines(answer.out)
    assert rows[0].startswith("loss n step a_long_name_0")
    assert rows[1].startswith("hinge 2 100 0.50 ± 0.71")
    for it in range(8):
        assert f"a_long_name_{it}" in answer.out
    assert "mean ± standard deviation over n runs" in " ".join(rows)


def test_compare_mistakes(ganforge: Command, make_run: MakeRun) -> None:
    make_run("s/a")
    answer = ganforge("compare", "s/a")
    assert answer.code == 2
    assert "one run is nothing to compare" in answer.err
    answer = ganforge("compare", "s", "absent")
    assert answer.code == 2
    assert "absent does not exist" in answer.err
    make_run("s/b", seed=1)
    answer = ganforge("compare", "s", "--metric", "fid")
    assert answer.code == 2
    assert "there is no metric 'fid' here" in answer.err
