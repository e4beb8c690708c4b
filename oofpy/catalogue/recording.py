"""Writing into a catalogue: results, and decisions on them, each within a transaction that is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from oofpy.catalogue import schema
from oofpy.catalogue.records import (
    DECISIONS,
    Decision,
    DecisionRecord,
    FlagRecord,
    KnownResult,
    ObservationRecord,
    OrderRecord,
    Outcome,
    ResultRecord,
)
from oofpy.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

# Well below the number of values that either database takes in one statement.
_CHUNK = 10_000

# Values of a row, by the names of its columns.
_Values = dict[str, Any]

_PARTS_OF_A_RESULT = (schema.flags, schema.orders, schema.coefficients)
OBSERVATION_COLUMNS = tuple(entry.name for entry in fields(ObservationRecord) if entry.name in schema.observations.c)
_RESULT_COLUMNS = tuple(entry.name for entry in fields(ResultRecord) if entry.name in schema.results.c)


def chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Part values into lists that one statement can hold."""
    remaining = iter(values)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk


def values_of(record: Any, columns: Sequence[str]) -> _Values:
    """Give the fields of a record by name."""
    return {name: getattr(record, name) for name in columns}


def record_outcomes(connection: sa.Connection, run: int, outcomes: Iterable[Outcome]) -> list[int]:
    """Write observations and results; a result replaces one with the same key, an observation is updated.

    Parameters
    ----------
    connection : Connection
    run : int
        Its number.
    outcomes : iterable of Outcome
        The last of an observation that did not fail is its newest. One that failed is so only where no other did not.

    Returns
    -------
    list of int
        Numbers of the observations.
    """
    by_key = {outcome.result.key: outcome for outcome in outcomes}
    if not by_key:
        return []
    # In one order, so that two processes never wait for each other.
    by_hash = {one.observation.content_hash: one.observation for one in by_key.values()}
    _write_observations(connection, run, [by_hash[one] for one in sorted(by_hash)])
    observation_ids = _ids(connection, schema.observations.c.content_hash, by_hash)
    _write_files(connection, {observation_ids[one]: by_hash[one].file_hashes for one in by_hash})
    _write_settings(connection, {one.result.settings_digest: one.result.settings for one in by_key.values()})
    now = datetime.now(UTC)
    rows = [
        {
            **values_of(outcome.result, _RESULT_COLUMNS),
            "observation_id": observation_ids[outcome.observation.content_hash],
            "run": run,
            "recorded_at": now,
        }
        for outcome in by_key.values()
    ]
    _write_results(connection, sorted(rows, key=lambda row: str(row["key"])))
    result_ids = _ids(connection, schema.results.c.key, by_key)
    _write_parts(connection, {result_ids[key]: outcome.result for key, outcome in by_key.items()})
    newest = _newest_results(connection, [{**row, "id": result_ids[row["key"]]} for row in rows])
    _set(connection, {observation: {"newest_result_id": newest[observation]} for observation in newest})
    return sorted(newest)


def take_over(connection: sa.Connection, run: int, known: Iterable[KnownResult]) -> list[int]:
    """Make results that are there already the newest of their observations, whose files lie where they were found.

    Parameters
    ----------
    connection : Connection
    run : int
        Its number.
    known : iterable of KnownResult
        Of several of an observation the last counts. One that failed becomes the newest only where the newest failed.

    Returns
    -------
    list of int
        Numbers of the observations.
    """
    by_key = {one.key: one for one in known}
    places = {key: place for place, key in enumerate(by_key)}
    observations, results = schema.observations, schema.results
    newest = results.alias("newest")
    of_observation: dict[int, _Values] = {}
    for chunk in chunks(by_key):
        query = (
            sa.select(results.c.key, results.c.id, results.c.status, newest.c.status.label("other"), observations)
            .join(observations, observations.c.id == results.c.observation_id)
            .join(newest, newest.c.id == observations.c.newest_result_id)
            .where(results.c.key.in_(chunk))
        )
        for row in sorted(connection.execute(query), key=lambda row: places[row.key]):
            number = row._mapping[observations.c.id]
            held = {name: row._mapping[observations.c[name]] for name in ("name", "files", "newest_result_id")}
            found = {"name": by_key[row.key].name, "files": list(by_key[row.key].files)}
            current = row.status != "failed" or row.other == "failed"
            found["newest_result_id"] = row._mapping[results.c.id] if current else held["newest_result_id"]
            of_observation[number] = {} if found == held else found
    _set(connection, {number: found for number, found in of_observation.items() if found})
    for chunk in chunks(sorted(of_observation)):
        table = observations
        connection.execute(sa.update(table).where(table.c.id.in_(chunk)).values(asked_in=run))
    return sorted(of_observation)


