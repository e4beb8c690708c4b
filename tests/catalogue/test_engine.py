"""Where a catalogue is, and what is said where there is none that can be used."""

import os
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from oofpy.catalogue import Catalogue, engine, recording
from oofpy.errors import InputError, OofError, UsageError
from tests.made_outcomes import done


def filled(place):
    with Catalogue.open(place, create=True) as catalogue:
        catalogue.record(catalogue.begin_run("batch", "0", "host"), [done(number) for number in range(40)])


def refusal(place, kind, **options):
    with pytest.raises(kind) as caught:
        Catalogue.open(place, **options)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def test_a_catalogue_lies_in_the_folder_of_the_results(tmp_path):
    filled(tmp_path / "a" / "results #1?")
    folder = tmp_path / "a" / "results #1?"
    assert [path.name for path in folder.iterdir()] == ["catalogue.sqlite"]
    for place in (folder, folder / "catalogue.sqlite"):
        with Catalogue.open(place) as catalogue:
            assert catalogue.count() == 40


def test_opening_again_leaves_what_is_there(place):
    filled(place)
    with Catalogue.open(place, create=True) as catalogue:
        assert catalogue.count() == 40


@pytest.mark.parametrize("made", [False, True])
def test_where_there_is_none_it_is_said_and_nothing_is_made(tmp_path, made):
    if made:
        (tmp_path / "results").mkdir()
    line = refusal(tmp_path / "results", UsageError)
    assert line.endswith("there is no catalogue here; give the folder that 'oofpy batch' wrote to, or the URL of its "
                         "PostgreSQL database")  # fmt: skip
    assert [path.name for path in tmp_path.rglob("*")] == (["results"] if made else [])


def test_an_empty_database_is_none(postgresql, tmp_path):
    assert "there is no catalogue here" in refusal(postgresql, UsageError)
    (tmp_path / "catalogue.sqlite").touch()
    assert "there is no catalogue here" in refusal(tmp_path, UsageError)
    Catalogue.open(tmp_path, create=True).close()


def read_all(place):
    with Catalogue.open(place) as catalogue:
        catalogue.select()
        catalogue.coefficients()


@pytest.mark.parametrize("damage", ["no database", "start", "cut", "page"])
def test_a_damaged_file_is_told_in_one_line(tmp_path, damage):
    filled(tmp_path)
    file = tmp_path / "catalogue.sqlite"
    content = file.read_bytes()
    file.write_bytes(
        {
            "no database": b"this is no database, but a text " * 200,
            "start": b"\0" * 4096 + content[4096:],
            "cut": content[: len(content) // 2],
            "page": content[:4096] + os.urandom(len(content) - 4096),
        }[damage]
    )
    with pytest.raises(InputError, match=r"no catalogue, or it is damaged: .*restore it from a copy") as caught:
        read_all(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_disk_that_takes_no_more_is_no_damaged_catalogue(tmp_path):
    """A limit on the size of files is met in the middle of a transaction, which must leave what was there."""
    filled(tmp_path)
    before = (tmp_path / "catalogue.sqlite").stat().st_size
    code = (
        "import resource, signal, sys; from oofpy.catalogue import Catalogue\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "catalogue = Catalogue.open(sys.argv[1])\n"
        "limit = int(sys.argv[2]); resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "try:\n    catalogue.begin_run('x' * 100_000, '1', 'host')\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    command = [sys.executable, "-c", code, tmp_path, str(before)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("UsageError")
    assert "damaged" not in said
    read_all(tmp_path)


def test_a_database_file_that_is_not_there_is_not_made_a_folder(tmp_path):
    line = refusal(tmp_path / "elsewhere.sqlite", UsageError, create=True)
    assert "a catalogue is catalogue.sqlite in the folder" in line
    assert not list(tmp_path.iterdir())


def test_tables_of_something_else_are_left_alone(tmp_path):
    connection = sqlite3.connect(tmp_path / "catalogue.sqlite")
    connection.execute("CREATE TABLE results (swimmer TEXT, seconds REAL)")
    connection.close()
    for create in (False, True):
        assert "has a table 'results' that is none of oofpy's" in refusal(tmp_path, InputError, create=create)


def test_a_server_that_does_not_answer_is_told_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = taken.getsockname()[1]
        line = refusal(f"postgresql://observer:secret@127.0.0.1:{port}/archive", InputError)
    assert "check that the server runs" in line
    assert "secret" not in line


def test_a_database_that_is_not_there_is_told_in_one_line(postgresql):
    line = refusal(postgresql.replace("/postgres?", "/elsewhere?"), InputError, create=True)
    assert '"elsewhere" does not exist' in line


@pytest.mark.parametrize("url", ["mysql://host/archive", "postgresql://host:port/archive", "://"])
def test_other_urls_are_refused(url):
    assert "postgresql://user@host/database" in refusal(url, OofError)


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    line = refusal("postgresql://observer@host/archive", UsageError)
    assert line.endswith("pip install 'oofpy[postgresql]'")


def test_a_place_where_no_folder_can_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be made" in refusal(tmp_path / "file" / "results", UsageError, create=True)


def test_who_may_only_read_reads_and_is_told_where_it_would_write(tmp_path, monkeypatch):
    filled(tmp_path)
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.count() == 40
        with pytest.raises(UsageError, match=r"cannot be opened or written.*who may read and write"):
            catalogue.begin_run("batch", "0", "host")
    assert [path.name for path in tmp_path.iterdir()] == ["catalogue.sqlite"]


def test_a_writer_waits_for_another_and_says_so_where_it_takes_too_long(tmp_path, monkeypatch):
    filled(tmp_path)
    monkeypatch.setattr(engine, "_PATIENCE_S", 0.2)
    with Catalogue.open(tmp_path) as first, Catalogue.open(tmp_path) as second:
        with first._writing():
            with pytest.raises(InputError, match="another process has been using"):
                second.begin_run("batch", "0", "host")
            assert second.count() == 40
        assert second.begin_run("batch", "0", "host") == 2


def test_who_reads_waits_for_a_writer_and_leaves_no_log_of_writes(tmp_path):
    filled(tmp_path)
    with Catalogue.open(tmp_path) as first, Catalogue.open(tmp_path) as second:
        counted = []
        reader = threading.Thread(target=lambda: counted.append(second.count()))
        with first._writing() as connection:
            # Too much for the memory, so that it goes to the file now, which happens at the end otherwise.
            connection.exec_driver_sql("PRAGMA cache_size = 1")
            recording.record_outcomes(connection, 1, [done(number) for number in range(40, 300)])
            reader.start()
            reader.join(0.3)
            assert reader.is_alive()
            assert counted == []
        reader.join(60)
        assert counted == [300]
        with first._reading() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "delete"


def test_several_that_make_one_at_once_make_one(place):
    faults = []

    def make(number):
        try:
            with Catalogue.open(place, create=True) as catalogue:
                catalogue.record(catalogue.begin_run("batch", "0", "host"), [done(number)])
        except Exception as fault:  # a thread's own would be lost
            faults.append(fault)

    makers = [threading.Thread(target=make, args=(number,)) for number in range(5)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(60)
    assert faults == []
    with Catalogue.open(place) as catalogue:
        assert catalogue.count() == 5


def test_importing_the_package_brings_no_database_library():
    code = "import sys, oofpy.catalogue, oofpy.cli; print({'sqlalchemy', 'numpy', 'torch'} & set(sys.modules))"
    root = Path(__file__).parents[2]
    made = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "set()"
