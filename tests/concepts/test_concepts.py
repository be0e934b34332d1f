"""One outside plugin per concept, written against the public API alone.

Each trains, with the batch in parts too, resumes to the bit, and is sampled from with everything
but the generator's file moved away.
"""

from __future__ import annotations

import ast
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganforge.config.layers import Layer, Names, from_file, from_settings
from ganforge.config.resolve import resolve
from ganforge.device.execution import Execution
from ganforge.engine.assemble import assemble
from ganforge.engine.session import train
from ganforge.engine.trainer import Trainer
from ganforge.plugin.discovery import discover
from ganforge.sampling.trained_generator import open_generator
from ganforge.storage import tensor_file
from ganforge.storage.run_directory import RunDirectory
from tests.conftest import Command, FakePlugin
from tests.engine.conftest import Silent

PLUGINS = Path(__file__).parent / "plugins"
IMAGES = ("dataset.name=images", "dataset.root=images", "dataset.size=8", "dataset.channels=1")
SMALL = (
    "training.steps=6",
    "training.batch_size=8",
    "execution.device=cpu",
    "execution.num_workers=0",
    "output.grid_samples=4",
    "output.checkpoint_every=3",
    "output.log_every=2",
    "output.sample_every=3",
    "evaluation.num_samples=16",
)
PERCEPTRONS = ("generator.name=mlp", "generator.hidden=[8]", "discriminator.hidden=[8]")


@dataclass(frozen=True, kw_only=True)
class Concept:
    """An outside plugin, and a run that uses it."""

    plugin: str
    settings: tuple[str, ...]
    losses: tuple[str, ...] = ("nonsat",)
    augmentations: tuple[str, ...] = ()
    recipe: str | None = None
    sample: tuple[str, ...] = ()
    shape: tuple[int, ...] = (1, 8, 8)


CONCEPTS = {
    "a text vector as a condition": Concept(
        plugin="captions",
        settings=(
            *PERCEPTRONS,
            "dataset.name=captions",
            "generator.conditions=['caption']",
            "discriminator.conditions=['caption']",
        ),
        sample=("--condition", "caption=0.1,0.2,0.3,0.4,0.5"),
        shape=(2,),
    ),
    "float images of 13 bands": Concept(
        plugin="bands",
        settings=(*PERCEPTRONS, "dataset.name=bands", "evaluation.holdout=0.25"),
        shape=(13, 8, 8),
    ),
    "a path-length term that reads a trace": Concept(
        plugin="paths",
        settings=(*IMAGES, "generator.name=mapped", "discriminator.hidden=[8]"),
        losses=("nonsat", "path-length"),
    ),
    "a term with a layer of its own": Concept(
        plugin="heads",
        settings=(
            *IMAGES,
            *PERCEPTRONS[:2],
            "discriminator.name=telling",
            "sampler.name=coded",
            "training.joint_batch=true",
        ),
        losses=("nonsat", "information"),
        sample=("--vary", "code.1=-1..1"),
    ),
    "a game of two generators": Concept(
        plugin="teams", settings=(*IMAGES, *PERCEPTRONS, "game.name=team")
    ),
    "an adaptive augmentation with state": Concept(
        plugin="adaptive",
        settings=(*IMAGES, *PERCEPTRONS),
        losses=("nonsat", "r1"),
        augmentations=("flicker",),
    ),
    "a growing network that is told the progress": Concept(
        plugin="growing", settings=(*IMAGES, "generator.name=growing")
    ),
    "R3GAN's five schedules as a recipe": Concept(
        plugin="burnin", settings=(*IMAGES, "dataset.name=images"), recipe="burn-in"
    ),
    "an optimizer": Concept(
        plugin="steps",
        settings=(
            *IMAGES,
            *PERCEPTRONS,
            "generator_optimizer.name=lion",
            "discriminator_optimizer.name=lion",
            "generator_optimizer.learning_rate={from=1e-3,to=1e-4}",
        ),
    ),
}


def test_outside_plugins_use_the_public_api_alone():
    import ganforge
    import ganforge.nn

    public = {*ganforge.__all__}
    for file in PLUGINS.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ganforge"):
                names = {alias.name for alias in node.names}
                own = public if node.module == "ganforge" else {*ganforge.nn.__all__}
                assert names <= own, file.name


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with something to train on for each concept."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    (tmp_path / "bands").mkdir()
    for number in range(20):
        pixels = generator.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{number:02d}.png")
        bands = generator.uniform(0, 10_000, (13, 8, 8)).astype(np.float32)
        np.save(tmp_path / "bands" / f"{number:02d}.npy", bands)
    caption = generator.normal(size=(20, 5)).astype(np.float32)
    np.savez(tmp_path / "captions.npz", points=caption[:, :2], caption=caption)
    return tmp_path


