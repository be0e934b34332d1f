"""Systems of the field as plugins from outside, each put through what a user would do with it.

A system is a package in `plugins/`, which uses the public API alone and ships a recipe. It is
trained for some steps, left and resumed, sampled from where its data and its run are gone, and held
against the conformance kit.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganforge
import ganforge.nn
import ganforge.testing
from ganforge.config.layers import Layer, from_settings, from_text
from ganforge.config.recipes import read_recipe
from ganforge.config.resolve import resolve
from ganforge.engine.assemble import assemble
from ganforge.engine.signals import StopRequest
from ganforge.engine.trainer import Trainer
from ganforge.plugin.discovery import discover
from ganforge.plugin.specs import RecipeSpec
from ganforge.storage import tensor_file
from ganforge.storage.run_directory import RunDirectory
from ganforge.testing.catalogue import check_subject
from ganforge.testing.finding import find_components
from tests.conftest import Command
from tests.engine.conftest import Silent

PLUGINS = Path(__file__).parent / "plugins"
NUM_STEPS = 4
SMALL = (
    f"training.steps={NUM_STEPS}",
    "training.batch_size=8",
    "execution.device=cpu",
    "execution.num_workers=0",
    "output.grid_samples=4",
    f"output.checkpoint_every={NUM_STEPS // 2}",
    "output.log_every=2",
    f"output.sample_every={NUM_STEPS}",
    "evaluation.num_samples=16",
)
NUM_SAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class System:
    """A system of a paper: its plugin, a tiny run of its recipe, and what is sampled from it.

    `package` is the distribution, `ganforge-sngan`, whose module lies in `plugins/`. `recipe` is
    the name of the recipe that it ships. `settings` make the run tiny and say where its data is,
    which `data` writes into the current folder. `sample` is what `ganforge sample` is told besides,
    and `inputs` writes the files that this names, once the data is gone; `shape` is that of one
    sample in the .npz. `options` are what components are checked with, `expected_failures` reasons
    by check, both by component. `warning` is what a user of the recipe is
    warned of when the run is put together.
    """

    package: str
    recipe: str
    shape: tuple[int, ...]
    settings: tuple[str, ...] = ()
    data: Callable[[Path], None] = lambda folder: None
    sample: tuple[str, ...] = ()
    inputs: Callable[[Path], None] = lambda folder: None
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    expected_failures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    warning: str | None = None

    @property
    def module(self) -> str:
        return self.package.replace("-", "_")

    @property
    def files(self) -> list[Path]:
        """The source of the plugin: its modules and its recipes."""
        folder = PLUGINS / self.module
        return sorted([*folder.rglob("*.py"), *folder.rglob("*.toml")])


def write_images(folder: Path, num: int = 20, side: int = 8, channels: int = 1) -> None:
    """Pictures of noise, `00.png` and so on."""
    folder.mkdir(parents=True)
    noise = np.random.default_rng(len(folder.name))
    shape = (side, side) if channels == 1 else (side, side, channels)
    for number in range(num):
        pixels = noise.integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")


class Workshop:
    """A folder with the data of a system, and its plugin installed."""

    def __init__(self, system: System, folder: Path, cli: Command) -> None:
        self.system = system
        self.folder = folder
        self.cli = cli

    def trainer(self, name: str, *extra: str) -> Trainer:
        """A trainer of the system's recipe in the run directory `name`, which may be there."""
        registry = discover().registry
        recipe = registry.find(RecipeSpec, self.system.recipe)
        layers: list[Layer] = [
            from_text(read_recipe(recipe), f"recipe {self.system.recipe}"),
            from_settings([*SMALL, *self.system.settings, *extra]),
        ]
        config = resolve(layers, registry)
        path = self.folder / "runs" / name
        run = RunDirectory.open(path) if path.exists() else RunDirectory.create(path)
        run.write_config(config.to_toml())
        run.make_folders()
        expected = self.system.warning
        with pytest.warns(UserWarning, match=expected) if expected else nullcontext():
            return Trainer(assemble(config), run, Silent())

    def train(self, name: str, *extra: str) -> Trainer:
        """The system, trained to the end."""
        trainer = self.trainer(name, *extra)
        assert trainer.train() == "finished"
        return trainer


