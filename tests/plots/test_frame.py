from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest

from oofpy.observing import Observing
from oofpy.plots.aperture import phase_figure, surface_error_figure, surface_figure
from oofpy.plots.beams import beam_figure
from oofpy.plots.frame import BLANK, DIVERGING, colour_map, heading, shorten, symmetric_limit, with_error

OVER_THE_DISH = [phase_figure, surface_figure, surface_error_figure]
FIGURES = [beam_figure, *OVER_THE_DISH]


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
        f"surface rms without the correction {rms:.0f} ± 22 µm",
        "seen from behind the dish looking at the sky",
        "check: source-off-centre",
    ):
        assert part in text


def test_the_rms_of_a_dish_without_a_correction_needs_no_more_words(made_result):
    plain = replace(made_result, observing=Observing())
    assert f"   surface rms {made_result.fit.surface.rms_um:.0f} ± 22 µm" in heading(plain)[1]


@pytest.mark.parametrize("draw", OVER_THE_DISH)
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
    text = words(phase_figure(named(flags=())))
    assert "check" not in text
    assert "source-off-centre" not in text


def test_unknown_object_and_rms_are_no_error(made_result, named):
    surface = replace(made_result.fit.surface, rms_um=np.nan)
    orders = (replace(made_result.fit, surface=surface),)
    lines = heading(named(object_name=None, date=None, orders=orders))
    assert lines[0] == "srt   srt_2019-04-26"
    assert "rms without the correction unknown" in lines[1]


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


def in_oklab(colours):
    """Perceived colour (Ottosson 2020) of sRGB values; distances in it are about as large as they look."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    return np.cbrt(cones) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )


def test_signed_colours_change_by_as_much_everywhere():
    steps = {}
    for name in (DIVERGING, "RdBu_r"):
        perceived = in_oklab(colour_map(name)(np.linspace(0, 1, 33))[:, :3])
        sizes = np.linalg.norm(np.diff(perceived, axis=0), axis=1)
        steps[name] = sizes.max() / sizes.min()
    assert steps[DIVERGING] < 1.25
    assert steps["RdBu_r"] > 2.5


def test_signed_colours_are_as_dark_on_either_side_and_lightest_at_zero():
    lightness, green_red, blue_yellow = in_oklab(colour_map(DIVERGING)(np.linspace(0, 1, 256))[:, :3]).T
    np.testing.assert_allclose(lightness, lightness[::-1], atol=0.02)
    assert (np.diff(lightness[:128]) > 0).all()
    assert np.hypot(green_red[127:129], blue_yellow[127:129]).max() < 0.01
    # Blue against yellow is what the red- and green-blind see.
    assert (blue_yellow[:100] < -0.01).all()
    assert (blue_yellow[156:] > 0.01).all()
    # Where it is darkest, a black contour can still be told from it.
    assert lightness.min() > 0.35


def test_what_is_not_a_number_is_told_from_zero():
    for name in (DIVERGING, "viridis"):
        colours = colour_map(name)
        blank = in_oklab(np.array(mpl.colors.to_rgb(BLANK)))
        np.testing.assert_allclose(colours(np.ma.masked)[:3], mpl.colors.to_rgb(BLANK))
        every = in_oklab(colours(np.linspace(0, 1, 256))[:, :3])
        assert np.linalg.norm(every - blank, axis=1).min() > 0.02
    assert DIVERGING not in mpl.colormaps
