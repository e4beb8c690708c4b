"""The sample observations in data/ are what their script makes and what their README says."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from oofpy.io import read_observation
from oofpy.telescope import load_telescope

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = REPOSITORY / "data"
TABLES = ("jcmt_270GHz.fits", "jcmt_270GHz_pyoof.fits", "jcmt_270GHz_glitches.fits")
TRUTHS = ("jcmt_270GHz.truth.json", "jcmt_270GHz_glitches.truth.json")


@pytest.fixture(scope="module")
def made_again(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["make_sample_data.py", "--out", str(folder)])
        runpy.run_path(str(REPOSITORY / "scripts" / "make_sample_data.py"), run_name="__main__")
    return folder


def assert_close(found, wanted):
    """Compare what JSON holds; numbers to rounding, which differs between machines."""
    assert type(found) is type(wanted)
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
        for key in wanted:
            assert_close(found[key], wanted[key])
    elif isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_close(one, other)
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-15)
    else:
        assert found == wanted


def test_the_script_makes_what_is_there(made_again):
    made = sorted(path.name for path in made_again.iterdir())
    assert made == sorted((*TABLES, *TRUTHS))
    assert made == sorted(path.name for path in DATA.iterdir() if path.name != "README.md")


@pytest.mark.parametrize("name", TABLES)
def test_the_script_makes_the_same_maps(made_again, name):
    with fits.open(made_again / name) as found, fits.open(DATA / name) as wanted:
        assert len(found) == len(wanted) == 4
        for one, other in zip(found, wanted, strict=True):
            skipped = {"CHECKSUM", "DATASUM"}
            assert [card[:2] for card in one.header.cards if card[0] not in skipped] == [
                card[:2] for card in other.header.cards if card[0] not in skipped
            ]
        for one, other in zip(found[1:], wanted[1:], strict=True):
            for column in other.columns.names:
                scale = np.abs(other.data[column]).max()
                np.testing.assert_allclose(one.data[column], other.data[column], rtol=0, atol=1e-9 * scale)


@pytest.mark.parametrize("name", TRUTHS)
def test_the_script_makes_the_same_truth(made_again, name):
    assert_close(json.loads((made_again / name).read_text()), json.loads((DATA / name).read_text()))


def test_both_layouts_hold_the_same_observation():
    one, other = (read_observation(DATA / name) for name in TABLES[:2])
    assert one.telescope == other.telescope == "jcmt"
    assert one.wavelength_m == other.wavelength_m == 1.1e-3
    assert one.defocus_m.tolist() == other.defocus_m.tolist() == [-3e-3, 0.0, 3e-3]
    for first, second in zip(one.maps, other.maps, strict=True):
        for name in ("u_rad", "v_rad", "power"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_glitches_are_the_only_difference():
    clean, glitched = (read_observation(DATA / TABLES[number]) for number in (0, 2))
    truth = json.loads((DATA / TRUTHS[1]).read_text())
    for one, other, entry in zip(clean.maps, glitched.maps, truth["maps"], strict=True):
        changed = np.flatnonzero(one.power != other.power)
        assert changed.tolist() == entry["glitched_samples"]
        assert changed.size == round(0.03 * 65 * 65)
        size = np.abs(other.power - one.power)[changed] / entry["peak"]
        assert size.min() > 0.2 - 1e-9
        assert size.max() < 1 + 1e-9


def test_the_observation_is_one_that_a_telescope_would_take():
    truth = json.loads((DATA / TRUTHS[0]).read_text())
    assert truth["surface"]["half_path_rms_um"] == pytest.approx(60)
    peaks = [entry["peak"] / entry["gain"] for entry in truth["maps"]]
    assert 0.02 < peaks[0] < 0.4
    assert 0.02 < peaks[2] < 0.4
    assert 0.3 < peaks[1] < 1
    assert min(entry["peak"] for entry in truth["maps"]) == pytest.approx(200 * truth["maps"][0]["noise_sigma"])
    # Change of the defocus path from the centre to the rim, in wavelengths.
    geometry = load_telescope("jcmt").geometry
    lengths = (geometry.primary_focal_length_m, geometry.effective_focal_length_m)
    rim = [(geometry.dish_radius_m / (2 * length)) ** 2 for length in lengths]
    change = 3e-3 * sum(1 - (1 - a) / (1 + a) for a in rim) / 1.1e-3
    assert 0.75 < change < 2.6
    reach = read_observation(DATA / TABLES[0]).maps[0].u_rad.max() * 15 / 1.1e-3
    assert reach == pytest.approx(9)


def test_files_are_small_and_described():
    readme = (DATA / "README.md").read_text()
    for path in DATA.iterdir():
        assert path.name == "README.md" or f"`{path.name}`" in readme
        assert path.stat().st_size < 1_000_000
    assert "python scripts/make_sample_data.py" in readme
    assert "BSD-3" in readme
