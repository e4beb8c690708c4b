import pytest
from astropy.table import Table

from oofpy.archive.manifest_table import TableFile, TableRow
from oofpy.errors import InputError


@pytest.fixture
def table(tmp_path):
    def write(content, name="list.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return TableFile(path)

    return write


def test_rows_with_their_lines(table):
    made = table(
        "\ufeff# of 2024\n\nfiles, dz,\r\n"
        '"a, b.fits", "-3mm,0mm",\r\n'
        "# not this, one\r\n"
        '"two\nlines.fits"\r\n'
        ",,\r\n"
        "c.fits,,,,\r\n"
    )
    assert made.columns == ("files", "dz", "")
    assert list(made.rows()) == [
        TableRow(4, {"files": "a, b.fits", "dz": "-3mm,0mm"}),
        TableRow(7, {"files": "two\nlines.fits"}),
        TableRow(9, {"files": "c.fits"}),
    ]


@pytest.mark.parametrize("delimiter", [",", " "])
def test_ecsv_with_units(tmp_path, delimiter):
    made = Table({"file": ["a b.fits", "c.fits"], "radius": [2.0, 0.5], "dz": ["-3,0,3", '-3mm;1e-3 "m"']})
    made["radius"].unit, made["dz"].unit = "arcmin", "mm"
    made.write(tmp_path / "list.ecsv", delimiter=delimiter)
    rows = list(TableFile(tmp_path / "list.ecsv").rows())
    assert [row.cells["file"] for row in rows] == ["a b.fits", "c.fits"]
    assert [row.cells["radius"] for row in rows] == ["2.0 arcmin", "0.5 arcmin"]
    assert [row.cells["dz"] for row in rows] == ["-3 mm,0 mm,3 mm", '-3mm;1e-3 "m"']
    assert rows[1].line == rows[0].line + 1 == len((tmp_path / "list.ecsv").read_text().splitlines())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "list.csv: the table has no columns; name the columns in the first line"),
        ("a,b,a\n1,2,3\n", "list.csv: a: two columns have this name; leave one of them out"),
        ("a,b\n1,2\n1,2,3\n", "list.csv: line 3: there are more cells than columns"),
        ("a,\n1,2\n", "list.csv: line 2: a column without a name is not empty"),
        ('a,b\n1,2\n1,"2" 3\n', "list.csv: line 3: this is no row of a table: "),
        ('a,b\n1,"2\n', "list.csv: line 2: this is no row of a table: unexpected end of data"),
        (b"a,b\n\xff\xfe,1\n", "list.csv: is not text in UTF-8"),
        ("# %ECSV 1.0\n# ---\n# nothing\na\n1\n", "list.csv: the header is not that of ECSV: "),
    ],
)
def test_what_is_no_table(table, content, said):
    with pytest.raises(InputError) as caught:
        list(table(content).rows())
    assert said in str(caught.value)


def test_absent_table(tmp_path):
    with pytest.raises(InputError, match=r"gone\.csv: the table cannot be read: No such file"):
        TableFile(tmp_path / "gone.csv").columns  # noqa: B018
