"""The version of the tables, and the steps that bring older ones up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from oofpy._version import __version__
from oofpy.catalogue import schema
from oofpy.errors import InputError, UsageError

# The first step leads from version 1 to 2, the next from 2 to 3, and so on. A step must do its work by statements of
# its own: the tables in `schema` are those of the newest version. A catalogue of every version is in tests/catalogue.
MIGRATIONS: tuple[Callable[[sa.Connection], None], ...] = ()

# One at a time makes or changes tables. Any number that nobody else takes does.
_LOCK = 0x6F6F6670


def newest_version() -> int:
    """Version of the tables that this oofpy makes and reads."""
    return 1 + len(MIGRATIONS)


def is_up_to_date(connection: sa.Connection, place: str) -> bool:
    """Say whether a catalogue has the tables that this oofpy reads.

    Parameters
    ----------
    connection : Connection
    place : str
        Named in the error.

    Returns
    -------
    bool
        False also where there are no tables.

    Raises
    ------
    InputError
        If a newer oofpy made it, or the tables in it are not a catalogue's.
    """
    return _version(connection, place) == newest_version()


def bring_up_to_date(connection: sa.Connection, place: str, *, create: bool) -> None:
    """Make the tables where there are none, or change older ones, within the transaction of the connection.

    Parameters
    ----------
    connection : Connection
        In a transaction that writes.
    place : str
        Named in the errors.
    create : bool
        Whether to make tables where there are none.

    Raises
    ------
    UsageError
        If there are no tables and none are to be made.
    InputError
        As `is_up_to_date`.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    version = _version(connection, place)
    if version is None:
        if not create:
            raise no_catalogue(place)
        schema.metadata.create_all(connection, checkfirst=False)
        _note(connection, newest_version())
        return
    for number, step in enumerate(MIGRATIONS[version - 1 :], version + 1):
        step(connection)
        _note(connection, number)


def no_catalogue(place: str) -> UsageError:
    """Make the error that says there is none."""
    return UsageError(
        "there is no catalogue here",
        file=place,
        remedy="give the folder that 'oofpy batch' wrote to, or the URL of its PostgreSQL database",
    )


def _version(connection: sa.Connection, place: str) -> int | None:
    """Version of the tables; None where there are none."""
    inspector = sa.inspect(connection)
    table = schema.schema_versions
    if not inspector.has_table(table.name):
        strange = sorted(set(inspector.get_table_names()) & set(schema.metadata.tables))
        if strange:
            raise InputError(
                f"this is no catalogue: it has a table '{strange[0]}' that is none of oofpy's",
                file=place,
                remedy="choose another file or database",
            )
        return None
    newest = connection.execute(sa.select(table).order_by(table.c.version.desc()).limit(1)).one_or_none()
    if newest is None or newest.version < 1:
        raise InputError("this is no catalogue: its version is not known", file=place)
    if newest.version > newest_version():
        raise InputError(
            f"this catalogue was made by oofpy {newest.oofpy_version} (version {newest.version} of the tables); "
            f"this is oofpy {__version__}, which knows version {newest_version()}",
            file=place,
            remedy=f"use oofpy {newest.oofpy_version} or newer",
        )
    return int(newest.version)


def _note(connection: sa.Connection, version: int) -> None:
    connection.execute(
        schema.schema_versions.insert().values(version=version, oofpy_version=__version__, applied_at=datetime.now(UTC))
    )
