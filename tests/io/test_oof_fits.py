import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import InputError
from oofpy.io import read_observation, write_oof_fits

FRACTION = st.floats(0, 1, exclude_max=True)
FLIPS = st.lists(st.tuples(FRACTION, st.integers(1, 255)), max_size=4)
U = np.linspace(-1e-3, 1e-3, 6)


def tables(errors=None, names=("DX", "DY", "FNU")):
    made = []
    for k, dz in enumerate((0.0, 0.003, -0.003)):
        columns = dict(zip(names, (U, U**2, (U * 1e3 + 2) ** (k + 1)), strict=True))
        if errors is not None:
            columns["UFNU"] = errors
        made.append((columns, {"DZ": dz}))
    return made


def test_any_order_of_defocus_and_column_names_in_any_case(make):
    found = read_observation(make.oof(tables=tables(names=("dx", "Dy", "FNu"))))
    assert found.defocus_m.tolist() == [0.0, 0.003, -0.003]
    assert found.telescope == "GBT"
    assert found.object_name == "0319+4130"
    assert found.wavelength_m == 299792458 / 90e9
    assert found.elevation_rad is None
    np.testing.assert_array_equal(found.maps[0].u_rad, U.astype("f4"))
    assert found.maps[0].relative_error is None
    assert found.flags == ()


def test_coordinates_in_radians_spelt_out(make):
    made = tables()
    for columns, _ in made:
        columns["DX"] = fits.Column("DX", "E", unit="radians", array=U)
        columns["FNU"] = fits.Column("FNU", "E", unit="Jy", array=columns["FNU"])
    found = read_observation(make.oof(tables=made))
    np.testing.assert_array_equal(found.maps[0].u_rad, U.astype("f4"))
    assert found.flags == ()


@pytest.mark.parametrize("errors", [np.zeros(6), np.ones(6)])
def test_equal_errors_mean_none_given(make, errors):
    found = read_observation(make.oof(tables=tables(errors)))
    assert all(beam_map.relative_error is None for beam_map in found.maps)
    assert [beam_map.samples for beam_map in found.maps] == [6, 6, 6]
    assert [(flag.code, flag.serious) for flag in found.flags] == [("errors-equal", False)]
    assert "1, 2, 3" in found.flags[0].message


def test_unequal_errors_are_kept(make):
    errors = np.arange(1.0, 7.0)
    found = read_observation(make.oof(tables=tables(errors)))
    np.testing.assert_array_equal(found.maps[1].relative_error, errors)
    assert found.flags == ()


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan])
def test_some_errors_that_are_not_positive_mask_their_samples(make, wrong):
    errors = np.arange(1.0, 7.0)
    errors[2] = wrong
    found = read_observation(make.oof(tables=tables(errors)))
    assert [beam_map.masked for beam_map in found.maps] == [1, 1, 1]
    assert not found.maps[0].used[2]
    assert [(flag.code, flag.serious) for flag in found.flags] == [("errors-not-positive", True)] * 3


@pytest.mark.parametrize("errors", [np.full(6, -1.0), -np.arange(1.0, 7.0), np.full(6, np.nan)])
def test_errors_without_any_positive_are_refused(make, errors):
    with pytest.raises(InputError, match=r"map 1 \(HDU 1\): no error is a positive number"):
        read_observation(make.oof(tables=tables(errors)))


def test_files_with_one_map_each(make):
    paths = [make.oof(f"m{k}.fits", tables=[table]) for k, table in enumerate(tables())]
    found = read_observation(*paths)
    assert found.name == "m0"
    assert found.defocus_m.tolist() == [0.0, 0.003, -0.003]
    assert [source.path for source in found.sources] == paths


def test_missing_defocus_is_named_with_the_remedy(make):
    made = tables()
    del made[1][1]["DZ"]
    with pytest.raises(InputError, match=r"oof.fits: DZ: the defocus of map 2 \(HDU 2\) is not given; .*--dz"):
        read_observation(make.oof(tables=made))


def test_chopped_maps_are_flagged(make):
    primary = {"FREQ": 90e9, "CHOPTHR": 57.8, "OBJRADS": 0.0}
    found = read_observation(make.oof(tables=tables(), primary=primary))
    assert [(flag.code, flag.serious) for flag in found.flags] == [("chop-not-modelled", True)]
    primary = {"FREQ": 90e9, "CHOPTHR": 0.0, "OBJRADS": 2.0}
    found = read_observation(make.oof(tables=tables(), primary=primary))
    assert [(flag.code, flag.serious) for flag in found.flags] == [("source-size-not-modelled", False)]


def test_round_trip_is_exact(tmp_path, observation, assert_same):
    path = tmp_path / "out.fits"
    write_oof_fits(observation, path)
    found = read_observation(path)
    assert_same(found, observation)
    with fits.open(path, checksum=True) as hdus:
        assert hdus[1].columns.names == ["DX", "DY", "FNU", "UFNU", "TIME"]
        assert hdus[0].header["TELESC"] == "iram30m"
        assert np.isnan(hdus[2].data["FNU"][3])


def test_round_trip_without_errors(tmp_path, observation):
    bare = type(observation)(
        "bare", tuple(type(m)(m.u_rad, m.v_rad, m.power, m.defocus_m) for m in observation.maps), 0.002
    )
    write_oof_fits(bare, tmp_path / "out.fits")
    found = read_observation(tmp_path / "out.fits")
    assert found.elevation_rad is None
    assert all(beam_map.relative_error is None for beam_map in found.maps)
    assert [flag.code for flag in found.flags] == ["errors-equal", "samples-unobserved"]


@settings(max_examples=60, deadline=None)
@given(cut=st.sampled_from([0, 0, 0.02, 0.3]) | FRACTION, flips=FLIPS, deletion=st.none() | FRACTION)
def test_damaged_files_give_one_line_errors(scratch, damage, survives, cut, flips, deletion):
    data = scratch.oof("whole-oof.fits").read_bytes()
    survives(scratch("damaged-oof.fits", damage(data, cut, flips, deletion)))
