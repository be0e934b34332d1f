"""The three doors to the kit: pytest, Python, and the shell."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys

import pytest

from ganforge.errors import UsageError
from ganforge.testing import check_component, parametrize_with_checks
from ganforge.testing.finding import find_components

from .conftest import UNBOUNDED

LAST_LINE = re.compile(r"(\d+) checks? of (\d+) components?: (\d+) passed, (\d+) failed, (\d+) ski")


def counts(out: str) -> list[int]:
    """Checks, components, passed, failed and skipped, from the last line."""
    return [int(it) for it in LAST_LINE.match(out.splitlines()[-1]).groups()]


def shown(out: str) -> str:
    """What was printed, without the breaks of its lines."""
    return " ".join(out.split())


def result_of(document: dict, check: str) -> dict:
    (found,) = [it for it in document["results"] if it["check"] == check]
    return found


# pytest


def decorated(module, **keywords):
    def test(check):
        check()

    (mark,) = parametrize_with_checks(module, **keywords)(test).pytestmark
    assert mark.args[0] == "check"
    return {it.id: it.values[0] for it in mark.args[1]}


def imported(made, monkeypatch):
    monkeypatch.syspath_prepend(made.source)
    return importlib.import_module(made.module)


def test_there_is_one_test_item_per_component_and_check(project, monkeypatch):
    cases = decorated(imported(project(), monkeypatch))
    assert "generator/tiny/evaluation-is-independent-of-batch-mates" in cases
    assert all(name.startswith("generator/tiny/") for name in cases)
    assert len(cases) > 20
    shown = repr(cases["generator/tiny/samples-are-float32"])
    assert shown == "<samples-are-float32 of generator/tiny: samples are float32>"


def test_a_check_is_passed_skipped_failed_or_expected_to_fail(project, monkeypatch):
    module = imported(project(output=UNBOUNDED), monkeypatch)
    cases = decorated(module)
    cases["generator/tiny/samples-are-float32"]()
    with pytest.raises(pytest.skip.Exception, match="it takes no conditions"):
        cases["generator/tiny/conditions-count"]()
    with pytest.raises(AssertionError, match=r"expected: images lie in \[-1, 1\]"):
        cases["generator/tiny/images-lie-in-range"]()
    reasons = {"images-lie-in-range": "it is linear", "samples-are-float32": "never"}
    cases = decorated(module, expected_failures={"generator/tiny": reasons})
    with pytest.raises(pytest.xfail.Exception, match=r"it is linear \(expected: images"):
        cases["generator/tiny/images-lie-in-range"]()
    with pytest.raises(pytest.fail.Exception, match="it passed, though it was to fail: never"):
        cases["generator/tiny/samples-are-float32"]()


def test_unknown_names_are_errors(project, monkeypatch):
    module = imported(project(), monkeypatch)
    with pytest.raises(UsageError, match="no component 'generator/tni' here; did you mean"):
        parametrize_with_checks(module, options={"generator/tni": {}})
    with pytest.raises(UsageError, match="no component 'loss/x' here; there are generator/tiny"):
        parametrize_with_checks(module, expected_failures={"loss/x": {}})
    with pytest.raises(
        UsageError, match="no check of generator/tiny is called 'conditions-cuont'; did"
    ):
        parametrize_with_checks(
            module, expected_failures={"generator/tiny": {"conditions-cuont": "why"}}
        )


def test_a_test_file_of_a_few_lines_runs_the_kit(project, tmp_path):
    made = project(output=UNBOUNDED)
    (tmp_path / "test_tiny.py").write_text(
        f"import {made.module}\n"
        "from ganforge.testing import parametrize_with_checks\n\n"
        f"@parametrize_with_checks({made.module})\n"
        "def test_contract(check):\n"
        "    check()\n"
    )
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rfs", "-p", "no:cacheprovider", "test_tiny.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(made.source), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "test_contract[generator/tiny/images-lie-in-range]" in answer.stdout
    assert "it takes no labels" in answer.stdout
    assert re.search(r"1 failed, \d\d passed, \d skipped", answer.stdout)


# Python


def test_a_spec_is_checked_by_itself(project):
    made = project(output=UNBOUNDED)
    (subject,) = find_components(made.folder)
    results = {it.check: it for it in check_component(subject.spec)}
    assert results["images-lie-in-range"].failed
    assert results["samples-are-float32"].status == "passed"
    expected = {"images-lie-in-range": "it is linear"}
    again = check_component(subject.spec, options={"width": 2}, expected_failures=expected)
    assert {it.check: it.status for it in again}["images-lie-in-range"] == "expected"
    with pytest.raises(UsageError, match="no check of generator/tiny is called 'nothing'"):
        check_component(subject.spec, expected_failures={"nothing": "why"})


def test_options_that_do_not_exist_are_the_reason_of_a_skip(project):
    (subject,) = find_components(project().folder)
    results = {it.check: it for it in check_component(subject.spec, options={"widht": 2})}
    assert results["samples-are-float32"].status == "skipped"
    assert "unknown option 'widht'" in results["samples-are-float32"].message


def test_the_package_is_imported_without_torch_and_pytest():
    code = (
        "import sys, ganforge.testing as testing\n"
        "assert dir(testing) == testing.__all__\n"
        "print([it for it in ('torch', 'pytest') if it in sys.modules])\n"
        "try: testing.nothing\n"
        "except AttributeError as error: print(error)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines() == [
        "[]",
        "module 'ganforge.testing' has no attribute 'nothing'",
    ]


# the shell


@pytest.mark.parametrize("src", [False, True])
def test_a_project_is_checked_by_its_path(cli, project, src):
    made = project(src=src)
    answer = cli("check-plugin", made.folder)
    assert answer.code == 0, answer.out + answer.err
    checks, components, passed, failed, skipped = counts(answer.out)
    assert (components, failed) == (1, 0)
    assert checks == passed + skipped
    assert passed > 20
    assert "it takes no labels" in answer.out


@pytest.mark.parametrize("form", ["package", "file", "module", "relative"])
def test_a_package_a_file_and_a_module_are_checked_too(cli, project, monkeypatch, form):
    made = project()
    monkeypatch.chdir(made.source)
    if form == "module":
        monkeypatch.syspath_prepend(made.source)
    given = {
        "package": made.hooks.parent,
        "file": made.source / f"{made.module}_alone.py",
        "module": made.module,
        "relative": f"./{made.module}",
    }[form]
    if form == "file":
        given.write_text(made.hooks.read_text())
    answer = cli("check-plugin", given, "--json")
    assert answer.code == 0, answer.out + answer.err
    assert json.loads(answer.out)["components"] == 1


def test_an_installed_package_is_checked_by_its_name(cli, project, fake_plugin):
    made = project()
    site = fake_plugin("ganforge-installed", made.hooks.read_text())
    (site / made.module).mkdir()
    for file in made.hooks.parent.iterdir():
        if file.is_file():
            (site / made.module / file.name).write_text(file.read_text())
    answer = cli("check-plugin", "ganforge-installed", "--json")
    assert answer.code == 0, answer.out + answer.err
    document = json.loads(answer.out)
    assert result_of(document, "hook-module-imports-no-torch")["status"] == "passed"


def test_a_failure_comes_first_and_makes_the_exit_code_1(cli, project):
    made = project(output=UNBOUNDED)
    answer = cli("check-plugin", made.folder)
    assert answer.code == 1
    assert counts(answer.out)[3] == 1
    first = answer.out.splitlines()[0]
    assert first.split() == ["failed", "generator/tiny/images-lie-in-range"]
    assert "end with nn.Tanh()" in " ".join(answer.out.split())


def test_json_has_the_counts_and_every_result(cli, project):
    made = project(output=UNBOUNDED)
    answer = cli("check-plugin", made.folder, "--json")
    document = json.loads(answer.out)
    assert answer.code == 1
    assert document["checks"] == len(document["results"])
    statuses = [it["status"] for it in document["results"]]
    for status in ("passed", "failed", "skipped"):
        assert statuses.count(status) == document[status] > 0
    failed = result_of(document, "images-lie-in-range")
    assert failed["component"] == "generator/tiny"
    assert failed["contract"] == "images lie in [-1, 1], whatever the latents and the weights are"
    assert failed["message"].startswith("expected: images lie in [-1, 1]")


def test_a_component_is_chosen_and_given_options(cli, project):
    made = project()
    answer = cli(
        "check-plugin",
        made.folder,
        "--component",
        "generator/tiny",
        "--set",
        "generator.tiny.width=2",
    )
    assert answer.code == 0, answer.out + answer.err
    answer = cli("check-plugin", made.folder, "--component", "generator/tny")
    assert answer.code == 2
    assert "no component 'generator/tny' here; did you mean 'generator/tiny'?" in answer.text


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("generator.width=2", "must look like generator.tinygan.width=8"),
        ("generator.tny.width=2", "no component 'generator/tny' here"),
        ("width", "must look like"),
    ],
)
def test_a_setting_that_fits_nothing_is_an_error(cli, project, setting, complaint):
    answer = cli("check-plugin", project().folder, "--set", setting)
    assert answer.code == 2
    assert complaint in answer.text


def test_a_hook_module_that_imports_torch_fails_one_check(cli, project):
    made = project()
    made.hooks.write_text("import torch\n" + made.hooks.read_text())
    answer = cli("check-plugin", made.folder, "--json")
    document = json.loads(answer.out)
    assert [it["check"] for it in document["results"] if it["status"] == "failed"] == [
        "hook-module-imports-no-torch"
    ]
    found = result_of(document, "hook-module-imports-no-torch")
    assert "got: torch after its import and its hooks" in found["message"]
    assert result_of(document, "hook-module-loads-quickly")["status"] == "skipped"


def test_a_hook_module_that_takes_its_time_fails_one_check(cli, project):
    made = project()
    made.hooks.write_text("import time\n\ntime.sleep(0.6)\n" + made.hooks.read_text())
    document = json.loads(cli("check-plugin", made.folder, "--json").out)
    assert [it["check"] for it in document["results"] if it["status"] == "failed"] == [
        "hook-module-loads-quickly"
    ]


BROKEN = {
    "raise RuntimeError('no')": "RuntimeError: no",
    "def (:": "SyntaxError",
    "import sys\nsys.exit(3)": "it called sys.exit(3) at import",
    "": "it implements no hook",
    "from ganforge import hookimpl\n@hookimpl\ndef ganforge_losses():\n    return 'text'": (
        "must yield LossSpec records"
    ),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.items(), ids=BROKEN.values())
def test_a_plugin_that_cannot_be_loaded_is_an_error(cli, project, source, reason):
    made = project()
    made.hooks.write_text(source)
    answer = cli("check-plugin", made.folder)
    assert answer.code == 2
    assert f"the plugin 'tiny' of {made.folder.name} 1.2 cannot be loaded: " in answer.text
    assert reason in answer.text


@pytest.mark.parametrize("name", ["nothing-here", "./nothing", "nothing.py", "a\0b", "not a name"])
def test_what_is_not_there_is_an_error(cli, name):
    answer = cli("check-plugin", name)
    assert answer.code == 2
    assert "there is nothing to check" in answer.text


def test_a_package_that_is_no_plugin_is_an_error(cli):
    answer = cli("check-plugin", "pluggy")
    assert answer.code == 2
    assert "the package pluggy is no plugin: it has no entry point of the group" in answer.text


def test_folders_that_hold_no_plugin_are_errors(cli, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "there is nothing to check in" in cli("check-plugin", tmp_path / "empty").text
    file = tmp_path / "empty" / "pyproject.toml"
    for text in ("[project]\nname = 'x'\n", "project = 3\n", "[project.entry-points]\nganforge=3"):
        file.write_text(text)
        assert "names no plugin" in cli("check-plugin", tmp_path / "empty").text
    file.write_text("[project")
    assert "cannot be read: TOMLDecodeError" in cli("check-plugin", tmp_path / "empty").text
    odd = tmp_path / "not-a-module.py"
    odd.write_text("")
    assert "it is no name of a module" in cli("check-plugin", odd).text


def test_another_copy_of_the_module_is_an_error(cli, project, tmp_path):
    made = project()
    assert cli("check-plugin", made.folder, "--component", "generator/tiny").code == 0
    twin = tmp_path / "twin"
    twin.mkdir()
    (twin / "pyproject.toml").write_text((made.folder / "pyproject.toml").read_text())
    answer = cli("check-plugin", twin)
    assert answer.code == 2
    assert f"the module {made.module!r} was imported from {made.hooks}" in answer.text


def test_text_from_a_plugin_steers_no_terminal_and_is_no_markup(cli, project):
    evil = "\x1b[31mred \x1b]8;;http://x\x07 [bold]not bold[/bold] [/] \u202e"
    made = project(summary=evil, output=f"(_ for _ in ()).throw(ValueError({evil!r}))")
    answer = cli("check-plugin", made.folder)
    assert answer.code == 1
    for char in ("\x1b", "\x07", "\u202e"):
        assert char not in answer.out + answer.err
    assert "ValueError: [31mred ]8;;http://x [bold]not bold[/bold] [/]" in shown(answer.out)
    document = json.loads(cli("check-plugin", made.folder, "--json").out)
    assert "\x1b" not in "".join(it["message"] for it in document["results"])


def test_names_that_steer_a_terminal_do_not_reach_it(cli, project):
    made = project()
    text = (made.folder / "pyproject.toml").read_text()
    text = text.replace(f'name = "{made.folder.name}"', 'name = "evil\\u001b[31m[bold]"')
    (made.folder / "pyproject.toml").write_text(text)
    made.hooks.write_text("raise ValueError('\\x1b[31m')")
    answer = cli("check-plugin", made.folder)
    assert answer.code == 2
    assert "\x1b" not in answer.out + answer.err
    assert "of evil[31m[bold] 1.2 cannot be loaded: ValueError: [31m" in answer.text
    answer = cli("check-plugin", "\x1b[31m[bold]")
    assert "\x1b" not in answer.out + answer.err


def test_what_a_component_prints_is_not_in_the_json(cli, project):
    made = project(output=f"(print('hello'), {UNBOUNDED})[1].tanh()")
    answer = cli("check-plugin", made.folder, "--json")
    assert json.loads(answer.out)["failed"] == 0
    assert "hello" in answer.err


def test_a_mistake_imports_no_torch():
    code = (
        "import sys\n"
        "from ganforge.cli import main\n"
        "print(main(['check-plugin', 'nothing-here']), 'torch' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["2", "False"]