def trainer(concept: Concept, name: str, *extra: str) -> Trainer:
    registry = discover().registry
    tables = {"loss": Names(concept.losses), "augmentation": Names(concept.augmentations)}
    layers = []
    if concept.recipe is not None:
        layers.append(from_file(PLUGINS / f"{concept.recipe}.toml"))
    else:
        layers.append(Layer(tables={k: it for k, it in tables.items() if it.names}))
    layers.append(from_settings([*concept.settings, *SMALL, *extra]))
    config = resolve(layers, registry)
    path = Path("runs") / name
    run = RunDirectory.open(path) if path.exists() else RunDirectory.create(path)
    run.write_config(config.to_toml())
    run.make_folders()
    return Trainer(assemble(config), run, Silent())


def final(trained: Trainer) -> dict[str, torch.Tensor]:
    return tensor_file.read(trained.run.checkpoint(6), "checkpoint")[0]


@pytest.mark.parametrize("concept", CONCEPTS.values(), ids=CONCEPTS)
def test_it_trains_resumes_to_the_bit_and_is_sampled_from_alone(
    concept: Concept, data: Path, fake_plugin: FakePlugin, cli: Command, monkeypatch
):
    name = f"ganforge-{concept.plugin}"
    site = fake_plugin(name, (PLUGINS / f"ganforge_{concept.plugin}.py").read_text())
    if concept.recipe is not None:
        shutil.copy(PLUGINS / f"{concept.recipe}.toml", site)
    monkeypatch.chdir(data)
    # Whole batches, straight through and left in the middle.
    straight = trainer(concept, "straight")
    assert straight.train() == "finished"
    torch.manual_seed(7)
    left = trainer(concept, "resumed")
    assert left.train(lambda: left.step >= 3 and "interrupted") == "interrupted"
    torch.manual_seed(8)
    resumed = trainer(concept, "resumed")
    resumed.resume()
    assert resumed.step == 3
    assert resumed.train() == "finished"
    ours, theirs = final(straight), final(resumed)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    # In parts, where gradients add up.
    parts = trainer(concept, "parts", "training.num_accumulation_steps=2")
    assert parts.train() == "finished"
    assert final(parts).keys() == ours.keys()
    assert not all(torch.equal(ours[name], final(parts)[name]) for name in ours)
    # Alone: neither data nor run are there.
    shutil.copy(straight.run.generator, data / "alone.safetensors")
    for folder in ("runs", "images", "bands"):
        shutil.rmtree(data / folder)
    (data / "captions.npz").unlink()
    alone = ["sample", data / "alone.safetensors", "--device", "cpu"]
    conditions = [it for it in concept.sample if concept.sample[:1] == ("--condition",)]
    answer = cli(*alone, *conditions, "--num", 5, "--out", data / "samples.npz")
    assert answer.code == 0, answer.err
    with np.load(data / "samples.npz") as arrays:
        assert arrays["samples"].shape == (5, *concept.shape)
        assert np.isfinite(arrays["samples"]).all()
    if concept.sample and not conditions:
        answer = cli(*alone, *concept.sample, "--out", data / "varied.png")
        assert answer.code == 0, answer.err
        assert (data / "varied.png").is_file()


def test_state_moves_once_per_update_however_many_parts_the_batch_has(
    data: Path, fake_plugin: FakePlugin
):
    concept = CONCEPTS["an adaptive augmentation with state"]
    fake_plugin("ganforge-adaptive", (PLUGINS / "ganforge_adaptive.py").read_text())
    seen = []
    for parts in (1, 2, 4):
        trained = trainer(concept, f"in-{parts}", f"training.num_accumulation_steps={parts}")
        module = trained.assembly.training.augmenting.chosen[0].module
        observe = module.observe
        calls = []
        module.observe = lambda observed, calls=calls, observe=observe: (
            calls.append(len(observed.real_scores)),
            observe(observed),
        )
        trained.train()
        seen.append(calls)
    assert seen == [[8] * 6] * 3


def test_what_a_term_has_noted_is_observed_whole_and_where_it_was_due(
    data: Path, fake_plugin: FakePlugin
):
    concept = CONCEPTS["a path-length term that reads a trace"]
    fake_plugin("ganforge-paths", (PLUGINS / "ganforge_paths.py").read_text())
    for parts in (1, 4):
        trained = trainer(concept, f"in-{parts}", f"training.num_accumulation_steps={parts}")
        loss = trained.assembly.training.objective.terms[1].loss
        observe, seen, average = loss.observe, [], torch.zeros(())

        def watch(observed, observe=observe, seen=seen):
            seen.append(observed.noted.get("lengths"))
            observe(observed)

        loss.observe = watch
        trained.train()
        # Every second step, over all parts of the batch.
        assert [None if it is None else len(it) for it in seen] == [8, None] * 3
        assert not any(it.requires_grad for it in seen[::2])
        for lengths in seen[::2]:
            average = average.lerp(lengths.mean(), 0.1)
        assert torch.equal(loss.average, average)


