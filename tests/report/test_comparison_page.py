import re
from html.parser import HTMLParser

import numpy as np
import pytest

from oofpy.comparison import compare
from oofpy.comparison.words import key_findings
from oofpy.plots.comparison_figures import COMPARISON_FIGURES
from oofpy.plots.saving import draw_figures
from oofpy.report.comparison_page import comparison_content, comparison_page, write_comparison_page
from tests.made_comparisons import COVARIANCE, TERMS, noisy, twin_of, um_per_rad, variant

MARKUP = "<script>alert(1)</script><img src=x onerror=y>\"'&{{ 7 * 7 }}"


class Elements(HTMLParser):
    """All elements of a page with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def attributes(self, name):
        return [attributes[name] for _, attributes in self.found if name in attributes]


@pytest.fixture(scope="module")
def pair(made_result):
    return compare([variant(made_result, "before"), variant(made_result, "after", {(3, 1): 0.5})])


@pytest.fixture(scope="module")
def several(made_result):
    return compare(noisy(made_result, 4))


def test_page_stands_alone(pair):
    drawn = draw_figures(COMPARISON_FIGURES, pair)
    page = Elements(comparison_page(pair, drawn))
    sources = page.attributes("src")
    assert len(sources) == len(drawn) == 4
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert all(link.startswith("#") for link in page.attributes("href"))
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.found}
    assert "before" in page.text


def test_findings_come_first(pair):
    content = comparison_content(pair)
    with_focus, without_focus = content.numbers
    view = pair.difference.views[0]
    assert with_focus.name == "A \N{MINUS SIGN} B, with focus"
    assert with_focus.value == f"{view.dish.rms_um:.3g} µm rms"
    assert with_focus.lines[-1].endswith("more than the errors explain")
    assert without_focus.name == "A \N{MINUS SIGN} B, without focus"
    page = comparison_page(pair, [])
    assert page.index("more than the errors explain") < page.index('id="results"')


def test_findings_are_those_of_the_text(made_result):
    names, covariance = (*TERMS, "Z(4,0)"), np.diag([*np.diag(COVARIANCE), 1e-4])
    higher = variant(made_result, "higher", {(4, 0): 0.3, (3, 1): 0.5}, covariance, names)
    comparison = compare([higher, variant(made_result, "lower")])
    found, shown = key_findings(comparison), comparison_content(comparison).numbers
    assert len(found) == len(shown) == 3
    for finding, number in zip(found, shown, strict=True):
        assert number.name == f"A \N{MINUS SIGN} B, {finding.part}"
        assert number.value == f"{finding.dish.rms_um:.3g} µm rms"
    assert shown[0].lines[-1].endswith(f": {found[0].verdict}")
    assert len(shown[2].lines) == 2


def test_table_holds_difference_error_and_z(pair, made_result):
    table = comparison_content(pair).coefficients
    (coma,) = [row for row in table.rows if row[0].startswith("Z(3,1)")]
    unit = um_per_rad(made_result)
    assert coma[3] == f"{-0.5 * unit:+.0f}"
    assert coma[4] == f"{2**0.5 * 0.04 * unit:.0f}"
    assert coma[5] == f"{-0.5 / (2**0.5 * 0.04):+.1f}"


def test_several_are_held_against_their_mean(several):
    content = comparison_content(several)
    assert [column.name for column in content.coefficients.columns][:4] == ["term", "mean µm", "error", "scatter µm"]
    assert len(content.coefficients.rows) == 7
    assert [row[0] for row in content.deviations[0].rows] == ["A night 1", "B night 2", "C night 3", "D night 4"]
    assert len(content.each) == 4
    assert "the errors explain it" in content.numbers[1].lines[-1]
    assert re.fullmatch(r"[+-]\d\.\d \([ABCD]\)", content.coefficients.rows[0][-1])


def test_remarks_stand_on_the_page(made_result):
    first = variant(made_result, "first")
    page = comparison_page(compare([first, twin_of(first, "twin")]), [])
    assert "<code>opposite-signs</code> the even orders of B" in page
    assert page.index("opposite-signs") < page.index('id="results"')


def test_inputs_and_conventions_are_told(pair):
    page = Elements(comparison_page(pair, []))
    for result in pair.results:
        assert result.sources[0].sha256 in page.text
    assert "the metal lies lower in A" in page.text


def test_names_cannot_inject_markup(made_result):
    named = [
        variant(made_result, MARKUP, object_name=MARKUP, date=MARKUP),
        variant(made_result, "other", {(3, 1): 0.1}, object_name=MARKUP),
    ]
    comparison = compare(named)
    text = comparison_page(comparison, draw_figures(COMPARISON_FIGURES, comparison))
    page = Elements(text)
    assert "<script" not in text
    assert "onerror" not in page.attributes("alt")
    assert not any("onerror" in attributes for _, attributes in page.found)
    assert MARKUP in page.text
    assert len(page.attributes("src")) == 4


def test_page_and_figures_are_written(tmp_path, pair):
    write_comparison_page(pair, tmp_path, pdf=True)
    names = {path.name for path in tmp_path.iterdir()}
    stems = ("surfaces", "difference", "coefficients", "numbers")
    assert names == {"comparison.html", *(f"{stem}.{ending}" for stem in stems for ending in ("png", "pdf"))}
    for path in tmp_path.iterdir():
        path.unlink()
    write_comparison_page(pair, tmp_path, page=False)
    assert {path.name for path in tmp_path.iterdir()} == {f"{stem}.png" for stem in stems}
