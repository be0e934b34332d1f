"""The data set `image-pairs`: targets, the samples, and inputs, the field `source`.

Two files of the same name belong together, or the two halves of one picture; or nothing does, and
the two sets lie side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ganforge import FileRecord, Problem

from .classes import unwrapped
from .decoding import Target
from .image_sets import DecodedImages, StoredImages, Told
from .images import make_target
from .listing import Entry, LeftOut
from .options import PairsOptions
from .reading import Candidates, gather, in_memory

#: the options that name the two sets, as they stand before the names of their files
_PLACES = ("root", "source")


def build(problem: Problem, options: PairsOptions) -> DecodedImages | StoredImages:
    """The samples under `root`, fitted to `problem.sample_shape`, and their sources.

    Raises DataError where there is nothing to read, for a picture that cannot be halved, and with
    `strict` where a file cannot be read or has no partner; warns of files that are left out.
    """
    channels, *sides = problem.sample_shape
    sample = make_target(problem.sample_shape, options)
    source = make_target((options.source_channels or channels, *sides), options)
    if options.source is None:
        return _halves(options, sample, source)
    samples = Candidates.under(options.root, {"sample": sample}, options)
    sources = Candidates.under(options.source, {"source": source}, options)
    if options.pairing == "none":
        return _side_by_side(options, samples, sources)
    match_by_name(samples, sources)
    return _pairs(options, [samples, sources])


def _halves(options: PairsOptions, sample: Target, source: Target) -> DecodedImages | StoredImages:
    left = options.split == "left"
    targets = {
        "sample": replace(sample, half="right" if left else "left"),
        "source": replace(source, half="left" if left else "right"),
    }
    return _pairs(options, [Candidates.under(options.root, targets, options)])


def _pairs(options: PairsOptions, candidates: list[Candidates]) -> DecodedImages | StoredImages:
    keep = in_memory(options, *candidates)
    gathered = gather(candidates, options, keep=keep)
    files: dict[str, FileRecord] = {}
    for place, candidate, checksums in zip(_PLACES, candidates, gathered.checksums, strict=False):
        records = candidate.records(gathered.kept, checksums)
        files |= {f"{place}/{name}": it for name, it in records.items()}
    told = Told(
        description=f"{len(gathered.kept):,} pairs", left_out=_left_out(candidates), files=files
    )
    if keep:
        return DecodedImages(gathered.values, told)
    return StoredImages([it.pictures(gathered.kept) for it in candidates], told)


def _side_by_side(
    options: PairsOptions, samples: Candidates, sources: Candidates
) -> DecodedImages | StoredImages:
    keep = in_memory(options, samples, sources)
    one, other = (gather([it], options, keep=keep) for it in (samples, sources))
    files: dict[str, FileRecord] = {}
    for place, candidate, it in zip(_PLACES, (samples, sources), (one, other), strict=True):
        records = candidate.records(it.kept, it.checksums[0])
        files |= {f"{place}/{name}": record for name, record in records.items()}
    told = Told(
        description=f"{len(one.kept):,} samples; {len(other.kept):,} sources",
        left_out=_left_out([samples, sources]),
        files=files,
    )
    if keep:
        return DecodedImages({**one.values, **other.values}, told)
    return StoredImages(
        [samples.pictures(one.kept)], told, apart={"source": sources.pictures(other.kept)}
    )


def _left_out(candidates: list[Candidates]) -> str:
    """Account of what was left out of each, by the option that names it where there are two."""
    lines = [it.census.left_out_line() for it in candidates]
    if len(lines) == 1:
        return lines[0]
    return "; ".join(f"{place}: {line}" for place, line in zip(_PLACES, lines, strict=True) if line)


def match_by_name(samples: Candidates, sources: Candidates) -> None:
    """Leave the candidates that have a partner, in one order; the census knows of the others.

    Partners have the same folders and file name below their roots, suffix aside. Where no file has
    a partner so, folders that hold everything are not counted, as in most zip files.
    """
    samples.census.partners, sources.census.partners = sources.census.root, samples.census.root
    for key in (_names, _unwrapped_names):
        ours, theirs = _by_name(samples, key), _by_name(sources, key)
        if both := [name for name in ours if name in theirs]:
            break
    for candidates, found in ((samples, ours), (sources, theirs)):
        partnered = {found[name].name for name in both}
        second = {it.name for it in candidates.entries} - {it.name for it in found.values()}
        for entry in candidates.entries:
            if entry.name in second:
                why = "a second file of this name, suffix aside"
                candidates.census.unreadable.append(LeftOut(name=entry.name, reason=why))
            elif entry.name not in partnered:
                candidates.census.without.append(entry.name)
        candidates.entries = [found[name] for name in both]


def _by_name(candidates: Candidates, key: Callable[[list[str]], list[str]]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for name, entry in zip(
        key([it.name for it in candidates.entries]), candidates.entries, strict=True
    ):
        found.setdefault(name, entry)
    return found


def _names(names: list[str]) -> list[str]:
    # Every name has a suffix, or it would not be that of an image.
    return [name.rpartition(".")[0] for name in names]


def _unwrapped_names(names: list[str]) -> list[str]:
    return _names(["/".join(parts) for parts in unwrapped(names)])
