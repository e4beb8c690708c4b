import subprocess
import sys

import pytest

from oofpy.errors import InputError, UsageError
from oofpy.io import READERS, read_file
from oofpy.io.reader import FileContent
from oofpy.io.registry import recognise


def test_format_is_told_by_content_and_not_by_name(make):
    cases = {
        "pyoof FITS": make.pyoof("a.txt"),
        "OOF FITS": make.oof("b.toml"),
        "text columns": make.columns("c.fits"),
        "observation TOML": make("d.fits", 'telescope = "srt"\n'),
    }
    for name, path in cases.items():
        content = FileContent.load(path)
        assert recognise(content).name == name
        assert [reader.name for reader in READERS if reader.recognises(content)] == [name]


def test_names_of_formats_are_unique():
    names = [reader.name for reader in READERS]
    assert len(set(names)) == len(names)


def test_a_part_is_refused_where_there_are_none(make):
    with pytest.raises(UsageError, match=r"part = 2mm: a file of the format text columns has no parts.*NIKA2 IDL"):
        read_file(make.columns("c.txt"), "2mm")


def test_parts_are_described_where_there_are_some():
    assert all(bool(reader.parts) == (reader.read_part is not None) for reader in READERS)


def test_unknown_formats_are_told_the_known_ones(make):
    for data in (b"\x89PNG\r\n\x1a\n\0", b"hello world\n", b"\xff\xfe\x00", b"SIMPL"):
        with pytest.raises(InputError) as caught:
            read_file(make("x.dat", data))
        assert "not FITS and of no known format" in str(caught.value)
        assert all(reader.name in str(caught.value) for reader in READERS)


def test_what_a_parser_raises_names_the_file(make, monkeypatch):
    def failing(content):
        raise KeyError("boom") if content.data else None

    from oofpy.io import registry

    reader = type(READERS[0])("broken", "always fails", lambda content: bool(content.data), failing)
    monkeypatch.setattr(registry, "READERS", (reader,))
    with pytest.raises(InputError, match=r"x.dat: the file is damaged: 'boom' is missing; copy or export"):
        read_file(make("x.dat", b"anything"))


def test_importing_the_package_stays_light():
    code = "import sys, oofpy.io; print({'torch', 'matplotlib', 'astropy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
