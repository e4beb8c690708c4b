from dataclasses import replace

import numpy as np
import pytest

from oofpy.plots.beams import beam_figure

ARCSEC = 648000 / np.pi
# Scale of a Student-t likelihood with four degrees of freedom for Gaussian noise of one.
STUDENT_SCALE = 0.831
PITCH = 12e-4 / 24


def panels_of(figure):
    """Panels with an image, in rows of observed, model, residual; colour bars hold no image."""
    panels = [axes for axes in figure.axes if axes.get_images()]
    return [panels[start : start + 3] for start in range(0, len(panels), 3)]


def shown(panel):
    return panel.get_images()[0].get_array().filled(np.nan)


@pytest.fixture(scope="module")
def rows(made_result):
    return panels_of(beam_figure(made_result))


def on_grid(arrays, values):
    """Values of a map on its grid, found independently of the drawing."""
    order = np.lexsort((arrays.u_rad, arrays.v_rad))
    return values[order].reshape(25, 25)


def with_map(result, number, **fields):
    arrays = list(result.map_arrays)
    arrays[number] = replace(arrays[number], **fields)
    return replace(result, map_arrays=tuple(arrays))


def with_glitches(result):
    """Smooth residuals; the likelihood disregards a block of samples below the model and scattered ones above it."""
    rng = np.random.default_rng(5)
    changed = result
    for number, arrays in enumerate(result.map_arrays):
        block = (np.abs(arrays.u_rad + 3e-4) < 1e-4) & (np.abs(arrays.v_rad - 3e-4) < 1.6e-4)
        spikes = (rng.random(arrays.weight.size) < 0.02) & ~block
        smooth = np.where(np.isfinite(arrays.observed), arrays.model + 20 * np.cos(8e3 * arrays.u_rad), np.nan)
        observed = smooth + np.where(spikes, 400.0, 0) - np.where(block, 60.0, 0)
        weight = np.where((spikes | block) & (arrays.weight > 0), 0.05, arrays.weight)
        changed = with_map(changed, number, observed=observed, weight=weight)
    return changed


def marks_of(panel):
    """Lines about marked samples, as an array (lines, both ends, direction); in the unit of the axes."""
    outlines = [patch for patch in panel.artists + panel.patches if type(patch).__name__ == "PathPatch"]
    return np.concatenate([outline.get_path().vertices.reshape(-1, 2, 2) for outline in outlines])


@pytest.mark.parametrize("number", [0, 1])
def test_panels_hold_observed_model_and_their_difference(made_result, rows, number):
    arrays = made_result.map_arrays[number]
    used = arrays.weight > 0
    blanked = np.where(used, arrays.observed, np.nan)
    np.testing.assert_array_equal(shown(rows[number][0]), on_grid(arrays, blanked))
    np.testing.assert_array_equal(shown(rows[number][1]), on_grid(arrays, arrays.model))
    wanted = (blanked - arrays.model) / (8.1 / STUDENT_SCALE * arrays.relative_error)
    np.testing.assert_allclose(shown(rows[number][2]), on_grid(arrays, wanted), rtol=1e-3)
    assert np.isnan(shown(rows[number][2])).sum() == 9


def test_scattered_map_shows_its_samples_only(made_result, rows):
    arrays = made_result.map_arrays[2]
    image = shown(rows[2][0])
    assert np.isin(image[np.isfinite(image)], arrays.observed[arrays.weight > 0]).all()


def test_observed_and_model_share_a_scale_and_residuals_are_symmetric(made_result, rows):
    for (observed, model, residual), arrays in zip(rows, made_result.map_arrays, strict=True):
        low, high = model.get_images()[0].get_clim()
        assert observed.get_images()[0].get_clim() == (low, high)
        used = arrays.model[arrays.weight > 0]
        assert low == used.min()
        assert used.max() <= high <= 1.25 * np.ptp(used) + used.min()
        low, high = residual.get_images()[0].get_clim()
        assert low == -high <= -4


def test_scale_grows_for_an_observed_peak_but_not_for_glitches(made_result):
    arrays = made_result.map_arrays[1]
    brighter = 40 + 1.2 * (arrays.observed - 40)
    (_, model, _) = panels_of(beam_figure(with_map(made_result, 1, observed=brighter)))[1]
    peak = arrays.model[arrays.weight > 0].max()
    assert model.get_images()[0].get_clim()[1] > 1.02 * peak
    spiked = np.where(np.arange(brighter.size) % 40 == 0, 1e6, arrays.observed)
    (_, model, residual) = panels_of(beam_figure(with_map(made_result, 1, observed=spiked)))[1]
    assert model.get_images()[0].get_clim()[1] <= 1.25 * peak
    assert residual.get_images()[0].get_clim()[1] < 40


