from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.result import Parameter
from oofpy.fitting.status import FitStatus
from oofpy.plots.ladder import has_ladder, ladder_figure

image_test = pytest.mark.mpl_image_compare(tolerance=1, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})
ARCSEC = np.pi / 648000
LABELS = [
    "reduced chi2",
    "BIC above the least",
    "surface rms [µm]",
    "focus error dz [mm]",
    "pointing u, map 2 [arcsec]",
    "pointing v, map 2 [arcsec]",
]


def ladder(result, *, open_orders=(2, 3)):
    """Orders 2 to 6, of which 5 fits best."""
    full, orders = result.fit, []
    for order, (bic, chi2) in enumerate(
        [(960.0, 40.0), (770.0, 22.0), (450.0, 3.0), (20.0, 1.1), (33.0, 1.05)], start=2
    ):
        surface = replace(full.surface, rms_um=500.0 - 30 * order, best_focus_m=-1e-3 - 1e-4 * order)
        pointing = (ARCSEC * (3 + order), -ARCSEC * order)
        parameters = (
            Parameter("pointing_u_rad[2]", pointing[0], 0.5 * ARCSEC, "rad", True),
            Parameter("pointing_v_rad[2]", pointing[1], None, "rad", False),
        )
        orders.append(
            replace(
                full,
                order=order,
                reduced_chi2=chi2,
                bic=bic,
                surface=surface,
                parameters=parameters,
                maps=tuple(replace(one, pointing_rad=pointing) for one in full.maps),
                status=FitStatus.EVALUATION_LIMIT if order in open_orders else FitStatus.CONVERGED,
            )
        )
    return replace(result, orders=tuple(orders), chosen_order=5)


def curves_of(figure):
    """The line through all orders, of every panel."""
    found = {}
    for panel in figure.axes:
        [line] = [one for one in panel.get_lines() if one.get_marker() == "None" and len(one.get_xdata()) > 2]
        found[panel.get_ylabel()] = (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
    return found


@image_test
def test_image_of_ladder(made_result):
    return ladder_figure(ladder(made_result))


def test_every_quantity_is_shown_in_its_unit(made_result):
    result = ladder(made_result)
    curves = curves_of(ladder_figure(result))
    assert list(curves) == LABELS
    expected = {
        "reduced chi2": [40.0, 22.0, 3.0, 1.1, 1.05],
        "surface rms [µm]": [440.0, 410.0, 380.0, 350.0, 320.0],
        "focus error dz [mm]": [-1.2, -1.3, -1.4, -1.5, -1.6],
        "pointing u, map 2 [arcsec]": [5, 6, 7, 8, 9],
        "pointing v, map 2 [arcsec]": [-2, -3, -4, -5, -6],
        "BIC above the least": [940.0, 750.0, 430.0, 0.0, 13.0],
    }
    for label, (orders, values) in curves.items():
        np.testing.assert_array_equal(orders, [2, 3, 4, 5, 6])
        np.testing.assert_allclose(values, expected[label])


def test_orders_that_did_not_converge_are_open(made_result):
    panel = ladder_figure(ladder(made_result)).axes[2]
    shown = {one.lines[0].get_markerfacecolor(): list(one.lines[0].get_xdata()) for one in panel.containers}
    assert shown.pop("white") == [2, 3]
    assert list(shown.values()) == [[4, 5, 6]]


def test_chosen_order_is_marked(made_result):
    for panel in ladder_figure(ladder(made_result)).axes:
        [band] = panel.patches
        low, high = band.get_extents().transformed(panel.transData.inverted()).intervalx
        assert low < 5 < high
        assert high - low < 1


def test_errors_are_standard_errors_in_the_same_unit(made_result):
    figure = ladder_figure(ladder(made_result, open_orders=()))
    half = {}
    for panel in figure.axes:
        [drawn] = panel.containers
        segments = drawn.lines[2][0].get_segments() if drawn.has_yerr else []
        half[panel.get_ylabel()] = [np.ptp(np.asarray(one)[:, 1]) / 2 for one in segments]
    assert half["reduced chi2"] == []
    assert half["pointing v, map 2 [arcsec]"] == []
    np.testing.assert_allclose(half["pointing u, map 2 [arcsec]"], [0.5] * 5)
    np.testing.assert_allclose(half["surface rms [µm]"], [21.7] * 5)
    np.testing.assert_allclose(half["focus error dz [mm]"], [0.4] * 5)


def test_unknown_values_are_named(made_result):
    figure = ladder_figure(made_result)
    figure.canvas.draw()
    assert [text.get_text() for text in figure.axes[0].texts] == ["unknown"]
    assert not figure.axes[1].texts


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_equal_or_unknown_orders_are_drawn(made_result, value):
    surface = replace(made_result.fit.surface, rms_um=value, rms_um_error=value, best_focus_m=value)
    orders = tuple(replace(fit, surface=surface, reduced_chi2=value, bic=value) for fit in made_result.orders)
    ladder_figure(replace(made_result, orders=orders)).canvas.draw()


def test_ladder_has_two_orders_or_more(made_result):
    assert has_ladder(made_result)
    assert not has_ladder(replace(made_result, orders=made_result.orders[1:]))
