import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from oofpy.errors import UsageError, one_line
from oofpy.flags import Flag
from oofpy.limits import Limits
from oofpy.observation import SourceFile
from oofpy.plots.figure_set import FIGURES
from oofpy.report import fit_report, write_report
from oofpy.report.fit_report import FIGURES_OF_SECTION, report_files
from oofpy.telescope import with_overrides

LARGEST_PAGE_BYTES = 5_000_000
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "' onmouseover='alert(3)",
    "{{ 7 * 7 }}{% raw %}{# #}",
    "</style></title><svg onload=alert(4)>",
    "&lt;b&gt; &amp; <!--",
    "a\x00b\x1b[31mc\x07",
    "abc\u202edef\u2066\u200f",
)


class Page(HTMLParser):
    """What a reader of a page sees: elements with their attributes, and text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self._of_style = [], "", False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._of_style = tag == "style"

    def handle_data(self, data):
        self.text += "" if self._of_style else data

    def handle_endtag(self, _):
        self._of_style = False

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def of(self, tag):
        return [given for name, given in self.elements if name == tag]


def with_text(result, text):
    """The result with a text wherever a file or a user may bring one."""
    maps = tuple(replace(one, label=text) for one in result.map_arrays)
    return replace(
        result,
        name=text,
        object_name=text,
        date=text,
        sources=(SourceFile(Path(text), text),),
        observing=replace(result.observing, applied=replace(result.observing.applied, origin=text)),
        telescope=replace(result.telescope, name=text, overrides=(("illumination.edge_taper", text),)),
        map_arrays=maps,
        flags=(*result.flags, Flag("misfit", text), Flag("file-odd", text)),
        versions={text: text},
        device=text,
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_files_never_is_markup(made_result, page_of, text):
    plain, hostile = (Page(page_of(with_text(made_result, entry))) for entry in ("PLAIN", text))
    shape = [(tag, sorted(given)) for tag, given in plain.elements]
    assert [(tag, sorted(given)) for tag, given in hostile.elements] == shape
    assert hostile.text == plain.text.replace("PLAIN", one_line(text))
    assert hostile.text.count(one_line(text)) > 10


def test_overrides_and_settings_are_escaped(made_result, page_of):
    telescope = with_overrides(made_result.telescope, {"description": HOSTILE[0]})
    page = Page(page_of(replace(made_result, telescope=telescope)))
    assert page.of("script") == []
    assert HOSTILE[0] in page.text


def test_the_page_needs_nothing_else(written):
    text = (written / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    targets = {value for _, given in page.elements for key, value in given.items() if key in ("src", "href", "action")}
    anchors = {target for target in targets if target.startswith("#")}
    assert all(target.startswith("data:image/png;base64,") for target in targets - anchors)
    assert {anchor[1:] for anchor in anchors} <= {given.get("id") for _, given in page.elements}
    assert not re.search(r"https?:|url\(|@import", text)
    assert not [key for _, given in page.elements for key in given if key.startswith("on")]
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "link", "form", "base"}
    (policy,) = [given["content"] for given in page.of("meta") if "http-equiv" in given]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert (written / "report.html").stat().st_size <= LARGEST_PAGE_BYTES


def test_every_figure_is_on_the_page_and_beside_it(written, drawn, made_result):
    page = Page((written / "report.html").read_text(encoding="utf-8"))
    kinds = [kind for kind in FIGURES if kind.present(made_result)]
    assert sorted(given["id"] for given in page.of("figure")) == sorted(f"figure-{kind.name}" for kind in kinds)
    for figure in drawn:
        assert (written / f"{figure.name}.png").read_bytes() == figure.png
        assert (written / f"{figure.name}.pdf").read_bytes().startswith(b"%PDF")
    names = {"report.html", *(f"{kind.name}.{ending}" for kind in kinds for ending in ("png", "pdf"))}
    assert {path.name for path in written.iterdir()} == names
    assert names <= set(report_files(figures=True, pdf=True))


def test_every_figure_has_its_place():
    placed = [name for names in FIGURES_OF_SECTION.values() for name in names]
    assert [kind.name for kind in FIGURES if kind.name not in placed] == []


def test_headings_and_landmarks_are_in_order(written):
    page = Page((written / "report.html").read_text(encoding="utf-8"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert [len(page.of(tag)) for tag in ("header", "main", "nav", "footer")] == [1, 1, 1, 1]
    assert page.of("html") == [{"lang": "en"}]
    assert {given["name"] for given in page.of("meta") if "name" in given} >= {"viewport"}
    assert all(given["alt"] for given in page.of("img"))
    assert all(given["scope"] in ("row", "col") for given in page.of("th"))


def test_the_verdict_comes_before_all_else(made_result, page_of):
    for flags, word in (((), "accept"), ((Flag("misfit", "m"),), "check"), ((Flag("no-beam", "b"),), "reject")):
        page = Page(page_of(replace(made_result, flags=flags)))
        (verdict,) = [given for given in page.of("section") if given.get("class", "").startswith("verdict")]
        assert verdict["class"] == f"verdict {word}"
        before = page.text[: page.text.index("Recommended corrections")]
        assert all(expected in before for expected in (word, *(flag.code for flag in flags)))


def test_other_limits_are_said_on_the_page(made_result, page_of):
    settings = replace(made_result.settings, limits=Limits(most_reduced_chi2=9))
    text = Page(page_of(replace(made_result, settings=settings, flags=()), as_fitted=made_result)).text
    changed = f"most_reduced_chi2 = 9 (fit: {Limits().most_reduced_chi2:g})"
    assert f"Judged by other limits than the fit: {changed}.\nThe verdict stored with the result is check (" in text
    assert text.index("accept") < text.index("The verdict stored with the result is check (source-off-centre).")
    for same in (page_of(made_result, as_fitted=made_result), page_of(made_result)):
        assert "Judged by other limits" not in Page(same).text
        assert "stored" not in Page(same).text


def test_equal_results_give_equal_bytes(made_result, written, tmp_path):
    write_report(made_result, tmp_path, other_wavelengths_m=(3e-3,))
    assert (tmp_path / "report.html").read_bytes() == (written / "report.html").read_bytes()


@pytest.mark.parametrize(
    ("wanted", "endings"),
    [
        ({"page": False, "figures": False}, set()),
        ({"page": True, "figures": False}, {".html"}),
        ({"page": False, "figures": True}, {".png"}),
        ({"page": False, "figures": False, "pdf": True}, {".pdf"}),
    ],
)
def test_only_what_is_wanted_is_written(made_result, tmp_path, monkeypatch, wanted, endings):
    kept = FIGURES[-1:]
    monkeypatch.setattr(fit_report, "FIGURES", kept)
    write_report(made_result, tmp_path, **wanted)
    assert {path.suffix for path in tmp_path.iterdir()} == endings


def test_nothing_is_drawn_for_nothing(made_result, tmp_path, monkeypatch):
    monkeypatch.setattr(fit_report, "draw_figures", None)
    write_report(made_result, tmp_path, page=False, figures=False)


def test_an_old_page_stays_where_the_new_one_fails(made_result, tmp_path, monkeypatch):
    (tmp_path / "report.html").write_text("old")
    monkeypatch.setattr(fit_report, "FIGURES", FIGURES[-1:])
    monkeypatch.setattr(fit_report, "render", lambda *_, **__: "\ud800")
    with pytest.raises(UnicodeEncodeError):
        write_report(made_result, tmp_path)
    assert (tmp_path / "report.html").read_text() == "old"
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_what_cannot_be_written_is_one_line(made_result, tmp_path, monkeypatch):
    monkeypatch.setattr(fit_report, "FIGURES", FIGURES[-1:])
    (tmp_path / "report.html").mkdir()
    with pytest.raises(UsageError, match=r"report\.html: this is a folder, not a file"):
        write_report(made_result, tmp_path)
