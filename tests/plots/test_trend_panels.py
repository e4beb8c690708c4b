from dataclasses import replace

import numpy as np
import pytest

from oofpy.catalogue import Catalogue, Filter
from oofpy.catalogue.trends import quantity_of, trends_of
from oofpy.plots.trend_panels import trend_figure
from tests.made_catalogue import OBJECTS, made_catalogue


@pytest.fixture(scope="module")
def trends(tmp_path_factory):
    folder = made_catalogue(tmp_path_factory.mktemp("plots"))

    def trends(against, *names, **options):
        with Catalogue.open(folder) as catalogue:
            return trends_of(catalogue, Filter(), [quantity_of(name) for name in names], against, **options)

    return trends


@pytest.mark.mpl_image_compare(tolerance=1, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})
def test_image_of_trends(trends):
    made = trends("elevation", "Z(2,2)", "rms", with_rejected=True)
    return trend_figure(made, "Z(2,2), rms against elevation")


def test_values_far_off_stand_at_the_edge(trends):
    [made] = trends("elevation", "rms", with_rejected=True)
    values = np.where(np.arange(90) == 4, 1e5, np.where(made.rejected, 50.0, made.values))
    [panel] = trend_figure([replace(made, values=values)], "rms").axes
    assert panel.get_ylim()[1] < 200
    [mark] = [line for line in panel.lines if line.get_marker() == "^"]
    assert mark.get_xdata().tolist() == [made.places[4]]


def test_panels_share_their_axis_and_name_it_once(trends):
    made = trends("date", "rms", "focus", "Z(2,2)")
    panels = trend_figure(made, "three").axes
    labels = ["surface rms [\N{MICRO SIGN}m]", "focus error dz [mm]", "Z(2,2) [rad]"]
    assert [panel.get_ylabel() for panel in panels] == labels
    assert [panel.get_xlabel() for panel in panels] == ["", "", "date (UTC)"]
    assert len({panel.get_xlim() for panel in panels}) == 1
    assert all(panel.get_title(loc="right").startswith("rho = ") for panel in panels)
    assert [text.get_text() for text in panels[0].get_legend().get_texts()][:2] == ["accepted", "to be checked"]
    assert panels[1].get_legend() is None


def test_objects_and_hours(trends):
    [panel] = trend_figure(trends("object", "rms"), "objects").axes
    names = [text.get_text() for text in panel.get_xticklabels()]
    assert names == [*OBJECTS[:2], "Uranus with a\N{HORIZONTAL ELLIPSIS}"]
    assert len(panel.collections) >= 3
    [panel] = trend_figure(trends("hour", "rms"), "hours", "hour (local mean time)").axes
    assert panel.get_xlabel() == "hour (local mean time)"
    assert panel.get_xlim() == (0, 24)


def test_a_quantity_without_values_is_said(trends):
    panels = trend_figure(trends("elevation", "rms", "snr"), "two").axes
    assert panels[1].texts[0].get_text() == "no values"
