"""Kinds of files and folders by their names: an image, another picture, or nobody's."""

from __future__ import annotations

import re

_IMAGES = frozenset(
    (
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp"),
        *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"),
    )
)
#: pictures and films in formats that are not read, which nobody means to have ignored
_FOREIGN = frozenset(
    (
        *(".heic", ".heif", ".avif", ".jp2", ".j2k", ".jxl", ".jxr", ".psd", ".xcf", ".svg"),
        *(".eps", ".ai", ".tga", ".ico", ".exr", ".hdr", ".pcx", ".dds", ".sgi", ".icns", ".dcm"),
        *(".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"),
        *(".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"),
    )
)
#: what lies beside images as a matter of course
_COMPANIONS = frozenset(
    (
        *(".txt", ".json", ".jsonl", ".csv", ".tsv", ".md", ".rst", ".xml", ".yaml", ".yml"),
        *(".toml", ".ini", ".html", ".htm", ".log", ".py", ".sh", ".ipynb", ".npy", ".npz", ".mat"),
        *(".pt", ".pth", ".safetensors", ".parquet", ".db", ".zip", ".gz", ".tar", ".caption"),
    )
)
#: what systems and programs leave in folders, in small letters
_LEAVINGS = frozenset(
    (
        *("__macosx", "@eadir", "#recycle", "#snapshot", "$recycle.bin"),
        *("system volume information", "lost+found", "thumbs.db", "ehthumbs.db", "desktop.ini"),
        "icon\r",
    )
)
#: names of folders that are parts of a data set, and no classes
_PARTS = re.compile(
    r"(train|test|val)[ab]?|training|testing|valid|validation|dev|eval|evaluation|holdout|"
    r"images?|imgs?|masks?|labels|annotations|thumb(nail)?s",
    re.IGNORECASE,
)


def suffix_of(name: str) -> str:
    """The suffix in small letters, with its dot; empty where there is none."""
    before, dot, suffix = name.rpartition(".")
    # A dot at the beginning of a name begins no suffix.
    return f".{suffix}".lower() if dot and "/" not in suffix and before[-1:] not in "/" else ""


def by_folder(name: str) -> str:
    """The name as a key to sort by: folder by folder, since no name holds this character."""
    return name.replace("/", "\0")


def is_image_name(name: str) -> bool:
    return suffix_of(name) in _IMAGES


def is_foreign_picture(name: str) -> bool:
    """True for a picture or a film in a format that is not read."""
    return suffix_of(name) in _FOREIGN


def is_companion(name: str) -> bool:
    """True for a file that by its name is something else than an image."""
    return suffix_of(name) in _COMPANIONS


def is_hidden(name: str) -> bool:
    """True if a file or folder is none of the user's: `.DS_Store`, `.git`, `__MACOSX`, `@eaDir`."""
    return name.startswith(".") or name.lower() in _LEAVINGS


def is_part(folder: str) -> bool:
    """True for a folder that is a part of a data set by its name, as `train`, and no class."""
    return _PARTS.fullmatch(folder) is not None
