"""Exported programs give what `ganforge sample` gives, in their own runtimes, for any batch."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ganforge.config.settings import ExecutionSettings
from ganforge.contracts import Batch
from ganforge.device.execution import Execution
from ganforge.export import programs
from ganforge.plugin.discovery import discover
from ganforge.sampling.trained_generator import TrainedGenerator, feed, make, open_generator
from tests.conftest import Command, FakePlugin
from tests.export.conftest import CASES, SMALL, Train

WITHOUT_ONNX = "needs `pip install ganforge[onnx]` and onnxruntime"


def opened(run: Path) -> TrainedGenerator:
    execution = Execution.from_settings(ExecutionSettings(device="cpu"))
    return open_generator(run / "generator.safetensors", discover().registry, execution)


def inputs_and_samples(run: Path, num: int) -> tuple[dict[str, Tensor], Tensor]:
    """What the sampler feeds the generator with, and its samples in the units of the data."""
    trained = opened(run)
    problem = trained.problem
    noise = torch.Generator().manual_seed(3)
    shape = (num, *problem.sample_shape)
    fields = {"source": torch.rand(num, *problem.input_shape, generator=noise)}
    real = Batch(torch.rand(shape, generator=noise) * 2 - 1, **fields)
    (inputs,) = feed(trained, num=num, seed=3, real=real if trained.source.fed_with_data else None)
    ((samples, _),) = make(trained, [inputs])
    name = "latent" if trained.sampler_spec.inputs == "latents" else "input"
    values = {name: inputs.values} | {it: inputs.others[it] for it in problem.conditions}
    return values, trained.format.format.restored(samples)


def run_onnx(path: Path, values: Mapping[str, Tensor]) -> Tensor:
    onnxruntime = pytest.importorskip("onnxruntime", reason=WITHOUT_ONNX)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (samples,) = session.run(["samples"], {name: it.numpy() for name, it in values.items()})
    return torch.from_numpy(samples)


#: those that are exported to ONNX each time: of latents, of classes, of points, of several networks
USUAL = ("dcgan", "conditional", "mlp of points", "cycle")


@pytest.mark.parametrize(
    "case", [it if it in USUAL else pytest.param(it, marks=pytest.mark.slow) for it in CASES]
)
def test_a_bundled_generator_is_exported_as_an_onnx_program(case: str, train: Train, cli: Command):
    pytest.importorskip("onnxscript", reason=WITHOUT_ONNX)
    run = train(*CASES[case])
    answer = cli("export", run, "--format", "onnx")
    assert answer.code == 0, answer.err
    assert "compared with torch on 5 samples in onnxruntime: they differ by" in answer.out
    for num in (1, 7):
        values, wanted = inputs_and_samples(run, num)
        torch.testing.assert_close(
            run_onnx(run / "export" / "generator.onnx", values), wanted, rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("case", CASES)
def test_a_bundled_generator_is_exported_as_a_program_of_torch(
    case: str, train: Train, cli: Command
):
    run = train(*CASES[case])
    answer = cli("export", run, "--format", "torch-export")
    assert answer.code == 0, answer.err
    assert "compared with torch on 5 samples in torch.export: they differ by" in answer.out
    program = torch.export.load(run / "export" / "generator.pt2").module()
    for num in (1, 7):
        values, wanted = inputs_and_samples(run, num)
        torch.testing.assert_close(program(**values), wanted, rtol=1e-5, atol=1e-6)


WITHOUT_GANFORGE = """
import sys
sys.modules["ganforge"] = None  # an import of it fails
import torch
generator = torch.export.load(sys.argv[1]).module()
samples = generator(latent=torch.zeros(9, 100), label=torch.arange(9))
print(tuple(samples.shape), [name for name in sys.modules if "ganforge" in name])
"""


def test_a_program_of_torch_is_loaded_where_ganforge_is_not(train: Train, cli: Command):
    run = train(*CASES["conditional"])
    assert cli("export", run, "--format", "torch-export").code == 0
    path = run / "export" / "generator.pt2"
    answer = subprocess.run(
        [sys.executable, "-I", "-c", WITHOUT_GANFORGE, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert answer.stdout.strip() == "(9, 1, 32, 32) ['ganforge']"


def test_nothing_in_a_program_of_torch_is_pickled(train: Train, cli: Command):
    run = train(*CASES["mlp of points"])
    assert cli("export", run, "--format", "torch-export").code == 0
    with zipfile.ZipFile(run / "export" / "generator.pt2") as archive:
        assert [it for it in archive.namelist() if it.endswith((".pkl", ".pickle"))] == []
        for entry in archive.infolist():
            # What torch.save writes is a zip file of its own, and a pickle begins with 0x80.
            assert archive.read(entry)[:2] not in (b"PK", b"\x80\x02", b"\x80\x04"), entry.filename


def test_the_axes_of_an_onnx_program_have_names(train: Train, cli: Command):
    onnx = pytest.importorskip("onnx", reason=WITHOUT_ONNX)
    run = train(*CASES["conditional"])
    assert cli("export", run, "--format", "onnx").code == 0
    model = onnx.load(run / "export" / "generator.onnx")
    onnx.checker.check_model(model)
    shapes = {
        it.name: [axis.dim_param or axis.dim_value for axis in it.type.tensor_type.shape.dim]
        for it in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {
        "latent": ["batch", 100],
        "label": ["batch"],
        "samples": ["batch", 1, 32, 32],
    }


def test_samples_have_the_units_of_the_data(train: Train, cli: Command, fake_plugin: FakePlugin):
    """A field that declares a range, on both ends: a condition and the sample."""
    fake_plugin("ganforge-ranged", RANGED)
    run = train(
        "--generator=ganforge-ranged/scaled",
        *("--dataset=ganforge-ranged/ranged", "--set=generator.conditions=['heat']"),
        "--latent-size=2",
    )
    assert cli("export", run, "--format", "torch-export").code == 0
    program = torch.export.load(run / "export" / "generator.pt2").module()
    # heat from 0 to 50 is [-1, 1] for the network, whose answer is [-1, 1] for 100 to 300.
    heat = torch.tensor([[0.0], [25.0], [50.0]])
    samples = program(latent=torch.zeros(3, 2), heat=heat)
    torch.testing.assert_close(samples, torch.tensor([[100.0], [200.0], [300.0]]))
    text = (run / "export" / "README.md").read_text()
    assert "| heat | float32 | batch, 1 | those of the data, from 0 to 50 |" in text
    assert (
        "| samples, the output | float32 | batch, 1 | those of the data, from 100 to 300 |" in text
    )


RANGED = """
from ganforge import DatasetSpec, Field, GeneratorSpec, VectorShapes, hookimpl