def test_a_growing_network_its_partner_and_its_average_are_at_the_same_place(
    data: Path, fake_plugin: FakePlugin
):
    concept = CONCEPTS["a growing network that is told the progress"]
    fake_plugin("ganforge-growing", (PLUGINS / "ganforge_growing.py").read_text())
    trained = trainer(concept, "growing", "training.num_discriminator_steps=3")
    sides = trained.assembly.training.sides
    for step in range(6):
        trained.train_step()
        wanted = min(1.0, max(0.0, 3 * step / 6 - 1))
        modules = (sides.generator.network, sides.discriminator.network, sides.ema.module)
        assert [module.alpha for module in modules] == [wanted] * 3


def test_a_grown_generator_is_sampled_from_as_grown_as_it_was(data: Path, fake_plugin: FakePlugin):
    concept = CONCEPTS["a growing network that is told the progress"]
    fake_plugin("ganforge-growing", (PLUGINS / "ganforge_growing.py").read_text())
    trained = trainer(concept, "grown")
    trained.train()
    average = trained.assembly.source.network
    opened = open_generator(
        trained.run.generator, discover().registry, Execution(device=torch.device("cpu"))
    ).source.network
    assert opened.alpha == average.alpha == 1.0
    latents = torch.randn(3, *trained.assembly.problem.input_shape)
    with torch.inference_mode():
        assert torch.equal(opened(latents), average.eval()(latents))


def test_a_term_is_trained_with_the_side_that_its_spec_names(data: Path, fake_plugin: FakePlugin):
    concept = CONCEPTS["a term with a layer of its own"]
    fake_plugin("ganforge-heads", (PLUGINS / "ganforge_heads.py").read_text())
    trained = trainer(concept, "heads")
    term = trained.assembly.training.objective.terms[1]
    before = term.loss.q.weight.detach().clone()
    trained.train_step()
    assert not torch.equal(before, term.loss.q.weight)
    generator = {id(it) for it in trained.assembly.training.sides.generator.parameters}
    assert id(term.loss.q.weight) in generator


def test_a_warm_start_does_not_need_its_ancestor_again(data: Path, cli: Command, monkeypatch):
    monkeypatch.chdir(data)
    concept = Concept(plugin="", settings=(*IMAGES, *PERCEPTRONS))
    ancestor = trainer(concept, "ancestor")
    ancestor.train()

    config = trainer(
        concept, "child", "generator.init=runs/ancestor", "discriminator.init=runs/ancestor"
    ).assembly.config
    shutil.rmtree("runs/child")
    run = RunDirectory.create(Path("runs/child"))
    stop = iter([None, None, None, "interrupted"])
    train(config, run, observer=Silent(), stop_request=lambda: next(stop))
    assert run.checkpoint(3).is_file()
    sessions = json.loads(run.environment.read_text())["sessions"]
    assert sessions[0]["init"]["generator"]["loaded"] == 4
    assert len(sessions[0]["init"]["discriminator"]["digest"]) == 32
    shutil.rmtree("runs/ancestor")
    answer = cli("train", "--resume", data / "runs" / "child")
    assert answer.code == 0, answer.err
    answer = cli("sample", data / "runs" / "child", "--num", 2, "--out", data / "a.npz")
    assert answer.code == 0, answer.err


def test_a_warm_start_begins_with_the_average_of_its_ancestor(data: Path):
    concept = Concept(plugin="", settings=(*IMAGES, *PERCEPTRONS))
    ancestor = trainer(concept, "ancestor")
    ancestor.train()
    stored = final(ancestor)
    child = trainer(
        concept, "child", "generator.init=runs/ancestor", "discriminator.init=runs/ancestor"
    )
    sides = child.assembly.training.sides
    for name, tensor in sides.generator.network.state_dict().items():
        assert torch.equal(tensor, stored[f"ema/{name}"])
    for name, tensor in sides.discriminator.network.state_dict().items():
        assert torch.equal(tensor, stored[f"discriminator/{name}"])
    wider = Concept(plugin="", settings=(*IMAGES, *PERCEPTRONS[:1], "generator.hidden=[9]"))
    with pytest.warns(UserWarning, match=r"generator\.init: 1 of 4 tensors start from runs/ancest"):
        trainer(wider, "wider", "generator.init=runs/ancestor")