def _set(connection: sa.Connection, values: Mapping[int, _Values]) -> None:
    """Change the same columns of some observations."""
    if not values:
        return
    table = schema.observations
    columns = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in next(iter(values.values()))}
    rows = [
        {"of": number, **{f"new_{name}": value for name, value in values[number].items()}} for number in sorted(values)
    ]
    connection.execute(sa.update(table).where(table.c.id == sa.bindparam("of")).values(columns), rows)


def _newest_results(connection: sa.Connection, rows: Iterable[_Values]) -> dict[int, int]:
    """Number of the newest result of every observation, of these and of those recorded before."""
    newest: dict[int, _Values] = {}
    for row in rows:
        before = newest.get(row["observation_id"])
        if before is None or row["status"] != "failed" or before["status"] == "failed":
            newest[row["observation_id"]] = row
    numbers = {observation: int(row["id"]) for observation, row in newest.items()}
    only_failed = [observation for observation, row in newest.items() if row["status"] == "failed"]
    results, observations = schema.results.c, schema.observations.c
    is_newest = sa.case((results.id == observations.newest_result_id, 1), else_=0)
    for chunk in chunks(only_failed):
        good = (
            sa.select(results.observation_id, results.id)
            .join(schema.observations, observations.id == results.observation_id)
            .where(results.observation_id.in_(chunk), results.status != "failed")
            .order_by(is_newest, results.recorded_at, results.id)
        )
        numbers.update((row.observation_id, row.id) for row in connection.execute(good))
    return numbers


def _insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    # Imported here, as it takes as long as to list a catalogue.
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def _write_observations(connection: sa.Connection, run: int, observations: list[ObservationRecord]) -> None:
    table = schema.observations
    insert = _insert(connection, table)
    # A later attempt that could not read the files takes away nothing that is known.
    changed = {name: insert.excluded[name] for name in OBSERVATION_COLUMNS if name != "content_hash"}
    known = {
        name: sa.func.coalesce(value, table.c[name]) if table.c[name].nullable else value
        for name, value in changed.items()
    }
    connection.execute(
        insert.on_conflict_do_update(index_elements=[table.c.content_hash], set_={**known, "asked_in": run}),
        [{**values_of(one, OBSERVATION_COLUMNS), "asked_in": run} for one in observations],
    )


def _write_files(connection: sa.Connection, hashes: Mapping[int, Sequence[str]]) -> None:
    # They never change: what has other files is another observation.
    rows = [
        {"observation_id": number, "sha256": sha256, "together": len(hashes[number])}
        for number in sorted(hashes)
        for sha256 in hashes[number]
    ]
    if rows:
        connection.execute(_insert(connection, schema.observation_files).on_conflict_do_nothing(), rows)


def _write_settings(connection: sa.Connection, by_digest: Mapping[str, Mapping[str, Any]]) -> None:
    connection.execute(
        _insert(connection, schema.settings).on_conflict_do_nothing(),
        [{"digest": digest, "settings": dict(by_digest[digest])} for digest in sorted(by_digest)],
    )


def _write_results(connection: sa.Connection, rows: list[_Values]) -> None:
    table = schema.results
    insert = _insert(connection, table)
    changed = {name: insert.excluded[name] for name in rows[0] if name != "key"}
    connection.execute(insert.on_conflict_do_update(index_elements=[table.c.key], set_=changed), rows)