@hookimpl
def ganforge_generators():
    yield GeneratorSpec(name="scaled", summary="The condition", build="ganforge_ranged:build",
                        shapes=(VectorShapes(),), discriminator="mlp", conditions=("vector",))

@hookimpl
def ganforge_datasets():
    yield DatasetSpec(name="ranged", summary="Heat", build="ganforge_ranged:data",
        fields=lambda options: {
            "sample": Field(kind="vector", shape=(1,), range=(100.0, 300.0)),
            "heat": Field(kind="vector", shape=(1,), range=(0.0, 50.0)),
        })

def build(problem, options):
    import torch
    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))
        def forward(self, inputs, *, vector):
            return self.weight.detach() * 0 + self.weight / self.weight.detach() * vector
    return Scaled()

def data(problem, options):
    import torch
    from ganforge import Batch, InMemoryDataset
    heat = torch.linspace(0, 50, 8)[:, None]
    return InMemoryDataset(100 + 4 * heat, others={"heat": heat})
"""


def test_a_batch_size_can_be_fixed(train: Train, cli: Command):
    run = train(*CASES["mlp of points"])
    answer = cli("export", run, "--format", "torch-export", "--batch", 3)
    assert answer.code == 0, answer.err
    assert "on 3 samples" in answer.out
    program = torch.export.load(run / "export" / "generator.pt2").module()
    assert program(latent=torch.zeros(3, 2)).shape == (3, 2)
    with pytest.raises(Exception, match="latent"):
        program(latent=torch.zeros(4, 2))
    assert "| latent | float32 | 3, 2 |" in (run / "export" / "README.md").read_text()


PECULIAR = """
from ganforge import GeneratorSpec, hookimpl

