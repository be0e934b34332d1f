"""Mode coverage under the published protocols: geometry, what is counted, and what papers report.

Rows are those of VEEGAN (Srivastava et al., 2017, arXiv:1705.07761, tables 1 and 2) and PacGAN (Lin
et al., 2018, arXiv:1712.04086, tables 1 and 2).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganforge.config.run_config import RunConfig
from ganforge.errors import UsageError
from ganforge.runs.comparison import Cell, Comparison
from ganforge.runs.rendering import shown_cell


@dataclass(frozen=True, kw_only=True)
class Published:
    """A row of a paper, by the columns of its protocol."""

    method: str
    source: str
    numbers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Protocol by which mode coverage of one data set is measured.

    `metric` gives the numbers of `columns`, whose first one ranks, the most first, and then `kl`,
    the least first. `settings` are those of the data set that may be another's: where its files
    are. `real` is what real samples score.
    """

    title: str
    geometry: str
    rule: str
    metric: str
    options: Mapping[str, object]
    num_samples: int
    columns: tuple[str, ...]
    real: Mapping[str, str]
    published: tuple[Published, ...]
    free: frozenset[str] = frozenset()

    @property
    def arguments(self) -> list[str]:
        """The arguments of `train` that measure as the protocol says."""
        found = ["--metric", self.metric, "--set", f"evaluation.num_samples={self.num_samples}"]
        for name, value in self.options.items():
            found += ["--set", f"metric.{self.metric}.{name}={value}"]
        return found


_RULE = (
    "a sample is of high quality within 3 standard deviations of its mode's mean; a mode counts "
    "with one such sample, and strictly with a fifth of its share; KL of their shares to uniform, "
    "in nats"
)
_COLUMNS = ("modes", "strict_modes", "high_quality", "kl", "std_ratio")


def _plane(method: str, source: str, modes: str, high_quality: str, kl: str = "-") -> Published:
    numbers = {"modes": modes, "high_quality": high_quality, "kl": kl}
    return Published(method=method, source=source, numbers=numbers)


def _stack(method: str, source: str, modes: str, kl: str) -> Published:
    return Published(method=method, source=source, numbers={"modes": modes, "kl": kl})


RING = Protocol(
    title="2-D ring",
    geometry="8 Gaussians of standard deviation 0.01 on a circle of radius 1",
    rule=_RULE,
    metric="modes",
    options={"threshold": 3.0, "share": 0.2},
    num_samples=2500,
    columns=_COLUMNS,
    real={"modes": "8", "strict_modes": "8", "high_quality": "0.989", "std_ratio": "0.98"},
    published=(
        _plane("GAN", "VEEGAN", "1", "0.993"),
        _plane("ALI", "VEEGAN", "2.8", "0.0013"),
        _plane("Unrolled GAN", "VEEGAN", "7.6", "0.356"),
        _plane("VEEGAN", "VEEGAN", "8", "0.529"),
        _plane("GAN", "PacGAN", "6.3", "0.982", "0.45"),
        _plane("ALI", "PacGAN", "6.6", "0.976", "0.36"),
        _plane("PacGAN2", "PacGAN", "7.9", "0.956", "0.07"),
        _plane("PacGAN3", "PacGAN", "7.8", "0.977", "0.10"),
        _plane("PacGAN4", "PacGAN", "7.8", "0.959", "0.07"),
    ),
)
GRID = Protocol(
    title="2-D grid",
    geometry="25 Gaussians of standard deviation 0.05, 2 apart, at {-4, -2, 0, 2, 4} squared",
    rule=_RULE,
    metric="modes",
    options={"threshold": 3.0, "share": 0.2},
    num_samples=2500,
    columns=_COLUMNS,
    real={"modes": "25", "strict_modes": "25", "high_quality": "0.989", "std_ratio": "0.98"},
    published=(
        _plane("GAN", "VEEGAN", "3.3", "0.005"),
        _plane("ALI", "VEEGAN", "15.8", "0.016"),
        _plane("Unrolled GAN", "VEEGAN", "23.6", "0.16"),
        _plane("VEEGAN", "VEEGAN", "24.6", "0.40"),
        _plane("GAN", "PacGAN", "17.3", "0.948", "0.70"),
        _plane("ALI", "PacGAN", "24.1", "0.957", "0.14"),
        _plane("PacGAN2", "PacGAN", "23.8", "0.913", "0.13"),
        _plane("PacGAN3", "PacGAN", "24.6", "0.942", "0.06"),
        _plane("PacGAN4", "PacGAN", "24.8", "0.936", "0.04"),
    ),
)
STACKED = Protocol(
    title="stacked digits",
    geometry="three digits of MNIST as red, green and blue: 1,000 modes, as likely each",
    rule="a mode is the three digits that a classifier sees in the channels, and counts with one "
    "sample; KL of the modes' shares to uniform, in nats",
    metric="stacked-modes",
    options={},
    num_samples=26_000,
    columns=("modes", "kl", "confidence"),
    real={"modes": "1000", "kl": "0.019"},
    published=(
        _stack("DCGAN", "VEEGAN", "99.0", "3.40"),
        _stack("ALI", "VEEGAN", "16.0", "5.40"),
        _stack("Unrolled GAN", "VEEGAN", "48.7", "4.32"),
        _stack("VEEGAN", "VEEGAN", "150.0", "2.95"),
        _stack("DCGAN", "PacGAN", "78.9", "4.50"),
        _stack("PacDCGAN2", "PacGAN", "1000.0", "0.06"),
        _stack("PacDCGAN3", "PacGAN", "1000.0", "0.06"),
        _stack("PacDCGAN4", "PacGAN", "1000.0", "0.07"),
    ),
    free=frozenset({"root", "download", "size", "fit"}),
)

