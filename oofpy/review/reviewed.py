"""What reviewers may read and write: the catalogue, and the results below one folder."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from oofpy.catalogue.catalogue import Catalogue
from oofpy.catalogue.filter_texts import filter_of_texts
from oofpy.catalogue.records import CatalogueEntry, Decision, DecisionRecord, Filter, ObservationRow
from oofpy.errors import InputError
from oofpy.fitting.result import FitResult
from oofpy.io.result_reading import read_result
from oofpy.review.view import View

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
        self._read: OrderedDict[str, FitResult] = OrderedDict()
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
        return filter_of_texts(view.filters)

    def rows(self, wanted: Filter, sort: str) -> list[ObservationRow]:
        """Give the rows of the table; see `Catalogue.select`."""
        return self.catalogue.select(wanted, order_by=sort)

    def entry(self, key: str) -> CatalogueEntry:
        """Give all that the catalogue holds of a result; a UsageError if there is none of that key."""
        return self.catalogue.show(key)

    def result(self, entry: CatalogueEntry) -> FitResult:
        """Read a result, or give it again.

        Raises
        ------
        InputError
            If the observation has none, or its file is missing, damaged, or outside the folder of the results.
        """
        key = entry.result.key
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
        place = (self._results / entry.result.folder / "result.fits").resolve()
        if not place.is_relative_to(self._results):
            raise InputError("the catalogue names a result outside of the folder of the results", key=entry.result.key)
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
