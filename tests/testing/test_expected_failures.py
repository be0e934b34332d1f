"""Failures that are expected: named in a project's file, on the command line, or in pytest."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ganforge.errors import UsageError
from ganforge.testing import parametrize_with_checks
from tests.conftest import Command, FakePlugin

from .conftest import UNBOUNDED, Project

MakeProject = Callable[..., Project]
CHECK = "generator/tiny/images-lie-in-range"
TABLE = '[tool.ganforge.expected-failures."generator/tiny"]\n'
LINEAR = TABLE + 'images-lie-in-range = "it is linear"\n'


def with_table(made: Project, text: str = LINEAR) -> Path:
    file = made.folder / "pyproject.toml"
    file.write_text(f"{file.read_text()}\n{text}")
    return made.folder


def test_a_project_names_failures_that_are_expected(cli: Command, project: MakeProject) -> None:
    folder = with_table(project(output=UNBOUNDED))
    answer = cli("check-plugin", folder)
    assert answer.code == 0, answer.out + answer.err
    first, second, *_ = answer.out.splitlines()
    assert first.split() == ["expected", CHECK]
    assert second.strip().startswith("it is linear (expected: images lie in [-1, 1]")
    assert re.search(r", 0 failed, \d+ skipped, 1 expected to fail$", answer.out.splitlines()[-1])


def test_json_counts_them_and_has_the_reason(cli: Command, project: MakeProject) -> None:
    document = json.loads(cli("check-plugin", with_table(project(output=UNBOUNDED)), "--json").out)
    assert (document["expected"], document["failed"]) == (1, 0)
    sums = sum(document[key] for key in ("passed", "failed", "skipped", "expected"))
    assert document["checks"] == sums
    (found,) = [it for it in document["results"] if it["status"] == "expected"]
    assert (found["component"], found["check"]) == ("generator/tiny", "images-lie-in-range")
    assert found["message"].startswith("it is linear (")


def test_a_pass_in_place_of_an_expected_failure_fails(cli: Command, project: MakeProject) -> None:
    answer = cli("check-plugin", with_table(project()))
    assert answer.code == 1
    first, second, *_ = answer.out.splitlines()
    assert first.split() == ["unexpected", CHECK]
    assert second.strip() == "it passed, though it was to fail: it is linear"
    assert " 1 failed, " in answer.out.splitlines()[-1]
    assert "expected to fail" not in answer.out.splitlines()[-1]


def test_the_command_line_names_them_for_an_installed_package(
    cli: Command, project: MakeProject, fake_plugin: FakePlugin
) -> None:
    made = project(output=UNBOUNDED)
    site = fake_plugin("ganforge-unbounded", made.hooks.read_text())
    (site / made.module).mkdir()
    for file in [it for it in made.hooks.parent.iterdir() if it.is_file()]:
        (site / made.module / file.name).write_text(file.read_text())
    assert cli("check-plugin", "ganforge-unbounded").code == 1
    answer = cli("check-plugin", "ganforge-unbounded", f"--expect-failure={CHECK}=it = linear")
    assert answer.code == 0, answer.out + answer.err
    assert answer.out.splitlines()[1].strip().startswith("it = linear (expected: images")


def test_the_command_line_stands_over_the_file_and_beside_it(
    cli: Command, project: MakeProject
) -> None:
    folder = with_table(project(output=UNBOUNDED))
    given = f"--expect-failure={CHECK}=another reason"
    answer = cli("check-plugin", folder, given, "--json")
    (found,) = [it for it in json.loads(answer.out)["results"] if it["status"] == "expected"]
    assert found["message"].startswith("another reason (")
    passes = "--expect-failure=generator/tiny/samples-are-float32=never"
    statuses = {
        it["check"]: it["status"]
        for it in json.loads(cli("check-plugin", folder, passes, "--json").out)["results"]
    }
    assert statuses["images-lie-in-range"] == "expected"
    assert statuses["samples-are-float32"] == "unexpected"


def test_what_is_expected_of_a_component_that_is_not_chosen_is_known_all_the_same(
    cli: Command, project: MakeProject
) -> None:
    made = project(output=UNBOUNDED)
    made.hooks.write_text(
        made.hooks.read_text()
        + '    yield GeneratorSpec(name="other", summary="s", options=Options,\n'
        + f'        build="{made.module}.networks:Generator",\n'
        + "        shapes=(ImageShapes(minimum=4, maximum=4, channels=(1,)),))\n"
    )
    folder = with_table(made)
    answer = cli("check-plugin", folder, "--component", "generator/other", "--json")
    document = json.loads(answer.out)
    assert (answer.code, document["expected"], document["failed"]) == (1, 0, 1)
    both = cli("check-plugin", folder, f"--expect-failure={CHECK.replace('tiny', 'other')}=so")
    assert both.code == 0
    assert both.out.splitlines()[-1].endswith("2 expected to fail")


MISTAKES = {
    TABLE.replace("tiny", "tni") + "a = 'b'": "no component 'generator/tni' here; did you mean",
    TABLE + "images-lie-in-rage = 'x'": (
        "no check of generator/tiny is called 'images-lie-in-rage'; did you mean "
        "'images-lie-in-range'?"
    ),
    TABLE + "images-lie-in-range = ''": "must be the reason why it is expected to fail, not ''",
    TABLE + "images-lie-in-range = true": "must be the reason why it is expected to fail, not True",
    "[tool.ganforge]\nexpected-failures = 3": "as a table for each component, such as [tool.",
    "[tool.ganforge.expected-failures]\nx = 'y'": "as a table for each component, such as [tool.",
    "[tool.ganforge.expected-failure.x]\ny = 'z'": (
        "[tool.ganforge] has no 'expected-failure'; did you mean 'expected-failures'?"
    ),
}


@pytest.mark.parametrize(("text", "complaint"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_a_table_that_fits_nothing_is_an_error_in_both_doors(
    cli: Command, project: MakeProject, text: str, complaint: str
) -> None:
    folder = with_table(project(), f"{text}\n")
    answer = cli("check-plugin", folder)
    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.text
    with pytest.raises(UsageError, match=re.escape(complaint)):
        parametrize_with_checks(folder)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (CHECK, "must look like 'generator/tinygan/images-lie-in-range=its samples are logits'"),
        (f"{CHECK}= ", "must look like"),
        ("images-lie-in-range=it is linear", "must look like"),
        ("generator/tny/images-lie-in-range=so", "no component 'generator/tny' here; did you"),
        ("generator/tiny/images-in-range=so", "no check of generator/tiny is called"),
    ],
)
def test_a_flag_that_fits_nothing_is_an_error(
    cli: Command, project: MakeProject, given: str, complaint: str
) -> None:
    answer = cli("check-plugin", project().folder, "--expect-failure", given)
    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.text


def test_pytest_reads_the_file_of_a_project_that_is_given_by_its_path(
    project: MakeProject, tmp_path: Path
) -> None:
    folder = with_table(project(output=UNBOUNDED))
    (tmp_path / "test_tiny.py").write_text(
        "from pathlib import Path\n"
        "from ganforge.testing import parametrize_with_checks\n\n"
        f"@parametrize_with_checks(Path({str(folder)!r}))\n"
        "def test_contract(check):\n"
        "    check()\n"
    )
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rx", "-p", "no:cacheprovider", "test_tiny.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout
    assert f"XFAIL test_tiny.py::test_contract[{CHECK}] - it is linear (expected" in answer.stdout
    assert re.search(r"\d\d passed, \d+ skipped, 1 xfailed", answer.stdout)


def test_the_arguments_of_pytest_stand_over_the_file(project: MakeProject) -> None:
    folder = with_table(project(output=UNBOUNDED))

    def reason(**keywords: object) -> str:
        def test(check: Callable[[], None]) -> None:
            check()

        (mark,) = parametrize_with_checks(folder, **keywords)(test).pytestmark  # type: ignore
        cases = {it.id: it.values[0] for it in mark.args[1]}
        with pytest.raises(pytest.xfail.Exception) as raised:
            cases[CHECK]()
        return str(raised.value).partition(" (")[0]

    assert reason() == "it is linear"
    given = {"generator/tiny": {"images-lie-in-range": "given"}}
    assert reason(expected_failures=given) == "given"
