"""Older catalogues are brought up to date, newer ones are refused."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from oofpy._version import __version__
from oofpy.catalogue import Catalogue, migrations, schema
from oofpy.catalogue.engine import writing
from oofpy.errors import InputError
from tests.made_outcomes import digest, done, failed, flagged

STORED = sorted(Path(__file__).parent.glob("version_*.sql"))


def stored(dump, folder):
    """A catalogue as it was stored by an earlier oofpy."""
    file = folder / "catalogue.sqlite"
    connection = sqlite3.connect(file)
    connection.executescript(dump.read_text(encoding="utf-8"))
    connection.close()
    return file


def made_of(file):
    """Statements that made the tables, indexes and triggers of a file."""
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'").fetchall()
    connection.close()
    return {(kind, name): " ".join((sql or "").split()) for kind, name, sql in rows}


def versions(catalogue):
    with catalogue._engine.connect() as connection:
        return [(row.version, row.oofpy_version) for row in connection.execute(sa.select(schema.schema_versions))]


def test_a_catalogue_of_every_version_is_stored():
    assert [path.name for path in STORED] == [
        f"version_{number}.sql" for number in range(1, migrations.newest_version() + 1)
    ]


@pytest.mark.parametrize("dump", STORED, ids=lambda path: path.stem)
def test_a_stored_catalogue_is_read_and_written(dump, tmp_path):
    stored(dump, tmp_path)
    with Catalogue.open(tmp_path) as catalogue:
        assert versions(catalogue)[-1][0] == migrations.newest_version()
        for outcome in (done(1), flagged(2, "misfit")):
            entry = catalogue.show(outcome.observation.name)
            assert (entry.observation, entry.result) == (outcome.observation, outcome.result)
        assert catalogue.show("obs_003").result == failed(3).result
        (decision,) = catalogue.decisions(digest("key 2 usual"))
        assert (decision.who, decision.decision, decision.why) == ("Anna", "reject", "ice on the dish")
        catalogue.decide(digest("key 2 usual"), "Bo", "undo")
        catalogue.record(catalogue.begin_run("again", "0", "host"), [done(3)])
        assert catalogue.counts() == {"ok": 2, "flagged": 1, "failed": 0}


@pytest.mark.parametrize("dump", STORED, ids=lambda path: path.stem)
def test_a_stored_catalogue_becomes_what_a_new_one_is(dump, tmp_path):
    old = stored(dump, tmp_path)
    for folder, create in ((tmp_path, False), (tmp_path / "new", True)):
        Catalogue.open(folder, create=create).close()
    assert made_of(old) == made_of(tmp_path / "new" / "catalogue.sqlite")


def add_weather(connection):
    connection.execute(sa.text("ALTER TABLE observations ADD COLUMN weather TEXT"))


def fill_weather(connection):
    connection.execute(sa.text("UPDATE observations SET weather = 'dry'"))


def weather(catalogue):
    with catalogue._engine.connect() as connection:
        return connection.execute(sa.text("SELECT weather FROM observations")).scalars().all()


def filled(place):
    with Catalogue.open(place, create=True) as catalogue:
        catalogue.record(catalogue.begin_run("batch", "0", "host"), [done(1), done(2)])


def test_steps_are_taken_in_order_each_once(place, monkeypatch):
    filled(place)
    monkeypatch.setattr(migrations, "MIGRATIONS", (add_weather,))
    with Catalogue.open(place) as catalogue:
        assert (weather(catalogue), len(versions(catalogue))) == ([None, None], 2)
    monkeypatch.setattr(migrations, "MIGRATIONS", (add_weather, fill_weather))
    for _ in range(2):
        with Catalogue.open(place) as catalogue:
            assert weather(catalogue) == ["dry", "dry"]
            assert versions(catalogue) == [(1, __version__), (2, __version__), (3, __version__)]


def test_several_steps_are_one_transaction(place, monkeypatch):
    filled(place)

    def fail(connection):
        fill_weather(connection)
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrations, "MIGRATIONS", (add_weather, fail))
    with pytest.raises(RuntimeError, match="power cut"):
        Catalogue.open(place)
    monkeypatch.undo()
    with Catalogue.open(place) as catalogue:
        columns = {entry["name"] for entry in sa.inspect(catalogue._engine).get_columns("observations")}
        assert "weather" not in columns
        assert [version for version, _ in versions(catalogue)] == [1]
        assert catalogue.count() == 2


def test_a_newer_catalogue_is_refused_with_the_version_that_is_needed(place):
    filled(place)
    with Catalogue.open(place) as catalogue, writing(catalogue._engine).begin() as connection:
        later = {"version": 7, "oofpy_version": "3.2.1", "applied_at": datetime(2031, 1, 1, tzinfo=UTC)}
        connection.execute(schema.schema_versions.insert().values(**later))
    for create in (False, True):
        with pytest.raises(InputError, match=r"made by oofpy 3\.2\.1 .*; use oofpy 3\.2\.1 or newer"):
            Catalogue.open(place, create=create)
