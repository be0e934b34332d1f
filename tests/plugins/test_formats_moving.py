"""Videos, point clouds and volumes: pictures, frames and PLY files."""

from __future__ import annotations

import io
import math

import numpy
import pytest
import torch
from PIL import Image

from ganforge import Drawn, Field, Fit, Problem
from ganforge.pictures.encoding import encode_animation
from ganforge_formats.clouds import SIDE, PointsFormat
from ganforge_formats.tiles import grid
from ganforge_formats.video import VideoFormat
from ganforge_formats.volumes import VoxelsFormat


def problem_of(kind, *shape, fit=None, **said):
    return Problem(sample=Field(kind=kind, shape=shape, **said), input_shape=(2,), fit=fit)


def ramp(num, *shape):
    """Videos or volumes that grow brighter along their second axis, each with a level."""
    samples = torch.zeros(num, *shape)
    samples += torch.linspace(-1, 0.5, shape[1]).view(1, 1, -1, 1, 1)
    return samples + torch.linspace(0, 0.5, num).view(-1, 1, 1, 1, 1)


# videos


def test_a_strip_has_up_to_eight_frames_evenly_spread():
    picture = VideoFormat(problem_of("video", 1, 15, 4, 6)).picture(
        Drawn(samples=ramp(2, 1, 15, 4, 6))
    )
    assert picture.shape == (2 * (4 + 4) + 4, 8 * 7 - 1 + 2 * 4, 1)
    first = [int(picture[5, 5 + 7 * frame, 0]) for frame in range(8)]
    expected = [(-1 + 1.5 * time / 14 + 1) * 127.5 for time in range(0, 15, 2)]
    assert first == [round(it) for it in expected]


def test_a_film_is_a_grid_at_each_time():
    samples = ramp(4, 3, 5, 4, 4)
    frames = list(VideoFormat(problem_of("video", 3, 5, 4, 4)).film(Drawn(samples=samples)))
    assert len(frames) == 5
    for time, frame in enumerate(frames):
        assert torch.equal(frame, grid(samples[:, :, time]))


def test_companions_may_be_grey_smaller_shorter_or_still():
    samples = ramp(3, 3, 6, 8, 8)
    chosen = VideoFormat(problem_of("video", 3, 6, 8, 8))
    for companion in (
        samples[:, :1, :, ::2, ::2],
        samples[:, :, :2],
        samples[:, :, 0],
        torch.cat([samples, samples[:, :1]], dim=1),
    ):
        drawn = Drawn(samples=samples, before={"inputs": companion}, after={"real": samples + 0.1})
        assert chosen.picture(drawn).shape == (3 * (3 * 8 + 4) + 4, 6 * 9 - 1 + 8, 3)
        frames = list(chosen.film(drawn))
        assert len({tuple(frame.shape) for frame in frames}) == 1
        assert len(frames) == 6


def test_bands_of_videos_are_said_in_words():
    chosen = VideoFormat(problem_of("video", 7, 3, 8, 8))
    drawn = Drawn(samples=torch.rand(2, 7, 3, 8, 8) * 2 - 1)
    strip = chosen.picture(drawn)
    assert strip.shape[2] == 3
    assert len(strip) > 2 * 12 + 4
    assert all(frame.shape[2] == 3 for frame in chosen.film(drawn))


def test_a_film_becomes_an_animation_of_as_many_frames():
    frames = list(
        VideoFormat(problem_of("video", 1, 5, 4, 4)).film(Drawn(samples=ramp(1, 1, 5, 4, 4)))
    )
    for suffix in (".gif", ".apng"):
        with Image.open(io.BytesIO(encode_animation(frames, suffix, 50))) as image:
            assert image.n_frames == 5


# point clouds


