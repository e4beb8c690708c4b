"""What comes from data is text on a page, whatever it looks like."""

import re
from html.parser import HTMLParser

from oofpy.report.numbers import KeyNumber
from oofpy.report.tables import Column, Table
from oofpy.report.verdicts import FlagText
from oofpy.review.pages.words import flags_html, numbers_html, table_html, text

EVIL = '<script>alert(\'x\')</script>" onload="y" & <b'


class _Parsed(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.words += data


def shown(html, times):
    """Check that the harmful text stands there as text, and as nothing else."""
    parsed = _Parsed(html)
    assert "script" not in parsed.tags
    assert set(parsed.attributes) <= {"class", "tabindex"}
    assert parsed.words.count(EVIL) == times
    return parsed


def test_text_is_escaped():
    assert text(EVIL) == ("&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot; onload=&quot;y&quot; &amp; &lt;b")
    assert text(1.5) == "1.5"


def test_numbers_are_text():
    parsed = shown(numbers_html([KeyNumber(EVIL, EVIL, (EVIL, EVIL)), KeyNumber("rms", "52", ())]), 4)
    assert parsed.words.endswith("rms52")


def test_flags_are_text():
    html = flags_html([FlagText(EVIL, EVIL, (EVIL, EVIL), EVIL, "")])
    assert _Parsed(html).words.count(EVIL) == 5
    assert "<script" not in html
    assert not re.search(r"<[^>]*onload=\"", html)


def test_flags_say_what_was_found_by_which_rule_and_what_to_do():
    html = flags_html([FlagText("misfit", "check", ("map 1 does not fit",), "chi2 above 5", "look at <the> maps")])
    for words in ("misfit", "check", "map 1 does not fit", "chi2 above 5", "look at &lt;the&gt; maps"):
        assert words in html


def test_no_flags_are_said():
    assert flags_html([]) == "<p>no flags</p>"


def test_tables_are_text():
    columns = (Column(EVIL), Column("b"))
    html = table_html(Table(EVIL, columns, ((EVIL, "1"), ("2", EVIL)), note=EVIL))
    assert shown(html, 5).tags.count("tr") == 3


def test_a_table_without_a_note_has_none():
    assert "note" not in table_html(Table("t", (Column("a"),), (("1",),)))
