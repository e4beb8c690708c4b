import numpy as np
import pytest

from oofpy.planning import SampleNoise, SharedTime, Situation, plan_observation
from oofpy.plots.plan_figures import plan_figure, write_plan_figures
from oofpy.telescope import load_telescope

image_test = pytest.mark.mpl_image_compare(tolerance=1, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})


@pytest.fixture(scope="module")
def plan():
    """Of two orders and two sizes of the maps, of which one is too small where dz is large."""
    situation = Situation(load_telescope("fyst"), 1.1e-3, (2, 3))
    beam = situation.beam_rad
    return plan_observation(
        situation,
        SharedTime(1200, 2000),
        dz_m=np.geomspace(10e-3, 160e-3, 7),
        half_widths_rad=(6 * beam, 12 * beam),
        spacings_rad=(0.5 * beam,),
    )


@pytest.fixture(scope="module")
def single():
    situation = Situation(load_telescope("fyst"), 1.1e-3, (7,))
    return plan_observation(situation, SampleNoise(500), dz_m=(60e-3,), merit="focus")


@image_test
def test_image_of_plan(plan):
    return plan_figure(plan)


def test_every_curve_is_drawn_with_its_best(plan):
    figure = plan_figure(plan)
    panel = figure.axes[0]
    curves = [line for line in panel.get_lines() if line.get_label().startswith("order")]
    assert len(curves) == len(plan.curves)
    for line, curve in zip(curves, plan.curves, strict=True):
        np.testing.assert_allclose(line.get_xdata(), [1e3 * one.dz_m for one in curve.predictions])
        np.testing.assert_allclose(line.get_ydata(), curve.merits)
        assert line.get_label().endswith(f"best {curve.best.dz_m * 1e3:.3g} mm")
    marked = {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in panel.get_lines()
        if line.get_marker() == "o"
    }
    assert marked == {(1e3 * curve.best.dz_m, min(curve.merits)) for curve in plan.curves}
    crossed = sum(len(line.get_xdata()) for line in panel.get_lines() if line.get_marker() == "x")
    assert crossed == sum(bool(one.remarks) for curve in plan.curves for one in curve.predictions) > 0
    legend = [text.get_text() for text in panel.get_legend().get_texts()]
    assert any(text.startswith("doubtful: ") and "small-map" in text for text in legend)


def test_bars_are_the_errors_at_the_best(plan):
    panel = plan_figure(plan).axes[1]
    lower, higher = (plan.best_of_order(order).best for order in (2, 3))
    heights = [bar.get_height() for bar in panel.patches if bar.get_height() > 0]
    np.testing.assert_allclose(heights, [*lower.coefficient_errors_um, *higher.coefficient_errors_um])
    title = panel.get_title(loc="left")
    assert f"{lower.dz_m * 1e3:.3g}" in title
    assert f"{higher.dz_m * 1e3:.3g}" in title


def test_one_dz_and_many_terms(single):
    figure = plan_figure(single)
    assert len(figure.axes) == 3
    assert figure.axes[0].get_ylabel() == "error of the focus [mm]"
    [marker] = [line for line in figure.axes[0].get_lines() if line.get_marker() == "o"]
    assert float(marker.get_ydata()[0]) == pytest.approx(single.best.best.focus_error_m * 1e3)
    assert sum(len(panel.patches) for panel in figure.axes[1:]) == len(single.best.best.terms)


def test_files(single, tmp_path):
    write_plan_figures(single, tmp_path, pdf=True)
    assert {one.name for one in tmp_path.iterdir()} == {"plan.png", "plan.pdf"}
    assert (tmp_path / "plan.png").stat().st_size > 10_000
