import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.result import Coefficient
from oofpy.fitting.status import FitStatus
from oofpy.plots.coefficients import coefficient_figure, has_left_out_fits, left_out_figure

image_test = pytest.mark.mpl_image_compare(tolerance=1, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})


def bars_of(panel, slot):
    """Height of the bars of a slot, left to right, and how wide they are."""
    bars = sorted(
        (bar.get_x() + bar.get_width() / 2, bar.get_height(), bar.get_width())
        for bar in panel.patches
        if abs(bar.get_x() + bar.get_width() / 2 - slot) < 0.5
    )
    return [bar[1] for bar in bars], [bar[2] for bar in bars]


def terms_to(order, seed, **fields):
    rng = np.random.default_rng(seed)
    return tuple(
        Coefficient(n, l, f"Z({n},{l})", rng.normal(0, 1 / n**2), 0.02, **fields)
        for n in range(2, order + 1)
        for l in range(-n, n + 1, 2)
    )


def ladder_of(result, highest, chosen):
    orders = tuple(
        replace(result.fit, order=order, coefficients=terms_to(order, order)) for order in range(2, highest + 1)
    )
    return replace(result, orders=orders, chosen_order=chosen)


def with_changes(result, *changes, **fields):
    """Fits without a map whose coefficients lie away from the full ones by so many standard errors."""
    fits = []
    for fit, change in zip(result.left_out_fits, changes, strict=True):
        moved = tuple(
            replace(
                one, phase_rad=one.phase_rad + change * one.phase_rad_error, phase_rad_error=2 * one.phase_rad_error
            )
            for one in fit.coefficients
        )
        surface = replace(fit.surface, rms_um=fit.surface.rms_um + 10 * change)
        fits.append(replace(fit, coefficients=moved, surface=surface, **fields))
    return replace(result, left_out_fits=tuple(fits))


def points_of(panel):
    """Values and errors of every series of points of a panel."""
    shown = [(one.lines[0].get_ydata(), one.lines[2][0].get_segments()) for one in panel.containers]
    return [(np.array(values, float), np.array([np.ptp(bar[:, 1]) / 2 for bar in bars])) for values, bars in shown]


@image_test
def test_image_of_coefficients(made_result):
    result = ladder_of(made_result, 5, 4)
    first, second, *others = result.fit.coefficients
    held = (replace(first, free=False, phase_rad_error=0.0), replace(second, at_bound=True), *others)
    orders = tuple(replace(fit, coefficients=held) if fit.order == 4 else fit for fit in result.orders)
    return coefficient_figure(replace(result, orders=orders))


@image_test
def test_image_of_left_out(made_result):
    return left_out_figure(with_changes(made_result, 0.7, -3.2))


def test_orders_stand_side_by_side_the_chosen_one_wider(made_result):
    result = ladder_of(made_result, 5, 4)
    panel = coefficient_figure(result).axes[0]
    heights, widths = bars_of(panel, 1)
    expected = [fit.coefficients[1].phase_rad for fit in result.orders]
    np.testing.assert_allclose(heights, expected)
    assert int(np.argmax(widths)) == 2
    heights, _ = bars_of(panel, 9)
    np.testing.assert_allclose(heights, [fit.coefficients[9].phase_rad for fit in result.orders[2:]])


def test_errors_of_the_chosen_order_are_drawn(made_result):
    single = replace(made_result, orders=made_result.orders[1:])
    figure = coefficient_figure(single)
    [(_, _, [lines])] = [one.lines for one in figure.axes[0].containers if hasattr(one, "lines")]
    for segment, one in zip(lines.get_segments(), single.fit.coefficients, strict=True):
        np.testing.assert_allclose(
            segment[:, 1], [one.phase_rad - one.phase_rad_error, one.phase_rad + one.phase_rad_error]
        )


def test_waves_are_radians_over_two_pi(made_result):
    radians, waves = coefficient_figure(made_result).axes[:2]
    assert (radians.get_ylabel(), waves.get_ylabel()) == ("coefficient [rad]", "[waves]")
    np.testing.assert_allclose(np.array(radians.get_ylim()) / (2 * math.pi), waves.get_ylim())
    low, high = radians.get_ylim()
    assert low < -1.7 < 0.4 < high


def test_small_coefficients_are_read_in_thousandths(made_result):
    small = tuple(
        replace(one, phase_rad=one.phase_rad / 1000, phase_rad_error=1e-5) for one in made_result.fit.coefficients
    )
    figure = coefficient_figure(replace(made_result, orders=(replace(made_result.fit, coefficients=small),)))
    figure.canvas.draw()
    radians, waves = figure.axes[:2]
    assert (radians.get_ylabel(), waves.get_ylabel()) == ("coefficient [mrad]", "[0.001 waves]")
    ticks = [float(label.get_text().replace("\N{MINUS SIGN}", "-")) for label in radians.get_yticklabels()]
    np.testing.assert_allclose(ticks, 1e3 * radians.get_yticks(), rtol=1e-5)


