"""Grids of images, pixel by pixel: gaps, captions, cells of several images."""

from __future__ import annotations

import pytest
import torch

from ganforge_formats.tiles import beside, grid, sheet, to_bytes

GREY = 128  # what 0 becomes, rounded to even


def levels(*values: float) -> torch.Tensor:
    """One grey image of 2 x 3 pixels per value."""
    return torch.tensor(values).view(-1, 1, 1, 1).expand(-1, 1, 2, 3)


def test_a_grid_is_as_square_as_can_be_with_gaps_of_two_pixels():
    picture = grid(levels(-1, 1, 0, 0.5, 1))
    assert picture.shape == (2 * (2 + 2) + 2, 3 * (3 + 2) + 2, 1)
    assert (picture[2:4, 2:5] == 0).all()
    assert (picture[2:4, 7:10] == 255).all()
    assert (picture[2:4, 12:15] == GREY).all()
    assert (picture[6:8, 2:5] == 191).all()
    assert picture[6:8, 12:].sum() == 0
    assert int((picture > 0).sum()) == 4 * 6


def test_rows_of_different_lengths_leave_places_empty():
    picture = sheet([to_bytes(levels(1)), to_bytes(levels(1, 1, 1))])
    assert picture.shape == (10, 17, 1)
    assert int((picture[:4] == 255).sum()) == 6
    assert int((picture[4:] == 255).sum()) == 18


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("side", [8, 28, 64])
def test_captions_stand_in_a_margin_each_beside_its_row(channels, side):
    samples = torch.zeros(6, channels, side, side)
    plain = grid(samples, columns=2)
    captioned = grid(samples, columns=2, captions=["Ankle boot", "", "T-shirt/top"])
    margin = captioned.shape[1] - plain.shape[1]
    assert torch.equal(captioned[:, margin:], plain)
    text = captioned[:, :margin]
    assert captioned.shape == (len(plain), margin + plain.shape[1], channels)
    assert (text == text[:, :, :1]).all()
    inked = text[:, :, 0].amax(1) > 100
    pitch = side + 2
    first, second, third = inked[:pitch], inked[pitch : 2 * pitch], inked[2 * pitch :]
    assert first.sum() >= 5
    assert not second.any()
    assert third.sum() >= 5
    # The text is neither cut off at the left nor runs into the samples.
    columns = (text[:, :, 0].amax(0) > 100).nonzero().flatten()
    assert 3 <= columns.min() <= 9
    assert margin - 9 <= columns.max() < margin - 3


def test_a_caption_from_outside_is_one_short_line():
    samples = torch.zeros(1, 1, 28, 28)
    odd = grid(samples, captions=["a\nb\x1b[2J" + "x" * 500])
    assert odd.shape[0] == 32
    assert odd.shape[1] < 400


def test_images_beside_each_other_are_one_cell_with_an_edge():
    cells = beside(levels(1, 0), levels(0, 1))
    assert cells.shape == (2, 1, 2, 2 + 3 + 1 + 3 + 2)
    assert cells[0, 0, 0].tolist() == [-1, -1, 1, 1, 1, -1, 0, 0, 0, -1, -1]
    assert cells[1, 0, 0].tolist() == [-1, -1, 0, 0, 0, -1, 1, 1, 1, -1, -1]


def test_what_is_smaller_is_enlarged_and_what_is_grey_becomes_coloured():
    small = torch.tensor([[-1.0, 1.0], [0.0, 0.5]]).view(1, 1, 2, 2)
    colours = torch.tensor([-1.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    cells = beside(small, colours)
    assert cells.shape == (1, 3, 4, 13)
    enlarged = small.repeat_interleave(2, 2).repeat_interleave(2, 3).expand(1, 3, 4, 4)
    assert torch.equal(cells[..., 2:6], enlarged)
    assert torch.equal(cells[..., 7:11], colours)


@pytest.mark.parametrize(("fed", "made", "shown"), [(2, 1, 1), (4, 3, 3), (5, 3, 3), (4, 4, 4)])
def test_a_mask_that_is_fed_with_an_image_is_no_colour(fed, made, shown):
    image = torch.rand(2, fed, 4, 4)
    cells = beside(image, torch.zeros(2, made, 4, 4))
    assert cells.shape == (2, shown, 4, 13)
    assert torch.equal(cells[..., 2:6], image[:, :shown])


def test_beside_an_image_with_opacity_others_are_opaque():
    cells = beside(torch.zeros(1, 1, 2, 2), torch.zeros(1, 4, 2, 2))
    assert cells.shape[1] == 4
    assert (cells[0, 3, :, 2:4] == 1).all()
    assert (cells[0, :3, :, 2:4] == 0).all()


def test_samples_beyond_the_range_are_clipped_to_it():
    assert to_bytes(levels(-7.0, 7.0))[:, 0, 0, 0].tolist() == [0, 255]
