"""A trained generator from Python: its samples are those of `ganforge sample`."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import ganforge
from ganforge.cli import main

from .conftest import Train


@pytest.fixture(scope="module")
def generator(conditional_run: Path) -> ganforge.Generator:
    return ganforge.load(conditional_run, device="cpu")


def test_samples_are_those_of_the_command_line(
    generator: ganforge.Generator, conditional_run: Path, tmp_path: Path
) -> None:
    file = tmp_path / "samples.npz"
    assert (
        main(["sample", str(conditional_run), "--num", "70", "--seed", "3", "--out", str(file)])
        == 0
    )
    stored = numpy.load(file)
    samples = generator.sample(70, 3)
    assert samples.dtype == torch.float32
    assert numpy.array_equal(stored["samples"], generator.restore(samples).numpy())
    assert stored["labels"].tolist() == generator.labels(70).tolist()
    ours = tmp_path / "ours.npz"
    generator.save(ours, samples, labels=generator.labels(70))
    assert ours.read_bytes() == file.read_bytes()


def test_a_generator_says_what_it_is(generator: ganforge.Generator) -> None:
    assert generator.classes == ("ant", "bee", "cat")
    assert generator.problem.sample_shape == (1, 8, 8)
    assert not generator.network.training
    assert generator.device == torch.device("cpu")
    assert re.fullmatch(r"<\w+: 1 x 8 x 8 of \d+ numbers, told label>", repr(generator))


def test_it_is_loaded_from_a_run_its_file_alone_or_a_checkpoint(
    generator: ganforge.Generator, conditional_run: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "elsewhere.safetensors"
    alone.write_bytes((conditional_run / "generator.safetensors").read_bytes())
    run = ganforge.open_run(conditional_run)
    assert [step for step, _ in run.checkpoints] == [3, 2]
    samples = generator.sample(4)
    for source in (alone, str(alone), run, run.checkpoints[0][1]):
        assert torch.equal(ganforge.load(source, device="cpu").sample(4), samples)
    assert torch.equal(run.load(device="cpu").sample(4), samples)
    before = run.load(2, device="cpu").sample(4)
    assert before.shape == samples.shape
    assert not torch.equal(before, samples)


def test_a_lone_checkpoint_has_its_generator(conditional_run: Path, tmp_path: Path) -> None:
    run = ganforge.open_run(conditional_run)
    path = run.checkpoints[0][1]
    alone = tmp_path / "deep" / "down.safetensors"
    alone.parent.mkdir()
    alone.write_bytes(path.read_bytes())
    samples = ganforge.load(path, device="cpu").sample(4)
    assert torch.equal(ganforge.load(alone, device="cpu").sample(4), samples)


def test_a_lone_checkpoint_of_0_1_says_what_it_lacks(tmp_path: Path) -> None:
    stored = Path(__file__).parents[1] / "data" / "written-by-0.1"
    (path, *_) = sorted(stored.rglob("step-*.safetensors"))
    alone = tmp_path / "deep" / "down.safetensors"
    alone.parent.mkdir()
    alone.write_bytes(path.read_bytes())
    with pytest.raises(ganforge.CheckpointError, match="holds weights alone"):
        ganforge.load(alone)


def test_what_is_no_generator_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ganforge.UsageError, match="neither a run directory nor"):
        ganforge.load(tmp_path / "absent")
    (tmp_path / "config.toml").write_text("")
    with pytest.raises(ganforge.UsageError, match="has not saved a generator yet"):
        ganforge.load(tmp_path)
    with pytest.raises(ganforge.CheckpointError, match="is not a ganforge generator"):
        ganforge.load(tmp_path / "config.toml")


def test_a_device_that_is_not_there_is_an_error(conditional_run: Path) -> None:
    with pytest.raises(ganforge.DeviceError, match="'cuda:99' is not there"):
        ganforge.load(conditional_run, device="cuda:99")


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 150), more=st.integers(0, 100), seed=st.integers(0, 2**63 - 1))
def test_fewer_samples_are_the_first_of_more(
    generator: ganforge.Generator, n: int, more: int, seed: int
) -> None:
    samples = generator.sample(n, seed)
    assert samples.shape == (n, 1, 8, 8)
    assert samples.abs().max() <= 1
    # Batches of another size may round in another way.
    assert torch.allclose(generator.sample(n + more, seed)[:n], samples, atol=1e-5)
    assert torch.equal(torch.cat([*generator.stream(n, seed)]), samples)


@pytest.mark.parametrize(
    "labels",
    [["bee", "cat"], [1, 2], ("bee", 2), numpy.array([1, 2]), torch.tensor([1, 2])],
    ids=["names", "numbers", "both", "array", "tensor"],
)
def test_labels_are_names_or_numbers(generator: ganforge.Generator, labels: object) -> None:
    samples = generator.sample(conditions={"label": labels})
    assert torch.equal(samples, generator.sample(2, conditions={"label": [1, 2]}))
    assert not torch.equal(samples, generator.sample(2, conditions={"label": [0, 0]}))


def test_one_label_is_that_of_all(generator: ganforge.Generator) -> None:
    alone = generator.sample(5, conditions={"label": "cat"})
    assert torch.equal(alone, generator.sample(5, conditions={"label": [2] * 5}))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"conditions": {"label": "dog"}}, "there is no class 'dog'; the generator has 3 classes"),
        ({"conditions": {"label": "beee"}}, "there is no class 'beee'; did you mean 'bee'?"),
        ({"conditions": {"label": 3}}, "there is no class number 3: they go from 0 to 2"),
        ({"conditions": {"label": [-1]}}, "there is no class number -1"),
        ({"conditions": {"label": []}}, "has no labels"),
        ({"conditions": {"label": 1.5}}, "labels are whole numbers [N] or names of classes"),
        ({"conditions": {"label": [True]}}, "a label is a class or its number, not True"),
        ({"conditions": {"lable": 1}}, "is not told 'lable'; did you mean 'label'?"),
        ({"n": 3, "conditions": {"label": [0, 1]}}, "2 values of 'label' for 3 samples"),
        ({"n": 0}, "n= must be a number of samples from 1 up, not 0"),
        ({"n": 2.5}, "n= must be a number of samples from 1 up, not 2.5"),
        ({"n": 1, "seed": -1}, "seed= must be a number from 0 to"),
        ({"inputs": torch.zeros(2, 3)}, "inputs= must be [N, "),
        ({"inputs": "noise"}, "inputs= is no array of numbers"),
        ({"n": 3, "truncation": 0.0}, "no truncation with the sampler 'normal'"),
    ],
)
def test_what_cannot_be_sampled_is_told_at_once(
    generator: ganforge.Generator, arguments: dict[str, object], message: str
) -> None:
    for ask in (generator.sample, generator.stream):
        with pytest.raises(ganforge.GanforgeError) as caught:
            ask(**arguments)  # type: ignore[operator]
        assert message in str(caught.value)


def test_a_generator_without_labels_takes_none(train: Train) -> None:
    generator = train(dataset="ring", steps=1).generator(device="cpu")
    assert generator.classes is None
    with pytest.raises(
        ganforge.UsageError, match="'label', and this generator was trained without"
    ):
        generator.sample(3, conditions={"label": 1})
    with pytest.raises(ganforge.UsageError, match="has no classes"):
        generator.labels(3)


def test_inputs_of_ones_own_are_what_it_is_fed_with(generator: ganforge.Generator) -> None:
    latents = generator.latents(70, seed=5)
    samples = generator.sample(70, seed=5)
    assert torch.equal(generator.sample(inputs=latents), samples)
    assert torch.equal(generator.sample(inputs=latents.numpy()), samples)
    with pytest.raises(ganforge.UsageError, match="there are 70 inputs for 3 samples"):
        generator.sample(3, inputs=latents)
    with pytest.raises(ganforge.UsageError, match="truncation= narrows the draw"):
        generator.sample(inputs=latents, truncation=0.5)


def test_truncation_keeps_latents_nearer(
    generator: ganforge.Generator, conditional_run, tmp_path
) -> None:
    file = tmp_path / "samples.npz"
    ask = ["--num", "5", "--truncation", "0.5", "--out", str(file)]
    assert main(["sample", str(conditional_run), *ask]) == 0
    assert numpy.array_equal(
        numpy.load(file)["samples"], generator.sample(5, truncation=0.5).numpy()
    )


def test_gradients_flow_to_the_inputs(generator: ganforge.Generator) -> None:
    latents = generator.latents(3).requires_grad_()
    generator(latents, {"label": [0, 1, 2]}).square().mean().backward()
    assert latents.grad is not None
    assert latents.grad.abs().max() > 0
    generator.network.zero_grad()
    with torch.no_grad():
        made = generator(latents, {"label": "ant"})
    assert not made.requires_grad
    assert torch.allclose(
        made, generator.sample(inputs=latents, conditions={"label": 0}), atol=1e-6
    )
    with pytest.raises(ganforge.UsageError, match="conditions= must have 'label' here"):
        generator(latents)


def test_samples_can_be_trained_on(generator: ganforge.Generator) -> None:
    layer = torch.nn.Conv2d(1, 1, 3)
    for samples in generator.stream(70):
        assert not torch.is_inference_mode_enabled()
        layer(samples).mean().backward()
    assert layer.weight.grad is not None


def test_a_stream_takes_no_more_memory_the_longer_it_is(generator: ganforge.Generator) -> None:
    tracemalloc.start()
    try:
        peaks = []
        for n in (640, 6400):
            tracemalloc.reset_peak()
            sizes = [len(chunk) for chunk in generator.stream(n)]
            assert sum(sizes) == n
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
    # Nothing is made before it is asked for, and nothing of the whole length is held.
    assert next(generator.stream(10**15)).shape == (64, 1, 8, 8)


def test_conditions_of_any_kind_are_given_in_the_units_of_the_data(train: Train) -> None:
    data = ganforge.dataset(
        torch.rand(40, 6),
        conditions={"size": torch.arange(40.0), "place": torch.rand(40, 2)},
    )
    result = train(
        dataset=data,
        generator={"name": "mlp", "hidden": [8]},
        discriminator={"name": "mlp", "hidden": [8]},
        steps=1,
    )
    assert result.run.settings["dataset.name"] == "python"
    assert result.generator(device="cpu").sample(3).shape == (3, 6)


def test_a_generator_that_is_fed_with_images_wants_them(train: Train, images: torch.Tensor) -> None:
    result = train(
        dataset=images,
        generator={"name": "autoencoder", "widths": [2, 4]},
        discriminator="none",
        loss="mse",
        latent_size=None,
        steps=1,
    )
    generator = result.generator(device="cpu")
    assert not generator.takes_latents
    with pytest.raises(ganforge.UsageError, match=r"is not fed with latents, but with data"):
        generator.sample(3)
    remade = generator.sample(inputs=images)
    assert remade.shape == (40, 1, 8, 8)
    scaled = images.float() / 127.5 - 1
    assert torch.allclose(remade, generator.sample(inputs=scaled), atol=1e-5)


def test_samples_come_back_in_the_units_of_the_data(train: Train) -> None:
    data = ganforge.dataset(torch.rand(40, 1, 8, 8) * 300, range=(0, 300))
    generator = train(dataset=data, steps=1).generator(device="cpu")
    samples = generator.sample(5)
    assert samples.abs().max() <= 1
    assert torch.allclose(generator.restore(samples), (samples + 1) * 150)


def test_samples_are_seen_and_saved_in_their_format(
    generator: ganforge.Generator, tmp_path: Path
) -> None:
    samples = generator.sample(6)
    picture = generator.picture(samples)
    assert isinstance(picture, Image.Image)
    generator.save(tmp_path / "grid.png", samples)
    assert numpy.array_equal(numpy.array(Image.open(tmp_path / "grid.png")), numpy.array(picture))
    generator.save(tmp_path / "each", samples)
    assert len([*(tmp_path / "each").iterdir()]) == 6
    with pytest.raises(ganforge.UsageError, match=r"are written as \.png"):
        generator.save(tmp_path / "samples.wav", samples)
    with pytest.raises(ganforge.UsageError, match="cannot be written: No such file"):
        generator.save(tmp_path / "absent" / "grid.png", samples)
    with pytest.raises(ganforge.UsageError, match=r"samples are \[N, 1, 8, 8\] here"):
        generator.save(tmp_path / "grid.png", samples[:, :, :4])
    with pytest.raises(ganforge.UsageError, match="there are 2 labels for 6 samples"):
        generator.picture(samples, labels=[0, 1])


def test_sampling_draws_nothing_from_the_program(generator: ganforge.Generator) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    stream = generator.stream(200)
    next(stream)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.is_grad_enabled()
