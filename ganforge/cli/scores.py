"""The scores of an evaluation as a table, and in words what they are of."""

from __future__ import annotations

from ganforge.evaluation.scores import Evaluated, Floor, Score
from ganforge.printable import printable

from .console import stdout
from .progress import print_line


def print_scores(found: Evaluated) -> None:
    """Print the table of scores, and below it what each stands for."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, justify in (
        ("metric", "left"),
        ("score", "right"),
        ("floor", "right"),
        ("better", "left"),
        ("features", "left"),
    ):
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for score in found.scores:
        table.add_row(
            printable(score.name),
            shown(score.value),
            "" if score.floor is None else shown(score.floor.value),
            score.better or "",
            printable(score.features or ""),
        )
    stdout().print(table)
    print_line("")
    for line in explanations(found):
        print_line(line)


def shown(value: float) -> str:
    """A number with four digits that count."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def explanations(found: Evaluated) -> list[str]:
    """Explain what the scores are of: samples, floors, extractors, and what was left out."""
    how = [] if found.seed is None else [f"seed {found.seed}"]
    if found.truncation is not None:
        how.append(f"truncation {found.truncation:g}")
    which = "held out of training" if found.split == "held-out" else "that can be trained on"
    lines = [
        f"samples   {found.num:,} of {printable(found.source)}"
        + (f" ({', '.join(how)})" if how else ""),
        f"real      {found.num_real:,} of {printable(found.dataset)}, {which}",
    ]
    lines += [f"floor     {line}" for line in floors(found.scores)]
    lines += [
        f"features  {printable(name)}: {printable(text, 300)}"
        for name, text in found.extractors.items()
    ]
    if found.left_out:
        names = ", ".join(printable(name) for name in found.left_out)
        lines.append(f"left out  {names}; --metric NAME says why")
    return lines


def floors(scores: tuple[Score, ...]) -> list[str]:
    """Each kind of floor once, with the numbers that it is of where there are several kinds."""
    kinds: dict[tuple[str, int, int], list[str]] = {}
    for score in scores:
        if score.floor is not None:
            kinds.setdefault(_kind(score.floor), []).append(score.name.partition("/")[0])
    lines = []
    for (compared, num, num_real), names in kinds.items():
        of = (
            ""
            if len(kinds) == 1
            else f" ({', '.join(printable(it) for it in dict.fromkeys(names))})"
        )
        lines.append(f"{compared}, {num:,} against {num_real:,}{of}")
    return lines


def _kind(floor: Floor) -> tuple[str, int, int]:
    return floor.compared, floor.num, floor.num_real
