"""`oofpy trend`: quantities of many results against elevation, date, hour or object."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oofpy.cli import catalogue_filters as filters
from oofpy.cli import options
from oofpy.cli.endings import Ending
from oofpy.cli.text_tables import aligned, counted, number
from oofpy.errors import UsageError, one_line

if TYPE_CHECKING:
    from oofpy.catalogue.trends import Against, Trend, TrendBin

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Quantities = Annotated[
    list[str],
    typer.Argument(
        metavar="QUANTITY",
        show_default=False,
        help="A coefficient such as 'Z(2,2)', rms, rms-without-focus, focus, pointing-u, pointing-v, efficiency, "
        "ruze-efficiency, chi2 or snr; several are drawn above each other.",
    ),
]
AgainstWord = Annotated[
    str, typer.Option("--against", metavar="elevation|date|hour|object", help="What the quantities are shown against.")
]
Bins = Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="Bins of the table; objects have one each.")]
Longitude = Annotated[
    str | None,
    typer.Option(
        metavar="ANGLE",
        show_default=False,
        help="Of the telescope, east positive, e.g. -155.5deg: hours are of the mean sun there; left out, of UTC.",
    ),
]
WithRejected = Annotated[
    bool, typer.Option("--with-rejected", help="Take rejected results as well; they are marked in the figure.")
]
Out = Annotated[Path, typer.Option(metavar="DIR", parser=options.place_of, help="Folder to make.")]


@filters.filtered
def trend_command(
    place: filters.Place,
    quantities: Quantities,
    wanted: filters.Wanted,
    against: AgainstWord = "elevation",
    bins: Bins = 6,
    longitude: Longitude = None,
    with_rejected: WithRejected = False,
    out: Out = Path("oofpy-trend"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> int:
    """Show quantities of the results in a catalogue against elevation, date, hour or object.

    Prints the median and scatter in bins, and Spearman's rank correlation with the probability of so strong a one by
    chance; writes trend.png and trend.ecsv. What reviewers rejected is left out, or what the verdict rejects where they
    did not decide. The hour is that of UTC unless --longitude is given.
    """
    from oofpy.catalogue.trends import quantity_of, trends_of
    from oofpy.io.atomic import refuse_existing

    asked = [quantity_of(text) for text in dict.fromkeys(quantities)]
    word = _against(against)
    longitude_rad = _longitude(longitude, word)
    refuse_existing(out, overwrite)
    with filters.opened(place) as catalogue:
        trends = trends_of(
            catalogue, wanted, asked, word, longitude_rad=longitude_rad or 0.0, with_rejected=with_rejected
        )
        shown = catalogue.shown
    if not any(trend.values.size for trend in trends):
        raise UsageError(
            f"no result that matches has a value and {'an' if word in ('elevation', 'hour', 'object') else 'a'} {word}",
            key="RESULTS",
            value=shown,
            remedy="ask for less, see 'oofpy catalogue list', or take --with-rejected",
        )
    hour_label = "hour (UTC)" if longitude_rad is None else "hour (local mean time)"
    _write(trends, out, f"{', '.join(one.name for one in asked)} against {word}", hour_label, overwrite)
    if json:
        _print_json(trends, bins)
    elif not quiet:
        print("\n".join([*_lines(trends, bins, hour_label), f"figure and table in {out}"]), flush=True)
    return Ending.DONE


def _against(text: str) -> Against:
    from oofpy.catalogue.trends import AGAINST

    for word in AGAINST:
        if word == text:
            return word
    raise UsageError("is not known", key="--against", value=text or "''", remedy=f"choose of {', '.join(AGAINST)}")


def _longitude(text: str | None, against: Against) -> float | None:
    from oofpy.quantities import parse_quantity

    if text is None:
        return None
    if against != "hour":
        raise UsageError("means nothing here", key="--longitude", value=text, remedy="it goes with --against hour")
    angle = parse_quantity(text, "angle", key="--longitude")
    if abs(angle) > 2 * math.pi:
        raise UsageError("is beyond 360 deg", key="--longitude", value=text, remedy="check its unit")
    return angle


def _write(trends: Sequence[Trend], out: Path, heading: str, hour_label: str, overwrite: bool) -> None:
    from oofpy.io.atomic import atomic_directory
    from oofpy.plots.saving import FigureKind, draw_figures, write_drawn
    from oofpy.plots.trend_panels import trend_figure

    kind: FigureKind[Sequence[Trend]] = FigureKind(
        "trend", lambda shown: trend_figure(shown, heading, hour_label), heading, heading
    )
    with atomic_directory(out, overwrite) as part:
        write_drawn(draw_figures([kind], trends), part)
        _table(trends).write(part / "trend.ecsv", format="ascii.ecsv", delimiter=",")


def _table(trends: Sequence[Trend]) -> Any:
    """Make a table of a row a result and a column a quantity."""
    import numpy as np
    from astropy.table import Column, Table

    rows = {row.key: row for trend in trends for row in trend.rows}
    table = Table()
    table["name"] = Column([one_line(row.name) for row in rows.values()], dtype=str)
    table["key"] = Column(list(rows), dtype=str)
    table["object"] = Column([one_line(row.object_name or "") for row in rows.values()], dtype=str)
    table["date_utc"] = Column([row.date_utc.isoformat() if row.date_utc else "" for row in rows.values()], dtype=str)
    degrees = [math.nan if row.elevation_rad is None else math.degrees(row.elevation_rad) for row in rows.values()]
    table["elevation"] = _masked(degrees, "deg")
    places = {row.key: place for trend in trends for row, place in zip(trend.rows, trend.places, strict=True)}
    if trends[0].against == "hour":
        table["hour"] = _masked([places[key] for key in rows], "h")
    for trend in trends:
        by_key = {row.key: number for number, row in enumerate(trend.rows)}
        at = [by_key.get(key) for key in rows]
        for name, values in ((trend.quantity.column, trend.values), (f"{trend.quantity.column}_error", trend.errors)):
            column = [math.nan if one is None else float(values[one]) for one in at]
            table[name] = _masked(column, trend.quantity.unit or None)
    for name in ("flagged", "rejected"):
        marks = {row.key: bool(mark) for one in trends for row, mark in zip(one.rows, getattr(one, name), strict=True)}
        table[name] = Column([marks[key] for key in rows], dtype=np.bool_)
    return table


def _masked(values: Sequence[float], unit: str | None) -> Any:
    """Make a column whose cells are empty where a value is not known."""
    import numpy as np
    from astropy.table import MaskedColumn

    return MaskedColumn(np.ma.masked_invalid(np.array(values, np.float64)), unit=unit)


def _lines(trends: Sequence[Trend], bins: int, hour_label: str) -> Iterator[str]:
    from oofpy.catalogue.trends import probability_text

    for trend in trends:
        missing = f", {trend.missing} without a value or left out" if trend.missing else ""
        where = hour_label if trend.against == "hour" else trend.against
        yield f"{trend.quantity.label} against {where}: {counted(trend.values.size, 'result')}{missing}"
        rows = [
            [_interval(trend, one), str(one.count), number(one.median), number(one.scatter)] for one in trend.bins(bins)
        ]
        yield from aligned([trend.against, "results", "median", "scatter"], rows)
        rho, probability = trend.correlation()
        if math.isfinite(rho):
            yield f"Spearman's rank correlation {rho:+.3f}, probability by chance {probability_text(probability)}"
        yield ""


def _interval(trend: Trend, one: TrendBin) -> str:
    if trend.against == "object":
        return one_line(one.name)
    if trend.against == "date":
        return " to ".join(f"{_EPOCH + timedelta(days=edge):%Y-%m-%d}" for edge in (one.low, one.high))
    unit = " deg" if trend.against == "elevation" else " h"
    return f"{one.low:.1f} to {one.high:.1f}{unit}"


def _print_json(trends: Sequence[Trend], bins: int) -> None:
    import json
    from dataclasses import asdict

    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    found = []
    for trend in trends:
        rho, probability = trend.correlation()
        found.append(
            {
                "quantity": trend.quantity.name,
                "unit": trend.quantity.unit,
                "against": trend.against,
                "results": int(trend.values.size),
                "missing": trend.missing,
                "spearman": plain(rho),
                "probability": plain(probability),
                "bins": [{key: plain(value) for key, value in asdict(one).items()} for one in trend.bins(bins)],
            }
        )
    print(json.dumps(found, indent=2, allow_nan=False))
