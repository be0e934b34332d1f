"""Formats: how the samples of each kind of field are shown, and the files they are written to."""

from __future__ import annotations

from collections.abc import Iterable

from ganforge import FormatSpec, hookimpl


@hookimpl
def ganforge_formats() -> Iterable[FormatSpec]:
    yield FormatSpec(
        name="image",
        summary="Images in a grid; TIFF keeps every band and the range of the data",
        build="ganforge_formats.image:ImageFormat",
        kinds=("image",),
        suffixes=(".png", ".npz", ".tiff"),
        one_file_each=".png",
        unit="images",
    )
    yield FormatSpec(
        name="vector",
        summary="Points in the plane, or histograms of single numbers, beside real ones",
        build="ganforge_formats.vector:VectorFormat",
        kinds=("vector",),
        suffixes=(".png", ".npz", ".csv"),
        unit="points",
    )
    yield FormatSpec(
        name="table",
        summary="Rows with the names of their columns, and a histogram of each beside real rows",
        build="ganforge_formats.table:TableFormat",
        kinds=("vector",),
        suffixes=(".png", ".npz", ".csv"),
        unit="rows",
    )
    yield FormatSpec(
        name="sequence",
        summary="Time series, a line for each channel",
        build="ganforge_formats.sequence:SequenceFormat",
        kinds=("sequence",),
        suffixes=(".png", ".npz", ".csv"),
        unit="series",
    )
    yield FormatSpec(
        name="audio",
        summary="Waveforms with their spectrograms; sound as WAV",
        build="ganforge_formats.audio:AudioFormat",
        kinds=("sequence",),
        suffixes=(".png", ".npz", ".wav"),
        one_file_each=".wav",
        unit="clips",
    )
    yield FormatSpec(
        name="text",
        summary="One-hot sequences as lines of text",
        build="ganforge_formats.text:TextFormat",
        kinds=("sequence",),
        suffixes=(".png", ".npz", ".txt"),
        unit="texts",
    )
    yield FormatSpec(
        name="video",
        summary="Film strips, and videos side by side that move",
        build="ganforge_formats.video:VideoFormat",
        kinds=("video",),
        suffixes=(".png", ".npz", ".gif", ".apng"),
        one_file_each=".gif",
        unit="videos",
    )
    yield FormatSpec(
        name="points",
        summary="Point clouds, shaded by depth",
        build="ganforge_formats.clouds:PointsFormat",
        kinds=("points",),
        suffixes=(".png", ".npz", ".ply"),
        one_file_each=".ply",
        unit="clouds",
    )
    yield FormatSpec(
        name="voxels",
        summary="Volumes, seen through along each axis",
        build="ganforge_formats.volumes:VoxelsFormat",
        kinds=("voxels",),
        suffixes=(".png", ".npz"),
        one_file_each=".png",
        unit="volumes",
    )
