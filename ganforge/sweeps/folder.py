"""The folder of a sweep: what the sweep is, and for each run its settings, log and directory.

sweep.json      axes and runs, and the command that made them
NAME.toml       the settings of a run; `ganforge train --config` accepts it
NAME.log        what its processes have printed
NAME/           the run directory
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganforge import __version__
from ganforge.errors import RunDirectoryError, UsageError
from ganforge.printable import printable
from ganforge.runs.run import Run
from ganforge.storage.files import TEMPORARY_PREFIX, write_text
from ganforge.sweeps.plan import Plan, PlannedRun

FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9+_-][A-Za-z0-9.+_-]*")


class SweepFolder:
    """The paths of a sweep, and its manifest."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = path / "sweep.json"

    def __str__(self) -> str:
        return printable(self.path)

    def config(self, name: str) -> Path:
        return self.path / f"{name}.toml"

    def log(self, name: str) -> Path:
        return self.path / f"{name}.log"

    def run(self, name: str) -> Path:
        return self.path / name

    def open_run(self, name: str) -> Run | None:
        """The run of this name, once it has begun."""
        try:
            return Run(self.run(name))
        except UsageError:
            return None

    def setting(self, name: str, section: str, key: str) -> Any:
        """A value of the settings of a run, None where it is unset."""
        try:
            return setting(self.config(name).read_text(encoding="utf-8"), section, key)
        except OSError:
            return None

    def read(self) -> dict[str, Any]:
        """The manifest. Raises UsageError where there is none, or none that can be read."""
        try:
            found = dict(json.loads(self.manifest.read_text(encoding="utf-8")))
            version = int(found["format"])
        except FileNotFoundError as error:
            raise UsageError(f"there is no sweep in {self}: it has no sweep.json") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{printable(self.manifest)} is damaged") from error
        if version > FORMAT:
            raise UsageError(f"{self} was written by a newer ganforge, {found.get('ganforge')}")
        return found

    def read_plan(self) -> Plan:
        """The plan of a sweep that has begun. Raises UsageError where it is damaged."""
        found = self.read()
        try:
            runs = tuple(
                PlannedRun(
                    name=_plain_name(it["name"]),
                    values={str(k): str(v) for k, v in it["values"].items()},
                    config=self.config(it["name"]).read_text(encoding="utf-8"),
                )
                for it in found["runs"]
            )
            axes = {str(name): tuple(map(str, it)) for name, it in found["axes"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{self} is damaged: {printable(error, 200)}") from error
        return Plan(axes=axes, runs=runs)

    @property
    def is_free(self) -> bool:
        """True where nothing is there, but for settings that a killed sweep had begun to write."""
        if not self.path.exists():
            return True
        return self.path.is_dir() and all(
            it.suffix == ".toml" or it.name.startswith(TEMPORARY_PREFIX)
            for it in self.path.iterdir()
        )

    def make(self) -> None:
        """Make the folder. Raises RunDirectoryError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunDirectoryError(
                f"the sweep {self} cannot be written: {error.strerror}"
            ) from error

    def write(self, plan: Plan, command: Sequence[str], more: Mapping[str, Any]) -> None:
        """Write the manifest, after the settings of the runs that it names."""
        document = {
            "format": FORMAT,
            "ganforge": __version__,
            "command": list(command),
            **more,
            "axes": {name: list(values) for name, values in plan.axes.items()},
            "runs": [{"name": run.name, "values": dict(run.values)} for run in plan.runs],
        }
        try:
            begun = self.manifest.exists()
            for run in plan.runs:
                if not begun:
                    self.config(run.name).unlink(missing_ok=True)
                self.write_config(run)
            write_text(self.manifest, json.dumps(document, indent=2) + "\n")
        except OSError as error:
            raise RunDirectoryError(
                f"the sweep {self} cannot be written: {error.strerror or error}"
            ) from error

    def write_config(self, run: PlannedRun) -> None:
        """Write the settings of a run, once."""
        if not self.config(run.name).exists():
            write_text(self.config(run.name), run.config)


def setting(config: str, section: str, key: str) -> Any:
    """A value of the text of settings, None where it is unset."""
    try:
        return tomllib.loads(config)[section].get(key)
    except (ValueError, KeyError, AttributeError):
        return None


def _plain_name(name: object) -> str:
    """A name that stays within the folder. Raises ValueError."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a run")
    return name


def same_sweep(folder: SweepFolder, plan: Plan, more: Mapping[str, Any]) -> bool:
    """True where the folder holds a part of this plan, or all of it, and nothing besides."""
    try:
        stored, manifest = folder.read_plan(), folder.read()
    except UsageError:
        return False
    if any(manifest.get(key) != value for key, value in more.items()):
        return False
    wanted = {run.name: run for run in plan.runs}
    return all(
        run.name in wanted and _settings(run) == _settings(wanted[run.name]) for run in stored.runs
    )


def _settings(run: PlannedRun) -> object:
    """The settings, without their comments, which another version words otherwise."""
    try:
        return tomllib.loads(run.config)
    except ValueError:
        return run.config


def find_same(parent: Path, plan: Plan, more: Mapping[str, Any]) -> SweepFolder | None:
    """The folder below `parent` in which this very plan has begun."""
    if not parent.is_dir():
        return None
    for path in sorted(parent.iterdir(), reverse=True):
        folder = SweepFolder(path)
        if (
            folder.manifest.is_file()
            and same_sweep(folder, plan, more)
            and len(folder.read_plan().runs) == len(plan.runs)
        ):
            return folder
    return None
