"""The model card of a generator: a README for people and for a model hub.

Its head is YAML, of which JSON is a part: values are written as JSON, so that none can end early or
begin something else. What comes from outside is escaped where Markdown or HTML would read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganforge import __version__
from ganforge.printable import printable, size_in_words
from ganforge.runs.measures import evaluated
from ganforge.runs.run import Run
from ganforge.runs.shared import configuration

MARK = "<!-- model card written by ganforge -->"

#: the components that are needed to sample, in a description
PLACES = ("generator", "sampler", "game")

_ESCAPES = {char: f"\\{char}" for char in "\\`*_[]|~$"}
_ESCAPES |= {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_METRIC = "metric/"
_MOST_CLASSES = 50


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A file that the card tells of: its name, its size, what it is, and how it is loaded."""

    name: str
    num_bytes: int
    summary: str
    example: str = ""


def card(
    description: Mapping[str, Any],
    files: Sequence[Listing],
    *,
    title: str,
    run: Run | None,
    license_name: str | None,
    picture: str | None = None,
) -> str:
    """The text of the card.

    `description` is that of the exported generator; `run` is what it was trained in, where that is
    known. `picture` is the name of a picture of samples beside the card.
    """
    parts = [
        _head(description, run, license_name),
        MARK,
        f"# {escaped(title)}",
        _opening(description, run),
    ]
    if picture is not None:
        parts.append(f"![Samples of the generator]({escaped(picture)})")
    parts += ["## Files", _table(("file", "size", "what"), map(_row, files))]
    parts += [text for file in files for text in _usage(file)]
    parts += ["## Inputs and output", *_interface(description)]
    if run is not None:
        parts += [*_training(run), *_scores(run), *_reproduction(run)]
    parts += ["## Versions", _table(("package", "version"), _versions(description, run))]
    if license_name is None:
        parts += [
            "## License",
            "Not stated yet. Choose one that the data and the code allow, and write it in the head "
            "of this page (`license: ...`).",
        ]
    return "\n\n".join(parts) + "\n"


def escaped(text: object, limit: int = 200) -> str:
    """Text from outside as one line of Markdown that shows it as it is."""
    return "".join(_ESCAPES.get(char, char) for char in printable(text, limit))


def _head(description: Mapping[str, Any], run: Run | None, license_name: str | None) -> str:
    lines = ["---", "library_name: ganforge"]
    if license_name is not None:
        lines.append(f"license: {json.dumps(printable(license_name, 60))}")
    conditions = description["inputs"][1:]
    kind = str(description["output"]["kind"])
    if kind == "image" and not conditions and description["inputs"][0]["kind"] == "latents":
        lines.append("pipeline_tag: unconditional-image-generation")
    tags = ["gan", "generative-adversarial-network", _word(description, "generator")]
    if run is not None:
        tags += [printable(name, 60) for name in run.components("loss")]
    lines += ["tags:", *(f"- {json.dumps(tag)}" for tag in dict.fromkeys(tags))]
    return "\n".join([*lines, "---"])


def _opening(description: Mapping[str, Any], run: Run | None) -> str:
    made = "x".join(map(str, description["output"]["shape"][1:]))
    kind = escaped(description["output"]["kind"])
    text = (
        f"The generator of a generative adversarial network: the component "
        f"`{_word(description, 'generator')}`, which makes samples of kind {kind} ({made})"
    )
    if run is None:
        return text + "."
    losses = " + ".join(map(escaped, run.components("loss")))
    data = " ".join(map(escaped, run.components("dataset")))
    return text + (
        f", trained on the data set {data or 'unknown'} with the loss {losses or 'unknown'} for "
        f"{run.status.step:,} steps{_best(description)}."
    )


def _best(description: Mapping[str, Any]) -> str:
    """In words that it is the best generator of the run, where it is."""
    best = description.get("best")
    if not isinstance(best, Mapping):
        return ""
    number, value = escaped(best.get("number", "")), best.get("value")
    return (
        f", of which this is the best: after step {best.get('step'):,}, with {number} = {value:.4g}"
    )