def test_down_weighted_samples_are_surrounded_and_counted(made_result):
    weight = np.where(made_result.map_arrays[0].weight > 0, 1.0, 0.0)
    arrays = made_result.map_arrays[0]
    up, down = np.flatnonzero((weight > 0) & (np.hypot(arrays.u_rad, arrays.v_rad) < 2e-4))[[0, -1]]
    weight[[up, down]] = 0.09, 0.01
    observed = arrays.model.copy()
    observed[up] += 50
    observed[down] -= 50
    (_, _, panel) = panels_of(beam_figure(with_map(made_result, 0, weight=weight, observed=observed)))[0]
    lines = marks_of(panel)
    assert panel.get_title("left") == "observed - model, 2 of 616 down-weighted"
    lengths = np.abs(np.diff(lines, axis=1)).sum(axis=(1, 2)) / (PITCH * ARCSEC)
    for sample, length in ((up, 1.0), (down, 0.5)):
        centre = np.array([arrays.u_rad[sample], arrays.v_rad[sample]]) * ARCSEC
        near = np.abs(lines.mean(axis=1) - centre).max(axis=1) < 0.6 * PITCH * ARCSEC
        assert near.sum() == 4
        # Whole sides where the residual is positive, broken ones where it is negative.
        np.testing.assert_allclose(lengths[near], length, rtol=1e-6)
    assert len(lines) == 8


def test_a_line_surrounds_neighbours_together(made_result):
    arrays = made_result.map_arrays[1]
    block = (np.abs(arrays.u_rad - 3e-4) < 1.1 * PITCH) & (np.abs(arrays.v_rad) < 2.1 * PITCH)
    assert block.sum() == 15
    observed, weight = arrays.model + np.where(block, 99.0, 0), np.where(block, 0.01, 1.0)
    (_, _, panel) = panels_of(beam_figure(with_map(made_result, 1, weight=weight, observed=observed)))[1]
    assert len(marks_of(panel)) == 2 * (3 + 5)


def test_marks_are_seen_on_every_colour(rows):
    """Black on the darkest colour of the residuals, as luminance."""
    colours = rows[0][2].get_images()[0].get_cmap()(np.linspace(0, 1, 64))[:, :3]
    assert (colours @ [0.299, 0.587, 0.114]).min() > 0.25


def test_nothing_down_weighted_is_said(rows):
    assert rows[0][2].get_title("left") == "observed - model, none down-weighted"


def test_rows_say_what_a_map_is_and_how_well_it_was_fitted(made_result):
    figure = beam_figure(made_result)
    texts = [text.get_text() for text in figure.texts]
    rms = 100 * made_result.fit.maps[0].residual_rms_over_peak
    assert f"map 1   MINUS OOF   dz -27 mm   gain 1500   signal-to-noise 37   rms residual {rms:.2g} % of peak" in texts
    assert any("no noise" in text for text in texts)
    unknown = with_map(made_result, 0, signal_to_noise=float("nan"))
    assert any("signal-to-noise unknown" in text.get_text() for text in beam_figure(unknown).texts)


def test_pointing_is_marked(made_result, rows):
    for row, fitted in zip(rows, made_result.fit.maps, strict=True):
        for panel in row[:2]:
            for line in panel.lines:
                np.testing.assert_allclose(line.get_xydata(), [np.array(fitted.pointing_rad) * ARCSEC])
            assert len(panel.lines) == 2


def test_axes_are_equal_and_labelled_with_units(rows):
    assert rows[0][0].get_ylabel() == "v [arcsec]"
    assert rows[-1][2].get_xlabel() == "u [arcsec]"
    for panel in (panel for row in rows for panel in row):
        assert panel.get_aspect() == 1.0
        # Half a pixel beyond the outermost samples.
        np.testing.assert_allclose(panel.get_xlim(), np.array([-1, 1]) * 6e-4 * (1 + 1 / 24) * ARCSEC)
    labels = [axes.get_ylabel() for axes in rows[0][0].figure.axes if not axes.get_images()]
    assert labels == ["power [map unit]", "residual [\N{GREEK SMALL LETTER SIGMA} of the noise]"] * 3


def test_up_is_up(rows):
    panel = rows[0][0]
    left, right, bottom, top = panel.get_images()[0].get_extent()
    assert left < right
    assert bottom < top
    assert panel.get_images()[0].origin == "lower"


def test_map_without_a_usable_sample_is_drawn_blank(made_result):
    empty = tuple(
        replace(arrays, weight=np.zeros_like(arrays.weight), observed=np.full_like(arrays.observed, np.nan))
        for arrays in made_result.map_arrays
    )
    figure = beam_figure(replace(made_result, map_arrays=empty))
    figure.canvas.draw()
    assert np.isnan(shown(panels_of(figure)[0][2])).all()


@pytest.mark.mpl_image_compare(tolerance=2, savefig_kwargs={"dpi": 57, "metadata": {"Software": None}})
def test_image_of_beams(made_result):
    return beam_figure(with_glitches(replace(made_result, map_arrays=made_result.map_arrays[:2])))
