"""The report in a browser, opened from the disk: it loads nothing, shows everything, and prints.

Screenshots and the printed page are kept in `test-output/`, or where OOFPY_TEST_OUTPUT says.
"""

from dataclasses import replace

import pytest

from oofpy.flags import Flag
from oofpy.report.fit_report import report_page
from tests.chromium import output_folder, running_chromium

WINDOWS = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 400, "height": 800}}
HOSTILE = "<script>alert(1)</script>\"><img src=x onerror=alert(2)><svg onload='alert(3)'>"


@pytest.fixture(scope="module")
def kept():
    """Folder for what is to be looked at."""
    return output_folder()


@pytest.fixture(scope="module")
def browser():
    with running_chromium() as running:
        yield running


class Visit:
    """A page that is open, and what it did besides being shown."""

    def __init__(self, browser, path, window):
        self.page = browser.new_page(viewport=WINDOWS[window])
        self.requests, self.complaints, self.dialogs = [], [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dismiss)
        self.page.goto(path.as_uri(), wait_until="load")

    def _hear(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _dismiss(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def visit(browser):
    visits = []

    def opened(path, window="wide"):
        visits.append(Visit(browser, path, window))
        return visits[-1]

    yield opened
    for entry in visits:
        entry.page.close()


@pytest.mark.parametrize("window", WINDOWS)
def test_it_shows_everything_and_loads_nothing(visit, written, kept, window):
    seen = visit(written / "report.html", window)
    page, width = seen.page, WINDOWS[window]["width"]
    page.screenshot(path=kept / f"report-{window}.png", full_page=True)
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith(("file:", "data:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    images = page.evaluate(
        """[...document.images].map(image => {
            const box = image.getBoundingClientRect()
            return [image.complete, image.naturalWidth, box.left, box.right, box.height]
        })"""
    )
    assert len(images) == len(list(written.glob("*.png")))
    for complete, natural_width, left, right, height in images:
        assert complete
        assert natural_width > 0
        assert 0 <= left < right <= width
        assert height > 0


@pytest.mark.parametrize("window", WINDOWS)
def test_the_verdict_is_seen_at_once(visit, written, window):
    word = visit(written / "report.html", window).page.locator("#verdict")
    assert word.is_visible()
    assert word.inner_text().lower() == "check"
    box = word.bounding_box()
    assert 0 <= box["y"] < box["y"] + box["height"] < WINDOWS[window]["height"] / 2


def test_wide_tables_scroll_in_a_box_of_their_own(visit, written):
    page = visit(written / "report.html", "narrow").page
    boxes = page.evaluate("[...document.querySelectorAll('.scroll')].map(box => [box.scrollWidth, box.clientWidth])")
    assert any(content > shown for content, shown in boxes)
    assert all(shown <= WINDOWS["narrow"]["width"] for _, shown in boxes)


def test_links_lead_to_the_sections(visit, written):
    page = visit(written / "report.html").page
    links = page.locator("nav a")
    assert links.count() >= 6
    for place in range(links.count()):
        links.nth(place).click()
        heading = page.locator(f"h2{links.nth(place).get_attribute('href')}")
        assert heading.inner_text() == links.nth(place).inner_text()
        heading.wait_for(state="visible")


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_prints(visit, written, kept, paper):
    seen = visit(written / "report.html")
    printed = seen.page.pdf(format=paper)
    (kept / f"report-{paper}.pdf").write_bytes(printed)
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") > 1
    assert seen.complaints == []


def test_printing_opens_what_is_folded_and_cuts_no_figure(visit, written):
    page = visit(written / "report.html").page
    folded = page.locator("main > section:last-of-type details table").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()
    assert not page.locator("nav").is_visible()
    styles = page.evaluate("[...document.querySelectorAll('figure')].map(one => getComputedStyle(one).breakInside)")
    assert set(styles) == {"avoid"}
    # An A4 page between its margins, in the pixels of CSS, holds every figure with its caption.
    page.set_viewport_size({"width": 695, "height": 1000})
    heights = page.evaluate("[...document.querySelectorAll('figure')].map(one => one.getBoundingClientRect().height)")
    assert max(heights) <= 269 / 25.4 * 96


def test_injected_markup_does_nothing(visit, made_result, drawn, tmp_path):
    maps = tuple(replace(one, label=HOSTILE) for one in made_result.map_arrays)
    flags = (*made_result.flags, Flag("misfit", HOSTILE))
    hostile = replace(made_result, name=HOSTILE, object_name=HOSTILE, date=HOSTILE, map_arrays=maps, flags=flags)
    path = tmp_path / "report.html"
    path.write_text(report_page(hostile, drawn), encoding="utf-8")
    seen = visit(path)
    assert HOSTILE in seen.page.locator("h1").inner_text()
    assert (seen.dialogs, seen.complaints) == ([], [])
    assert seen.page.locator("script, [onerror], [onload]").count() == 0