def _word(description: Mapping[str, Any], place: str) -> str:
    """The name of a component, which holds nothing but letters, digits, hyphens and a slash."""
    name = str(description.get(place, {}).get("name", "unknown"))
    return re.sub(r"[^\w/-]", "", name)[:80]


def _row(file: Listing) -> tuple[str, str, str]:
    return escaped(file.name), size_in_words(file.num_bytes), file.summary


def _usage(file: Listing) -> Iterator[str]:
    if file.example:
        yield f"{escaped(file.name)}:"
        yield file.example


def _interface(description: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (
            "samples, the output" if it is description["output"] else escaped(it["name"]),
            it["dtype"],
            escaped(", ".join(map(str, it["shape"]))),
            escaped(it["units"]),
        )
        for it in (*description["inputs"], description["output"])
    ]
    yield _table(("name", "type", "shape", "units"), rows)
    for it in description["inputs"]:
        if classes := it.get("classes"):
            shown = [f"{number} is {escaped(name, 60)}" for number, name in enumerate(classes)]
            if len(shown) > _MOST_CLASSES:
                shown = [*shown[:_MOST_CLASSES], f"and {len(classes) - _MOST_CLASSES} more"]
            yield f"Classes of {escaped(it['name'])}: {', '.join(shown)}."
    if description.get("truncation") is not None:
        yield f"Truncated at {float(description['truncation']):g}."


def _training(run: Run) -> Iterator[str]:
    keys = {
        "training.batch_size": "batch size",
        "training.seed": "seed",
        "generator_optimizer.name": "optimizer of the generator",
        "generator_optimizer.learning_rate": "its learning rate",
        "discriminator_optimizer.name": "optimizer of the discriminator",
        "discriminator_optimizer.learning_rate": "its learning rate",
    }
    rows = [("data set", " ".join(map(escaped, run.components("dataset"))))]
    rows.append(("discriminator", " ".join(map(escaped, run.components("discriminator")))))
    rows += [
        (words, escaped(run.settings[key])) for key, words in keys.items() if key in run.settings
    ]
    rows.append(("steps", f"{run.status.step:,}"))
    yield "## Training"
    yield _table(("setting", "value"), rows)


def _scores(run: Run) -> Iterator[str]:
    found = {
        name: series
        for name, series in run.metrics.items()
        if name.startswith(_METRIC) and len(series)
    }
    evaluations = evaluated(run)
    if found or evaluations:
        yield "## Metrics"
    if evaluations:
        yield "Measured by `ganforge evaluate`:"
        scores = [
            (escaped(name), f"{value:.4g}", escaped(how))
            for name, (value, how) in evaluations.items()
        ]
        yield _table(("metric", "value", "of"), scores)
    if found:
        yield "Measured while it was trained, last values:"
        rows = [
            (escaped(name.partition("/")[2]), f"{it.values[-1]:.4g}", f"{it.steps[-1]:,}")
            for name, it in found.items()
        ]
        yield _table(("metric", "value", "step"), rows)


def _reproduction(run: Run) -> Iterator[str]:
    yield "## Reproduction"
    yield "With the configuration below in `run.toml`:"
    yield code("ganforge train --config run.toml", "sh")
    yield "<details><summary>run.toml</summary>"
    yield code(configuration(run).rstrip(), "toml")
    yield "</details>"


def _versions(description: Mapping[str, Any], run: Run | None) -> list[tuple[str, str]]:
    found = {"ganforge": str(description.get("ganforge", __version__))}
    if run is not None and run.sessions:
        session = run.sessions[-1]
        found |= {it: str(session[it]) for it in ("ganforge", "torch", "python") if it in session}
    for place in PLACES:
        made = description.get(place, {})
        if made.get("package"):
            found.setdefault(str(made["package"]), str(made.get("version", "")))
    return [(escaped(name), escaped(version)) for name, version in found.items()]


def code(text: str, language: str) -> str:
    """A fenced block, with a fence that the text does not hold."""
    longest = max((len(it) for it in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