def final(trainer: Trainer) -> dict[str, torch.Tensor]:
    """The tensors of the last checkpoint, by name."""
    return tensor_file.read(trainer.run.checkpoint(NUM_STEPS), "checkpoint")[0]


def resumes_to_the_bit(workshop: Workshop) -> Trainer:
    """Train straight through, and again with a stop in the middle; both must end alike."""
    straight = workshop.train("straight")
    torch.manual_seed(7)  # what the process has drawn before is no part of a run
    left, middle = workshop.trainer("resumed"), NUM_STEPS // 2
    assert (
        left.train(StopRequest(lambda: "interrupted" if left.step >= middle else None))
        == "interrupted"
    )
    torch.manual_seed(8)
    resumed = workshop.trainer("resumed")
    resumed.resume()
    assert resumed.step == middle
    assert resumed.train() == "finished"
    ours, theirs = final(straight), final(resumed)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    return straight


def is_seen(workshop: Workshop, trained: Trainer) -> None:
    """Its curves, its report and a film of its grids are there without a line for it."""
    run, folder = trained.run, workshop.folder
    with Image.open(run.curves) as picture:
        assert picture.width >= 470
    answer = workshop.cli("report", run.path, "--out", folder / "report.html")
    assert (answer.code, answer.err) == (0, ""), answer.err
    page = (folder / "report.html").read_text(encoding="utf-8")
    for part in ('id="curves"', 'id="grids"', 'id="configuration"'):
        assert part in page
    assert "no defaults are known" not in page
    answer = workshop.cli("sample", run.path, "--progress", "--out", folder / "progress.gif")
    assert (answer.code, answer.err) == (0, ""), answer.err


def is_sampled_alone(workshop: Workshop, trained: Trainer) -> None:
    """Sample from the generator's file where neither the data nor the run are there any more."""
    system, folder = workshop.system, workshop.folder
    with trained.run.generator.open("rb") as file:
        content = file.read()
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    alone = folder / "alone.safetensors"
    alone.write_bytes(content)
    system.inputs(folder)
    command = ["sample", alone, "--device", "cpu", *system.sample]
    answer = workshop.cli(*command, "--num", NUM_SAMPLES, "--out", folder / "samples.npz")
    assert answer.code == 0, answer.err
    with np.load(folder / "samples.npz") as arrays:
        assert arrays["samples"].shape == (NUM_SAMPLES, *system.shape)
        assert np.isfinite(arrays["samples"]).all()
    answer = workshop.cli(*command, "--num", NUM_SAMPLES, "--out", folder / "samples.png")
    assert answer.code == 0, answer.err
    with Image.open(folder / "samples.png") as picture:
        assert min(picture.size) > 1


def keeps_every_contract(system: System) -> None:
    """The conformance kit on every component of the plugin."""
    failed = []
    for subject in find_components(system.module, system.options):
        expected = system.expected_failures.get(subject.label, {})
        results = check_subject(subject, expected)
        assert any(it.status == "passed" for it in results)
        failed += [f"{it.component}/{it.check}: {it.message}" for it in results if it.failed]
    assert failed == [], "\n".join(failed)


def uses_the_public_interface_alone(system: System) -> None:
    """Nothing private, nothing global: what the pages of the documentation name."""
    public = {
        "ganforge": {*ganforge.__all__},
        "ganforge.nn": {*ganforge.nn.__all__},
        "ganforge.testing": {*ganforge.testing.__all__},
    }
    for file in system.files:
        if file.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ganforge"):
                if (node.module or "").partition(".")[0] == system.module:
                    continue
                names = {alias.name for alias in node.names}
                assert names <= public.get(node.module or "", set()), f"{file}: {names}"
            elif isinstance(node, ast.Import):
                wrong = [it.name for it in node.names if it.name.startswith("ganforge.")]
                assert wrong == [], file
            elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                # Its own attributes, and those that Python itself has.
                own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
                assert own or node.attr.startswith("__"), f"{file}, line {node.lineno}: {node.attr}"
            else:
                assert not isinstance(node, ast.Global | ast.Nonlocal), file
