"""`ganforge sample` on generators whose samples tell what they were made of."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import wave
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from ganforge import Field, Fit, Game, NoOptions, Problem
from ganforge.config.run_config import Selection
from ganforge.plugin.discovery import discover
from ganforge.storage import tensor_file
from ganforge.storage.checkpoint import module_tensors
from ganforge.storage.generator_file import description, fit_tensors
from tests.conftest import Answer, Command, FakePlugin

CLOTHES = ("T-shirt/top", "Trouser", "Ankle boot")

#: a sample is the shade of its class, with its latent in the first row, or what it was fed
PLUGIN = """
import torch
from torch import nn
from ganforge import (
    ANY_SHAPES, GeneratorSpec, Inputs, LatentSampler, Sampler, SamplerSpec, hookimpl
)

class Tell(nn.Module):
    def __init__(self, problem, options):
        super().__init__()
        self.shape = problem.sample_shape
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, inputs, label=None):
        samples = torch.zeros(len(inputs), *self.shape)
        if len(self.shape) == 1:
            return self.scale * inputs[:, :self.shape[0]]
        if len(self.shape) != 3:
            samples += torch.linspace(-0.5, 0.5, samples[0].numel()).view(self.shape)
            samples.flatten(1)[:, :inputs.shape[1]] = inputs / 8
            return self.scale * samples
        if label is not None:
            samples += label.float().view(-1, 1, 1, 1) / 4
        samples[:, 0, 0, :inputs.shape[1]] = inputs / 8
        return self.scale * samples

class Remake(Tell):
    def forward(self, inputs, label=None):
        return -self.scale * inputs[:, :self.shape[0]]

class Centred(Tell):
    # Towards the shade 0.5, by itself.
    def forward(self, inputs, label=None, *, truncation=1.0):
        return torch.lerp(self.scale.new_tensor(0.5), super().forward(inputs, label), truncation)

class Copy(Tell):
    def forward(self, inputs, image):
        return self.scale * image.mean(1, keepdim=True)

class Ends(LatentSampler):
    limit = 6.0

    def __init__(self, problem, options):
        super().__init__(problem)

    def latents(self, n, generator):
        unit = torch.rand(n, 4, generator=generator, device=generator.device)
        return (2 * unit - 1) * self.limit

    def truncated(self, threshold):
        other = Ends(self.problem, None)
        other.limit = threshold
        return other

class OfLabels(Ends):
    def sample(self, n, *, generator, real=None):
        labels = super().sample(n, generator=generator, real=real).labels
        return Inputs(labels[:, None].float().expand(n, 4), labels)

class Masked(Sampler):
    def __init__(self, problem, options):
        super().__init__(problem)

    def sample(self, n, *, generator, real=None):
        assert len(real.samples) == n
        mask = torch.zeros_like(real.samples[:, :1])
        return Inputs(torch.cat([real.samples, mask], 1), real.labels)

def masked_shape(options, fields):
    channels, *sides = fields["sample"].known_shape
    return (channels + 1, *sides)

@hookimpl
def ganforge_generators():
    shared = {"summary": "s", "shapes": ANY_SHAPES, "conditions": ("label",)}
    shared["discriminator"] = "mlp"
    yield GeneratorSpec(name="tell", build="ganforge_tell:Tell", **shared)
    yield GeneratorSpec(name="centred", build="ganforge_tell:Centred", truncates=True, **shared)
    yield GeneratorSpec(name="copy", build="ganforge_tell:Copy",
                        **{**shared, "conditions": ("image",)})
    yield GeneratorSpec(name="remake", build="ganforge_tell:Remake", inputs="image",
                        sampler="masked", **shared)

@hookimpl
def ganforge_samplers():
    yield SamplerSpec(name="ends", summary="s", build="ganforge_tell:Ends",
                      input_shape=lambda options, fields: (4,))
    yield SamplerSpec(name="of-labels", summary="s", build="ganforge_tell:OfLabels",
                      input_shape=lambda options, fields: (4,), reads=("labels",))
    yield SamplerSpec(name="masked", summary="s", build="ganforge_tell:Masked", inputs="sample",
                      input_shape=masked_shape, reads=("samples",))
