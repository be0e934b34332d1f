"""Time series, sound and text: pictures, and files that are read again."""

from __future__ import annotations

import csv
import io
import math
import wave
from dataclasses import replace

import numpy
import pytest
import torch

from ganforge import Drawn, Field, Fit, Parts, Problem
from ganforge_formats.audio import AudioFormat
from ganforge_formats.sequence import COLOURS, SequenceFormat
from ganforge_formats.spectrogram import RANGE, levels, spectrogram
from ganforge_formats.text import TextFormat

RATE = 8000


def problem_of(*shape, fit=None, **said):
    field = Field(kind="sequence", shape=shape, **said)
    return Problem(sample=field, input_shape=(2,), fit=fit)


def has_colour(picture, colour):
    return bool((picture.int() - torch.tensor(colour)).abs().amax(2).lt(40).any())


def waves(num, channels, length=64):
    phase = torch.arange(num * channels).view(num, channels, 1).float()
    return torch.sin(torch.linspace(0, 12, length) + phase)


def test_every_channel_is_a_line_of_its_colour_and_has_its_name(texts):
    fit = Fit(facts={"channels": ["heat", "wind", "rain"]})
    picture = SequenceFormat(problem_of(3, 64, fit=fit)).picture(Drawn(samples=waves(4, 3)))
    assert all(has_colour(picture, colour) for colour in COLOURS[:3])
    assert not has_colour(picture, COLOURS[3])
    assert [it for it in texts if it in ("heat", "wind", "rain")] == ["heat", "wind", "rain"]


def test_the_axes_are_those_of_the_data_in_seconds(texts):
    fit = Fit(tensors={"scale": torch.tensor(100.0), "offset": torch.tensor(500.0)})
    SequenceFormat(problem_of(1, 64, rate=32, fit=fit)).picture(Drawn(samples=waves(2, 1)))
    assert {"400", "600", "2 s"} <= set(texts)


def test_a_line_is_where_its_numbers_are():
    samples = torch.tensor([-1.0, 0.5, 1.0]).view(3, 1, 1).expand(3, 1, 50)
    picture = SequenceFormat(problem_of(1, 50)).picture(Drawn(samples=samples)).int()
    bluish = picture[:, :, 2] - picture[:, :, 0] > 60
    rows = [cell.nonzero()[:, 0].double().mean().item() for cell in bluish.split(128)[:3]]
    low, half, high = rows
    # The axis goes from -1.3 to 1.3 over the 96 pixels of a plotting area.
    assert low - high == pytest.approx(2 / 2.6 * 96, abs=1)
    assert half - high == pytest.approx(0.5 / 2.6 * 96, abs=1)


def test_axes_stand_still_while_a_walk_moves(texts):
    chosen = SequenceFormat(problem_of(1, 64))
    steps = [Drawn(samples=waves(2, 1) * scale) for scale in (0.1, 1.0, 5.0)]
    frames = chosen.walk(steps)
    assert len({frame.shape for frame in frames}) == 1
    third = len(texts) // 3
    assert texts[:third] == texts[third : 2 * third] == texts[2 * third :]
    texts.clear()
    chosen.picture(steps[0])
    assert "5" not in texts


def test_what_is_not_finite_is_left_out_of_a_line():
    samples = waves(3, 1)
    samples[0] = math.nan
    samples[1, 0, 10:20] = math.inf
    picture = SequenceFormat(problem_of(1, 64)).picture(Drawn(samples=samples))
    assert has_colour(picture, COLOURS[0])


