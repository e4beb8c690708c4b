"""A catalogue in a file and one on a PostgreSQL server that is started for the tests."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from oofpy.catalogue import Catalogue


def _programs():
    """Folder of initdb and pg_ctl, or None."""
    found = [path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    on_path = shutil.which("initdb")
    return found[-1] if found else Path(on_path).parent if on_path else None


def _own_user():
    """The server refuses to run as root."""
    if os.getuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "env": {**os.environ, "HOME": "/"}}


@pytest.fixture(scope="session")
def postgresql_server():
    """URL of an empty database; the server listens to a socket in a folder of its own only."""
    programs = _programs()
    if programs is None:
        reason = "no PostgreSQL server here (Debian: apt-get install postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    identity = _own_user()
    folder = Path(tempfile.mkdtemp(prefix="oofpy-pg-", dir="/tmp"))  # the name of a socket must be short
    if identity:
        os.chown(folder, identity["user"], identity["group"])

    def run(program, *words):
        made = subprocess.run(
            [programs / program, *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **identity,
        )
        assert made.returncode == 0, f"{program}: {made.stdout[-500:]} {made.stderr[-500:]}"

    data = folder / "data"
    run("initdb", "--pgdata", data, "--auth", "trust", "--username", "observer", "--encoding", "UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c shared_buffers=16MB"
    try:
        # Its output goes to a file: a pipe would stay open as long as the server runs.
        run("pg_ctl", "start", "--pgdata", data, "--wait", "--log", folder / "log", "--options", options)
        yield f"postgresql://observer@/postgres?host={folder}"
    finally:
        subprocess.run(
            [programs / "pg_ctl", "stop", "--pgdata", data, "--mode", "immediate"],
            cwd=folder, capture_output=True, timeout=60, check=False, **identity,
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql(postgresql_server):
    """The URL again, its database emptied."""
    import psycopg

    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgresql_server


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Where a catalogue can be made: a folder, and a database on a server."""
    return str(tmp_path / "results") if request.param == "sqlite" else request.getfixturevalue("postgresql")


@pytest.fixture
def catalogue(place):
    with Catalogue.open(place, create=True) as opened:
        yield opened