"""

Make = Callable[..., Path]


@pytest.fixture
def make(cli: Command, fake_plugin: FakePlugin) -> Make:
    """Write `generator.safetensors` in the folder `run`."""
    fake_plugin("ganforge-tell", PLUGIN)

    def write(
        generator: str = "tell",
        sampler: str = "ends",
        shape: tuple[int, ...] = (1, 8, 8),
        classes: tuple[str, ...] | None = None,
        field: Field | None = None,
        fit: Fit | None = None,
        told: Mapping[str, Field] | None = None,
    ) -> Path:
        registry = discover().registry
        field = field or Field.of_shape(shape)
        chosen: dict[str, Any] = {}
        for kind, name in (
            ("generator", generator),
            ("sampler", sampler),
            ("game", "adversarial"),
            ("format", field.format_name),
        ):
            component = registry.find(kind, name)
            chosen[kind] = Selection(component=component, options=NoOptions())
        spec = chosen["sampler"].component.spec
        problem = Problem(
            sample=field,
            input_shape=spec.input_shape(None, {"sample": field}),
            conditions={
                **({} if classes is None else {"label": Field(kind="category", classes=classes)}),
                **(told or {}),
            },
            fit=fit,
        )
        network = chosen["generator"].component.build(problem, None)
        path = Path("run/generator.safetensors")
        path.parent.mkdir(exist_ok=True)
        config: Any = SimpleNamespace(**chosen)
        tensors = module_tensors("generator", network) | module_tensors("game", Game(problem))
        tensors |= fit_tensors(problem)
        tensor_file.write(path, "generator", tensors, description(config, problem))
        return path

    return write


@pytest.fixture
def sample(cli: Command) -> Callable[..., Answer]:
    def run(*arguments: object, device: str = "cpu") -> Answer:
        return cli("sample", "run", "--device", device, *arguments)

    return run


def arrays(path: str) -> dict[str, Any]:
    with numpy.load(path) as found:
        return {name: torch.from_numpy(found[name]) for name in found.files}


def picture(path: str) -> Image.Image:
    with Image.open(path) as image:
        image.load()
    return image


def latents(samples: torch.Tensor) -> torch.Tensor:
    return 8 * samples[:, 0, 0, :4]


def files() -> set[str]:
    return {path.name for path in [*Path().iterdir(), *Path("run").iterdir()]}


def as_before_fields(document: dict[str, Any]) -> dict[str, Any]:
    """The document as 0.1 wrote it, which knew shapes alone."""
    shapes = ("sample_shape", "input_shape", "num_classes")
    problem = {key: document["problem"][key] for key in shapes}
    others = {k: it for k, it in document.items() if k not in ("game", "sample_format")}
    return {**others, "problem": problem}


def test_without_classes_a_grid_of_64(make: Make, sample: Command) -> None:
    make()
    answer = sample()
    assert answer == (0, "Wrote 64 samples (seed 0) to run/samples.png\n", "")
    assert picture("run/samples.png").size == (82, 82)
    assert files() == {"run", "generator.safetensors", "samples.png"}


def test_classes_take_turns_and_have_a_row_each_with_their_name(
    make: Make, sample: Command
) -> None:
    make(classes=CLOTHES)
    assert sample().out == "Wrote 24 samples (seed 0) to run/samples.png\n"
    image = picture("run/samples.png")
    assert image.mode == "L"
    assert image.height == 3 * 10 + 2
    margin = image.width - (8 * 10 + 2)
    assert margin > 30
    shades = [
        image.getpixel((margin + 10 * column + 6, 2 + 10 * row + 6))
        for row in range(3)
        for column in range(8)
    ]
    assert shades == [128] * 8 + [159] * 8 + [191] * 8
    assert sample("--num", "7", "--out", "a.npz").code == 0
    assert arrays("a.npz")["labels"].tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_no_sample_is_lost_where_the_rows_are_not_whole(make: Make, sample: Command) -> None:
    make(classes=CLOTHES)
    assert sample("--num", "7").code == 0
    image = picture("run/samples.png")
    assert image.height == 3 * 10 + 2
    cells = [
        image.getpixel((image.width - 32 + 10 * column + 8, 2 + 10 * row + 6))
        for row in range(3)
        for column in range(3)
    ]
    assert [bool(level) for level in cells] == [True] * 3 + [True, True, False] * 2


def test_labels_are_generated_in_the_order_asked_with_the_same_latents(
    make: Make, sample: Command
) -> None:
    make(classes=CLOTHES)
    assert sample("--labels", "2, Trouser,2", "--out", "a.npz").code == 0
    assert sample("--num", "5", "--out", "b.npz").code == 0
    asked, usual = arrays("a.npz"), arrays("b.npz")
    assert asked["labels"].tolist() == [2, 1, 2]
    assert asked["samples"][:, 0, 7, 7].tolist() == [0.5, 0.25, 0.5]
    assert torch.equal(latents(asked["samples"]), latents(usual["samples"])[:3])
    assert sample("--labels", "2,2,1,2").out == "Wrote 4 samples (seed 0) to run/samples.png\n"
    assert picture("run/samples.png").height == 3 * 10 + 2


def test_a_sampler_that_goes_by_labels_goes_by_those_asked_for(make: Make, sample: Command) -> None:
    make(sampler="of-labels", classes=CLOTHES)
    assert sample("--labels", "2,0,1", "--out", "a.npz").code == 0
    assert latents(arrays("a.npz")["samples"])[:, 0].tolist() == [2, 0, 1]


def test_samples_follow_the_seed_and_fewer_are_the_first_of_more(
    make: Make, sample: Command
) -> None:
    make()
    for name, num, seed in (("a", 5, 3), ("b", 100, 3), ("c", 5, 4)):
        sample("--num", num, "--seed", seed, "--out", f"{name}.npz")
    a, b, c = (arrays(f"{name}.npz")["samples"] for name in "abc")
    assert torch.equal(a, b[:5])
    assert not torch.equal(a, c)


def test_truncation_bounds_the_latents(make: Make, sample: Command) -> None:
    make()
    sample("--truncation", "0.5", "--num", "200", "--out", "a.npz")
    largest = latents(arrays("a.npz")["samples"]).abs().max()
    assert 0.4 < largest <= 0.5


def test_a_generator_that_truncates_by_itself_is_fed_with_whole_latents(
    make: Make, sample: Command
) -> None:
    make("centred")
    for name, truncation in (("whole", 1), ("half", 0.5), ("none", 0)):
        answer = sample("--truncation", truncation, "--num", 70, "--out", f"{name}.npz")
        assert answer.code == 0, answer.err
    whole, half, none = (arrays(f"{it}.npz")["samples"] for it in ("whole", "half", "none"))
    assert latents(whole).abs().max() > 4
    assert torch.equal(none, torch.full_like(none, 0.5))
    assert torch.allclose(half, (whole + 0.5) / 2)
    sample("--num", 70, "--out", "plain.npz")
    assert torch.equal(arrays("plain.npz")["samples"], whole)


def test_a_walk_is_truncated_by_the_generator_itself(make: Make, sample: Command) -> None:
    make("centred")
    answer = sample("--truncation", 0, "--interpolate", "lerp", "--num", 1, "--frames", 2)
    assert answer.code == 0, answer.err
    image = picture("run/interpolation.png")
    assert {image.getpixel((x, 3)) for x in (3, 13)} == {191}


def test_a_folder_gets_a_picture_a_sample(make: Make, sample: Command) -> None:
    make(classes=CLOTHES)
    assert sample("--labels", "1,2", "--out", "folder").code == 0
    assert sorted(path.name for path in Path("folder").iterdir()) == ["00000.png", "00001.png"]
    assert [picture(f"folder/0000{n}.png").getpixel((7, 7)) for n in (0, 1)] == [159, 191]


@pytest.mark.parametrize("name", ["00000.png", "notes.txt", ".hidden"])
def test_a_folder_that_holds_something_is_left_as_it_is(
    name: str, make: Make, sample: Command
) -> None:
    make(classes=CLOTHES)
    Path("folder").mkdir()
    Path("folder", name).write_text("mine")
    answer = sample("--labels", "1,2", "--out", "folder")
    assert (answer.code, answer.out) == (2, "")
    assert "folder is not empty, and what it holds would be mixed with what is to be" in answer.text
    assert [it.name for it in Path("folder").iterdir()] == [name]
    Path("empty").mkdir()
    assert sample("--labels", "1,2", "--out", "empty").code == 0
    assert len([*Path("empty").iterdir()]) == 2


def test_ways_are_rows_from_latent_to_latent(make: Make, sample: Command) -> None:
    make(classes=CLOTHES)
    answer = sample("--interpolate", "lerp", "--num", "2", "--frames", "5")
    assert answer == (0, "Wrote 2 interpolations (seed 0) to run/interpolation.png\n", "")
    image = picture("run/interpolation.png")
    assert image.height == 2 * 10 + 2
    margin = image.width - (5 * 10 + 2)
    sample("--num", "4", "--out", "a.npz")
    ends = (arrays("a.npz")["samples"][:, 0, 0, 0] + 1) * 127.5
    row = [
        [image.getpixel((margin + 2 + 10 * column, 2 + 10 * row)) for column in range(5)]
        for row in range(2)
    ]
    for way, (start, end) in zip(row, ends.view(2, 2).tolist(), strict=True):
        expected = [start + (end - start) * column / 4 for column in range(5)]
        assert way == pytest.approx(expected, abs=1)
    shades = [image.getpixel((margin + 8, 2 + 10 * row + 6)) for row in range(2)]
    assert shades == [128, 159]


@pytest.mark.parametrize("suffix", ["gif", "apng"])
def test_moving_ways_are_a_loop(make: Make, sample: Command, suffix: str) -> None:
    make(classes=CLOTHES)
    answer = sample("--interpolate", "slerp", "--labels", "1,1,0", "--out", f"walk.{suffix}")
    assert answer == (0, f"Wrote 3 interpolations (seed 0) to walk.{suffix}\n", "")
    with Image.open(f"walk.{suffix}") as image:
        assert image.n_frames == 4 * 12
        assert image.info["duration"] == 80
        assert image.size == (22, 22)
    answer = sample(
        "--interpolate",
        "slerp",
        "--num",
        "1",
        "--frames",
        "3",
        "--milliseconds",
        "200",
        "--out",
        f"short.{suffix}",
    )
    assert answer.out == f"Wrote 1 interpolation (seed 0) to short.{suffix}\n"
    with Image.open(f"short.{suffix}") as image:
        assert (image.n_frames, image.info["duration"]) == (12, 200)


def test_points_are_a_picture_or_an_array(make: Make, sample: Command) -> None:
    make(shape=(2,))
    assert sample().out == "Wrote 1000 samples (seed 0) to run/samples.png\n"
    assert picture("run/samples.png").mode == "RGB"
    assert sample("--num", "5", "--out", "a.npz").code == 0
    assert arrays("a.npz")["samples"].shape == (5, 2)
    answer = sample("--out", "folder")
    assert (answer.code, answer.out) == (2, "")
    assert "folder: samples of the format 'vector' make one file; write them as .png" in answer.err
    assert not Path("folder").exists()


def test_points_are_a_table_of_numbers_and_classes(make: Make, sample: Command) -> None:
    make(shape=(2,), classes=CLOTHES)
    assert sample("--num", "4", "--out", "a.npz").code == 0
    assert sample("--num", "4", "--out", "a.csv").code == 0
    header, *rows = Path("a.csv").read_text().splitlines()
    assert header == "x0,x1,label"
    found = arrays("a.npz")
    assert [[float(it) for it in row.split(",")[:2]] for row in rows] == [
        pytest.approx(it) for it in found["samples"].tolist()
    ]
    assert [row.split(",")[2] for row in rows] == [CLOTHES[it] for it in found["labels"]]


def test_a_walk_of_points_stands_still_around_them(make: Make, sample: Command) -> None:
    make(shape=(2,))
    assert sample("--interpolate", "lerp", "--frames", "3", "--out", "walk.gif").code == 0
    with Image.open("walk.gif") as image:
        assert (image.n_frames, image.size) == (12, (480, 480))
    assert sample("--interpolate", "slerp", "--out", "walk.png").code == 0
    assert picture("walk.png").size == (480, 480)


def test_a_file_without_the_names_of_its_classes_has_their_numbers(
    make: Make, sample: Command
) -> None:
    path = make(classes=CLOTHES)
    tensors, document = tensor_file.read(path, "generator")
    document = as_before_fields(document)
    assert document.pop("classes") == list(CLOTHES)
    tensor_file.write(path, "generator", tensors, document)
    assert sample("--labels", "1", "--out", "a.npz").code == 0
    answer = sample("--labels", "3")
    assert answer.text.endswith("the generator has 3 classes, 0 to 2 (0, 1 and 2)")


def test_a_file_with_other_classes_than_it_has_is_damaged(make: Make, sample: Command) -> None:
    path = make(classes=CLOTHES)
    tensors, document = tensor_file.read(path, "generator")
    document = {**as_before_fields(document), "classes": ["one"]}
    tensor_file.write(path, "generator", tensors, document)
    answer = sample()
    assert answer.code == 1
    assert "is damaged: its description is incomplete" in answer.err


SOUND = Field(kind="sequence", shape=(1, 400), rate=8000, format="audio")
VIDEO = Field(kind="video", shape=(3, 5, 8, 8), rate=20)
COLUMNS = Fit(
    facts={
        "columns": [
            {"name": "age", "kind": "number", "start": 2, "decimals": 0},
            {"name": "pet", "kind": "category", "start": 0, "size": 2, "values": ["cat", "dog"]},
        ]
    },
    tensors={"scale": torch.tensor([1.0, 1.0, 10.0]), "offset": torch.tensor([0.0, 0.0, 50.0])},
)


def test_sound_is_written_as_wav_together_or_each_by_itself(make: Make, sample: Command) -> None:
    make(field=SOUND)
    assert sample("--num", "3", "--out", "all.wav").out == "Wrote 3 samples (seed 0) to all.wav\n"
    assert sample("--num", "3", "--out", "folder").code == 0
    names = [f"0000{number}.wav" for number in range(3)]
    assert sorted(path.name for path in Path("folder").iterdir()) == names
    lengths = []
    for path in ("all.wav", *(f"folder/{name}" for name in names)):
        with wave.open(path) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
            lengths.append(file.getnframes())
    assert lengths == [3 * 400 + 2 * 2000, 400, 400, 400]
    assert sample().out == "Wrote 8 samples (seed 0) to run/samples.png\n"


def test_videos_move_at_the_rate_of_the_data_unless_asked(make: Make, sample: Command) -> None:
    make(field=VIDEO)
    assert sample("--num", "4", "--out", "a.gif").code == 0
    assert sample("--num", "4", "--out", "b.apng", "--milliseconds", "100").code == 0
    for path, milliseconds in (("a.gif", 50), ("b.apng", 100)):
        with Image.open(path) as image:
            assert (image.n_frames, image.info["duration"]) == (5, milliseconds)
    assert sample("--num", "2", "--out", "folder").code == 0
    assert sorted(path.name for path in Path("folder").iterdir()) == ["00000.gif", "00001.gif"]


def test_a_table_is_written_as_it_was_given_without_its_data(make: Make, sample: Command) -> None:
    make(field=Field(kind="vector", shape=(3,), format="table"), fit=COLUMNS)
    assert sample("--num", "5", "--out", "a.npz").code == 0
    assert sample("--num", "5", "--out", "a.csv").code == 0
    restored = arrays("a.npz")["samples"]
    header, *rows = Path("a.csv").read_text().splitlines()
    assert header == "age,pet"
    assert rows == [
        f"{age:.0f},{'cat' if cat > dog else 'dog'}" for cat, dog, age in restored.tolist()
    ]
    assert 20 < restored[:, 2].mean() < 80


def test_the_range_of_the_data_is_that_of_its_files(make: Make, sample: Command) -> None:
    make(field=Field(kind="image", shape=(1, 8, 8), range=(0.0, 65535.0)))
    assert sample("--num", "2", "--out", "a.npz").code == 0
    samples = arrays("a.npz")["samples"]
    assert samples[:, 0, 7, 7].tolist() == [32767.5, 32767.5]
    assert sample("--num", "2", "--out", "a.tiff").code == 0
    with Image.open("a.tiff") as image:
        assert (image.n_frames, image.mode) == (2, "I;16")
        assert image.getpixel((0, 0)) == round(float(samples[0, 0, 0, 0]))


def test_every_kind_of_samples_can_be_walked_through(make: Make, sample: Command) -> None:
    fields = [
        SOUND,
        VIDEO,
        Field(kind="sequence", shape=(2, 30)),
        Field(kind="sequence", shape=(5, 9), format="text"),
        Field(kind="points", shape=(20, 3)),
        Field(kind="voxels", shape=(1, 4, 5, 6)),
        Field(kind="vector", shape=(3,), format="table"),
        Field.of_shape((13, 8, 8)),
    ]
    for field in fields:
        make(field=field)
        for out in ("walk.png", "walk.gif"):
            answer = sample("--interpolate", "lerp", "--num", "2", "--frames", "2", "--out", out)
            assert answer == (0, f"Wrote 2 interpolations (seed 0) to {out}\n", ""), field
        with Image.open("walk.gif") as image:
            assert image.n_frames == 8
        Path("walk.gif").unlink()


FORMAT = """
import json
from ganforge import FormatSpec, hookimpl

