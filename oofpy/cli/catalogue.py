"""`oofpy catalogue`: what an archive holds, and tables of it."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated

import typer

from oofpy.cli import catalogue_filters as filters
from oofpy.cli import options
from oofpy.cli.endings import Ending, uninterrupted
from oofpy.cli.messages import Messages
from oofpy.cli.text_tables import aligned, counted, number
from oofpy.errors import UsageError, one_line

if TYPE_CHECKING:
    from oofpy.catalogue.export import Format
    from oofpy.catalogue.records import CatalogueEntry, CoefficientRecord, ObservationRow, ResultRecord

_FORMATS: tuple[Format, ...] = ("ecsv", "csv", "parquet", "json")
_LIMIT = 100
# As many letters of a key as tell results apart in any catalogue that there will be.
_KEY_LETTERS = 12
_WIDEST_REMARK, _NARROWEST_REMARK = 80, 24
_REMARK = "flags or reason"
_TEXTS = ("name", "status", "verdict", "decision", "date", "object", "telescope", "key", _REMARK)
# What a list can do without on a narrow terminal, in this order.
_LEAST_FIRST = ("chi2", "order", "key", "telescope", "focus mm", "object", "error", "decision", "date", "el deg")

catalogue_application = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME|KEY",
        show_default=False,
        help="Name of an observation, for its newest result that did not fail; or the beginning of a result's key.",
    ),
]
Sort = Annotated[
    str,
    typer.Option(
        metavar="[-]COLUMN",
        help="name, date, telescope, object, elevation, rms, focus, chi2, snr, status, verdict, recorded or seconds; "
        "with a minus the largest first. What is unknown comes last.",
    ),
]
Limit = Annotated[int, typer.Option(metavar="N", min=0, help="How many to show at most; 0 for all.")]
FormatName = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="|".join(_FORMATS),
        show_default=False,
        help="As what to write; if left out, what the name of the output ends with, or ecsv.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", parser=options.place_of, show_default=False, help="File to write; standard output if left out."
    ),
]
Order = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=2,
        show_default=False,
        help="Order of the ladder that coefficients, rms, focus error and chi2 are of; if left out, the chosen one of "
        "each result.",
    ),
]


@catalogue_application.callback()
def catalogue_command() -> None:
    """Look into the catalogue of an archive, or export it as a table."""


@catalogue_application.command("list")
@uninterrupted
@filters.filtered
def list_command(place: filters.Place, wanted: filters.Wanted, sort: Sort = "name", limit: Limit = _LIMIT) -> int:
    """List observations with the newest result of each that did not fail, or its last failure."""
    _require_sort(sort)
    with filters.opened(place) as catalogue:
        rows = catalogue.select(wanted, order_by=sort, limit=limit or None)
        matching, held = catalogue.count(wanted), catalogue.count()
    if rows:
        print("\n".join(_listed(rows, get_terminal_size().columns if sys.stdout.isatty() else None)))
    shown = f"{len(rows)} shown of " if len(rows) < matching else ""
    what = counted(matching, "result" if wanted.all_results else "observation")
    match = "matches" if matching == 1 else "match"
    print(f"{shown}{what} that {match}, {counted(held, 'observation')} in the catalogue")
    return Ending.DONE


@catalogue_application.command("show")
@uninterrupted
def show_command(place: filters.Place, name: Name) -> int:
    """Print everything that the catalogue holds of a result."""
    with filters.opened(place) as catalogue:
        entry = catalogue.show(name)
    print("\n".join(_shown(entry)))
    return Ending.DONE


@catalogue_application.command("export")
@uninterrupted
@filters.filtered
def export_command(
    place: filters.Place,
    wanted: filters.Wanted,
    form: FormatName = None,
    output: Output = None,
    order: Order = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> int:
    """Write a table: a row for every observation, failed ones included, and its coefficients as columns."""
    from oofpy.catalogue.export import export_columns, write_export
    from oofpy.io.atomic import atomic_file, refuse_existing

    chosen = _format_of(form, output)
    messages = Messages(quiet)
    if output is not None:
        refuse_existing(output, overwrite)
    elif chosen == "parquet" and sys.stdout.isatty():
        raise UsageError("is not for a terminal", key="--format", value=chosen, remedy="give --output FILE")
    with filters.opened(place) as catalogue, messages.working("reading the catalogue"):
        columns = export_columns(catalogue, wanted, order)
    if output is None:
        sys.stdout.flush()
        write_export(columns, chosen, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    else:
        with atomic_file(output, overwrite) as part, part.open("wb") as stream:
            write_export(columns, chosen, stream)
    where = "" if output is None else f" to {one_line(str(output))}"
    messages.say(f"{counted(len(columns[0].values), 'row')} of {len(columns)} columns written{where}")
    return Ending.DONE


def _require_sort(column: str) -> None:
    from oofpy.catalogue.selecting import SORTS

    if column.removeprefix("-") not in SORTS:
        raise UsageError(
            "nothing to sort by", key="--sort", value=column, remedy=f"choose of {', '.join(SORTS)}, or -NAME"
        )


def _format_of(form: str | None, output: Path | None) -> Format:
    wanted = form
    if wanted is None and output is not None:
        wanted = output.suffix.removeprefix(".").lower()
    for known in _FORMATS:
        if known == (wanted or "ecsv"):
            return known
    key, remedy = ("--format", "") if form else ("--output", "give --format, or ")
    raise UsageError(
        "is no format of a table" if form else "has an ending that is no format of a table",
        key=key,
        value=form or output,
        remedy=f"{remedy}choose of {', '.join(_FORMATS)}",
    )


def _listed(rows: list[ObservationRow], width: int | None) -> list[str]:
    """Lay out results below each other; within so many letters where `width` says any, and name what found no room."""
    cells = [_cells(row) for row in rows]
    names, left_out = list(cells[0]), []
    room = _WIDEST_REMARK
    if width is not None:
        needed = min(_NARROWEST_REMARK, max(len(row[_REMARK]) for row in cells))
        if needed == 0:
            names.remove(_REMARK)
        for name in _LEAST_FIRST:
            room = _room(names, cells, width)
            if room >= needed:
                break
            names.remove(name)
            left_out.append(name)
        room = max(_room(names, cells, width), needed)
    for row in cells:
        row[_REMARK] = _cut(row[_REMARK], room)
    head = [_cut(name, room) if name == _REMARK else name for name in names]
    lines = aligned(head, [[row[one] for one in names] for row in cells], left=_texts_of(names))
    if left_out:
        lines.append(f"not shown for want of room: {', '.join(left_out)}; 'less -S' shows all")
    return lines


def _room(names: list[str], cells: list[dict[str, str]], width: int) -> int:
    """How many letters the last column may have."""
    others = [name for name in names if name != _REMARK]
    return width - sum(max(len(name), *(len(row[name]) for row in cells)) + 2 for name in others)


def _texts_of(names: list[str]) -> list[int]:
    return [place for place, name in enumerate(names) if name in _TEXTS]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: max(longest - 3, 0)]}..."[:longest]


def _cells(row: ObservationRow) -> dict[str, str]:
    """Texts of a result by the heads of their columns, what asks for attention first."""
    return {
        "name": one_line(row.name),
        "status": row.status,
        "verdict": row.verdict or "-",
        "decision": row.decision or "-",
        "rms um": number(row.rms_um),
        "error": number(row.rms_um_error, ".2g"),
        "focus mm": _millimetres(row.best_focus_m),
        "chi2": number(row.reduced_chi2, ".3g"),
        "order": "-" if row.order is None else str(row.order),
        "el deg": _degrees(row.elevation_rad),
        "date": one_line((row.date or "-")[:19]),
        "object": one_line(row.object_name or "-"),
        "telescope": one_line(row.telescope or "-"),
        "key": row.key[:_KEY_LETTERS],
        _REMARK: _cut(one_line(row.reason or ", ".join(row.flags)), _WIDEST_REMARK),
    }


def _degrees(angle_rad: float | None) -> str:
    return "-" if angle_rad is None else f"{math.degrees(angle_rad):.1f}"


def _millimetres(length_m: float | None) -> str:
    return "-" if length_m is None else f"{1e3 * length_m:+.4f}"


def _shown(entry: CatalogueEntry) -> Iterator[str]:
    yield from aligned(["", ""], [[name, one_line(text)] for name, text in _facts(entry)], left=(0, 1))[1:]
    for flag in entry.result.flags:
        yield one_line(f"{flag.level} {flag.code}: {flag.message}")
    for decision in entry.decisions:
        why = f": {decision.why}" if decision.why else ""
        yield one_line(f"decision {decision.at:%Y-%m-%d %H:%M} UTC {decision.who}: {decision.decision}{why}")
    if entry.result.orders:
        yield ""
        yield from _ladder(entry.result)
        yield ""
        yield from _coefficients(entry.result)


def _facts(entry: CatalogueEntry) -> Iterator[tuple[str, str]]:
    seen, result = entry.observation, entry.result
    yield "name", seen.name
    yield "files", ", ".join(seen.files)
    yield "content", seen.content_hash
    yield "telescope", seen.telescope or "-"
    yield "object", seen.object_name or "-"
    yield "date", seen.date or "-"
    yield "wavelength", "-" if seen.wavelength_m is None else f"{number(1e3 * seen.wavelength_m, '.6g')} mm"
    yield "elevation", "-" if seen.elevation_rad is None else f"{_degrees(seen.elevation_rad)} deg"
    yield "dz", "-" if seen.dz_m is None else ", ".join(f"{1e3 * dz:+.6g}" for dz in seen.dz_m) + " mm"
    yield "key", result.key
    for other in entry.other_keys:
        yield "other result", other
    if entry.superseded_by is not None:
        yield "superseded by", f"{entry.superseded_by}, an observation with all files of this one"
    standing = entry.decisions[-1].standing if entry.decisions else None
    yield "status", f"{result.status}, verdict {result.verdict or '-'}, decision {standing or '-'}"
    if result.reason:
        yield "reason", f"{result.fault or 'failed'}: {result.reason}"
    yield "recorded", f"{entry.recorded_at:%Y-%m-%d %H:%M:%S} UTC in run {entry.run}"
    yield "result", result.folder or "-"
    if result.order is not None:
        yield from _facts_of_fit(result)


def _facts_of_fit(result: ResultRecord) -> Iterator[tuple[str, str]]:
    arcsec = 3600 * 180 / math.pi
    pointing = [None if one is None else one * arcsec for one in (result.pointing_u_rad, result.pointing_v_rad)]
    yield "fit", f"order {result.order}, {result.likelihood}, {number(result.seconds)} s on {result.device or '-'}"
    yield "rms", f"{number(result.rms_um)} +- {number(result.rms_um_error, '.2g')} um"
    yield "without focus", f"{number(result.rms_without_focus_um)} um"
    yield "efficiency", f"{number(result.ruze_efficiency)} by Ruze, {number(result.exact_efficiency)} exact"
    error = None if result.best_focus_m_error is None else 1e3 * result.best_focus_m_error
    yield "focus error", f"dz = {_millimetres(result.best_focus_m)} +- {number(error, '.2g')} mm"
    yield "pointing", f"u {number(pointing[0], '+.4g')}, v {number(pointing[1], '+.4g')} arcsec"
    yield "signal to noise", number(result.signal_to_noise)
    yield "reduced chi2", number(result.reduced_chi2)


def _ladder(result: ResultRecord) -> list[str]:
    rows = [
        [
            str(one.order),
            one.status,
            number(one.rms_um),
            number(one.rms_um_error, ".2g"),
            _millimetres(one.best_focus_m),
            number(one.reduced_chi2, ".3g"),
            number(one.bic, ".6g"),
        ]
        for one in result.orders
    ]
    return aligned(["order", "ended", "rms um", "error", "focus mm", "chi2", "bic"], rows, left=(1,))


def _coefficients(result: ResultRecord) -> list[str]:
    """Tabulate value and error at every order, the terms below each other."""
    by_term: dict[tuple[int, int], dict[int, CoefficientRecord]] = {}
    for one in result.coefficients:
        by_term.setdefault((one.n, one.l), {})[one.order] = one
    orders = [one.order for one in result.orders]
    rows = [
        [f"Z({n},{l})", *(_value(of_order.get(order)) for order in orders)]
        for (n, l), of_order in sorted(by_term.items())
    ]
    return aligned(["rad at order", *map(str, orders)], rows)


def _value(coefficient: CoefficientRecord | None) -> str:
    if coefficient is None:
        return "-"
    error = number(coefficient.phase_rad_error, ".1g") if coefficient.free else "held"
    return f"{number(coefficient.phase_rad, '+.4f')} ({error})"
