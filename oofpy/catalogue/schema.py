"""The tables of a catalogue, alike on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from oofpy.catalogue.records import DECISIONS, STATUSES, VERDICTS

metadata = sa.MetaData()

# Compared byte by byte, so that a server sorts as SQLite does, whatever its language.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True)


class _UtcTime(sa.TypeDecorator[datetime]):
    """A time in UTC, kept without its zone: SQLite knows none."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


def _one_of(name: str, words: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True)


# Which steps made the tables what they are, and by which oofpy.
schema_versions = sa.Table(
    "schema_version",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("oofpy_version", _TEXT, nullable=False),
    sa.Column("applied_at", _UtcTime, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("command", _TEXT, nullable=False),
    sa.Column("oofpy_version", _TEXT, nullable=False),
    sa.Column("host", _TEXT, nullable=False),
    sa.Column("began_at", _UtcTime, nullable=False),
    sa.Column("ended_at", _UtcTime),
    sa.Column("state", _TEXT, nullable=False),
)

observations = sa.Table(
    "observations",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("content_hash", _TEXT, nullable=False, unique=True),
    sa.Column("name", _TEXT, nullable=False, index=True),
    sa.Column("files", _JSON, nullable=False),
    sa.Column("telescope", _TEXT, index=True),
    sa.Column("object_name", _TEXT),
    sa.Column("date", _TEXT),
    sa.Column("date_utc", _UtcTime, index=True),
    sa.Column("wavelength_m", sa.Double),
    sa.Column("elevation_rad", sa.Double),
    sa.Column("maps", sa.Integer),
    sa.Column("dz_m", _JSON),
    # Of the last that did not fail, or of the last where all did. No foreign key: the two tables would wait for each
    # other.
    sa.Column("newest_result_id", sa.Integer),
    # The last run that fitted it or found it done.
    sa.Column("asked_in", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("superseded_by", sa.ForeignKey("observations.id"), index=True),
)

# The content of the files of observations: which have files in common, and which hold all those of another.
observation_files = sa.Table(
    "observation_files",
    metadata,
    sa.Column("observation_id", sa.ForeignKey("observations.id"), primary_key=True),
    sa.Column("sha256", _TEXT, primary_key=True, index=True),
    # How many the observation has.
    sa.Column("together", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Apart from the results: many thousands of them share the same.
settings = sa.Table(
    "settings",
    metadata,
    sa.Column("digest", _TEXT, primary_key=True),
    sa.Column("settings", _JSON, nullable=False),
)

results = sa.Table(
    "results",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", _TEXT, nullable=False, unique=True),
    sa.Column("observation_id", sa.ForeignKey("observations.id"), nullable=False, index=True),
    sa.Column("run", sa.ForeignKey("runs.id"), nullable=False, index=True),
    sa.Column("recorded_at", _UtcTime, nullable=False),
    sa.Column("settings_digest", sa.ForeignKey("settings.digest"), nullable=False),
    sa.Column("status", _one_of("status", STATUSES), nullable=False, index=True),
    sa.Column("verdict", _one_of("verdict", VERDICTS)),
    sa.Column("reason", _TEXT, nullable=False),
    sa.Column("fault", _TEXT),
    sa.Column("folder", _TEXT),
    sa.Column("order", sa.Integer),
    sa.Column("likelihood", _TEXT),
    sa.Column("rms_um", sa.Double, index=True),
    sa.Column("rms_um_error", sa.Double),
    sa.Column("rms_without_focus_um", sa.Double),
    sa.Column("ruze_efficiency", sa.Double),
    sa.Column("exact_efficiency", sa.Double),
    sa.Column("best_focus_m", sa.Double),
    sa.Column("best_focus_m_error", sa.Double),
    sa.Column("pointing_u_rad", sa.Double),
    sa.Column("pointing_v_rad", sa.Double),
    sa.Column("signal_to_noise", sa.Double),
    sa.Column("reduced_chi2", sa.Double),
    sa.Column("seconds", sa.Double),
    sa.Column("device", _TEXT),
    sa.Column("oofpy_version", _TEXT),
)

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("result_id", sa.ForeignKey("results.id"), primary_key=True),
    sa.Column("order", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("status", _TEXT, nullable=False),
    sa.Column("rms_um", sa.Double),
    sa.Column("rms_um_error", sa.Double),
    sa.Column("best_focus_m", sa.Double),
    sa.Column("reduced_chi2", sa.Double),
    sa.Column("bic", sa.Double),
    sqlite_with_rowid=False,
)

coefficients = sa.Table(
    "coefficients",
    metadata,
    sa.Column("result_id", sa.ForeignKey("results.id"), primary_key=True),
    sa.Column("order", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("l", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("phase_rad", sa.Double),
    sa.Column("phase_rad_error", sa.Double),
    sa.Column("free", sa.Boolean, nullable=False),
    sqlite_with_rowid=False,
)

flags = sa.Table(
    "flags",
    metadata,
    sa.Column("result_id", sa.ForeignKey("results.id"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("code", _TEXT, nullable=False),
    sa.Column("level", _TEXT, nullable=False),
    sa.Column("message", _TEXT, nullable=False),
    sa.Index("ix_flags_code", "code", "result_id"),
    sqlite_with_rowid=False,
)

# Append-only: see the triggers. `standing` is the decision that stands after an entry, so that an undo can bring back
# the one before it without anything being changed.
decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("result_id", sa.ForeignKey("results.id"), nullable=False),
    sa.Column("decision", _one_of("decision", DECISIONS), nullable=False),
    sa.Column("who", _TEXT, nullable=False),
    sa.Column("why", _TEXT, nullable=False),
    sa.Column("at", _UtcTime, nullable=False),
    sa.Column("standing", _one_of("standing", DECISIONS[:-1])),
    sa.Index("ix_decisions_result", "result_id", "id"),
)

# Triggers are the one thing that each database has a language of its own for. INSERT OR REPLACE deletes without a
# delete trigger on SQLite, hence the third.
_APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions "
        "BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END",
        "CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions "
        "BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END",
        "CREATE TRIGGER decisions_no_replace BEFORE INSERT ON decisions "
        "WHEN EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id) "
        "BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION decisions_are_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'decisions are append-only'; END $$",
        "CREATE TRIGGER decisions_no_change BEFORE UPDATE OR DELETE ON decisions "
        "FOR EACH ROW EXECUTE FUNCTION decisions_are_append_only()",
        "CREATE TRIGGER decisions_no_truncate BEFORE TRUNCATE ON decisions "
        "FOR EACH STATEMENT EXECUTE FUNCTION decisions_are_append_only()",
    ),
}


def _trigger(statement: str, dialect: str) -> Any:
    made: Any = sa.DDL
    return made(statement).execute_if(dialect=dialect)


for _dialect, _statements in _APPEND_ONLY.items():
    for _statement in _statements:
        event.listen(decisions, "after_create", _trigger(_statement, _dialect))
