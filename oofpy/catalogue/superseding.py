"""Observations that have given way to others: of two, one of which has all files of the other, one only counts.

An observation grows when a further map comes: a later run puts four files together where an earlier one had three, or
fits a map that had none to go with it before. A correction file that comes later, and a manifest that parts what was
put together, do the same. So where the files of one observation are a part of those of another, told by their content,

- the one that a later run asked for supersedes the other; where the same run did, the one with more files,
- but one that failed supersedes none with a result,
- and one that failed gives way only to one with the very files that it names: copies in other folders are told of.

An observation that is superseded stays in the catalogue with its results and the decisions on them: `show` gives them
by their keys, and `select` with every result. Decisions are not carried over: they are on what a reviewer saw. The rule
depends on the runs only, not on the order in which they record, so that a run that was killed and started again ends as
one that was not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from oofpy.catalogue import schema
from oofpy.catalogue.recording import chunks


@dataclass(frozen=True)
class _Observation:
    asked_in: int
    failed: bool
    files: frozenset[str]
    together: int
    superseded_by: int | None

    @property
    def rank(self) -> tuple[int, int]:
        """Of two, the one of the higher rank stays."""
        return self.asked_in, self.together


def supersede(connection: sa.Connection, observation_ids: Iterable[int]) -> None:
    """Note which observations have given way to others, after these have been asked for.

    Parameters
    ----------
    connection : Connection
        In a transaction that writes.
    observation_ids : iterable of int
        Numbers of observations whose files, current results and runs are recorded.
    """
    for chunk in chunks(observation_ids):
        _supersede(connection, chunk)


def _supersede(connection: sa.Connection, asked: list[int]) -> None:
    pairs = _one_within_the_other(connection, asked)
    known = _observations(connection, {number for pair in pairs for number in pair})
    by: dict[int, int | None] = dict.fromkeys(one for one, _ in pairs)
    # Of several that an observation gives way to, the last and largest is named.
    for one, other in sorted(pairs, key=lambda pair: max(known[number].rank for number in pair)):
        if known[one].rank < known[other].rank and _gives_way(known[one], known[other]):
            by[one] = other
        if known[one].rank > known[other].rank and _gives_way(known[other], known[one]):
            by[other] = one
        elif known[other].superseded_by == one:
            by.setdefault(other, None)
    changed = {number: new for number, new in by.items() if new != known[number].superseded_by}
    table = schema.observations
    if changed:
        connection.execute(
            sa.update(table).where(table.c.id == sa.bindparam("of")).values(superseded_by=sa.bindparam("by")),
            [{"of": number, "by": changed[number]} for number in sorted(changed)],
        )


def _gives_way(loser: _Observation, winner: _Observation) -> bool:
    if not loser.failed:
        return not winner.failed
    return loser.files <= winner.files or winner.files <= loser.files


def _one_within_the_other(connection: sa.Connection, asked: list[int]) -> set[tuple[int, int]]:
    """Pairs of an observation that was asked for and another, of which one has all files of the other and more."""
    mine, theirs = schema.observation_files.alias("mine"), schema.observation_files.alias("theirs")
    smaller = sa.case((mine.c.together < theirs.c.together, mine.c.together), else_=theirs.c.together)
    query = (
        sa.select(mine.c.observation_id, theirs.c.observation_id)
        .join(theirs, sa.and_(theirs.c.sha256 == mine.c.sha256, theirs.c.together != mine.c.together))
        .where(mine.c.observation_id.in_(asked))
        .group_by(mine.c.observation_id, theirs.c.observation_id, mine.c.together, theirs.c.together)
        .having(sa.func.count() == smaller)
    )
    return {(one, other) for one, other in connection.execute(query)}


def _observations(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, _Observation]:
    observations, results, held = schema.observations.c, schema.results.c, schema.observation_files.c
    together = sa.select(sa.func.max(held.together)).where(held.observation_id == observations.id).scalar_subquery()
    columns = observations.asked_in, results.status, observations.files, together, observations.superseded_by
    found: dict[int, _Observation] = {}
    for chunk in chunks(numbers):
        query = (
            sa.select(observations.id, *columns)
            .join(schema.results, results.id == observations.newest_result_id)
            .where(observations.id.in_(chunk))
        )
        for number, asked_in, status, files, size, superseded_by in connection.execute(query):
            found[number] = _Observation(asked_in, status == "failed", frozenset(files), size, superseded_by)
    return found
