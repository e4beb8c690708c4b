from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest

from oofpy.plots import beam_figure, phase_figure, surface_figure
from oofpy.plots.frame import heading, shorten, symmetric_limit, with_error

FIGURES = [beam_figure, phase_figure, surface_figure]


def words(figure):
    return " | ".join(text.get_text() for text in figure.texts)


@pytest.mark.parametrize("draw", FIGURES)
def test_heading_says_what_was_observed_and_how_to_look(made_result, draw):
    text = words(draw(made_result))
    rms = made_result.fit.surface.rms_um
    for part in (
        "srt",
        "W3(OH)",
        "2019-04-26",
        "13.486 mm (22.23 GHz)",
        "order 3",
        f"surface rms {rms:.0f} ± 22 µm",
        "seen from behind the dish looking at the sky",
        "flagged: source-off-centre",
    ):
        assert part in text


@pytest.mark.parametrize("draw", FIGURES)
def test_heading_lies_within_the_figure_and_above_the_panels(made_result, draw):
    long = replace(made_result, object_name="W" * 200, flags=made_result.flags * 2)
    figure = draw(long)
    figure.canvas.draw()
    highest = max(axes.get_tightbbox().y1 for axes in figure.axes)
    width, height = figure.canvas.get_width_height()
    for text in figure.texts:
        if text.get_rotation() == 0:
            box = text.get_window_extent()
            assert 0 <= box.x0 < box.x1 <= width
            assert highest <= box.y0 < box.y1 <= height


def test_good_result_carries_no_warning(named):
    assert "flagged" not in words(phase_figure(named(flags=())))


def test_unknown_object_and_rms_are_no_error(made_result, named):
    surface = replace(made_result.fit.surface, rms_um=np.nan)
    orders = (replace(made_result.fit, surface=surface),)
    lines = heading(named(object_name=None, date=None, orders=orders))
    assert lines[0] == "srt   srt_2019-04-26"
    assert "rms unknown" in lines[1]


def test_style_of_the_user_is_neither_used_nor_changed(made_result):
    with mpl.rc_context({"font.size": 30.0, "text.usetex": True, "image.origin": "upper"}):
        before = dict(mpl.rcParams)
        figure = phase_figure(made_result)
        assert dict(mpl.rcParams) == before
    assert figure.axes[0].xaxis.label.get_size() == 9.0
    figure.canvas.draw()


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (512.3, 21.7, "512 ± 22"),
        (0.12345, 0.0123, "0.123 ± 0.012"),
        (512.3, 210.0, "512 ± 210"),
        (np.nan, 1.0, "unknown"),
        (3.14159, np.inf, "3.14"),
        (3.0, 0.0, "3 ± 0"),
    ],
)
def test_error_decides_the_digits(value, error, text):
    assert with_error(value, error) == text


def test_limit_is_that_of_the_bulk():
    values = np.concatenate([np.linspace(-1, 1, 1000), [100.0, np.nan]])
    assert symmetric_limit(values, 99) == pytest.approx(0.99, abs=0.01)
    assert symmetric_limit(np.zeros(3), 99) == 1.0
    assert symmetric_limit(np.array([np.nan]), 99) == 1.0


def test_text_is_one_printable_line():
    assert shorten("a\n\x1bb", 10) == "a ?b"
    assert shorten("abcdef", 4) == "abc…"
