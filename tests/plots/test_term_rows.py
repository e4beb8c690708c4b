from itertools import pairwise

import pytest

from oofpy.fitting.result import Coefficient
from oofpy.plots.frame import framed
from oofpy.plots.term_rows import add_term_panels, rows_height_in, term_rows


def terms_to(order, **fields):
    return [
        Coefficient(n, l, f"Z({n},{l})", 0.1, 0.01, **fields) for n in range(2, order + 1) for l in range(-n, n + 1, 2)
    ]


@pytest.mark.parametrize("order", [2, 5, 8, 12])
def test_rows_hold_every_term_once_and_break_no_radial_order(order):
    terms = terms_to(order)
    rows = term_rows(terms, 23)
    assert [one for row in rows for one in row.coefficients] == terms
    assert max(len(row.coefficients) for row in rows) <= 23
    of_row = [{one.n for one in row.coefficients} for row in rows]
    assert sum(len(orders) for orders in of_row) == order - 1


def test_radial_order_longer_than_a_row_stands_alone():
    assert [len(row.coefficients) for row in term_rows(terms_to(6), 6)] == [3, 4, 5, 6, 7]


def test_panels_lie_below_one_another_and_slots_are_equally_wide():
    rows = term_rows(terms_to(8), 23)
    figure = framed(["title"], "", 10.0, rows_height_in(rows))
    panels = add_term_panels(figure, rows, 0.8, rows_height_in(rows), 8.0)
    figure.canvas.draw()
    assert len(panels) == len(rows) > 1
    boxes = [panel.get_tightbbox() for panel in panels]
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes))
    assert boxes[-1].y0 >= 0
    assert len({panel.get_xlim() for panel in panels}) == 1
    assert [text.get_text() for text in panels[0].texts] == ["n = 2", "n = 3", "n = 4", "n = 5"]


def test_names_say_what_was_held():
    held = [
        Coefficient(2, -2, "Z(2,-2) astigmatism 45 deg", 0.1, 0.0, free=False),
        Coefficient(2, 0, "Z(2,0) focus", 0.1, 0.01, at_bound=True),
        Coefficient(2, 2, "Z(2,2)", 0.1, 0.01),
    ]
    rows = term_rows(held, 23)
    [panel] = add_term_panels(framed(["title"], "", 10.0, 4.0), rows, 0.8, 4.0, 8.0)
    names = [label.get_text() for label in panel.get_xticklabels()]
    assert names == ["Z(2,-2) fixed\nastigmatism 45 deg", "Z(2,0) at bound\nfocus", "Z(2,2)"]
