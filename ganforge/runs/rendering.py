"""Comparisons as text for documents and programs: Markdown, CSV, JSON and LaTeX."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence

from ganforge.runs.comparison import Cell, Comparison, Group
from ganforge.runs.measures import short

#: of a mean over runs, in plain text where the terminal can show it
PLUS_MINUS = "±"


def shown_cell(cell: Cell, num_runs: int, plus_minus: str = PLUS_MINUS) -> str:
    """`7.80 ± 0.45`, with the number of runs where these are not all of a group's."""
    if cell.mean is None:
        return "-"
    plain = not cell.mean or 1e-3 <= abs(cell.mean) < 1e6
    form = f",.{_digits(cell)}f" if plain else ".3g"
    text = format(cell.mean, form)
    if cell.std is not None:
        text += f" {plus_minus} {format(cell.std, form)}"
    return text if cell.n == num_runs else f"{text} (n={cell.n})"


def _digits(cell: Cell) -> int:
    """Two significant digits of the spread, or four of the value where there is none."""
    assert cell.mean is not None
    if cell.std:
        return min(max(1 - math.floor(math.log10(cell.std)), 0), 6)
    if all(value.is_integer() for value in cell.values.values()):
        return 0
    return min(max(3 - math.floor(math.log10(abs(cell.mean) or 1.0)), 0), 6)


def header(comparison: Comparison) -> list[str]:
    """The headings of the columns: settings, n, step, metrics, seconds."""
    metrics = [short(name) for name in comparison.metrics]
    of_one = len({name.partition("/")[0] for name in metrics}) == 1
    if of_one and all(name.startswith("metric/") for name in comparison.metrics):
        # Numbers of one metric need not repeat its name.
        metrics = [name.partition("/")[2] or name for name in metrics]
    return [*comparison.keys.values(), "n", "step", *metrics, "CPU s", "wall s"]


def row(comparison: Comparison, group: Group, plus_minus: str = PLUS_MINUS) -> list[str]:
    """The cells of a group, under `header`."""
    return [
        *(group.settings[key] for key in comparison.keys),
        str(len(group.runs)),
        f"{group.step:,}",
        *(
            shown_cell(group.metrics[name], len(group.runs), plus_minus)
            for name in comparison.metrics
        ),
        *(_seconds(it) for it in (group.cpu, group.wall)),
    ]


def _seconds(cell: Cell) -> str:
    if cell.mean is None:
        return "-"
    return f"{cell.mean:,.0f}" if cell.mean >= 10 else f"{cell.mean:.2g}"


def legend(comparison: Comparison) -> list[str]:
    """Explain what the numbers are, and what they do not say."""
    spread = any(len(group.runs) > 1 for group in comparison.groups)
    what = f"{comparison.which.capitalize()} values"
    if spread:
        what += "; mean ± standard deviation over n runs that differ in their seed alone"
    return [f"{what}.", *(f"{note}." for note in comparison.notes)]


def markdown(comparison: Comparison) -> str:
    """A table of GitHub's Markdown."""
    first = len(comparison.keys)
    rows = [header(comparison), *(row(comparison, group) for group in comparison.groups)]
    lines = ["| " + " | ".join(map(_in_markdown, cells)) + " |" for cells in rows]
    columns = len(rows[0])
    rule = "|" + "|".join("---" if it < first else "--:" for it in range(columns)) + "|"
    notes = [f"\n{_in_markdown(line)}" for line in legend(comparison)]
    return "\n".join([lines[0], rule, *lines[1:], *notes]) + "\n"


def _in_markdown(text: str) -> str:
    """Text in which nothing is markup: a pipe would end the cell, `<` begin a tag."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>#|~!" else char for char in text)


def latex(comparison: Comparison) -> str:
    """A tabular of the package booktabs."""
    first = len(comparison.keys)
    columns = "l" * first + "r" * (len(header(comparison)) - first)
    lines = [_latex_row(header(comparison))]
    lines += [r"\midrule"]
    lines += [_latex_row(row(comparison, group)) for group in comparison.groups]
    notes = [f"% {''.join(line.split(chr(10)))}" for line in legend(comparison)]
    return "\n".join(
        [
            *notes,
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    PLUS_MINUS: r"$\pm$",
    **{char: f"\\{char}" for char in "&%$#_{}"},
}


def _latex_row(cells: Sequence[str]) -> str:
    escaped = ["".join(_LATEX.get(char, char) for char in cell) for cell in cells]
    # A row that begins with a bracket would be read as an argument of the line before.
    first = f"{{}}{escaped[0]}" if escaped[0].startswith("[") else escaped[0]
    return " & ".join([first, *escaped[1:]]) + r" \\"


def comma_separated(comparison: Comparison) -> str:
    """CSV for spreadsheets and programs: mean, spread and number of every metric in columns."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    of_each = [f"{short(it)}{end}" for it in comparison.metrics for end in ("", " std", " n")]
    writer.writerow([*comparison.keys.values(), "n", "step", *of_each, "CPU s", "wall s"])
    for group in comparison.groups:
        cells = [group.metrics[name] for name in comparison.metrics]
        numbers = [it for cell in cells for it in (cell.mean, cell.std, cell.n)]
        writer.writerow(
            [
                *(_in_csv(group.settings[key]) for key in comparison.keys),
                len(group.runs),
                group.step,
                *("" if it is None else it for it in numbers),
                *("" if it.mean is None else it.mean for it in (group.cpu, group.wall)),
            ]
        )
    return stream.getvalue()


def _in_csv(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "@")) else text


def as_json(comparison: Comparison) -> str:
    """Everything, with the runs of each group and their values."""
    runs = comparison.runs
    document = {
        "value": comparison.which,
        "settings": list(comparison.keys),
        "metrics": list(comparison.metrics),
        "groups": [
            {
                "settings": group.settings,
                "step": group.step,
                "runs": [
                    {"path": str(runs[it].path), "seed": runs[it].settings.get("training.seed")}
                    for it in group.runs
                ],
                "metrics": {
                    name: {
                        "mean": cell.mean,
                        "std": cell.std,
                        "n": cell.n,
                        "values": {str(runs[it].path): value for it, value in cell.values.items()},
                    }
                    for name, cell in group.metrics.items()
                },
                "cpu_seconds": group.cpu.mean,
                "wall_seconds": group.wall.mean,
            }
            for group in comparison.groups
        ],
        "notes": list(comparison.notes),
    }
    return json.dumps(document, indent=2) + "\n"


FORMATS: dict[str, Callable[[Comparison], str]] = {
    "markdown": markdown,
    "csv": comma_separated,
    "json": as_json,
    "latex": latex,
}
