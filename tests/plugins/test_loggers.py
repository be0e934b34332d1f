"""The loggers: what is in their files after a run, after a resumed one, and after a crash."""

from __future__ import annotations

import csv
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import ganforge_loggers
from ganforge import DataError, NoOptions, Problem
from ganforge_loggers import TensorBoardOptions
from ganforge_loggers.table import CSV

PROBLEM = Problem(sample_shape=(1, 8, 8), input_shape=(4,))


def table(folder):
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def started(folder, step=0):
    callback = CSV(PROBLEM, NoOptions())
    callback.started(folder, step, {})
    return callback


def test_each_line_of_metrics_is_a_row_and_crlf_ends_it(tmp_path):
    callback = started(tmp_path)
    callback.metrics(25, {"step": 25, "loss/generator": 0.1 + 0.2, "images": 1600})
    callback.metrics(50, {"step": 50, "loss/generator": 1e-30, "images": 3200})
    assert (tmp_path / "metrics.csv").read_bytes() == (
        b"step,loss/generator,images\r\n25,0.30000000000000004,1600\r\n50,1e-30,3200\r\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


def test_a_new_name_makes_a_column_and_an_absent_one_an_empty_cell(tmp_path):
    callback = started(tmp_path)
    callback.metrics(1, {"a": 1.0})
    callback.metrics(2, {"a": 2.0, "b, or so": 3.0})
    callback.metrics(3, {"b, or so": 4.0})
    assert table(tmp_path) == [
        {"step": "1", "a": "1.0", "b, or so": ""},
        {"step": "2", "a": "2.0", "b, or so": "3.0"},
        {"step": "3", "a": "", "b, or so": "4.0"},
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


def test_a_resumed_run_drops_what_comes_again_and_keeps_the_columns(tmp_path):
    callback = started(tmp_path)
    for step in (5, 10, 15):
        callback.metrics(step, {"step": step, "loss": step / 10})
    callback.metrics(15, {"step": 15, "fid": 3.5})
    callback = started(tmp_path, step=10)
    assert [row["step"] for row in table(tmp_path)] == ["5", "10"]
    callback.metrics(15, {"step": 15, "loss": 7.0})
    assert table(tmp_path)[-1] == {"step": "15", "loss": "7.0", "fid": ""}
    started(tmp_path)
    assert (tmp_path / "metrics.csv").read_bytes() == b"step,loss,fid\r\n"


@pytest.mark.parametrize(
    "rest", [b"10,0", b"x,1\r\n", b"10\r\n", b"\x00\x00\r\n", b"\xff,1\r\n", b'"10,1']
)
def test_what_a_crash_left_is_dropped_with_nothing_else(tmp_path, rest):
    (tmp_path / "metrics.csv").write_bytes(b"step,loss\r\n5,1.5\r\n" + rest)
    started(tmp_path, step=20).metrics(25, {"step": 25, "loss": 2.0})
    assert table(tmp_path) == [{"step": "5", "loss": "1.5"}, {"step": "25", "loss": "2.0"}]


def test_an_empty_file_or_one_that_is_taken_away_is_begun_again(tmp_path):
    (tmp_path / "metrics.csv").touch()
    callback = started(tmp_path, step=3)
    callback.metrics(4, {"loss": 1.0})
    (tmp_path / "metrics.csv").unlink()
    callback.metrics(5, {"loss": 2.0})
    assert table(tmp_path) == [{"step": "5", "loss": "2.0"}]


def test_a_table_that_cannot_be_written_raises_for_the_engine_to_tell(tmp_path):
    callback = started(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match=r"metrics\.csv"):
        callback.metrics(1, {"loss": 1.0})


NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.dictionaries(NAMES.filter(lambda it: it != "step"), st.floats()), max_size=6))
def test_every_value_is_read_back_as_it_was(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("run")
    callback = started(folder)
    for step, values in enumerate(lines):
        callback.metrics(step, values)
    rows = table(folder) if lines else []
    names = {name for values in lines for name in values}
    assert len(rows) == len(lines)
    for step, (row, values) in enumerate(zip(rows, lines, strict=True)):
        assert row.keys() == {"step", *names}
        assert row.pop("step") == str(step)
        found = {name: cell for name, cell in row.items() if cell}
        assert found == {name: repr(value) for name, value in values.items()}


@pytest.fixture
def events():
    """Reads the event files of a folder."""
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="tensorboard is not installed",
    )

    def read(folder):
        found = accumulator.EventAccumulator(str(folder))
        found.Reload()
        return found

    return read


