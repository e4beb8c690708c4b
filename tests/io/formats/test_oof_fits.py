import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import ConfigurationError, InputError
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


ARCSEC = np.pi / 648000


@pytest.mark.parametrize(("receiver", "angle"), [("qunbal", 0.0), ("Ka", np.pi)])
def test_receivers_that_oof_knows_as_chopped(make, receiver, angle):
    primary = {"FREQ": 43e9, "TELESC": "GBT", "RECV": receiver, "CHOPTHR": 57.8}
    found = read_observation(make.oof(tables=tables(), primary=primary))
    assert found.observing.chop.throw_rad == pytest.approx(57.8 * ARCSEC)
    assert found.observing.chop.angle_rad == pytest.approx(angle)
    assert [(flag.code, flag.serious) for flag in found.flags] == [("chop-from-header", False)]
    none = read_observation(make.oof(tables=tables(), primary=primary), observing={"chop_throw": "none"})
    assert none.observing.is_plain
    assert none.flags == ()


def chopped_by_oof(hchop, pixels=64):
    """Power of a dish as choppedff.cxx of oof has it: half the tilt for the beam, and less for the other."""
    axis = np.arange(pixels) - pixels // 2
    x, y = np.meshgrid(axis, axis)
    dish = (np.hypot(x, y) < 8).astype(float)

    def power(shift):
        field = dish * np.exp(2j * np.pi * x * shift / 2)
        return np.abs(np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(field)))) ** 2

    return axis / pixels, power(hchop) - power(-hchop)


