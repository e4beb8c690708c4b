"""What reviewers may read and write: the catalogue, and the results below one folder."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from oofpy.catalogue.catalogue import Catalogue
from oofpy.catalogue.filter_texts import filter_of_texts
from oofpy.catalogue.records import CatalogueEntry, Decision, DecisionRecord, Filter, ObservationRow
from oofpy.errors import InputError, UsageError
from oofpy.fitting.result import FitResult
from oofpy.io.result_reading import RESULT_FILE, read_result
from oofpy.review.view import View, is_text

# Of some MB each: what a reviewer goes back to.
_KEPT_RESULTS = 24


class ReviewedArchive:
    """The door of all sessions to one catalogue.

    Parameters
    ----------
    catalogue : Catalogue
    results : path-like
        Folder of all results: nothing outside it is read.
    """

    def __init__(self, catalogue: Catalogue, results: str | Path) -> None:
        self.catalogue = catalogue
        self._results = Path(results).resolve()
        # By the key and when it was recorded: a result that is fitted again keeps its key.
        self._read: OrderedDict[tuple[str, datetime], FitResult] = OrderedDict()
        self._reading = threading.Lock()

    @property
    def name(self) -> str:
        """Name of the folder of the results."""
        return self._results.name

    def wanted(self, view: View) -> Filter:
        """Give the filter of a view.

        Raises
        ------
        UsageError, ConfigurationError
            If a text is no date, no angle, no length, or a word that is not known.
        """
        for name, texts in view.filters.items():
            for text in texts:
                _refuse_what_is_no_text(name, text)
        return filter_of_texts(view.filters)

    def rows(self, wanted: Filter, sort: str) -> list[ObservationRow]:
        """Give the rows of the table; see `Catalogue.select`."""
        return self.catalogue.select(wanted, order_by=sort)

    def entry(self, key: str) -> CatalogueEntry:
        """Give all that the catalogue holds of a result; a UsageError if there is none of that key."""
        _refuse_what_is_no_text("NAME", key)
        return self.catalogue.show(key)

    def result(self, entry: CatalogueEntry) -> FitResult:
        """Read a result, or give it again.

        Raises
        ------
        InputError
            If the observation has none, or its file is missing, damaged, or outside the folder of the results.
        """
        key = entry.result.key, entry.recorded_at
        with self._reading:
            if key not in self._read:
                self._read[key] = read_result(self._place(entry))
                while len(self._read) > _KEPT_RESULTS:
                    self._read.popitem(last=False)
            self._read.move_to_end(key)
            return self._read[key]

    def _place(self, entry: CatalogueEntry) -> Path:
        """File of a result. What the catalogue says of it may come from anywhere."""
        if entry.result.folder is None:
            raise InputError(f"{entry.observation.name} has no result: {entry.result.reason or entry.result.status}")
        named = self._results / entry.result.folder / RESULT_FILE
        try:
            place = named.resolve()
            something_else = place.exists() and not place.is_file()
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle, and names that are none
            raise InputError("the catalogue names a result where none can be", key=entry.result.key) from error
        if not place.is_relative_to(self._results):
            raise InputError("the catalogue names a result outside of the folder of the results", key=entry.result.key)
        if something_else:  # in a folder of this name a link could lead to anywhere
            raise InputError("is no file", file=place)
        return place

    def decisions(self, key: str) -> tuple[DecisionRecord, ...]:
        """Give all decisions on a result, oldest first."""
        return self.catalogue.decisions(key)

    def decide(self, keys: Iterable[str], who: str, decision: Decision, why: str = "") -> list[DecisionRecord]:
        """Append a decision on every one of some results; see `Catalogue.decide_all`."""
        return self.catalogue.decide_all(keys, who, decision, why)

    def state(self) -> tuple[int, ...]:
        """Give numbers that change with every result and every decision that is recorded."""
        return self.catalogue.state()


def _refuse_what_is_no_text(name: str, text: str) -> None:
    if not is_text(text):
        raise UsageError("is no text", key=name, value=ascii(text))
