"""Reading from a catalogue: which results are meant, and what is held of them."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from oofpy.catalogue import schema
from oofpy.catalogue.recording import OBSERVATION_COLUMNS, chunks, decisions_of
from oofpy.catalogue.records import (
    STATUSES,
    CatalogueEntry,
    CoefficientRecord,
    Filter,
    FlagRecord,
    ObservationRecord,
    ObservationRow,
    OrderRecord,
    ResultRecord,
    Status,
)
from oofpy.errors import UsageError, one_line

_observations, _results, _decisions = schema.observations, schema.results, schema.decisions
_latest = _decisions.alias("latest")

# What a list can be sorted by.
SORTS: dict[str, Any] = {
    "name": _observations.c.name,
    "date": _observations.c.date_utc,
    "telescope": _observations.c.telescope,
    "object": _observations.c.object_name,
    "elevation": _observations.c.elevation_rad,
    "rms": _results.c.rms_um,
    "focus": _results.c.best_focus_m,
    "chi2": _results.c.reduced_chi2,
    "snr": _results.c.signal_to_noise,
    "status": _results.c.status,
    "verdict": _results.c.verdict,
    "recorded": _results.c.recorded_at,
    "seconds": _results.c.seconds,
}
# A shorter beginning of a key would name a result by chance.
_SHORTEST_KEY = 6
_STREAMED = 20_000

_OF_THE_DECISION = {
    "decision": _latest.c.standing,
    "decided_by": _latest.c.who,
    "decided_at": _latest.c.at,
}


def _row_column(name: str) -> Any:
    if name in _OF_THE_DECISION:
        return _OF_THE_DECISION[name].label(name)
    # What both tables have by name (an id) is no field of a row.
    return _observations.c[name] if name in _observations.c else _results.c[name]


_ROW_COLUMNS = [_row_column(entry.name) for entry in fields(ObservationRow) if entry.name != "flags"]


def _joined(wanted: Filter, *columns: Any, decided: bool) -> sa.Select[Any]:
    """Select columns of the results that are wanted, with the last entry of their decisions where it is `decided`."""
    observations, results = _observations, _results
    which = results.c.id == observations.c.newest_result_id
    if wanted.all_results:
        which = results.c.observation_id == observations.c.id
    source = observations.join(results, which)
    if decided or wanted.decisions or wanted.accepted_only:
        last = sa.select(sa.func.max(_decisions.c.id)).where(_decisions.c.result_id == results.c.id).scalar_subquery()
        source = source.outerjoin(_latest, _latest.c.id == last)
    return sa.select(*columns).select_from(source).where(*_conditions(wanted))


def _conditions(wanted: Filter) -> list[Any]:
    observations, results = _observations.c, _results.c
    limits = (
        (observations.telescope, operator.eq, wanted.telescope),
        (observations.date_utc, operator.ge, wanted.date_from),
        (observations.date_utc, operator.lt, wanted.date_before),
        (observations.elevation_rad, operator.ge, wanted.elevation_from_rad),
        (observations.elevation_rad, operator.le, wanted.elevation_to_rad),
        (results.rms_um, operator.ge, wanted.rms_from_um),
        (results.rms_um, operator.le, wanted.rms_to_um),
        (results.run, operator.eq, wanted.run),
    )
    conditions = [relation(column, value) for column, relation, value in limits if value is not None]
    if not wanted.all_results:
        conditions.append(observations.superseded_by.is_(None))
    patterns = ((observations.name, wanted.name), (observations.object_name, wanted.object_name))
    conditions += [column.ilike(_like(pattern), escape="\\") for column, pattern in patterns if pattern is not None]
    if wanted.statuses:
        conditions.append(results.status.in_(wanted.statuses))
    if wanted.verdicts:
        conditions.append(results.verdict.in_(wanted.verdicts))
    if wanted.flags:
        raised = schema.flags.c
        conditions.append(results.id.in_(sa.select(raised.result_id).where(raised.code.in_(wanted.flags))))
    return conditions + _conditions_on_decisions(wanted)


def _conditions_on_decisions(wanted: Filter) -> list[Any]:
    standing, conditions = _latest.c.standing, []
    if wanted.decisions:
        named = [decision for decision in wanted.decisions if decision != "none"]
        undecided = [standing.is_(None)] if "none" in wanted.decisions else []
        conditions.append(sa.or_(standing.in_(named), *undecided))
    if wanted.accepted_only:
        trusted = sa.and_(standing.is_(None), _results.c.verdict == "accept")
        conditions.append(sa.or_(standing == "accept", trusted))
    return conditions


def _like(pattern: str) -> str:
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "_")


def rows_of(
    connection: sa.Connection, wanted: Filter, *, order_by: str, limit: int | None, offset: int
) -> list[ObservationRow]:
    """Give the results that are wanted; see `Catalogue.select`."""
    column = SORTS.get(order_by.removeprefix("-"))
    if column is None:
        raise UsageError(
            "nothing to sort by", key="order_by", value=order_by, remedy=f"choose of {', '.join(SORTS)}, or -NAME"
        )
    direction = column.desc() if order_by.startswith("-") else column.asc()
    # The numbers first: to sort whole rows of which few are shown takes longer than to find them.
    page = (
        _joined(wanted, _results.c.id, decided=False)
        .order_by(direction.nulls_last(), _observations.c.name, _results.c.id)
        .limit(limit)
        .offset(offset)
    )
    ids = list(connection.scalars(page))
    found: dict[int, ObservationRow] = {}
    for chunk in chunks(ids):
        flags = _flag_codes(connection, chunk)
        these = _results.c.id.in_(chunk)
        every = _joined(Filter(all_results=True), _results.c.id, *_ROW_COLUMNS, decided=True).where(these)
        for row in connection.execute(every):
            values = dict(row._mapping)
            number = values.pop("id")
            found[number] = _row(values, flags.get(number, ()))
    return [found[number] for number in ids]


def _row(values: dict[str, Any], flags: tuple[str, ...]) -> ObservationRow:
    values["files"] = tuple(values["files"])
    values["dz_m"] = None if values["dz_m"] is None else tuple(values["dz_m"])
    return ObservationRow(**values, flags=flags)


def _flag_codes(connection: sa.Connection, result_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    table = schema.flags.c
    query = sa.select(table.result_id, table.code).where(table.result_id.in_(result_ids))
    codes: dict[int, list[str]] = defaultdict(list)
    for number, code in connection.execute(query.order_by(table.result_id, table.place)):
        codes[number].append(code)
    return {number: tuple(dict.fromkeys(listed)) for number, listed in codes.items()}


def count_of(connection: sa.Connection, wanted: Filter) -> int:
    """Count the results that are wanted."""
    query = _joined(wanted, sa.func.count(), decided=False)
    if wanted == Filter():  # every observation has a newest result
        query = sa.select(sa.func.count()).select_from(_observations).where(*_conditions(wanted))
    return int(connection.execute(query).scalar_one())


def counts_by_status(connection: sa.Connection, wanted: Filter) -> dict[Status, int]:
    """Count the results that are wanted by their status, zeros included."""
    query = _joined(wanted, _results.c.status, sa.func.count(), decided=False).group_by(_results.c.status)
    found = {row[0]: row[1] for row in connection.execute(query)}
    return {status: found.get(status, 0) for status in STATUSES}


def statuses_of(connection: sa.Connection, keys: Iterable[str]) -> dict[str, Status]:
    """Give the status of each of these results that is known."""
    found: dict[str, Status] = {}
    for chunk in chunks(keys):
        rows = connection.execute(sa.select(_results.c.key, _results.c.status).where(_results.c.key.in_(chunk)))
        found.update((row.key, row.status) for row in rows)
    return found


def state_of(connection: sa.Connection) -> tuple[int, ...]:
    """Give numbers of which one changes with everything that is recorded or decided; see `Catalogue.state`."""
    columns = (
        sa.func.count(_results.c.id),
        sa.func.max(_results.c.recorded_at),
        sa.func.sum(_observations.c.newest_result_id),
        sa.func.max(_observations.c.asked_in),
        sa.select(sa.func.max(schema.decisions.c.id)).scalar_subquery(),
    )
    tables = _observations.outerjoin(_results, _results.c.id == _observations.c.newest_result_id)
    count, recorded_at, *numbers = connection.execute(sa.select(*columns).select_from(tables)).one()
    at = 0 if recorded_at is None else int(1e6 * recorded_at.timestamp())
    return (count, at, *(int(number or 0) for number in numbers))


def each_coefficient(
    connection: sa.Connection, wanted: Filter, order: int | None
) -> Iterator[tuple[str, CoefficientRecord]]:
    """Give the coefficients of the results that are wanted one after the other; see `Catalogue.coefficients`."""
    table = schema.coefficients.c
    columns = [table[entry.name] for entry in fields(CoefficientRecord)]
    chosen = table.order == (_results.c.order if order is None else order)
    query = (
        _joined(wanted, _results.c.key, *columns, decided=False)
        .join(schema.coefficients, sa.and_(table.result_id == _results.c.id, chosen))
        .order_by(_results.c.id, table.n, table.l)
    )
    for key, *values in connection.execution_options(yield_per=_STREAMED).execute(query):
        yield key, CoefficientRecord(*values)


def each_rung(connection: sa.Connection, wanted: Filter) -> Iterator[tuple[str, OrderRecord]]:
    """Give the orders that the results that are wanted were fitted at; see `Catalogue.each_rung`."""
    columns = [schema.orders.c[entry.name] for entry in fields(OrderRecord)]
    query = (
        _joined(wanted, _results.c.key, *columns, decided=False)
        .join(schema.orders, schema.orders.c.result_id == _results.c.id)
        .order_by(_results.c.id, schema.orders.c.order)
    )
    for key, *values in connection.execution_options(yield_per=_STREAMED).execute(query):
        yield key, OrderRecord(*values)


def entry_of(connection: sa.Connection, name_or_key: str) -> CatalogueEntry:
    """Give everything that is held of a result; see `Catalogue.show`."""
    number = _result_id(connection, name_or_key)
    results = _results.c
    row = connection.execute(
        _joined(
            Filter(all_results=True),
            results.observation_id,
            _observations.c.superseded_by,
            results.run,
            results.recorded_at,
            schema.settings.c.settings,
            *(_observations.c[name] for name in OBSERVATION_COLUMNS),
            *(results[entry.name] for entry in fields(ResultRecord) if entry.name in results),
            decided=False,
        )
        .join(schema.settings, schema.settings.c.digest == results.settings_digest)
        .where(results.id == number)
    ).one()
    values = dict(row._mapping)
    of_observation = {name: values.pop(name) for name in OBSERVATION_COLUMNS}
    of_observation["files"] = tuple(of_observation["files"])
    of_observation["dz_m"] = None if of_observation["dz_m"] is None else tuple(of_observation["dz_m"])
    observation, by = values.pop("observation_id"), values.pop("superseded_by")
    related = sa.or_(_observations.c.id.in_((observation, by)), _observations.c.superseded_by == observation)
    others = (
        sa.select(results.key)
        .join(_observations, results.observation_id == _observations.c.id)
        .where(related, results.id != number)
        .order_by(results.recorded_at.desc(), results.id.desc())
    )
    standing = sa.select(results.key).join(_observations, _observations.c.newest_result_id == results.id)
    held = schema.observation_files.c
    hashes = sa.select(held.sha256).where(held.observation_id == observation).order_by(held.sha256)
    run, recorded_at = values.pop("run"), values.pop("recorded_at")
    return CatalogueEntry(
        observation=ObservationRecord(**of_observation, file_hashes=tuple(connection.scalars(hashes))),
        result=ResultRecord(**values, **_parts_of(connection, number)),
        run=run,
        recorded_at=recorded_at,
        decisions=decisions_of(connection, number),
        other_keys=tuple(connection.scalars(others)),
        superseded_by=connection.scalar(standing.where(_observations.c.id == by)),
    )


def _parts_of(connection: sa.Connection, number: int) -> dict[str, Any]:
    kinds: dict[sa.Table, Any] = {
        schema.flags: FlagRecord,
        schema.orders: OrderRecord,
        schema.coefficients: CoefficientRecord,
    }
    parts: dict[str, Any] = {}
    for table, kind in kinds.items():
        columns = [table.c[entry.name] for entry in fields(kind)]
        query = sa.select(*columns).where(table.c.result_id == number).order_by(*table.primary_key.columns)
        parts[table.name] = tuple(kind(*values) for values in connection.execute(query))
    return parts


def _result_id(connection: sa.Connection, name_or_key: str) -> int:
    """Number of the result with this key, of the newest of the observation so named, or by the start of a key."""
    newest = _joined(Filter(), _results.c.id, _results.c.key, decided=False)
    every = sa.select(_results.c.id, _results.c.key)
    queries = [every.where(_results.c.key == name_or_key), newest.where(_observations.c.name == name_or_key)]
    if len(name_or_key) >= _SHORTEST_KEY:
        queries.append(every.where(_results.c.key.startswith(name_or_key, autoescape=True)))
    for query in queries:
        found = connection.execute(query.order_by(_results.c.key).limit(4)).all()
        if len(found) > 1:
            keys = ", ".join(row.key[:12] for row in found[:3])
            raise UsageError(
                "is more than one result",
                key="NAME",
                value=one_line(name_or_key),
                remedy=f"give the beginning of a key instead: {keys}{', ...' if len(found) > 3 else ''}",
            )
        if found:
            return int(found[0].id)
    raise UsageError(
        "is neither the name of an observation nor the key of a result",
        key="NAME",
        value=one_line(name_or_key),
        remedy="'oofpy catalogue list' shows them",
    )