def board(folder, step=0, *, directory=None, config=None):
    from ganforge_loggers.events import TensorBoard

    callback = TensorBoard(PROBLEM, TensorBoardOptions(directory=directory))
    callback.started(folder, step, config or {})
    return callback


def scalars(found, name):
    return [(it.step, it.value) for it in found.Scalars(name)]


def test_scalars_pictures_and_the_configuration_are_events(tmp_path, events):
    callback = board(tmp_path, config={"generator.name": "dcgan", "training.epochs": None})
    grey = torch.arange(24, dtype=torch.uint8).reshape(4, 6, 1)
    callback.picture(0, grey)
    callback.metrics(5, {"step": 5, "loss/generator": 0.5, "images": 320})
    callback.metrics(10, {"step": 10, "loss/generator": 0.25})
    callback.ended("finished")
    found = events(tmp_path / "tensorboard")
    assert found.Tags()["scalars"] == ["loss/generator", "images"]
    assert scalars(found, "loss/generator") == [(5, 0.5), (10, 0.25)]
    (picture,) = found.Images("samples")
    assert (picture.step, picture.width, picture.height) == (0, 6, 4)
    assert picture.encoded_image_string.startswith(b"\x89PNG")
    (config,) = found.Tensors("config/text_summary")
    text = config.tensor_proto.string_val[0].decode()
    assert text == '    generator.name = "dcgan"\n    training.epochs = null'


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_picture_is_the_grid_pixel_by_pixel(tmp_path, events, channels):
    import io

    from PIL import Image

    callback = board(tmp_path)
    picture = torch.randint(256, (5, 7, channels), dtype=torch.uint8)
    callback.picture(3, picture)
    callback.ended("finished")
    (event,) = events(tmp_path / "tensorboard").Images("samples")
    with Image.open(io.BytesIO(event.encoded_image_string)) as image:
        pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    assert torch.equal(pixels.view(5, 7, -1), picture.expand(-1, -1, max(channels, 3)))


def test_a_checkpoint_flushes_and_a_resumed_run_voids_what_comes_again(tmp_path, events):
    killed = board(tmp_path)
    for step in (5, 10, 15):
        killed.metrics(step, {"loss": float(step)})
    killed.saved(10, tmp_path / "step-00000010.safetensors")
    assert len(scalars(events(tmp_path / "tensorboard"), "loss")) == 3
    resumed = board(tmp_path, step=10)
    resumed.metrics(15, {"loss": 150.0})
    resumed.ended("interrupted")
    found = events(tmp_path / "tensorboard")
    assert scalars(found, "loss") == [(5, 5.0), (10, 10.0), (15, 150.0)]
    over = board(tmp_path)
    over.metrics(0, {"loss": 1.0})
    over.ended("finished")
    assert scalars(events(tmp_path / "tensorboard"), "loss") == [(0, 1.0)]
    killed.ended("failed")


def test_a_directory_of_ones_own_has_a_folder_per_run(tmp_path, events):
    for name in ("one", "two"):
        callback = board(tmp_path / "runs" / name, directory=str(tmp_path / "board"))
        callback.metrics(1, {"loss": 2.0})
        callback.ended("finished")
        assert scalars(events(tmp_path / "board" / name), "loss") == [(1, 2.0)]
    assert not (tmp_path / "runs").exists()


def test_nothing_told_before_or_after_a_session_is_an_error(tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from ganforge_loggers.events import TensorBoard

    callback = TensorBoard(PROBLEM, TensorBoardOptions())
    callback.metrics(1, {"loss": 1.0})
    callback.picture(1, torch.zeros(2, 2, 1, dtype=torch.uint8))
    callback.saved(1, tmp_path)
    callback.ended("failed")
    assert list(tmp_path.iterdir()) == []


def test_the_missing_package_is_told_with_the_command_that_installs_it(monkeypatch):
    (spec,) = (it for it in ganforge_loggers.ganforge_callbacks() if it.name == "tensorboard")
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "tensorboard", raising=False)
    sys.path_importer_cache.clear()
    with pytest.raises(DataError, match=r'pip install "ganforge\[tensorboard\]"'):
        spec.check_available(TensorBoardOptions())
