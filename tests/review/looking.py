"""What tests of the page look at, and how they wait for it: for what is expected, never for a time."""

import json

from playwright.sync_api import expect

# Bokeh draws nothing more, and no message is under way.
_AT_REST = "() => window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents.every(one => one.is_idle)"
_FIND = """
const figures = () => Bokeh.index.query(view => view.model.type === 'Figure');
const figure = title => figures().find(view => view.model.title.text.startsWith(title) && view.el.isConnected);
"""


def opened(page):
    """Wait for the page, until all of it is drawn, and until the figures of an observation are made in advance."""
    page.locator(".page").wait_for()
    page.locator(".bk-Figure").first.wait_for(state="attached")
    page.wait_for_function(_AT_REST)
    return page


def wait_for_figure(page, title):
    """Wait until a figure with a title that begins like this is drawn."""
    page.wait_for_function(f"() => {{ {_FIND} return figure({json.dumps(title)}) !== undefined }}")
    page.wait_for_function(_AT_REST)


def place_of(page, title, x, y):
    """Pixels in the window at which a figure shows a point of its axes; the figure is scrolled to."""
    program = """([x, y]) => {
        const view = figure(TITLE);
        view.el.scrollIntoView({block: 'center'});
        const corner = view.el.getBoundingClientRect();
        return [corner.left + view.frame.x_scale.compute(x), corner.top + view.frame.y_scale.compute(y)];
    }"""
    found = program.replace("TITLE", json.dumps(title)).replace("{", "{" + _FIND, 1)
    return tuple(page.evaluate(found, [x, y]))


def ranges_of(page, title):
    """Where the axes of a figure begin and end."""
    program = "const {x_range: x, y_range: y} = figure(TITLE).model; return [x.start, x.end, y.start, y.end]"
    return page.evaluate(f"() => {{ {_FIND} {program.replace('TITLE', json.dumps(title))} }}")


def hover(page, title, x, y):
    """Move the mouse to a point of a figure; gives what the tooltip says, by line."""
    at_x, at_y = place_of(page, title, x, y)
    page.mouse.move(at_x + 3, at_y + 3)
    page.mouse.move(at_x, at_y)
    tip = page.locator(".bk-tooltip-content:visible").last
    tip.wait_for()
    return tip.inner_text()


def figure_at(page, place):
    """One of the figures, from above."""
    return page.locator(".bk-Figure").nth(place)


def names(page):
    """Names in the table, from above, as soon as it rests."""
    page.wait_for_function(_AT_REST)
    return page.locator(".tabulator-row [tabulator-field='name']").all_inner_texts()


def expect_count(page, words):
    """Wait until the table says how many it has."""
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def expect_no_sideways_scroll(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def field(page, name):
    return page.get_by_label(name, exact=True)