def test_a_csv_has_a_row_for_each_sample_and_time():
    fit = Fit(facts={"channels": ["heat", "wind"]}, tensors={"scale": torch.tensor(10.0)})
    chosen = SequenceFormat(problem_of(2, 3, rate=4, fit=fit))
    samples = torch.arange(12.0).view(2, 2, 3) / 16
    drawn = Drawn(samples=samples, labels=torch.tensor([1, 0]), classes=("up", "down"))
    rows = list(csv.DictReader(io.StringIO(chosen.encode(drawn, ".csv").decode())))
    assert list(rows[0]) == ["sample", "time", "heat", "wind", "label"]
    assert [(row["sample"], row["time"], row["label"]) for row in rows] == [
        (str(number), time, label)
        for number, label in ((0, "down"), (1, "up"))
        for time in ("0.0", "0.25", "0.5")
    ]
    read = torch.tensor([[float(row["heat"]), float(row["wind"])] for row in rows])
    assert torch.equal(read.view(2, 3, 2).transpose(1, 2), samples * 10)


def test_channel_names_that_are_not_as_many_as_the_channels_are_refused():
    with pytest.raises(ValueError, match="2 names for 3 channels"):
        SequenceFormat(problem_of(3, 5, fit=Fit(facts={"channels": ["a", "b"]})))


# sound


def sine(frequency, seconds=0.5, amplitude=1.0):
    time = torch.arange(round(seconds * RATE)) / RATE
    return amplitude * torch.sin(2 * math.pi * frequency * time)


def sound(samples):
    length = samples.shape[2]
    return AudioFormat(problem_of(samples.shape[1], length, rate=RATE, format="audio"))


@pytest.mark.parametrize("channels", [1, 2])
def test_a_wav_has_every_sample_to_half_a_level_of_sixteen_bits(channels):
    samples = torch.rand(3, channels, 50, generator=torch.Generator().manual_seed(0)) * 2 - 1
    samples[0, 0, :2] = torch.tensor([1.0, -1.0])
    samples[1, 0, :2] = torch.tensor([7.0, -7.0])  # louder than there is
    contents = sound(samples).encode(Drawn(samples=samples), ".wav")
    with wave.open(io.BytesIO(contents)) as file:
        assert file.getparams()[:3] == (channels, 2, RATE)
        levels16 = numpy.frombuffer(file.readframes(file.getnframes()), "<i2")
    read = torch.from_numpy(levels16.copy()).view(-1, channels).float() / 32767
    pause = RATE // 4
    assert len(read) == 3 * 50 + 2 * pause
    for number in range(3):
        start = number * (50 + pause)
        piece = read[start : start + 50].T
        assert (piece - samples[number].clamp(-1, 1)).abs().max() <= 0.5 / 32767 + 1e-6
        assert (read[start + 50 : start + 50 + pause] == 0).all()


def test_sound_without_a_sampling_rate_is_refused():
    with pytest.raises(ValueError, match="no sampling rate"):
        AudioFormat(problem_of(1, 50, format="audio"))