#: data set -> how its modes are counted
PROTOCOLS: dict[str, Protocol] = {"ring": RING, "grid": GRID, "stacked-mnist": STACKED}


def protocol_of(config: RunConfig) -> Protocol:
    """The protocol of a run's data. Raises UsageError where there is none for it."""
    dataset = config.dataset.component
    protocol = PROTOCOLS.get(dataset.name) if dataset.plugin.bundled else None
    if protocol is None:
        known = ", ".join(PROTOCOLS)
        raise UsageError(
            f"there is no published protocol for the data set {config.dataset.config_name!r}; "
            f"there are some for {known}"
        )
    usual = type(config.dataset.options)()
    for option in dataclasses.fields(usual):
        value, wanted = getattr(config.dataset.options, option.name), getattr(usual, option.name)
        if value != wanted and option.name not in protocol.free:
            raise UsageError(
                f"dataset.{option.name} is {value!r}, and {wanted!r} in the published protocol of "
                f"the {protocol.title}: numbers of other data are not comparable with it"
            )
    return protocol


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of a leaderboard: a configuration over its seeds."""

    name: str
    runs: tuple[str, ...]
    seeds: tuple[object, ...]
    step: int
    numbers: Mapping[str, Cell]
    cpu: Cell

    def shown(self, column: str) -> str:
        return shown_cell(self.numbers[column], len(self.runs))


def entries(protocol: Protocol, comparison: Comparison, names: Sequence[str]) -> list[Entry]:
    """The rows of a comparison, the best first; `names` are those of its groups."""
    found = []
    for group, name in zip(comparison.groups, names, strict=True):
        runs = [comparison.runs[it] for it in group.runs]
        numbers = {
            column: group.metrics.get(f"metric/{protocol.metric}/{column}", Cell())
            for column in protocol.columns
        }
        found.append(
            Entry(
                name=name,
                runs=tuple(str(run.path) for run in runs),
                seeds=tuple(run.settings.get("training.seed") for run in runs),
                step=group.step,
                numbers=numbers,
                cpu=group.cpu,
            )
        )
    return sorted(found, key=lambda it: _rank(protocol, it))


def _rank(protocol: Protocol, entry: Entry) -> tuple[float, float]:
    first, kl = entry.numbers[protocol.columns[0]].mean, entry.numbers["kl"].mean
    return (-(first or 0.0), float("inf") if kl is None else kl)


def leaderboard(found: Mapping[str, tuple[Protocol, Sequence[Entry]]]) -> str:
    """The leaderboard as JSON: protocols, rows with their spread over seeds, and papers' rows."""
    document: dict[str, Any] = {}
    for dataset, (protocol, rows) in found.items():
        document[dataset] = {
            "title": protocol.title,
            "geometry": protocol.geometry,
            "rule": protocol.rule,
            "samples": protocol.num_samples,
            "sources": ["arXiv:1705.07761", "arXiv:1712.04086"],
            "real": dict(protocol.real),
            "entries": [
                {
                    "name": row.name,
                    "seeds": list(row.seeds),
                    "runs": list(row.runs),
                    "steps": row.step,
                    "cpu_seconds": row.cpu.mean,
                    "numbers": {
                        name: {
                            "mean": cell.mean,
                            "std": cell.std,
                            "values": [*cell.values.values()],
                        }
                        for name, cell in row.numbers.items()
                    },
                }
                for row in rows
            ],
            "published": [
                {"method": it.method, "source": it.source, "numbers": dict(it.numbers)}
                for it in protocol.published
            ],
        }
    return json.dumps(document, indent=2) + "\n"
