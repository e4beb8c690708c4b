"""The catalogue of an archive, in an SQLite file or on a PostgreSQL server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa

from oofpy.catalogue import recording, schema, selecting
from oofpy.catalogue.engine import engine_of, faults_told, reading, writing
from oofpy.catalogue.migrations import bring_up_to_date, is_up_to_date
from oofpy.catalogue.records import (
    CatalogueEntry,
    CoefficientRecord,
    Decision,
    DecisionRecord,
    Filter,
    KnownResult,
    ObservationRow,
    OrderRecord,
    Outcome,
    Status,
)
from oofpy.catalogue.superseding import supersede

EVERYTHING = Filter()


class Catalogue:
    """Observations, results, and the decisions of reviewers; opened with `Catalogue.open`.

    Several processes may read and write it at the same time, of several machines where they see the same file; in a
    file, one waits for the other where a transaction ends. Every method that writes is one transaction: a process
    that is killed leaves all of it or nothing.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        To a database with the tables of the newest version.
    shown : str
        The place for messages, without a password.
    """

    def __init__(self, engine: sa.Engine, shown: str) -> None:
        self._engine = engine
        self.shown = shown

    @classmethod
    def open(cls, place: str | Path, *, create: bool = False) -> Catalogue:
        """Open a catalogue. One that an older oofpy made is brought up to date.

        Parameters
        ----------
        place : path-like or str
            The folder of the results, in which it is `catalogue.sqlite`; such a file; or the URL of a PostgreSQL
            database.
        create : bool
            Whether to make one where there is none. On a server the database must exist.

        Returns
        -------
        Catalogue

        Raises
        ------
        UsageError
            If there is none, it cannot be written, or a library is missing.
        InputError
            If it is damaged, made by a newer oofpy, held by another process, or its server does not answer.
        """
        engine, shown = engine_of(place, create=create)
        catalogue = cls(engine, shown)
        try:
            catalogue._prepare(create)
        except BaseException:
            catalogue.close()
            raise
        return catalogue

    def _prepare(self, create: bool) -> None:
        with self._reading() as connection:
            if is_up_to_date(connection, self.shown):
                return
        with self._writing() as connection:
            bring_up_to_date(connection, self.shown, create=create)

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with faults_told(self.shown), writing(self._engine).begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with faults_told(self.shown), reading(self._engine).begin() as connection:
            yield connection

    def begin_run(self, command: str, version: str, host: str) -> int:
        """Note that a run begins.

        Parameters
        ----------
        command : str
            As it was given.
        version : str
            Of oofpy.
        host : str
            The machine.

        Returns
        -------
        int
            Number of the run.
        """
        values = {"command": command, "oofpy_version": version, "host": host}
        with self._writing() as connection:
            began = sa.insert(schema.runs).values(**values, began_at=datetime.now(UTC), state="running")
            return int(connection.execute(began.returning(schema.runs.c.id)).scalar_one())

    def end_run(self, run: int, state: str) -> None:
        """Note that a run has ended; that of one that was killed stays `running`.

        Parameters
        ----------
        run : int
            Its number.
        state : str
            How it ended, for example `completed` or `interrupted`.
        """
        with self._writing() as connection:
            ended = {"ended_at": datetime.now(UTC), "state": state}
            connection.execute(sa.update(schema.runs).where(schema.runs.c.id == run).values(**ended))

    def record(self, run: int, outcomes: Iterable[Outcome]) -> None:
        """Write observations with their results, all or nothing.

        A result takes the place of one with the same key, whose decisions stay. An observation is known by its content
        hash; what a later attempt does not know of it is kept.

        Parameters
        ----------
        run : int
            Number of the run.
        outcomes : iterable of Outcome
            The last of an observation that did not fail counts as its newest; one that failed does so only where
            all of its results did. What an observation holds all files of, it supersedes; see
            `oofpy.catalogue.superseding`.

        Raises
        ------
        InputError
            If the database cannot take them.
        """
        with self._writing() as connection:
            supersede(connection, recording.record_outcomes(connection, run, outcomes))

    def take_over(self, run: int, known: Iterable[KnownResult]) -> None:
        """Let results that are there already count in a run as if it had just recorded them, all or nothing.

        Each becomes the newest of its observation again, which is then where and what the run found, and supersedes
        others, as the last that was asked for.

        Parameters
        ----------
        run : int
            Number of the run.
        known : iterable of KnownResult
            Of several of one observation the last counts; one that failed does so only where the newest failed.
        """
        with self._writing() as connection:
            supersede(connection, recording.take_over(connection, run, known))

    def statuses(self, keys: Iterable[str]) -> dict[str, Status]:
        """Look up results by key.

        Parameters
        ----------
        keys : iterable of str
            As many as there may be.

        Returns
        -------
        dict of str to {"ok", "flagged", "failed"}
            Of those that are known.
        """
        with self._reading() as connection:
            return selecting.statuses_of(connection, keys)

    def select(
        self, wanted: Filter = EVERYTHING, *, order_by: str = "name", limit: int | None = None, offset: int = 0
    ) -> list[ObservationRow]:
        """Select observations with the newest result of each that did not fail, or with every result.

        Those that are superseded (`oofpy.catalogue.superseding`) are only among every result.

        Parameters
        ----------
        wanted : Filter
            All by default.
        order_by : str
            One of `oofpy.catalogue.selecting.SORTS`; with a minus before it, the largest first. What is not known
            comes last.
        limit : int, optional
            How many at most.
        offset : int
            How many to leave out before.

        Returns
        -------
        list of ObservationRow

        Raises
        ------
        UsageError
            If there is nothing of that name to sort by.
        """
        with self._reading() as connection:
            return selecting.rows_of(connection, wanted, order_by=order_by, limit=limit, offset=offset)

    def count(self, wanted: Filter = EVERYTHING) -> int:
        """Count what `select` gives.

        Parameters
        ----------
        wanted : Filter

        Returns
        -------
        int
        """
        with self._reading() as connection:
            return selecting.count_of(connection, wanted)

    def counts(self, wanted: Filter = EVERYTHING) -> dict[Status, int]:
        """Count what `select` gives by status.

        Parameters
        ----------
        wanted : Filter

        Returns
        -------
        dict of {"ok", "flagged", "failed"} to int
            Zeros included.
        """
        with self._reading() as connection:
            return selecting.counts_by_status(connection, wanted)

    def each_coefficient(
        self, wanted: Filter = EVERYTHING, order: int | None = None
    ) -> Iterator[tuple[str, CoefficientRecord]]:
        """Give the coefficients of the results that `select` gives, one after the other.

        Take them without delay: in a file, who writes waits until all have been taken.

        Parameters
        ----------
        wanted : Filter
        order : int, optional
            Highest Zernike order of the fit that they are of; the chosen order of each result if left out.

        Yields
        ------
        key : str
            Of the result. Those of one result follow each other, sorted by n and l.
        coefficient : CoefficientRecord
        """
        with self._reading() as connection:
            yield from selecting.each_coefficient(connection, wanted, order)

    def each_rung(self, wanted: Filter = EVERYTHING) -> Iterator[tuple[str, OrderRecord]]:
        """Give the ladders of the results that `select` gives, one order after the other.

        Take them without delay, as those of `each_coefficient`.

        Yields
        ------
        key : str
            Of the result. Those of one result follow each other, the lowest order first.
        order : OrderRecord
        """
        with self._reading() as connection:
            yield from selecting.each_rung(connection, wanted)

    def coefficients(
        self, wanted: Filter = EVERYTHING, order: int | None = None
    ) -> dict[str, tuple[CoefficientRecord, ...]]:
        """Give the coefficients of the results that `select` gives.

        Parameters
        ----------
        wanted : Filter
        order : int, optional
            Highest Zernike order of the fit that they are of; the chosen order of each result if left out.

        Returns
        -------
        dict of str to tuple of CoefficientRecord
            By the key of the result, sorted by n and l. A result without coefficients of that order is left out.
        """
        found: dict[str, list[CoefficientRecord]] = defaultdict(list)
        for key, coefficient in self.each_coefficient(wanted, order):
            found[key].append(coefficient)
        return {key: tuple(of_result) for key, of_result in found.items()}

    def show(self, name_or_key: str) -> CatalogueEntry:
        """Give everything that is held of a result.

        Parameters
        ----------
        name_or_key : str
            Name of an observation, for its newest result that did not fail, or its last where all did; or the key of
            a result, of which six characters or more of the beginning do.

        Returns
        -------
        CatalogueEntry

        Raises
        ------
        UsageError
            If it is none or more than one.
        """
        with self._reading() as connection:
            return selecting.entry_of(connection, name_or_key)

    def state(self) -> tuple[int, ...]:
        """Give numbers of which one changes with everything that is recorded or decided."""
        with self._reading() as connection:
            return selecting.state_of(connection)

    def decide(self, key: str, who: str, decision: Decision, why: str = "") -> DecisionRecord:
        """Append a decision on a result. Nothing is ever changed or deleted: the database refuses it.

        Parameters
        ----------
        key : str
            Of the result, whole.
        who : str
            The reviewer.
        decision : {"accept", "reject", "look", "undo"}
            An undo takes back the decision that stands; the one before it stands again.
        why : str
            The reason.

        Returns
        -------
        DecisionRecord
            With the decision that now stands.

        Raises
        ------
        UsageError
            If there is no such result or decision, no reviewer is named, or there is nothing to undo.
        """
        [entry] = self.decide_all([key], who, decision, why)
        return entry

    def decide_all(self, keys: Iterable[str], who: str, decision: Decision, why: str = "") -> list[DecisionRecord]:
        """Append the same decision on several results: on all of them, or on none where one refuses it.

        Parameters
        ----------
        keys : iterable of str
            Of the results, whole.
        who, decision, why
            As of `decide`.

        Returns
        -------
        list of DecisionRecord
            In the order of the keys.

        Raises
        ------
        UsageError
            As `decide`, for any of them.
        """
        wanted = list(keys)
        with self._writing() as connection:
            # Sorted: of two that want the same results, none waits for what the other holds.
            made = {key: recording.decide(connection, key, who, decision, why) for key in sorted(set(wanted))}
        return [made[key] for key in wanted]

    def decisions(self, key: str) -> tuple[DecisionRecord, ...]:
        """Give all decisions on a result.

        Parameters
        ----------
        key : str
            Of the result, whole.

        Returns
        -------
        tuple of DecisionRecord
            Oldest first; none where there is no such result.
        """
        with self._reading() as connection:
            number = connection.scalar(sa.select(schema.results.c.id).where(schema.results.c.key == key))
            return () if number is None else recording.decisions_of(connection, number)