def test_order_that_went_astray_does_not_press_the_chosen_one_flat(made_result):
    astray = tuple(replace(one, phase_rad=1e3) for one in made_result.orders[0].coefficients)
    orders = (replace(made_result.orders[0], coefficients=astray), made_result.orders[1])
    low, high = coefficient_figure(replace(made_result, orders=orders)).axes[0].get_ylim()
    assert low < -1.7
    assert 3 < high < 10


def test_fixed_and_bounded_coefficients_are_marked(made_result):
    first, second, *others = made_result.fit.coefficients
    held = (replace(first, free=False), replace(second, at_bound=True), *others)
    figure = coefficient_figure(replace(made_result, orders=(replace(made_result.fit, coefficients=held),)))
    hatched, bounded, plain = figure.axes[0].patches[:3]
    assert hatched.get_hatch()
    assert not plain.get_hatch()
    assert bounded.get_linewidth() > plain.get_linewidth()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["order 3 (chosen)", "fixed", "at bound"]


@pytest.mark.parametrize("order", [7, 12])
def test_many_orders_stay_within_the_figure(made_result, order):
    figure = coefficient_figure(ladder_of(made_result, order, order))
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    shown = [axes.get_tightbbox() for axes in figure.axes] + [legend.get_window_extent() for legend in figure.legends]
    for box in shown:
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    assert "every row has a scale of its own" in " ".join(text.get_text() for text in figure.texts)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_flat_or_unknown_coefficients_are_drawn(made_result, value):
    flat = tuple(replace(one, phase_rad=value, phase_rad_error=value) for one in made_result.fit.coefficients)
    result = replace(made_result, orders=(replace(made_result.fit, coefficients=flat),))
    coefficient_figure(result).canvas.draw()
    left_out_figure(result).canvas.draw()


def test_figure_without_a_map_is_for_results_with_such_fits(made_result):
    assert has_left_out_fits(made_result)
    assert not has_left_out_fits(replace(made_result, left_out_fits=()))


def test_differences_are_in_errors_of_the_full_fit(made_result):
    panel = left_out_figure(with_changes(made_result, 0.7, -3.2)).axes[0]
    (first, first_errors), (second, second_errors) = points_of(panel)
    np.testing.assert_allclose(first, 0.7)
    np.testing.assert_allclose(second, -3.2)
    np.testing.assert_allclose([first_errors, second_errors], 2.0)
    low, high = panel.get_ylim()
    assert low < -3.2
    assert high > 3.2


def test_rms_and_focus_stand_beside(made_result):
    figure = left_out_figure(with_changes(made_result, 0.7, -3.2))
    rms, focus = figure.axes[1:3]
    assert [label.get_text() for label in rms.get_yticklabels()] == ["all maps", "without map 1", "without map 3"]
    full = made_result.fit.surface
    values = [float(one.lines[0].get_xdata()[0]) for one in rms.containers]
    np.testing.assert_allclose(values, [full.rms_um, full.rms_um + 7, full.rms_um - 32])
    np.testing.assert_allclose([float(one.lines[0].get_xdata()[0]) for one in focus.containers], -2.1)
    assert (rms.get_xlabel(), focus.get_xlabel()) == ("surface rms [µm]", "focus error dz [mm]")


def test_legend_tells_dz_change_and_what_did_not_converge(made_result):
    result = with_changes(made_result, 0.7, -3.2, status=FitStatus.EVALUATION_LIMIT)
    entries = [text.get_text() for text in left_out_figure(result).legends[0].get_texts()]
    assert entries == [
        "without map 1, dz -27 mm, change 0.35 sigma, not converged",
        "without map 3, dz +27 mm, change 1.6 sigma, not converged",
    ]


def test_fixed_coefficients_have_no_difference(made_result):
    fixed = tuple(replace(one, free=False, phase_rad_error=0.0) for one in made_result.fit.coefficients[:2])
    coefficients = (*fixed, *made_result.fit.coefficients[2:])
    result = replace(made_result, orders=(replace(made_result.fit, coefficients=coefficients),))
    (values, _), _ = points_of(left_out_figure(result).axes[0])
    assert values.size == 5


def test_seven_maps_stay_within_the_figure(made_result):
    result = ladder_of(made_result, 12, 12)
    maps = made_result.fit.maps * 2 + made_result.fit.maps[:1]
    orders = tuple(replace(fit, maps=maps) for fit in result.orders)
    fits = tuple(
        replace(orders[-1], left_out=number, status=FitStatus.EVALUATION_LIMIT, coefficients=terms_to(12, number))
        for number in range(1, 8)
    )
    figure = left_out_figure(replace(result, orders=orders, left_out_fits=fits))
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    highest = max(axes.get_tightbbox().y1 for axes in figure.axes)
    for box in [axes.get_tightbbox() for axes in figure.axes] + [figure.legends[0].get_window_extent()]:
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    assert figure.legends[0].get_window_extent().y0 > highest