@hookimpl
def ganforge_formats():
    yield FormatSpec(name="score", summary="s", build="ganforge_midi:build", kinds=("sequence",),
                     suffixes=(".png", ".npz", ".json"), one_file_each=".json")

def build(problem, options):
    import torch
    from ganforge import Format

    class Score(Format):
        num_pictured = 3

        def picture(self, drawn):
            return torch.zeros(len(drawn.samples), 7, 1, dtype=torch.uint8)

        def encode(self, drawn, suffix):
            if drawn.samples.shape[2] > 6:
                raise ValueError("it is too long")
            return json.dumps(self.restored(drawn.samples).tolist()).encode()

    return Score(problem)
"""


def test_a_format_of_another_package_shows_and_writes(
    make: Make, sample: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-midi", FORMAT)
    field = Field(kind="sequence", shape=(1, 5), range=(0.0, 2.0), format="score")
    make(field=field)
    assert sample().out == "Wrote 3 samples (seed 0) to run/samples.png\n"
    assert picture("run/samples.png").size == (7, 3)
    assert sample("--num", "2", "--out", "a.json").code == 0
    assert sample("--num", "2", "--out", "a.npz").code == 0
    samples = arrays("a.npz")["samples"]
    assert torch.equal(torch.tensor(json.loads(Path("a.json").read_text())), samples)
    assert (samples[:, 0, 4] == 1.5).all()
    assert sample("--num", "2", "--out", "folder").code == 0
    assert json.loads(Path("folder/00001.json").read_text()) == samples[1:].tolist()
    answer = sample("--out", "a.csv")
    assert answer.code == 2
    assert "the format 'score' are written as .png, .npz, .json or files in" in answer.text
    make(field=replace(field, shape=(1, 7)))
    answer = sample("--out", "b.json")
    assert (answer.code, answer.text) == (
        2,
        "Error: the format 'score' cannot write this: it is too long",
    )
    assert not Path("b.json").exists()


def test_a_format_that_is_not_installed_is_named_with_what_installs_it(
    make: Make, sample: Command, fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_plugin("ganforge-midi", FORMAT)
    make(field=Field(kind="sequence", shape=(1, 5), format="score"))
    monkeypatch.setenv("GANFORGE_DISABLE_PLUGINS", "ganforge-midi")
    answer = sample("--out", "a.npz")
    assert (answer.code, answer.out) == (1, "")
    assert "needs the format 'ganforge-midi/score' of ganforge-midi 1.0" in answer.text
    assert "pip install 'ganforge-midi==1.0'" in answer.text


def test_a_file_that_names_no_format_has_that_of_its_shape(make: Make, sample: Command) -> None:
    path = make()
    tensors, document = tensor_file.read(path, "generator")
    document = as_before_fields(document)
    tensor_file.write(path, "generator", tensors, document)
    assert sample("--num", "4") == (0, "Wrote 4 samples (seed 0) to run/samples.png\n", "")
    assert picture("run/samples.png").size == (22, 22)


@pytest.fixture
def remaking(make: Make) -> None:
    make("remake", "masked")
    Path("run/config.toml").write_text(
        '[generator]\nname = "ganforge-tell/remake"\n[dataset]\nname = "digits"\nsize = 8\n'
        "[evaluation]\nholdout = 0.01\n[execution]\ndevice = 'cpu'\n"
    )


def test_a_generator_of_real_samples_remakes_those_held_out_of_its_run(
    remaking: None, sample: Command
) -> None:
    answer = sample("--out", "a.npz")
    assert answer == (0, "Wrote 18 samples (seed 0) to a.npz\n", "")
    found = arrays("a.npz")
    assert {name: tuple(it.shape) for name, it in found.items()} == {
        "samples": (18, 1, 8, 8),
        "inputs": (18, 2, 8, 8),
        "real": (18, 1, 8, 8),
    }
    assert torch.equal(found["samples"], -found["real"])
    assert torch.equal(found["inputs"][:, :1], found["real"])
    assert sample("--num", "6").code == 0
    assert picture("run/samples.png").size == (1 * 32 + 2, 6 * 10 + 2)
    answer = sample("--num", "19")
    assert answer == (2, "", "Error: there are 18 real samples to remake, not 19\n")


def test_a_generator_alone_remakes_the_data_set_that_is_named(
    remaking: None, sample: Command, cli: Command
) -> None:
    Path("run/config.toml").unlink()
    answer = sample()
    assert answer.code == 2
    assert "name the run directory, whose data set is known, or a data set" in answer.text
    assert sample("--dataset", "digits", "--num", "5", "--out", "a.npz").code == 0
    assert arrays("a.npz")["real"].shape == (5, 1, 8, 8)
    folder = Path("pictures")
    folder.mkdir()
    for shade in (0, 255):
        Image.new("RGB", (20, 30), (shade,) * 3).save(folder / f"{shade}.png")
    assert sample("--dataset", "./pictures", "--out", "b.npz").code == 0
    assert sorted(arrays("b.npz")["real"].amax((1, 2, 3)).tolist()) == [-1, 1]
    for name, message in (
        ("digist", "--dataset: there is no dataset called 'digist'; did you mean 'digits'?"),
        ("./absent", "there is no folder or zip file './absent'"),
        ("cifar10", "the data set cifar10 is not in"),
    ):
        answer = sample("--dataset", name)
        assert (answer.code, answer.out) == (2, "")
        assert message in answer.text


def test_classes_of_real_samples_are_matched_by_name(make: Make, sample: Command) -> None:
    """As 0.1 ordered them: what is shaded 10 has the number of the class 10 of the generator."""
    make("remake", "masked", classes=("10", "2"))
    for name in ("2", "10"):
        Path("pictures", name).mkdir(parents=True)
        Image.new("L", (8, 8), 20 * int(name)).save(f"pictures/{name}/a.png")
    answer = sample("--dataset", "./pictures", "--out", "a.npz")
    assert answer.code == 0, answer.err
    found = arrays("a.npz")
    # In the order of the files.
    assert [round(127.5 * (it + 1)) for it in found["real"][:, 0, 0, 0].tolist()] == [200, 40]
    assert found["labels"].tolist() == [0, 1]
    Path("pictures/2").rename("pictures/3")
    answer = sample("--dataset", "./pictures", "--out", "b.npz")
    assert answer.code == 2
    assert answer.text == (
        "Error: the data set 'images' has other classes of 'label' than the generator was trained "
        "on, so that a label would mean something else: it has 3 and it lacks 2 "
        "(the classes were 10 and 2, and are 3 and 10)"
    )


def test_images_that_a_generator_is_told_are_those_of_a_folder(make: Make, sample: Command) -> None:
    """They have the shape of the condition, and are taken in the order of their names."""
    make("copy", told={"scene": Field(kind="image", shape=(3, 8, 8), dtype="uint8")})
    Path("pictures").mkdir()
    for shade in range(30):
        Image.new("RGB", (16, 16), (3 * shade,) * 3).save(f"pictures/{shade:02d}.png")
    answer = sample("--dataset", "./pictures", "--num", "20", "--out", "a.npz")
    assert answer.code == 0, answer.err
    shades = (arrays("a.npz")["samples"][:, 0, 0, 0] + 1) * 127.5
    assert shades.round().tolist() == [3 * it for it in range(20)]


def test_data_of_another_shape_are_refused(remaking: None, sample: Command) -> None:
    config = Path("run/config.toml")
    config.write_text(config.read_text().replace("size = 8", "size = 16"))
    answer = sample()
    assert answer.code == 2
    assert "the data set 'digits' gives 1 x 16 x 16 here, and the generator 1 x 8 x 8" in answer.err


MISTAKES = {
    "labels and a number": (
        ["--labels", "1", "--num", "3"],
        "--labels asks for one sample of each, so leave out --num",
    ),
    "no labels": (["--labels", ""], "--labels '' must be classes with commas between them"),
    "an array of ways": (
        ["--interpolate", "lerp", "--out", "a.npz"],
        "a.npz: interpolations are written as .png, .gif, .apng or .mp4",
    ),
    "a folder of ways": (
        ["--interpolate", "lerp", "--out", "folder"],
        "folder: interpolations are written as .png, .gif, .apng or .mp4",
    ),
    "ways between data": (
        ["--interpolate", "lerp", "--dataset", "digits"],
        "--interpolate goes between latents, and --dataset has none",
    ),
    "progress in numbers": (
        ["--progress", "--num", "3", "--labels", "1"],
        "--progress shows the grids that the run has drawn, and uses no --num and --labels",
    ),
    "progress as one picture": (
        ["--progress", "--out", "a.png"],
        "a.png: grids over time are written as .gif, .apng or .mp4",
    ),
    "frames of nothing": (["--frames", "3"], "--frames belongs to --interpolate"),
    "time of nothing": (
        ["--milliseconds", "30"],
        "--milliseconds needs --out walk.gif, walk.apng or walk.mp4",
    ),
    "a picture that moves": (
        ["--interpolate", "lerp", "--milliseconds", "50"],
        "--milliseconds needs --out walk.gif, walk.apng or walk.mp4",
    ),
    "an absent folder": (["--out", "absent/a.png"], "the directory absent does not exist"),
    "a file for a folder": (["--out", "run/config"], "run/config is a file; name a directory"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_before_the_generator_is_opened(
    cli: Command, arguments: list[str], message: str
) -> None:
    Path("run").mkdir()
    Path("run/generator.safetensors").touch()
    Path("run/config").touch()
    answer = cli("sample", "run", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.text.startswith(f"Error: {message}")
    assert files() == {"run", "generator.safetensors", "config"}


@pytest.mark.parametrize(
    ("generator", "arguments", "message"),
    [
        (
            {},
            ["--labels", "1"],
            "--labels: this generator was trained without labels, and has no classes",
        ),
        (
            {"classes": CLOTHES},
            ["--labels", "3"],
            "--labels: 3 is out of range: the generator has 3 classes, 0 to 2 (T-shirt/top, "
            "Trouser and Ankle boot)",
        ),
        (
            {"classes": CLOTHES},
            ["--labels", "0,Trousers"],
            "--labels: there is no class 'Trousers'; did you mean 'Trouser'?",
        ),
        (
            {},
            ["--dataset", "digits"],
            "--dataset: this generator makes its samples of latents, not of data",
        ),
        (
            {"generator": "remake", "sampler": "masked"},
            ["--truncation", "1", "--dataset", "digits"],
            "no truncation with the sampler 'masked': its inputs cannot be truncated",
        ),
        (
            {},
            ["--truncation", "0"],
            "no truncation with the sampler 'ends': its latents would all be 0",
        ),
        (
            {"generator": "remake", "sampler": "masked"},
            ["--interpolate", "slerp"],
            "--interpolate: this generator is fed with images, and there is no way from one to "
            "another",
        ),
        ({}, ["--out", "a.gif"], "a.gif: moving pictures need --interpolate slerp, or lerp"),
        (
            {},
            ["--out", "a.jpg"],
            "a.jpg: samples of the format 'image' are written as .png, .npz, .tiff or files in a "
            "directory",
        ),
        (
            {"shape": (2,)},
            ["--out", "a.wav"],
            "a.wav: samples of the format 'vector' are written as .png, .npz or .csv",
        ),
        (
            {"shape": (5, 8, 8)},
            ["--out", "folder", "--num", "2"],
            "the format 'image' cannot write this: an image of 5 bands is no PNG; write --out "
            "samples.tiff",
        ),
    ],
)
def test_what_a_generator_cannot_do_is_told_and_nothing_is_written(
    make: Make, sample: Command, generator: dict[str, Any], arguments: list[str], message: str
) -> None:
    make(**generator)
    answer = sample(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.text.startswith(f"Error: {message}")
    assert files() == {"run", "generator.safetensors"}


def grids(*sizes: int) -> None:
    Path("run/samples").mkdir()
    for number, size in enumerate(sizes):
        picture = Image.new("RGB", (size, size), (40 * number, 9, 9))
        picture.save(f"run/samples/{number * 250:08d}.png")


def test_progress_is_the_grids_of_the_run_over_time(make: Make, sample: Command) -> None:
    make()
    Path("run/config.toml").write_text("")
    grids(30, 30, 30)
    assert sample("--progress") == (0, "Wrote 3 grids over time to run/progress.gif\n", "")
    with Image.open("run/progress.gif") as image:
        assert image.size == (30, 52)
        shades = []
        for number in range(image.n_frames):
            image.seek(number)
            shades.append(image.convert("RGB").getpixel((3, 3))[0] // 40)
            assert image.info["duration"] >= 120
    assert shades == [0, 1, 2]  # the last one is one frame that is shown for longer
    answer = sample("--progress", "--frames", "2", "--milliseconds", "50", "--out", "a.apng")
    assert answer.out == "Wrote 2 grids over time to a.apng\n"


def test_grids_of_another_size_are_no_part_of_the_film(make: Make, sample: Command) -> None:
    make()
    Path("run/config.toml").write_text("")
    grids(20, 30, 30)
    answer = sample("--progress", "--out", "a.gif")
    assert answer.out == "Wrote 2 grids over time to a.gif\n"
    assert answer.text == "Warning: 1 grids of another size than the last are left out"
    Path("run/samples/00000500.png").write_text("no picture")
    answer = sample("--progress", "--out", "b.gif")
    assert (answer.code, answer.out) == (2, "")
    assert "run/samples/00000500.png is not a picture that can be read" in answer.text
    assert not Path("b.gif").exists()


def test_a_film_needs_two_grids_of_a_run(make: Make, sample: Command, cli: Command) -> None:
    make()
    answer = cli("sample", "run/generator.safetensors", "--progress")
    assert "--progress needs a run directory, whose grids it shows" in answer.text
    Path("run/config.toml").write_text("")
    grids(30)
    answer = sample("--progress")
    assert (answer.code, answer.text) == (
        2,
        "Error: there are 1 grids in samples/, and a film needs two",
    )


def test_a_movie_plays_at_the_rate_that_is_asked_for(make: Make, sample: Command) -> None:
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    make(classes=CLOTHES)
    answer = sample("--interpolate", "slerp", "--num", "3", "--milliseconds", 50, "--out", "a.mp4")
    assert answer == (0, "Wrote 3 interpolations (seed 0) to a.mp4\n", "")
    assert sample("--interpolate", "slerp", "--num", "3", "--out", "a.apng").code == 0
    with av.open("a.mp4") as container, Image.open("a.apng") as wanted:
        (stream,) = container.streams.video
        assert (stream.codec.name, stream.average_rate) == ("h264", 20)
        frames = [it.to_ndarray(format="rgb24") for it in container.decode(stream)]
        assert len(frames) == wanted.n_frames == 48
        for number in (0, 20):
            wanted.seek(number)
            shown = numpy.asarray(wanted.convert("RGB")).astype(int)
            assert frames[number].shape == shown.shape
            assert abs(frames[number] - shown).mean() < 6  # of 255
    make(field=VIDEO)
    assert sample("--num", "4", "--out", "b.mp4").code == 0
    with av.open("b.mp4") as container:
        assert container.streams.video[0].average_rate == 20


def test_without_its_package_a_movie_is_one_error(
    make: Make, sample: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    make()
    monkeypatch.setitem(sys.modules, "av", None)
    answer = sample("--interpolate", "slerp", "--out", "a.mp4")
    assert (answer.code, answer.out) == (2, "")
    assert "an .mp4 is written by PyAV, which is not installed: pip install" in answer.text


@pytest.mark.parametrize(
    ("field", "suffix"),
    [
        (Field.of_shape((2,)), "npz"),
        (Field.of_shape((2,)), "csv"),
        (Field(kind="sequence", shape=(2, 30)), "csv"),
        (Field(kind="sequence", shape=(5, 9), format="text"), "txt"),
        (Field(kind="sequence", shape=(5, 9), format="text"), "npz"),
        (SOUND, "wav"),
    ],
)
def test_many_samples_are_written_as_few_are(
    make: Make, sample: Command, field: Field, suffix: str
) -> None:
    """200 samples come in four parts, of which the file is to know nothing."""
    make(field=field)
    assert sample("--num", "200", "--out", f"many.{suffix}").code == 0
    assert sample("--num", "60", "--out", f"few.{suffix}").code == 0
    many, few = Path(f"many.{suffix}").read_bytes(), Path(f"few.{suffix}").read_bytes()
    if suffix == "npz":
        with numpy.load("many.npz") as left, numpy.load("few.npz") as right:
            assert left.files == right.files
            assert len(left["samples"]) == 200
            assert all((left[it][:60] == right[it]).all() for it in left.files)
    elif suffix != "wav":
        assert many.startswith(few)
        rows = len(few.splitlines()) - (suffix == "csv")
        assert len(many.splitlines()) - (suffix == "csv") == rows * 200 // 60


def memory(arguments: list[str]) -> int:
    """The most memory that a command has used, in MiB."""
    code = (
        "from ganforge.cli import main\nfrom ganforge.device.memory import peak_memory\n"
        f"assert main({arguments!r}) == 0\n"
        "print(peak_memory() // 1024**2)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    return int(answer.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("dataset", "num", "suffix"),
    [
        ("--image-size=28", 30_000, "npz"),  # 94 MB of samples
        pytest.param("--dataset=ring", 300_000, "csv", marks=pytest.mark.slow),
    ],
)
def test_memory_does_not_grow_with_the_number_of_samples(
    cli: Command, dataset: str, num: int, suffix: str
) -> None:
    quick = ["--set=generator.hidden=[8]", "--set=discriminator.hidden=[8]", "--device=cpu"]
    given = [dataset, "--generator=mlp", *quick, "--steps", "1", "--out", "small"]
    assert cli("train", *given).code == 0
    ask = ["sample", "small", "--device", "cpu", "--num"]
    few = memory([*ask, "1000", "--out", f"few.{suffix}"])
    many = memory([*ask, str(num), "--out", f"many.{suffix}"])
    assert many < few + 15, (few, many)


def test_an_interrupted_command_leaves_nothing_behind(
    make: Make, sample: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    make()
    from ganforge.sampling import gallery

    whole = gallery.draw_parts

    def interrupted(*arguments: object, **keywords: object):
        for number, part in enumerate(whole(*arguments, **keywords)):
            if number == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            yield part

    monkeypatch.setattr(gallery, "draw_parts", interrupted)
    before = sorted(Path().rglob("*"))
    for out in ("a.npz", "folder", "a.png"):
        answer = sample("--num", "200", "--out", out)
        assert (answer.code, answer.out) == (143, "")
        assert answer.text == f"Error: terminated before {out} was complete"
        assert sorted(Path().rglob("*")) == before
