"""The table of all observations: filtered, sorted, and the way to each of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.models.widgets.tables import NumberFormatter

from oofpy.catalogue.export import Format, export_columns, write_export
from oofpy.catalogue.records import DECISIONS, STATUSES, VERDICTS, ObservationRow
from oofpy.errors import OofError
from oofpy.flag_kinds import FLAG_KINDS
from oofpy.review.pages.asking import Asking
from oofpy.review.pages.comparing import MOST_COMPARED
from oofpy.review.pages.words import text
from oofpy.review.rows import COLUMNS, table_of
from oofpy.review.session import KEY_LETTERS, Session
from oofpy.review.style import TABLE_STYLE
from oofpy.review.view import View

_PAGE_ROWS = 40
_TEXTS = {
    "name": ("observation", "scan_*"),
    "object": ("object", "3C*"),
    "telescope": ("telescope", ""),
    "from": ("date from", "2024-05-31"),
    "to": ("date to", "2024-06-30"),
    "elevation-above": ("elevation from", "30deg"),
    "elevation-below": ("elevation to", "60deg"),
    "rms-above": ("rms from", "50um"),
    "rms-below": ("rms to", "300um"),
}
_WORDS = {
    "verdict": VERDICTS,
    "decision": (*DECISIONS[:-1], "none"),
    "status": STATUSES,
}
_ANY, _FILTERS = "any", "Filters"
_NUMBERS = [one.name for one in COLUMNS if one.form]
_COLOURS = {"accept": "#14633a", "check": "#8a4b00", "look": "#8a4b00", "reject": "#a01722", "failed": "#a01722"}


class _SortedTable(pn.widgets.Tabulator):
    """A table whose rows come sorted: what stands in its head says how, and asks for another order."""

    def _sort_df(self, df: Any) -> Any:
        return df


class TablePage:
    """All observations that the filters of the view let through.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asking = Asking(session)
        self._rows: list[ObservationRow] = []
        self._count = pn.pane.HTML("", css_classes=["count"])
        self._texts = {
            name: pn.widgets.TextInput(name=words, placeholder=example, width=105)
            for name, (words, example) in _TEXTS.items()
        }
        self._words = {
            name: pn.widgets.CheckButtonGroup(
                name=name, options=list(options), button_type="light", margin=(0, 10, 5, 10), css_classes=["choices"]
            )
            for name, options in _WORDS.items()
        }
        self._flag = pn.widgets.Select(name="flag", options=[_ANY, *FLAG_KINDS], width=160)
        for widget in (*self._texts.values(), *self._words.values(), self._flag):
            widget.param.watch(lambda _: self._filtered(), "value")
        clear = pn.widgets.Button(name="no filters", button_type="light")
        clear.on_click(lambda _: session.go(filters={}))
        self._compare = pn.widgets.Button(name="compare the ticked ones", button_type="light", disabled=True)
        self._compare.on_click(lambda _: self._open_compared())
        self._downloads = [self._download(form) for form in ("csv", "ecsv")]
        self._table = self._made_table()
        groups = (
            pn.Column(pn.pane.HTML(name, css_classes=["note"], margin=(5, 10, 0, 10)), group)
            for name, group in self._words.items()
        )
        filters = pn.FlexBox(*self._texts.values(), self._flag, *groups, clear, align_items="end")
        self._filters = pn.Card(filters, title=_FILTERS, sizing_mode="stretch_width", css_classes=["filters"])
        self.layout = pn.Column(
            self._filters,
            pn.FlexBox(self._count, self._compare, *self._downloads),
            self._table,
            sizing_mode="stretch_width",
        )

    def _made_table(self) -> Any:
        table: Any = _SortedTable(
            table_of([]),
            pagination="remote",
            page_size=_PAGE_ROWS,
            show_index=False,
            disabled=True,
            selectable="checkbox",
            hidden_columns=["key"],
            formatters={one.name: NumberFormatter(format=one.form, nan_format="") for one in COLUMNS if one.form},
            titles={one.name: one.title for one in COLUMNS},
            widths={one.name: one.width for one in COLUMNS},
            text_align=dict.fromkeys(_NUMBERS, "right"),
            header_align={one.name: "right" if one.form else "left" for one in COLUMNS},
            sizing_mode="stretch_width",
            layout="fit_data_stretch",
            sorters=[],
            sortable={one.name: bool(one.sort) for one in COLUMNS},
            configuration={"placeholder": "no observation"},
            stylesheets=[TABLE_STYLE],
        )
        table.style.map(lambda word: f"color: {_COLOURS.get(word, 'inherit')}", subset=["verdict", "decision"])
        table.on_click(self._clicked)
        table.param.watch(lambda _: self._ticked(), "selection")
        table.param.watch(lambda event: self._sorted(event.new), "sorters")
        return table

    def fold(self, folded: bool) -> None:
        """Fold the filters, which leave no room for the table on a small screen."""
        self._filters.collapsed = folded

    def show(self, view: View) -> None:
        """Show the rows of a view; where a filter is not understood none, and what is wrong with it is told."""
        with self._asking.quietly():
            for name, widget in self._texts.items():
                widget.value = next((one for one in reversed(view.filters.get(name, ())) if one.strip()), "")
            for name, chooser in self._words.items():
                chooser.value = [word for word in view.filters.get(name, ()) if word in chooser.options]
            flags = view.filters.get("flag", ())
            several = [] if len(flags) < 2 else [", ".join(flags)]
            self._flag.options = [_ANY, *several, *FLAG_KINDS]
            self._flag.value = (several or [flag for flag in flags if flag in FLAG_KINDS] or [_ANY])[0]
            self._table.sorters = _sorters(view.sort)
        # Where they are folded they are not forgotten.
        used = ", ".join(_TEXTS.get(name, (name,))[0] for name in view.filters)
        self._filters.title = f"{_FILTERS}: {used}" if used else _FILTERS
        try:
            rows = self._session.rows()
        except OofError:
            self._fill([])
            self._count.object = "<h1>a filter or the order is not understood: nothing is shown</h1>"
            self._allow_downloads(False)
            raise
        self._fill(rows)
        self._allow_downloads(True)

    def _allow_downloads(self, allowed: bool) -> None:
        for button in self._downloads:
            button.disabled = not allowed

    def _fill(self, rows: list[ObservationRow]) -> None:
        held = self._session.archive.catalogue.count()
        ticked = {row.key for row in self._session.chosen}
        self._rows = rows
        with self._asking.quietly():
            self._table.selection = []
            self._table.value = table_of(rows)
            self._table.selection = [place for place, row in enumerate(rows) if row.key in ticked]
        self._ticked()
        if held:
            self._count.object = f"<h1><b>{len(rows)}</b> of {held} observations</h1>"
        else:
            self._count.object = (
                f"There is no observation in {text(self._session.archive.name)} yet: "
                "<code>oofpy batch ARCHIVE --out RESULTS</code> fits an archive and fills it."
            )

    def _filtered(self) -> None:
        if self._asking.quiet:
            return
        texts = {name: (widget.value or "").strip() for name, widget in self._texts.items()}
        filters: dict[str, tuple[str, ...]] = {name: (words,) for name, words in texts.items() if words}
        filters |= {name: tuple(chooser.value) for name, chooser in self._words.items() if chooser.value}
        if self._flag.value != _ANY:
            filters["flag"] = tuple(self._flag.value.split(", "))
        self._session.go(filters=filters)

    def _sorted(self, sorters: list[dict[str, str]]) -> None:
        sorts = {one.name: one.sort for one in COLUMNS if one.sort}
        if self._asking.quiet or not sorters or sorters[0]["field"] not in sorts:
            return
        sign = "-" if sorters[0]["dir"] == "desc" else ""
        self._session.go(sort=sign + sorts[sorters[0]["field"]])

    def _clicked(self, event: Any) -> None:
        if event.column in {one.name for one in COLUMNS}:
            self._session.go(page="observation", keys=(self._table.value["key"].iloc[event.row],))

    def _ticked(self) -> None:
        if self._asking.quiet:
            return
        self._session.choose(self._rows[place] for place in self._table.selection)
        count = len(self._session.chosen)
        self._compare.disabled = not 2 <= count <= MOST_COMPARED
        self._compare.name = f"compare {count}" if count else f"tick 2 to {MOST_COMPARED} to compare"

    def _open_compared(self) -> None:
        self._session.go(page="compare", keys=tuple(row.key[:KEY_LETTERS] for row in self._session.chosen))

    def _download(self, form: Format) -> Any:
        return pn.widgets.FileDownload(
            callback=self._exporting(form),
            filename=f"observations.{form}",
            label=f"download {form.upper()}",
            button_type="light",
            embed=False,
        )

    def _exporting(self, form: Format) -> Callable[[], io.BytesIO]:
        def export() -> io.BytesIO:
            archive, stream = self._session.archive, io.BytesIO()
            try:
                columns = export_columns(archive.catalogue, archive.wanted(self._session.view))
                write_export(columns, form, stream)
            except OofError as error:
                self._session.say(str(error))
            stream.seek(0)
            return stream

        return export


def _sorters(sort: str) -> list[dict[str, str]]:
    name = next((one.name for one in COLUMNS if one.sort == sort.removeprefix("-")), None)
    return [] if name is None else [{"field": name, "dir": "desc" if sort.startswith("-") else "asc"}]
