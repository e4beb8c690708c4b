"""How the database of a catalogue is reached, and what its errors mean to a user."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from oofpy.catalogue.migrations import no_catalogue
from oofpy.errors import InputError, OofError, UsageError

FILE_NAME = "catalogue.sqlite"

# How long a process waits for another that reads or writes, and for a server to answer.
_PATIENCE_S = 30
_CONNECT_S = 10

_FILE_ENDINGS = (".sqlite", ".sqlite3", ".db")
_POSTGRESQL = ("postgresql", "postgres")
_strict_json = partial(json.dumps, allow_nan=False)


def engine_of(place: str | Path, *, create: bool) -> tuple[sa.Engine, str]:
    """Prepare the way to a database, without going it.

    Parameters
    ----------
    place : path-like or str
        A folder, in which the database is a file; such a file; or the URL of a PostgreSQL database.
    create : bool
        Whether a missing file may be made.

    Returns
    -------
    engine : Engine
    shown : str
        The place for messages, without a password.

    Raises
    ------
    UsageError
        If the file is missing, or the URL is of another kind, or a library for it is.
    """
    if "://" in str(place):
        return _on_server(str(place))
    path = Path(place)
    if path.suffix.lower() in _FILE_ENDINGS and not path.exists():
        raise UsageError(
            "is a file that is not there; a catalogue is catalogue.sqlite in the folder of its results",
            key="--catalogue or RESULTS",
            value=place,
            remedy="give the folder, or a URL as postgresql://user@host/database",
        )
    path = path if path.is_file() else path / FILE_NAME
    if create:
        _make_folder(path.parent)
    elif not path.is_file():
        raise no_catalogue(str(path))
    return _in_file(path), str(path)


def writing(engine: sa.Engine) -> sa.Engine:
    """Give the engine whose transactions write."""
    return engine.execution_options(writing=True)


def reading(engine: sa.Engine) -> sa.Engine:
    """Give the engine whose transactions see one state of the database from their first statement to the last."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine


@contextmanager
def faults_told(shown: str) -> Iterator[None]:
    """Turn an error of the database into one line.

    Parameters
    ----------
    shown : str
        The place, named in the error.

    Raises
    ------
    InputError
        If the database is damaged, is held by another process, or does not answer.
    """
    try:
        yield
    except (exc.IntegrityError, exc.DataError):
        raise  # a fault of the program
    except exc.DBAPIError as error:
        raise _fault(error.orig or error, shown) from error
    except sqlite3.Error as error:
        raise _fault(error, shown) from error


def _fault(error: BaseException, shown: str) -> OofError:
    words = str(error).split("\n")[0].strip()
    if not isinstance(error, sqlite3.Error):
        return InputError(
            f"the database does not do what is asked: {' '.join(str(error).split())}",
            file=shown,
            remedy="check that the server runs and that the URL, its user and its password are right",
        )
    if "locked" in words or "busy" in words:
        return InputError(
            f"another process has been using this catalogue for more than {_PATIENCE_S} s",
            file=shown,
            remedy="wait until it has ended, and try again",
        )
    if isinstance(error, sqlite3.OperationalError) and ("unable to open" in words or "readonly" in words):
        return UsageError(
            f"this catalogue cannot be opened or written: {words}", file=shown, remedy="check who may read and write it"
        )
    if "full" in words:
        return UsageError("the disk is full", file=shown, remedy="make room and run the command again")
    if "disk i/o error" in words.lower():
        return UsageError(
            "the disk does not take or give what belongs into this catalogue",
            file=shown,
            remedy="check that there is room, that no limit on the size of files or a quota is reached ('ulimit -f'), "
            "and that the disk answers",
        )
    return InputError(
        f"this is no catalogue, or it is damaged: {words}",
        file=shown,
        remedy="restore it from a copy, or move it away and run 'oofpy batch' again",
    )


def _on_server(text: str) -> tuple[sa.Engine, str]:
    try:
        url = sa.make_url(text)
    except (exc.ArgumentError, ValueError) as error:
        raise UsageError("is no URL of a database", remedy="write postgresql://user@host/database") from error
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() not in _POSTGRESQL:
        raise UsageError(
            "a catalogue is in a folder or in a PostgreSQL database",
            key="--catalogue or RESULTS",
            value=shown,
            remedy="give the folder, or a URL as postgresql://user@host/database",
        )
    try:
        engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            json_serializer=_strict_json,
            connect_args={} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_S},
        )
    except ModuleNotFoundError as error:
        raise UsageError(
            f"a catalogue on PostgreSQL needs the library {error.name}",
            key="--catalogue or RESULTS",
            value=shown,
            remedy="pip install 'oofpy[postgresql]'",
        ) from error
    return engine, shown


def _in_file(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        "sqlite+pysqlite://",
        creator=partial(_connected, path),
        poolclass=sa.pool.QueuePool,
        json_serializer=_strict_json,
    )
    event.listen(engine, "begin", _begin)
    return engine


def _connected(path: Path) -> sqlite3.Connection:
    """Connect to a file, which is made where it is missing."""
    address = path.absolute().as_uri()
    if path.is_file() and not os.access(path.parent, os.W_OK):
        # SQLite writes only where it can keep its journal beside the file.
        address += "?mode=ro"
    connection = sqlite3.connect(
        address, uri=True, timeout=_PATIENCE_S, check_same_thread=False, isolation_level=None, cached_statements=256
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        # The rollback journal, SQLite's default, keeps transactions whole where a process is killed.
        # A log of writes (WAL) would let readers go on meanwhile, but needs memory that all processes share: it does
        # not work between the machines of a cluster that see the file over a network. Here they wait for a moment.
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _begin(connection: sa.Connection) -> None:
    # The module sqlite3 begins no transaction before a change of tables. Who will write says so at once: one who had
    # read first could find that another wrote in between, and waiting would not help.
    kind: Any = "IMMEDIATE" if connection.get_execution_options().get("writing") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {kind}")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"this folder cannot be made: {error.strerror or error}", file=folder, remedy="choose another place"
        ) from error
