"""The same data in every format give the same coefficients."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oofpy.errors import OofError
from oofpy.io import READERS, read_observation
from oofpy.io.reader import FileContent
from oofpy.io.registry import recognise

ROOT = Path(__file__).resolve().parent.parent

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(ROOT / "scripts")
    directions = importlib.import_module("benchmarks.directions")
    formats = importlib.import_module("benchmarks.formats")

LAYOUTS = formats.LAYOUTS
NAMES = [layout.name for layout in LAYOUTS]
SKY = [layout for layout in LAYOUTS if layout.directions is not directions.on_a_grid]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return formats.Study(directions.Pixels(23, 25, 0.0016), 3, tmp_path_factory.mktemp("formats"), pixels_across=128)


def test_every_reader_has_a_layout():
    assert {layout.reader for layout in LAYOUTS} == {reader.name for reader in READERS}
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)
def test_the_reader_of_the_layout_takes_it_and_is_told_no_more_than_it_needs(study, layout):
    written = study.written(layout)
    assert {recognise(FileContent.load(file)).name for file in written.files} == {layout.reader}
    for name in written.said:
        fewer = {key: value for key, value in written.said.items() if key != name}
        with pytest.raises(OofError):
            study.read(replace(written, said=fewer))


@pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)
def test_same_coefficients_as_from_the_table(study, layout):
    row = study.row(layout)
    assert row["largest_difference_rad"] < 1e-6
    assert row["after_convert_rad"] < 1e-6
    assert row["pointing_difference_beams"] < 1e-6
    # TAN offsets taken for direction cosines would be off by 4e-11.
    assert row["directions_rad"] < 1e-14
    # Noise, and errors or none, move the coefficients by some 0.005.
    assert row["from_truth_rad"] < 0.02
    gaps = sum(int(np.isnan(one.power).sum()) for one in study.taken(layout).maps)
    assert gaps > 200
    assert row["samples"] == 3 * 23 * 25 - gaps


def test_the_surface_and_the_errors_matter(study):
    surface = study.surface_rad
    assert np.abs(surface).min() > 0.1
    table, bare = (layout for layout in LAYOUTS if layout.name in ("OOF FITS", "pyoof FITS"))
    with_errors, without = (formats.coefficients_rad(study.reference(layout)) for layout in (table, bare))
    assert np.abs(with_errors - without).max() > 1e-3


@pytest.mark.parametrize("layout", SKY, ids=[layout.name for layout in SKY])
def test_offsets_the_other_way_turn_the_surface(study, layout):
    written = study.written(layout)
    orientation = read_observation(*written.files, **written.said).orientation
    other = {"telescope": "source", "source": "telescope"}[orientation.offsets]
    result = study.fit(study.read(written, orientation=replace(orientation, offsets=other)))
    odd = np.array([coefficient.n % 2 == 1 for coefficient in result.fit.coefficients])
    wanted = formats.coefficients_rad(study.reference(layout))
    found = formats.coefficients_rad(result)
    assert np.abs(found - wanted)[odd].min() > 0.2
    # The aperture looks the same after half a turn.
    np.testing.assert_allclose(found, np.where(odd, -wanted, wanted), rtol=0, atol=1e-6)


def test_another_zenith_turns_the_surface(study):
    [layout] = [layout for layout in LAYOUTS if layout.name == "NIKA2 IDL"]
    written = study.written(layout)
    orientation = replace(written.said["orientation"], parallactic_angle_rad=(0.0,))
    found = formats.coefficients_rad(study.fit(study.read(written, orientation=orientation)))
    assert np.abs(found - formats.coefficients_rad(study.reference(layout))).max() > 0.1
