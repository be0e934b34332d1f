"""The page of systems has a row for each plugin, with its number of lines."""

from __future__ import annotations

import re
from pathlib import Path

from tests.systems.test_systems import SYSTEMS

PAGE = Path(__file__).parents[2] / "docs" / "plugins" / "systems.md"
ROW = re.compile(r"^\| .+ \| \[`(ganforge_\w+)`\]\(\S+\) \| .+ \| (\d+) \|$", re.MULTILINE)


def num_lines(files: list[Path]) -> int:
    return sum(1 for file in files for line in file.read_text("utf-8").splitlines() if line.strip())


def test_every_system_has_a_row_with_its_lines() -> None:
    text = PAGE.read_text("utf-8")
    found = {module: int(lines) for module, lines in ROW.findall(text)}
    assert found == {it.module: num_lines(it.files) for it in SYSTEMS.values()}
    assert text.splitlines()[2].startswith(f"{len(found)} packages")
