"""Parts of a page from the content of the report: what comes from data is escaped here, and nowhere else."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from oofpy.report.numbers import KeyNumber
from oofpy.report.tables import Table
from oofpy.report.verdicts import FlagText


def text(words: object) -> str:
    """Escape any text."""
    return html.escape(str(words))


def numbers_html(numbers: Iterable[KeyNumber]) -> str:
    """Key numbers side by side."""
    cells = []
    for one in numbers:
        lines = "".join(f"<br><small>{text(line)}</small>" for line in one.lines)
        cells.append(f"<div class='number'><small>{text(one.name)}</small><br><b>{text(one.value)}</b>{lines}</div>")
    return f"<div class='numbers'>{''.join(cells)}</div>"


def flags_html(flags: Sequence[FlagText]) -> str:
    """Flags with what was found and what to do about it, the weightiest as they come."""
    if not flags:
        return "<p>no flags</p>"
    rows = []
    for flag in flags:
        found = "<br>".join(text(message) for message in flag.messages)
        advice = f"<br>{text(flag.advice)}" if flag.advice else ""
        rows.append(
            f"<li><b class='level {text(flag.level)}'>{text(flag.level)}</b> <code>{text(flag.code)}</code>"
            f"<div>{found}{advice}<br><small>{text(flag.rule)}</small></div></li>"
        )
    return f"<ul class='flags'>{''.join(rows)}</ul>"


def table_html(table: Table) -> str:
    """A table of the report."""
    heads = "".join(f"<th>{text(column.name)}</th>" for column in table.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    note = f"<p class='note'>{text(table.note)}</p>" if table.note else ""
    return (
        f"<h2>{text(table.title)}</h2><div class='scroll' tabindex='0'><table><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{note}"
    )