def _ids(connection: sa.Connection, column: sa.Column[str], values: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in chunks(values):
        rows = connection.execute(sa.select(column, column.table.c.id).where(column.in_(chunk)))
        found.update((row[0], row[1]) for row in rows)
    return found


def _write_parts(connection: sa.Connection, results: Mapping[int, ResultRecord]) -> None:
    for table in _PARTS_OF_A_RESULT:
        for chunk in chunks(results):
            connection.execute(sa.delete(table).where(table.c.result_id.in_(chunk)))
    flag_columns = tuple(entry.name for entry in fields(FlagRecord))
    order_columns = tuple(entry.name for entry in fields(OrderRecord))
    parts: dict[sa.Table, list[_Values]] = {
        schema.flags: [
            {"result_id": number, "place": place, **values_of(flag, flag_columns)}
            for number, result in results.items()
            for place, flag in enumerate(result.flags)
        ],
        schema.orders: [
            {"result_id": number, **values_of(order, order_columns)}
            for number, result in results.items()
            for order in result.orders
        ],
        schema.coefficients: [
            {
                "result_id": number,
                "order": one.order,
                "n": one.n,
                "l": one.l,
                "phase_rad": one.phase_rad,
                "phase_rad_error": one.phase_rad_error,
                "free": one.free,
            }
            for number, result in results.items()
            for one in result.coefficients
        ],
    }
    for table, rows in parts.items():
        if rows:
            connection.execute(sa.insert(table), rows)


def decide(connection: sa.Connection, key: str, who: str, decision: Decision, why: str) -> DecisionRecord:
    """Append a decision on a result.

    Parameters
    ----------
    connection : Connection
    key : str
        Of the result.
    who : str
        The reviewer.
    decision : {"accept", "reject", "look", "undo"}
    why : str
        The reason; may be empty.

    Returns
    -------
    DecisionRecord

    Raises
    ------
    UsageError
        If there is no such result or decision, nobody decides, or there is nothing to undo.
    """
    if decision not in DECISIONS:
        raise UsageError("is no decision", key="decision", value=decision, remedy=f"choose of {', '.join(DECISIONS)}")
    if not who.strip():
        raise UsageError("is empty", key="who", value="''", remedy="name the reviewer")
    results = schema.results
    # Held until the end of the transaction, so that of two reviewers one comes after the other.
    row = connection.execute(sa.select(results.c.id).where(results.c.key == key).with_for_update()).one_or_none()
    if row is None:
        raise UsageError("is the key of no result", key="key", value=key, remedy="'oofpy catalogue list' shows them")
    stack = _standing([entry.decision for entry in decisions_of(connection, row.id)])
    if decision != "undo":
        stack.append(decision)
    elif stack:
        stack.pop()
    else:
        raise UsageError("there is no decision to undo", key="key", value=key)
    entry = DecisionRecord(decision, who.strip(), why, datetime.now(UTC), stack[-1] if stack else None)
    columns = tuple(one.name for one in fields(DecisionRecord))
    connection.execute(sa.insert(schema.decisions), [{"result_id": row.id, **values_of(entry, columns)}])
    return entry


def _standing(history: Iterable[Decision]) -> list[Decision]:
    """Decisions that were not taken back, the one that stands last."""
    stack: list[Decision] = []
    for decision in history:
        if decision != "undo":
            stack.append(decision)
        elif stack:
            stack.pop()
    return stack


def decisions_of(connection: sa.Connection, result_id: int) -> tuple[DecisionRecord, ...]:
    """Give all decisions on a result, oldest first."""
    table = schema.decisions
    columns = [table.c[entry.name] for entry in fields(DecisionRecord)]
    rows = connection.execute(sa.select(*columns).where(table.c.result_id == result_id).order_by(table.c.id))
    return tuple(DecisionRecord(**row._mapping) for row in rows)
