"""Text from outside as HTML, in which it is only text."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from ganforge.printable import printable, printable_lines


def text(value: object, limit: int = 500) -> str:
    """One line, escaped for elements and for quoted attributes."""
    return html.escape(printable(value, limit))


def name(value: object, limit: int = 120) -> str:
    """A name that may be of any script, and whose direction is nobody else's."""
    return f"<bdi>{text(value, limit)}</bdi>"


def verbatim(value: str) -> str:
    """Lines as they are."""
    return f"<pre>{html.escape(printable_lines(value))}</pre>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], label: str) -> str:
    """A table of cells that are HTML, which scrolls by itself where it is wide."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{text(label)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def section(identity: str, title: str, *content: str) -> str:
    """A section with a heading; empty where it has nothing to say."""
    inside = "\n".join(filter(None, content))
    return f'<section id="{identity}"><h2>{title}</h2>\n{inside}\n</section>' if inside else ""


def folded(summary: str, content: str) -> str:
    """Fold away what is there for those who ask."""
    return f"<details><summary>{summary}</summary>{content}</details>"
