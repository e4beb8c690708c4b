from dataclasses import replace

import numpy as np
import pytest

from oofpy.observing import Chop, Observing
from oofpy.plots.cuts import cut_figure

BEAM_RAD = 0.013485940530814217 / 64.008
ARCSEC = 648000 / np.pi


def with_beam(result, beam, observed=None, **fields):
    """Result with a beam about the pointing of every map; `beam` takes lambda/D and the angle in radians."""
    arrays = []
    for one, fitted in zip(result.map_arrays, result.fit.maps, strict=True):
        u, v = (one.u_rad - fitted.pointing_rad[0]) / BEAM_RAD, (one.v_rad - fitted.pointing_rad[1]) / BEAM_RAD
        plane = 40 + 0.1 * one.u_rad - one.v_rad / 3
        model = plane + 1000 * beam(np.hypot(u, v), np.arctan2(v, u))
        seen = model if observed is None else plane + 1000 * observed(np.hypot(u, v), np.arctan2(v, u))
        arrays.append(replace(one, model=model, observed=np.where(np.isfinite(one.observed), seen, np.nan)))
    return replace(result, map_arrays=tuple(arrays), observing=Observing(), **fields)


def rows_of(figure):
    return [figure.axes[start : start + 2] for start in range(0, len(figure.axes), 2)]


def model_line(panel):
    return max(
        (line for line in panel.lines if line.get_color() == "firebrick"), key=lambda line: len(line.get_xdata())
    )


def points(panel):
    line = next(line for line in panel.lines if line.get_marker() == "o")
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def gaussian(r, _):
    return np.exp(-((r / 1.2) ** 2))


def test_radial_cut_is_in_decibels_below_the_peak_about_the_pointing(made_result):
    for left, _ in rows_of(cut_figure(with_beam(made_result, gaussian))):
        radius, level = (np.asarray(values) for values in model_line(left).get_data())
        inner = (radius > 0.3) & (radius < 2)
        np.testing.assert_allclose(level[inner], 10 * np.log10(gaussian(radius[inner], 0)), atol=0.6)
        assert level[inner].size >= 4


def test_azimuthal_cut_shows_what_is_observed_and_where(made_result):
    def lobed(r, angle):
        return gaussian(r, angle) * (1 + 0.3 * np.cos(2 * (angle - np.radians(45))) * np.minimum(r, 1))

    figure = cut_figure(with_beam(made_result, gaussian, lobed))
    for _, right in rows_of(figure)[:2]:
        np.testing.assert_allclose(np.asarray(model_line(right).get_ydata()), 1, atol=0.12)
        degrees, power = points(right)
        turned = np.cos(2 * np.radians(degrees - 45))
        assert np.corrcoef(turned, power)[0, 1] > 0.9
        assert np.polyfit(turned, power, 1)[0] == pytest.approx(0.3, abs=0.12)


def test_line_around_a_ring_is_closed_and_broken_where_the_map_ends(made_result):
    closed = np.asarray(model_line(rows_of(cut_figure(with_beam(made_result, gaussian)))[0][1]).get_xdata())
    assert closed[-1] == closed[0] + 360
    assert np.isfinite(closed).all()
    half = with_beam(made_result, gaussian)
    arrays = tuple(
        replace(one, weight=np.where(one.u_rad > fitted.pointing_rad[0] - 2e-5, one.weight, 0))
        for one, fitted in zip(half.map_arrays, half.fit.maps, strict=True)
    )
    broken = np.asarray(model_line(rows_of(cut_figure(replace(half, map_arrays=arrays)))[0][1]).get_xdata())
    assert np.isnan(broken).sum() == 1


def test_half_nearer_to_the_negative_beam_is_left_out(made_result):
    throw = 4 * BEAM_RAD

    def chopped(r, angle):
        u, v = r * np.cos(angle), r * np.sin(angle)
        return np.exp(-((r / 1.2) ** 2)) - np.exp(-(((u - 4) ** 2 + v**2) / 1.2**2))

    result = replace(with_beam(made_result, chopped), observing=Observing(chop=Chop(throw, 0.0)))
    left, _ = rows_of(cut_figure(result))[0]
    radius, level = (np.asarray(values) for values in model_line(left).get_data())
    inner = radius < 1.9
    np.testing.assert_allclose(level[inner], 10 * np.log10(gaussian(radius[inner], 0)), atol=0.8)
    heading = " ".join(text.get_text() for text in cut_figure(result).texts)
    assert "nearer to the positive beam" in heading
    assert "nearer to the positive beam" not in " ".join(
        text.get_text() for text in cut_figure(with_beam(made_result, gaussian)).texts
    )


def test_means_within_their_errors_are_upper_limits(made_result):
    left, _ = rows_of(cut_figure(made_result))[1]
    limits = next(line for line in left.lines if line.get_marker() == "v")
    far, level = (np.asarray(values) for values in limits.get_data())
    assert far.size > 3
    radius, _ = points(left)
    assert not set(far) & set(radius)
    # The noise is 26 dB below the peak; correlated residuals keep the means from averaging it away.
    assert ((level > -27) & (level < -15)).all()


def test_axes_name_units_and_arcseconds_agree(made_result):
    figure = cut_figure(made_result)
    rows = rows_of(figure)
    assert rows[0][0].get_ylabel() == "mean power [dB]"
    assert rows[-1][0].get_xlabel() == "distance from the pointing [λ/D]"
    assert rows[-1][1].get_xlabel() == "angle about the pointing, from +u towards +v [°]"
    assert len({(*left.get_xlim(), *left.get_ylim()) for left, _ in rows}) == 1
    figure.canvas.draw()
    (above,) = rows[0][0].child_axes
    assert above.get_xlabel() == "distance from the pointing [arcsec]"
    np.testing.assert_allclose(above.get_xlim(), np.array(rows[0][0].get_xlim()) * BEAM_RAD * ARCSEC)


@pytest.mark.parametrize("value", [np.nan, 12.0])
def test_maps_without_a_beam_are_drawn(made_result, value):
    arrays = tuple(replace(one, model=np.full_like(one.model, value)) for one in made_result.map_arrays)
    figure = cut_figure(replace(made_result, map_arrays=arrays))
    figure.canvas.draw()
    assert all(right.texts[0].get_text() == "no ring: the model has no beam" for _, right in rows_of(figure))


def test_every_map_has_a_row(made_result):
    arrays = made_result.map_arrays[:2]
    orders = tuple(replace(one, maps=one.maps[:2]) for one in made_result.orders)
    two = cut_figure(replace(made_result, map_arrays=arrays, orders=orders))
    three = cut_figure(made_result)
    assert (len(rows_of(two)), len(rows_of(three))) == (2, 3)
    assert three.get_figheight() > two.get_figheight() + 1


@pytest.mark.mpl_image_compare(tolerance=2, savefig_kwargs={"dpi": 60, "metadata": {"Software": None}})
def test_image_of_cuts(made_result):
    return cut_figure(replace(made_result, map_arrays=made_result.map_arrays[:2]))