@hookimpl
def ganforge_generators():
    for name in ("deciding", "noisy"):
        yield GeneratorSpec(name=name, summary="Peculiar", build=f"ganforge_peculiar:{name}",
                            discriminator="mlp")

def base(problem):
    import torch
    class Base(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.shape = problem.sample_shape
            size = self.shape[0] * self.shape[1] * self.shape[2]
            self.layer = torch.nn.Linear(problem.input_shape[0], size)
        def made(self, inputs):
            return self.layer(inputs).tanh().view(-1, *self.shape)
    return Base

def deciding(problem, options):
    class Deciding(base(problem)):
        def forward(self, inputs):
            made = self.made(inputs)
            return made if made.mean().item() > 0 else -made
    return Deciding()

def noisy(problem, options):
    import torch
    class Noisy(base(problem)):
        def forward(self, inputs):
            return self.made(inputs) + 0.1 * torch.randn(inputs.shape[0], *self.shape)
    return Noisy()
"""


def test_a_forward_that_decides_by_its_values_is_an_error_that_names_the_component(
    train: Train, cli: Command, fake_plugin: FakePlugin
):
    fake_plugin("ganforge-peculiar", PECULIAR)
    run = train("--generator=deciding", "--image-size=8")
    before = sorted(run.iterdir())
    answer = cli("export", run, "--format", "torch-export")
    assert answer.code == 1
    assert answer.out == ""
    assert answer.text.startswith(
        "Error: the generator 'ganforge-peculiar/deciding' of ganforge-peculiar 1.0 cannot be "
        "exported as a program"
    )
    assert "--format safetensors" in answer.text
    assert len(answer.err.splitlines()) == 1
    assert sorted(run.iterdir()) == before
    assert cli("export", run, "--format", "safetensors").code == 0


def test_a_generator_with_noise_of_its_own_is_exported_and_not_compared(
    train: Train, cli: Command, fake_plugin: FakePlugin
):
    fake_plugin("ganforge-peculiar", PECULIAR)
    run = train("--generator=noisy", "--image-size=8")
    answer = cli("export", run, "--format", "torch-export")
    assert answer.code == 0, answer.err
    assert "not compared with torch: the generator draws noise of its own" in answer.out
    program = torch.export.load(run / "export" / "generator.pt2").module()
    latent = torch.zeros(2, 100)
    assert not torch.equal(program(latent=latent), program(latent=latent))


def test_a_program_that_gives_something_else_is_not_written(
    train: Train, cli: Command, monkeypatch: pytest.MonkeyPatch
):
    run = train(*CASES["mlp of points"])
    right = programs.computed
    monkeypatch.setattr(programs, "computed", lambda *arguments: right(*arguments) + 0.1)
    answer = cli("export", run, "--format", "torch-export")
    assert answer.code == 1
    assert "the exported file gives other samples in torch.export than torch does" in answer.text
    assert not (run / "export").exists()


def test_what_is_too_large_for_one_onnx_file_has_its_weights_beside_it(
    train: Train, cli: Command, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("onnxscript", reason=WITHOUT_ONNX)
    run = train("--generator=dcgan", *SMALL)
    monkeypatch.setattr(programs, "MOST_BYTES_OF_ONE_FILE", 1000)
    answer = cli("export", run, "--format", "onnx")
    assert answer.code == 0, answer.err
    assert "in two files, since ONNX holds 2 GB in one" in answer.out
    names = sorted(it.name for it in (run / "export").iterdir())
    assert names == ["README.md", "generator.onnx", "generator.onnx.data"]
    values, wanted = inputs_and_samples(run, 3)
    found = run_onnx(run / "export" / "generator.onnx", values)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_latents_are_truncated_by_who_draws_them(train: Train, cli: Command):
    run = train(*CASES["mlp of points"])
    answer = cli("export", run, "--format", "torch-export", "--truncation", 0.5)
    assert answer.code == 2
    assert "this generator does not truncate by itself" in answer.text
    assert np.array_equal(sorted(run.glob("export*")), [])
