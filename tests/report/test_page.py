from html.parser import HTMLParser

import jinja2
import pytest

from oofpy.plots.saving import DrawnFigure
from oofpy.report import page
from oofpy.report.page import render
from oofpy.report.tables import Column, Table


class Cells(HTMLParser):
    """Text of each element of one kind."""

    def __init__(self, tag):
        super().__init__()
        self.tag, self.texts, self.tags, self._open = tag, [], [], False

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == self.tag:
            self.texts.append("")
            self._open = True

    def handle_endtag(self, tag):
        self._open = self._open and tag != self.tag

    def handle_data(self, data):
        if self._open:
            self.texts[-1] += data


@pytest.fixture
def part():
    """Render one macro of the parts."""

    def rendered(call, **content):
        environment = page._environment()
        source = '{% import "parts.html.j2" as parts %}{{ parts.' + call + " }}"
        return environment.from_string(source).render(**content)

    return rendered


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "&lt;b&gt;", "'--></style>"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_text(part, text):
    table = Table(text, (Column(text, explanation=text),), ((text,),), note=text)
    found = Cells("th")
    found.feed(part("table(content)", content=table))
    assert found.texts == [text, text]
    assert {tag for tag, _ in found.tags} <= {
        "div",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "p",
        "dl",
        "dt",
        "dd",
    }
    assert [given["aria-label"] for _, given in found.tags if "aria-label" in given] == [text]


def test_what_does_not_print_is_taken_out(part):
    table = Table("t", (Column("c"),), (("a\x00b\x1b[31mc\u202ed\u200be\nf",),))
    found = Cells("th")
    found.feed(part("table(content)", content=table))
    assert found.texts[1] == "a?b?[31mc?d?e f"


def test_headers_say_what_they_head(part):
    table = Table("t", (Column("name"), Column("size", numeric=True)), (("a", "1"), ("b", "2")))
    found = Cells("td")
    found.feed(part("table(content)", content=table))
    assert [given["scope"] for tag, given in found.tags if tag == "th"] == ["col", "col", "row", "row"]
    assert [given.get("class") for tag, given in found.tags if tag == "td"] == ["number", "number"]
    assert found.texts == ["1", "2"]


def test_a_table_without_rows_says_so(part):
    found = Cells("td")
    found.feed(part("table(content)", content=Table("t", (Column("a"), Column("b")), ())))
    assert found.texts == ["none"]


def test_rows_have_a_cell_a_column():
    with pytest.raises(ValueError, match="t: 1 cells for 2 columns"):
        Table("t", (Column("a"), Column("b")), (("1",),))


def test_a_figure_is_inlined(part):
    drawn = DrawnFigure("beams", 'Maps "a"', "What <is> seen.", b"\x89PNG\xff", None, 640, 480)
    found = Cells("figcaption")
    found.feed(part("figure(content)", content=drawn))
    image = next(given for tag, given in found.tags if tag == "img")
    assert image == {
        "src": "data:image/png;base64,iVBOR/8=",
        "width": "640",
        "height": "480",
        "alt": 'Maps "a": What <is> seen.',
    }
    assert found.texts == ['Maps "a". What <is> seen.']


def test_what_is_not_given_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="figures"):
        render("fit.html.j2")
