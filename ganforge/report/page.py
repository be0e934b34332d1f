"""`report_of`: one HTML page of a run that asks nothing of any network, and runs nobody's code.

Its own style and script are in it, and a policy in its head lets the browser run these alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from importlib.resources import files

from ganforge import __version__
from ganforge.plugin.registry import Registry
from ganforge.runs.measures import directions, total
from ganforge.runs.panels import panels_of
from ganforge.runs.run import Run
from ganforge.runs.thinning import Thinned

from .curves import curves
from .film import film
from .markup import name, section, text
from .scores import evaluations, findings, metrics
from .sessions import environment, reproduction
from .settings import configuration, resolved, settings_of

_PARTS = (("generator", "generator"), ("discriminator", "discriminator"), ("loss", "loss"))


def report_of(run: Run, registry: Registry) -> str:
    """The page. It says what there is; a run that has just begun has a page as well."""
    config = resolved(run, registry)
    panels = panels_of({key: Thinned.of(series) for key, series in run.metrics.items()})
    sections = [
        section("grids", "Samples over time", film(run)),
        section("diagnosis", "Diagnosis", findings(run, config, registry)),
        section("curves", "Curves", curves(panels)),
        section("metrics", "Metrics", metrics(run, directions(registry)), evaluations(run)),
        section(
            "configuration",
            "Configuration",
            configuration(settings_of(run, config, registry), known=config is not None),
        ),
        section("environment", "Environment", environment(run)),
        section("reproduce", "Reproduce", reproduction(run)),
    ]
    style, script = _resource("report.css"), _resource("report.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    body = "\n".join(filter(None, sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(run.name, 120)} - ganforge</title>\n"
        f"<style>{style}</style>\n</head>\n<body>\n"
        f"{_header(run)}\n<main>\n{body}\n</main>\n"
        f"<footer>ganforge {text(__version__)}. This file is whole: it loads nothing.</footer>\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _header(run: Run) -> str:
    status = run.status
    facts = "".join(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in _facts(run))
    detail = (
        f'<p class="detail"><bdi>{text(status.detail, 2000)}</bdi></p>' if status.detail else ""
    )
    return (
        f'<header><p class="state {status.state}">{status.state}</p>'
        f"<h1>{name(run.name)}</h1>{detail}<dl>{facts}</dl></header>"
    )


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    for kind, label in _PARTS:
        if names := run.components(kind):
            yield label, _joined(names)
    if names := run.components("dataset"):
        yield "data", _joined(names)
    steps = run.settings.get("training.steps")
    of = f" of {steps:,}" if isinstance(steps, int) and steps != run.status.step else ""
    yield "steps", f"{run.status.step:,}{of}"
    if (seen := run.metrics.get("images")) is not None:
        yield "samples seen", f"{seen.values[-1]:,.0f}"
    if (seconds := run.metrics.get("seconds")) is not None:
        yield "time", _duration(total(seconds.values))


def _joined(names: Sequence[str]) -> str:
    return " + ".join(name(it, 60) for it in names)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _resource(file: str) -> str:
    return files(__package__).joinpath(file).read_text(encoding="utf-8")


def _digest(contents: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(contents.encode()).digest()).decode()}"
