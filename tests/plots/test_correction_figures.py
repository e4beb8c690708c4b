import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.correction.layouts import LAYOUTS
from oofpy.correction.making import correct
from oofpy.correction.mirror import Mirror
from oofpy.correction.values import CorrectionSettings
from oofpy.plots.correction_figures import correction_figure, write_correction_figures
from tests.correction.made_surfaces import grid_of_points, points_at, rough, source_of
from tests.few_colours import FewColours

image_test = pytest.mark.mpl_image_compare(tolerance=0.5, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})
PATH = CorrectionSettings(mirror=Mirror(along="path"))


@pytest.fixture(scope="module")
def correction():
    """The 96 actuators of Effelsberg, some of them at their limits, some left where they are."""
    layout = LAYOUTS["effelsberg"]
    settings = CorrectionSettings(mirror=layout.mirror, limits_um=(-300.0, 300.0), threshold_um=20.0)
    return correct(source_of(rough()), settings, layout.points)


def figure_of(correction):
    return correction_figure(correction, correction.elevations[0])


def panels_titled(figure):
    return {panel.get_title(loc="left").split(",")[0]: panel for panel in figure.axes if panel.get_title(loc="left")}


def texts_of(figure):
    return " ".join(text.get_text() for text in figure.texts)


@image_test
def test_image_of_correction(correction):
    return FewColours(figure_of(correction))


def test_points_stand_in_the_aperture_with_their_moves(correction):
    at = correction.elevations[0]
    panel = panels_titled(figure_of(correction))["increment"]
    drawn = {group.get_label().split(" (")[0]: group for group in panel.collections}
    assert set(drawn) == {"moved", "clipped", "below threshold"}
    for label, group in drawn.items():
        which = np.array([str(one) == label.replace(" ", "-") for one in at.moves.status])
        assert which.sum() == len(group.get_offsets()) > 0
        assert group.get_label().endswith(f"({which.sum()})")
        places = np.stack([at.moves.aperture_x_m, at.moves.aperture_y_m], axis=1)[which]
        np.testing.assert_array_equal(group.get_offsets(), places)
        np.testing.assert_array_equal(group.get_array(), at.moves.increment_um[which])
        low, high = group.get_clim()
        assert -low == high == np.abs(at.moves.increment_um).max()
    assert panel.get_aspect() == 1.0


def test_places_are_those_of_the_aperture(correction):
    panels = [panel for panel in figure_of(correction).axes if panel.get_title(loc="left")]
    assert [panel.get_xlabel() for panel in panels] == ["aperture x [m]"] * 3
    assert [panel.get_ylabel() for panel in panels] == ["aperture y [m]", "aperture y [m]", ""]


def test_before_and_after_share_one_scale(correction):
    prediction = correction.elevations[0].prediction
    panels = panels_titled(figure_of(correction))
    for name, values in (("before", prediction.before_um), ("after", prediction.after_um)):
        (image,) = panels[name].get_images()
        np.testing.assert_array_equal(image.get_array().filled(np.nan), np.where(prediction.open_dish, values, np.nan))
        assert image.origin == "lower"
    assert panels["before"].get_images()[0].get_clim() == panels["after"].get_images()[0].get_clim()
    assert f"rms {prediction.rms_after_um:.4g}" in panels["after"].get_title(loc="left")


def test_the_heading_says_what_the_moves_are(correction):
    texts = texts_of(figure_of(correction))
    one = correction.elevations[0].prediction.efficiencies[0]
    assert "moves of the subreflector, in µm, along the normal of the surface; > 0 moves the metal towards" in texts
    assert f"efficiency at 7 mm: {one.exact_before:.4f} before, {one.exact_after:.4f} after" in texts
    assert "elevation 45.84°" in texts
    assert "seen from behind the dish looking at the sky" in texts


def test_points_outside_the_dish_are_not_drawn_but_told():
    made = correct(source_of(rough()), PATH, points_at([0.0, 30.0, -20.0, 80.0], [10.0, 5.0, -30.0, 0.0]))
    figure = figure_of(made)
    assert sum(len(group.get_offsets()) for group in panels_titled(figure)["increment"].collections) == 3
    assert "; 1 of 4 points lies outside the dish" in texts_of(figure)


def test_panels_for_which_there_is_nothing_are_left_out():
    assert set(panels_titled(figure_of(correct(source_of(rough()), PATH)))) == {"before", "after"}
    few = correct(source_of(rough()), PATH, points_at([10.0, 20.0], [0.0, 0.0]))
    assert set(panels_titled(figure_of(few))) == {"increment"}


def test_a_flat_dish_can_be_drawn():
    flat = replace(rough(), values_um=np.zeros(len(rough().terms)))
    figure = figure_of(correct(source_of(flat), PATH, grid_of_points(across=7)))
    assert "rms 0" in panels_titled(figure)["after"].get_title(loc="left")


def test_every_elevation_has_a_file(tmp_path):
    surfaces = [rough(seed=number, elevation_rad=math.radians(el)) for number, el in ((1, 30), (2, 45))]
    write_correction_figures(correct(source_of(*surfaces), PATH), tmp_path, pdf=True)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["correction-el30.pdf", "correction-el30.png", "correction-el45.pdf", "correction-el45.png"]