def clouds(num, num_points=300, size=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(num, num_points, size, generator=generator) * 2 - 1


def last_cell(picture):
    """The last of the cells, without its frame."""
    return picture[-4 - SIDE : -12, -4 - SIDE : -12]


def inked(picture):
    return picture[8:-8, 8:-8].int().amin(2) < 230


def test_clouds_are_cells_of_a_sheet():
    chosen = PointsFormat(problem_of("points", 300, 3))
    picture = chosen.picture(Drawn(samples=clouds(4)))
    assert picture.shape == (2 * (SIDE + 8) + 8, 2 * (SIDE + 8) + 8, 3)
    assert torch.equal(picture, chosen.picture(Drawn(samples=clouds(4))))


def test_points_in_a_plane_are_where_their_coordinates_say():
    corners = torch.tensor([[-1.0, -1.0], [1.0, 1.0]]).repeat(30, 1)
    upper = torch.tensor([[1.0, 1.0]]).repeat(60, 1)
    picture = PointsFormat(problem_of("points", 60, 2)).picture(
        Drawn(samples=torch.stack([corners, upper]))
    )
    dark = last_cell(picture).int().amin(2) < 200
    rows, columns = dark.nonzero().double().mean(0).tolist()
    assert columns > 0.8 * SIDE
    assert rows < 0.2 * SIDE


def test_the_nearer_is_darker_and_hides_what_is_behind():
    # The eye looks along the axes from above and the side: these two are at one place for it.
    azimuth, elevation = math.radians(-60), math.radians(25)
    toward = torch.tensor(
        [
            -math.sin(azimuth) * math.cos(elevation),
            -math.cos(azimuth) * math.cos(elevation),
            math.sin(elevation),
        ]
    )
    near, far = 0.9 * toward, -0.9 * toward
    chosen = PointsFormat(problem_of("points", 40, 3))
    shades = []
    for points in ([near] * 40, [far] * 40, [near] * 20 + [far] * 20, [far] * 20 + [near] * 20):
        frame = torch.cat([clouds(1, 40), torch.stack(points)[None]])
        picture = chosen.picture(Drawn(samples=frame))
        shades.append(int(last_cell(picture).sum(2).min()))
    assert shades[0] < shades[1]
    assert shades[2] == shades[3] == shades[0]


def test_the_box_of_a_walk_stands_still():
    chosen = PointsFormat(problem_of("points", 300, 3))
    steps = [Drawn(samples=clouds(1) * scale) for scale in (0.2, 1.0)]
    small, large = chosen.walk(steps)
    assert inked(small).sum() < 0.5 * inked(large).sum()
    assert small.shape == large.shape


@pytest.mark.parametrize("size", [2, 3, 5])
def test_a_ply_has_every_point_of_every_cloud(size):
    fit = Fit(tensors={"scale": torch.tensor(10.0), "offset": torch.tensor(1.0)})
    samples = clouds(2, 7, size)
    contents = PointsFormat(problem_of("points", 7, size, fit=fit)).encode(
        Drawn(samples=samples), ".ply"
    )
    header, _, body = contents.partition(b"end_header\n")
    lines = header.decode().splitlines()
    assert lines[:3] == ["ply", "format binary_little_endian 1.0", "element vertex 14"]
    names = [line.split()[-1] for line in lines[3:]]
    assert names == ["x", "y", "z", *(f"c{it}" for it in range(3, size)), "sample"]
    read = numpy.frombuffer(body, [*((name, "<f4") for name in names[:-1]), ("sample", "<i4")])
    assert read["sample"].tolist() == [0] * 7 + [1] * 7
    for axis in range(size):
        column = torch.from_numpy(read[names[axis]].copy()).view(2, 7)
        assert torch.equal(column, samples[:, :, axis] * 10 + 1)


def test_points_on_a_line_are_refused():
    with pytest.raises(ValueError, match="points need two coordinates"):
        PointsFormat(problem_of("points", 9, 1))


@pytest.mark.parametrize("fill", [math.nan, math.inf, 0.0, 1e30])
def test_odd_points_make_a_picture(fill):
    samples = torch.cat([torch.full((1, 9, 3), fill), clouds(1, 9)])
    picture = PointsFormat(problem_of("points", 9, 3)).picture(Drawn(samples=samples))
    assert inked(picture).any()


# volumes


def test_a_volume_is_seen_along_each_axis_the_nearer_the_brighter():
    samples = -torch.ones(1, 1, 24, 24, 24)
    samples[0, 0, 0, 3, 5] = 1.0
    picture = VoxelsFormat(problem_of("voxels", 1, 24, 24, 24)).picture_of_one(
        Drawn(samples=samples)
    )
    assert picture.shape == (48, 2 * 3 * 25, 1)
    spots = picture[::2, ::2, 0].nonzero().tolist()
    assert spots == [[0, 25 + 5], [0, 50 + 3], [3, 5]]
    levels = [int(picture[2 * row, 2 * column, 0]) for row, column in spots]
    assert levels[2] == 255
    assert levels[0] == round(255 * (1 - 0.65 * 3 / 23))
    assert levels[1] == round(255 * (1 - 0.65 * 5 / 23))


@pytest.mark.parametrize("shape", [(1, 4, 5, 6), (3, 30, 4, 4), (5, 8, 8, 8), (2, 3, 3, 3)])
def test_volumes_of_any_sides_and_channels_make_a_picture(shape):
    chosen = VoxelsFormat(problem_of("voxels", *shape))
    samples = ramp(4, *shape)
    labels = torch.tensor([0, 1, 0, 1])
    for drawn in (
        Drawn(samples=samples, labels=labels, classes=("cup", "chair"), ordered=False),
        Drawn(samples=samples, before={"inputs": samples[:, :1, ::2]}, after={"real": samples / 2}),
    ):
        picture = chosen.picture(drawn)
        assert picture.dtype == torch.uint8
        assert picture.shape[2] == (1 if shape[0] == 1 else 3)