@pytest.mark.parametrize(("receiver", "sign"), [("qunbal", -1), ("Ka", 1)])
def test_direction_of_the_negative_beam_is_that_of_oof(make, receiver, sign):
    throw = 16 / 64
    axis, difference = chopped_by_oof(sign * throw)
    row = difference[len(axis) // 2]
    positive, negative = axis[np.argmax(row)], axis[np.argmin(row)]
    primary = {"FREQ": 43e9, "TELESC": "90GBT", "RECV": receiver, "CHOPTHR": 57.8}
    chop = read_observation(make.oof(tables=tables(), primary=primary)).observing.chop
    assert (negative - positive) / throw == pytest.approx(np.cos(chop.angle_rad))


@pytest.mark.parametrize("throw", [{}, {"CHOPTHR": 0.0}])
def test_missing_throw_of_a_chopped_receiver_is_an_error(make, throw):
    path = make.oof(tables=tables(), primary={"FREQ": 43e9, "TELESC": "GBT", "RECV": "qunbal", **throw})
    with pytest.raises(ConfigurationError) as caught:
        read_observation(path)
    assert str(caught.value) == (
        f"{path}: observing.chop_throw: this is missing: the chop has an angle but no throw; give it (CHOPTHR in an "
        "OOF table), or observing.chop_throw=none where there is none"
    )
    found = read_observation(path, observing={"chop_throw": "58 arcsec"})
    assert found.observing.chop.throw_rad == pytest.approx(58 * ARCSEC)
    assert read_observation(path, observing={"chop_throw": "none"}).observing.is_plain


@pytest.mark.parametrize("primary", [{"TELESC": "JCMT", "RECV": "Ka"}, {"TELESC": "GBT", "RECV": "argus"}, {}])
def test_throw_of_another_receiver_needs_an_angle(make, primary):
    path = make.oof(tables=tables(), primary={"FREQ": 90e9, "CHOPTHR": 40.0, **primary})
    with pytest.raises(
        ConfigurationError, match=r"oof.fits: observing.chop_angle: this is missing: the chop has a thr"
    ):
        read_observation(path)
    found = read_observation(path, observing={"chop_angle": "90 deg"})
    assert found.observing.chop.throw_uv_rad == pytest.approx((0, 40 * ARCSEC), abs=1e-15)


def test_throw_that_is_no_number_can_be_replaced(make):
    path = make.oof(tables=tables(), primary={"FREQ": 43e9, "TELESC": "GBT", "RECV": "Ka", "CHOPTHR": "wide"})
    with pytest.raises(
        ConfigurationError, match=r"oof.fits: observing.chop_throw = wide arcsec: is not a finite number"
    ):
        read_observation(path)
    assert read_observation(path, observing={"chop_throw": "1 mrad"}).observing.chop.throw_rad == 1e-3


def test_maps_that_are_not_chopped(make):
    mustang = {"FREQ": 90e9, "TELESC": "GBT", "RECV": "mustang"}
    for primary, codes in (
        ({**mustang, "CHOPTHR": 57.8}, []),
        ({"FREQ": 90e9, "TELESC": "JCMT", "CHOPTHR": 0.0, "OBJRADS": 0.0}, []),
        ({"FREQ": 90e9, "TELESC": "GBT"}, ["chop-unknown"]),
    ):
        found = read_observation(make.oof(tables=tables(), primary=primary))
        assert found.observing.is_plain
        assert [flag.code for flag in found.flags] == codes
        assert all(flag.serious for flag in found.flags)


def test_flag_about_an_unknown_chop_goes_when_the_user_says(make):
    path = make.oof(tables=tables(), primary={"FREQ": 90e9, "TELESC": "GBT"})
    [flag] = read_observation(path).flags
    assert flag.message == (
        "oof.fits: RECV = nothing and no CHOPTHR: the maps are taken as not beam-switched; if they are, set "
        "observing.chop_throw and observing.chop_angle, if not, observing.chop_throw=none"
    )
    for texts in ({"chop_throw": "none"}, {"chop_throw": "1 mrad", "chop_angle": "0"}):
        assert read_observation(path, observing=texts).flags == ()


def test_radius_of_the_source_is_in_radians(make):
    path = make.oof(tables=tables(), primary={"FREQ": 90e9, "OBJRADS": 4.5e-5})
    found = read_observation(path)
    assert (found.observing.source.shape, found.observing.source.diameter_rad) == ("disc", 9e-5)
    assert [(flag.code, flag.serious) for flag in found.flags] == [("source-size-from-header", False)]
    assert read_observation(path, observing={"source_diameter": "none"}).observing.is_plain
    wrong = make.oof(tables=tables(), primary={"FREQ": 90e9, "OBJRADS": 9.5})
    with pytest.raises(
        ConfigurationError, match=r"oof.fits: observing.source_diameter = 19.0 rad: must be an angle above"
    ):
        read_observation(wrong)


def test_correction_beside_the_data_is_found_and_said(make):
    path = make.oof("s6.fits", tables=tables())
    assert read_observation(path).observing.applied is None
    columns = [
        fits.Column("ParName", "30A", array=["z3", "z5"]),
        fits.Column("ParValue", "E", array=[0.5, -0.25]),
    ]
    offset = make.folder / "s6-offset.fits"
    table = fits.BinTableHDU.from_columns(columns)
    table.header["FREQ"] = 90e9
    table.writeto(offset)
    found = read_observation(path)
    assert found.observing.applied.coefficients == ((2, -2, 0.5), (2, 2, -0.25))
    assert found.observing.applied.origin == str(offset)
    assert [source.path for source in found.sources] == [path, offset]
    assert [(flag.code, flag.serious) for flag in found.flags] == [("correction-found", False)]
    assert found.flags[0].message == (
        "s6-offset.fits: this correction, beside s6.fits, is taken as one that was on the dish; "
        "observing.applied=none leaves it out"
    )
    offset.write_bytes(b"no correction")
    with pytest.raises(InputError, match=r"s6-offset.fits: this is no correction of the surface"):
        read_observation(path)
    for text, coefficients in (("none", None), ("Z(2,0)=1rad", ((2, 0, 1.0),))):
        found = read_observation(path, observing={"applied": text})
        assert (found.observing.applied and found.observing.applied.coefficients) == coefficients
        assert found.flags == ()
        assert [source.path for source in found.sources] == [path]


def test_time_in_single_precision_changes_nothing(make):
    # Days since 1858 in float32 are 5.6 minutes apart: nothing may rest on them.
    made = tables()
    for columns, _ in made:
        columns["TIME"] = fits.Column("Time", "E", unit="d", array=np.full(6, 59000.123, "f4"))
    timed, plain = read_observation(make.oof(tables=made)), read_observation(make.oof("b.fits", tables=tables()))
    for one, other in zip(timed.maps, plain.maps, strict=True):
        np.testing.assert_array_equal(one.power, other.power)
        assert one.samples == other.samples
    assert timed.flags == plain.flags == ()


def test_round_trip_is_exact(tmp_path, observation, assert_same):
    path = tmp_path / "out.fits"
    write_oof_fits(observation, path)
    found = read_observation(path)
    assert_same(found, observation)
    with fits.open(path, checksum=True) as hdus:
        assert hdus[1].columns.names == ["DX", "DY", "FNU", "UFNU", "TIME"]
        assert hdus[1].columns["TIME"].format == "D"
        assert hdus[0].header["TELESC"] == "iram30m"
        assert hdus[0].header["FREQ"] == 299792458 / observation.wavelength_m
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
