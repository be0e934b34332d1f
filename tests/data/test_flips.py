"""Flips and shifts of real images: whole pixels, each image by itself, from the given generator."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ganforge import Field, InMemoryDataset
from ganforge.config.settings import DataSettings
from ganforge.data.batches import Batches, open_batches
from ganforge.data.flips import MovedBatches, Moves, draw_moves, moved
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness

MANY = 4000


def pixels(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Images each of whose numbers is there once."""
    return torch.arange(torch.Size(shape).numel(), dtype=dtype).view(shape)


def drawn(num: int, seed: int = 0, **values: object) -> Moves:
    return draw_moves(num, torch.Generator().manual_seed(seed), DataSettings(**values))


def test_half_of_the_images_are_flipped():
    moves = drawn(MANY, flip=True)
    assert moves.mirrored.float().mean().item() == pytest.approx(0.5, abs=0.04)
    assert not moves.right.any()
    assert not moves.down.any()
    images = pixels(MANY, 1, 2, 3)
    expected = torch.where(moves.mirrored[:, None, None, None], images.flip(3), images)
    assert torch.equal(moved(images, moves), expected)


def test_every_shift_is_as_likely_and_the_two_directions_are_independent():
    moves = drawn(MANY, shift=2)
    assert not moves.mirrored.any()
    counts = torch.bincount((moves.right + 2) * 5 + moves.down + 2, minlength=25)
    assert len(counts) == 25
    assert (counts - MANY / 25).abs().max() < 5 * (MANY / 25) ** 0.5


@given(
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    channels=st.integers(1, 3),
    right=st.integers(-7, 7),
    down=st.integers(-7, 7),
    mirrored=st.booleans(),
    dtype=st.sampled_from([torch.uint8, torch.float32]),
)
@settings(max_examples=60, deadline=None)
def test_an_image_is_flipped_then_shifted_and_its_edges_repeated(
    height, width, channels, right, down, mirrored, dtype
):
    images = pixels(2, channels, height, width, dtype=dtype)
    moves = Moves(
        mirrored=torch.tensor([mirrored, False]),
        right=torch.tensor([right, 0]),
        down=torch.tensor([down, 0]),
    )
    flipped = images[:1].flip(3) if mirrored else images[:1]
    padded = functional.pad(flipped.double(), (7, 7, 7, 7), mode="replicate")
    expected = padded[:, :, 7 - down : 7 - down + height, 7 - right : 7 - right + width].to(dtype)
    for given_images in (images, images.to(memory_format=torch.channels_last)):
        answer = moved(given_images, moves)
        assert answer.dtype == dtype
        assert torch.equal(answer[:1], expected)
        assert torch.equal(answer[1], images[1])


def test_the_memory_format_stays():
    moves = drawn(4, flip=True, shift=1)
    images = pixels(4, 3, 5, 6)
    assert moved(images, moves).is_contiguous()
    channels_last = images.to(memory_format=torch.channels_last)
    assert moved(channels_last, moves).is_contiguous(memory_format=torch.channels_last)


def test_fields_that_belong_together_are_moved_alike_and_so_are_frames():
    moves = drawn(6, flip=True, shift=1)
    photographs, masks = pixels(6, 3, 5, 4), pixels(6, 1, 5, 4)
    both = moved(torch.cat([photographs, masks], 1), moves)
    assert torch.equal(both, torch.cat([moved(photographs, moves), moved(masks, moves)], 1))
    clips = pixels(6, 2, 3, 5, 4)
    frames = [moved(clips[:, :, time], moves) for time in range(3)]
    assert torch.equal(moved(clips, moves), torch.stack(frames, 2))


def test_the_same_seed_gives_the_same_moves_and_the_global_state_is_left_alone():
    before = torch.random.get_rng_state()
    first, again, other = (drawn(50, seed, flip=True, shift=3) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.mirrored, again.mirrored)
    assert torch.equal(first.right, again.right)
    assert torch.equal(first.down, again.down)
    assert not torch.equal(first.right, other.right)


def test_images_are_left_as_they_were():
    images = pixels(4, 1, 3, 3)
    moved(images, drawn(4, flip=True, shift=1))
    assert torch.equal(images, pixels(4, 1, 3, 3))


# --- in the data path ---------------------------------------------------------------------------

CPU = torch.device("cpu")
FIELDS = {
    "sample": Field(kind="image", shape=(3, 6, 6), dtype="uint8"),
    "mask": Field(kind="image", shape=(1, 6, 6), dtype="uint8"),
    "painting": Field(kind="image", shape=(3, 6, 6), dtype="uint8", paired=False),
    "label": Field(kind="category", classes=("a", "b")),
}


def batches(settings: DataSettings | None, **changes: object) -> Batches:
    """Batches of 8 out of 20 images, in which every mask is the first channel of its image."""
    images = torch.randint(0, 256, (20, 3, 6, 6), generator=torch.Generator().manual_seed(0))
    images = images.to(torch.uint8)
    dataset = InMemoryDataset(
        images,
        torch.arange(20) % 2,
        classes=("a", "b"),
        others={"mask": images[:, :1], "painting": images.flip(0)},
    )
    return open_batches(
        dataset,
        FIELDS,
        batch_size=8,
        execution=Execution(device=CPU),
        randomness=Randomness(seed=3, device=CPU),
        num_workers=0,
        settings=settings,
        **changes,
    )


def changed(one: torch.Tensor, other: torch.Tensor) -> int:
    """The number of images that differ."""
    return int((one != other).flatten(1).any(1).sum())


@pytest.mark.parametrize("settings", [None, DataSettings()])
def test_without_settings_batches_are_as_they_are(settings):
    assert not isinstance(batches(settings), MovedBatches)


def test_images_are_moved_with_what_belongs_to_them():
    plain = batches(None).batch(1)
    batch = batches(DataSettings(flip=True, shift=2)).batch(1)
    assert changed(batch.samples, plain.samples) >= 6
    assert torch.equal(batch.others["mask"], batch.samples[:, :1])
    assert torch.equal(batch.labels, plain.labels)
    assert batch.samples.is_contiguous(memory_format=torch.channels_last)


def test_a_field_with_an_order_of_its_own_is_moved_by_itself():
    settings, plain = DataSettings(flip=True), batches(None).batch(0)
    batch = batches(settings).batch(0)
    flipped = [
        (batch.others[name] if name else batch.samples)
        .ne(plain.others[name] if name else plain.samples)
        .flatten(1)
        .any(1)
        .tolist()
        for name in ("", "painting")
    ]
    assert flipped[0] != flipped[1]
    assert all(0 < sum(it) < 8 for it in flipped)


def test_a_batch_is_moved_in_the_same_way_whenever_it_is_asked_for():
    settings = DataSettings(flip=True, shift=1)
    first, again = batches(settings), batches(settings)
    again.batch(0)
    for _ in range(2):
        assert torch.equal(first.batch(5).samples, again.batch(5).samples)
    assert changed(first.batch(5).samples, first.batch(6).samples) == 8


def test_samples_that_are_held_out_are_as_they_are():
    plain = batches(None, holdout=0.5).held_out(0, 10)
    held_out = batches(DataSettings(flip=True, shift=2), holdout=0.5).held_out(0, 10)
    assert torch.equal(held_out.samples, plain.samples)
    assert batches(DataSettings(flip=True), holdout=0.5).num_samples == 10
