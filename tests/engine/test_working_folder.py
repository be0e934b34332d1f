"""The git commit of the working folder, as a run records it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ganforge.storage.working_folder import git_state

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@b", *arguments]
    answer = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return answer.stdout.strip()


def test_a_folder_outside_a_repository_has_no_commit(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None
    assert git_state(tmp_path / "absent") is None


def test_a_repository_is_known_by_its_commit_and_whether_it_was_changed(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert git_state(tmp_path) is None  # no commit yet
    file = tmp_path / "model.py"
    file.write_text("width = 64\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "runs").mkdir()  # what is not tracked is no change
    (tmp_path / "runs" / "file").write_text("x")
    assert git_state(tmp_path / "runs") == {"commit": commit, "changed": False}
    file.write_text("width = 128\n")
    assert git_state(tmp_path) == {"commit": commit, "changed": True}


def test_without_git_a_run_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(Path(__file__).parent) is None