def test_a_sine_of_full_scale_is_zero_decibels_at_its_frequency():
    decibels = levels(sine(2000), 100)
    bins = decibels.shape[0]
    middle = decibels[:, decibels.shape[1] // 2]
    assert int(middle.argmax()) == pytest.approx((bins - 1) / 2, abs=1)
    assert float(middle.max()) == pytest.approx(0, abs=0.1)
    assert float(levels(sine(2000, amplitude=0.1), 100)[:, 50].max()) == pytest.approx(-20, abs=0.1)
    assert float(levels(torch.zeros(4000), 100).max()) == pytest.approx(-RANGE)


@pytest.mark.parametrize("length", [1, 7, 8, 9, 200, 50_000])
def test_a_spectrogram_has_the_size_asked_for_whatever_the_sound(length):
    picture = spectrogram(torch.zeros(length), 30, 20)
    assert (picture.shape, picture.dtype) == ((20, 30, 3), torch.uint8)
    assert (picture == torch.tensor([4, 4, 20], dtype=torch.uint8)).all()


def test_high_frequencies_are_above_low_ones():
    brightness = [
        spectrogram(sine(frequency), 30, 40).int().sum(2)[:, 15].argmax().item()
        for frequency in (500, 2000, 3500)
    ]
    assert brightness == sorted(brightness, reverse=True)
    assert brightness[1] == pytest.approx(19.5, abs=1.5)


def test_a_picture_says_how_long_and_how_high_the_sounds_are(texts):
    samples = sine(440)[None, None].expand(4, 1, -1)
    picture = sound(samples).picture(Drawn(samples=samples))
    assert texts[0] == "0.5 s at 8,000 Hz; frequencies up to 4 kHz"
    assert torch.equal(picture, sound(samples).picture(Drawn(samples=samples)))
    assert picture.shape[1] == pytest.approx(picture.shape[0], rel=1)


@pytest.mark.parametrize("fill", [math.nan, math.inf, 0.0, 1e30])
def test_odd_sounds_make_a_picture_and_a_file(fill):
    samples = torch.full((2, 1, 400), fill)
    assert sound(samples).picture(Drawn(samples=samples)).shape[2] == 3
    assert len(sound(samples).encode(Drawn(samples=samples), ".wav")) > 1600


# text


def one_hot(rows, num_tokens):
    numbers = torch.tensor(rows)
    return torch.nn.functional.one_hot(numbers, num_tokens).transpose(1, 2).float() * 2 - 1


def written(tokens, rows, **facts):
    fit = Fit(facts={**({} if tokens is None else {"tokens": tokens}), **facts})
    samples = one_hot(rows, 4)
    chosen = TextFormat(problem_of(4, samples.shape[2], fit=fit, format="text"))
    return chosen.encode(Drawn(samples=samples), ".txt").decode()


def test_tokens_become_characters_words_or_numbers():
    rows = [[0, 1, 2], [2, 3, 3]]
    assert written(["a", "b", "c", ""], rows) == "abc\nc\n"
    assert written(["the", "red", "fox", ""], rows) == "the red fox\nfox\n"
    assert written(["the", "red", "fox", ""], rows, separator="-") == "the-red-fox\nfox\n"
    assert written(None, rows) == "0 1 2\n2 3 3\n"


def test_a_text_is_a_line_of_the_file_whatever_is_in_it():
    assert written(["a", "\n", "c", "é"], [[0, 1, 2], [3, 3, 0]]) == "a\\nc\néé" + "a\n"


def test_the_number_of_each_token_is_an_array():
    samples = one_hot([[0, 3], [1, 1]], 4)
    found = TextFormat(problem_of(4, 2, format="text")).arrays(Drawn(samples=samples))
    assert torch.equal(found["samples"], samples)
    assert found["tokens"].tolist() == [[0, 3], [1, 1]]


def test_texts_stand_below_their_class_and_long_ones_are_cut(texts):
    fit = Fit(facts={"tokens": ["discriminators", "generators", "and", "of"]})
    samples = one_hot([[0, 2, 1] * 60, [1] * 180, [3] * 180], 4)
    drawn = Drawn(
        samples=samples, labels=torch.tensor([1, 0, 1]), classes=("news", "verse"), ordered=False
    )
    TextFormat(problem_of(4, 180, fit=fit, format="text")).picture(drawn)
    assert [it for it in texts if it in ("news", "verse")] == ["news", "verse"]
    lines = texts[texts.index("news") + 1 : texts.index("verse")]
    assert len(lines) == 4
    assert lines[-1].endswith(" ...")


def test_tokens_that_are_not_as_many_as_the_samples_have_are_refused():
    with pytest.raises(ValueError, match="has 2 tokens, and samples are one-hot of 4"):
        TextFormat(problem_of(4, 5, fit=Fit(facts={"tokens": ["a", "b"]}), format="text"))


def test_a_wav_says_how_many_sounds_it_holds():
    fitting = (2**32 - 64 + 4000) // (2 * (64 + 2000))
    format = AudioFormat(problem_of(1, 64, rate=8000))
    parts = Parts(num=fitting + 1, drawn=[Drawn(samples=waves(1, 1))])
    with pytest.raises(ValueError, match=f"at most 4 GiB, which is {fitting:,} of these sounds"):
        next(format.encode_parts(parts, ".wav"))
    head = next(format.encode_parts(replace(parts, num=fitting), ".wav"))
    assert int.from_bytes(head[40:44], "little") == fitting * 2 * 2064 - 4000
