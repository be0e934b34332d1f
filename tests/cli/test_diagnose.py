"""`ganforge diagnose`: from files alone, of any run, without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.diagnosis.curves import curve, then

CONFIG = '[generator]\nname = "mlp"\n[loss.minimax]\n'


@pytest.fixture
def run(cli: Command) -> Path:
    """A run that has collapsed, as its files tell."""
    return written(Path("r"), then(curve(6), 6, diversity=0.01))


def written(path: Path, lines: list[dict[str, float]], config: str = CONFIG) -> Path:
    path.mkdir()
    (path / "config.toml").write_text(config)
    (path / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    status = {"state": "finished", "step": 300, "pid": 1, "host": "here"}
    (path / "status.json").write_text(json.dumps(status))
    return path


def test_a_finding_comes_with_its_numbers_and_what_to_try(cli: Command, run: Path) -> None:
    answer = cli("diagnose", run)
    assert answer.code == 0
    first, second = answer.out.splitlines()
    assert first == "r: finished, step 300"
    assert second.strip() == (
        "collapse, step 250: the generator's samples differ by 0.01, after 0.45 before, real ones "
        "by 0.48. Try `--loss minimax --loss r1` or `--batch-size 128`."
    )


def test_json_has_the_same(cli: Command, run: Path) -> None:
    answer = cli("diagnose", run, "--json")
    document = json.loads(answer.out)
    (finding,) = document["findings"]
    assert (document["state"], document["step"]) == ("finished", 300)
    assert (finding["name"], finding["step"]) == ("collapse", 250)
    assert finding["numbers"] == {"diversity/generated": 0.01, "diversity/real": 0.48}
    assert finding["advice"] == ["--loss minimax --loss r1", "--batch-size 128"]
    assert document["not_told"] == {}


def test_a_run_of_an_earlier_version_is_told_what_cannot_be_told(cli: Command) -> None:
    lines = [
        {"step": 25 * n, "loss/generator": 1.0, "gradient_norm/generator": 1.0} for n in (1, 2)
    ]
    answer = cli("diagnose", written(Path("old"), lines))
    assert "Nothing that goes wrong was found." in answer.out
    assert "Not told: collapse, measured in runs of this version and later." in answer.out
    assert (
        "Not told: memorisation, measured where at most 1,024 samples are trained on." in answer.out
    )
    assert "divergence" not in answer.out


def test_a_run_without_metrics_says_so(cli: Command) -> None:
    path = written(Path("new"), [])
    assert "There are no metrics yet." in cli("diagnose", path).out


def test_a_configuration_that_does_not_work_here_leaves_the_finding(cli: Command) -> None:
    config = '[generator]\nname = "absent"\n'
    answer = cli("diagnose", written(Path("r"), then(curve(6), 6, diversity=0.01), config))
    assert answer.code == 0
    assert "the generator's samples differ by 0.01" in answer.out
    assert "Try" not in answer.out
    assert "there is no generator called 'absent'" in answer.text


def test_a_place_without_a_run_is_an_error(cli: Command) -> None:
    answer = cli("diagnose", "absent")
    assert answer.code == 2
    assert "there is no run in absent" in answer.err


def test_it_needs_no_torch(run: Path) -> None:
    code = (
        "import sys; from ganforge.cli import main\n"
        f"main(['diagnose', {str(run)!r}]); assert 'torch' not in sys.modules"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert "collapse, step 250" in answer.stdout
