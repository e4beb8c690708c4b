import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import InputError, UsageError
from oofpy.io import read_observation, write_pyoof_fits

FRACTION = st.floats(0, 1, exclude_max=True)
FLIPS = st.lists(st.tuples(FRACTION, st.integers(1, 255)), max_size=4)


def codes(observation, serious=None):
    return [flag.code for flag in observation.flags if serious is None or flag.serious == serious]


def test_real_observation(shared_data):
    found = read_observation(shared_data / "srt_2019-04-26" / "srt_2019-04-26.fits")
    assert found.name == "srt_2019-04-26"
    assert found.defocus_m.tolist() == [-0.027, 0.0, 0.027]
    assert found.wavelength_m == pytest.approx(299792458 / 22.23e9, rel=1e-15)
    assert found.elevation_rad is None
    assert (found.object_name, found.date, found.telescope) == ("run_20190426", "2019-04-26", None)
    assert [round(beam_map.power.max()) for beam_map in found.maps] == [1793, 4530, 967]
    assert {beam_map.power.dtype.str for beam_map in found.maps} == {"<f8" if np.little_endian else ">f8"}
    assert [beam_map.samples for beam_map in found.maps] == [10000] * 3
    assert codes(found) == ["exact-zeros"]
    assert codes(found, serious=True) == []
    assert found.sources[0].sha256.startswith("667abb965cd8be7f")


def test_simulated_observation_of_another_program(shared_data):
    found = read_observation(shared_data / "pyoof" / "example0.fits")
    assert found.defocus_m.tolist() == [-0.022, 0.0, 0.022]
    assert [beam_map.samples for beam_map in found.maps] == [97 * 97] * 3
    assert found.flags == ()


def test_values_and_metadata(make):
    found = read_observation(make.pyoof())
    assert found.elevation_rad == pytest.approx(np.pi / 4)
    assert found.maps[2].label == "PLUS OOF"
    # The test file has float32 columns of these numbers.
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(found.maps[0].u_rad, rng.uniform(-1e-3, 1e-3, (2, 12))[0].astype("f4"))
    assert found.flags == ()


def test_only_wavelength_or_only_frequency(make):
    assert read_observation(make.pyoof(primary={"WAVEL": 0.01})).wavelength_m == 0.01
    assert read_observation(make.pyoof(primary={"FREQ": 3e10})).wavelength_m == 299792458 / 3e10


def test_units_in_comments_and_names_that_are_numbers(make):
    path = make.pyoof(primary={"FREQ": (32.0, "[GHz] frequency"), "OBJECT": 87, "TELESCOP": True})
    found = read_observation(path)
    assert found.wavelength_m == 299792458 / 32e9
    assert (found.object_name, found.telescope) == ("87", None)


def test_coordinates_in_another_unit_are_converted(make):
    u = np.linspace(-20, 20, 9)
    tables = [
        (
            {"U": fits.Column("U", "D", unit="arcsec", array=u), "V": u * 1e-6, "BEAM": np.arange(9.0) ** p},
            {"DZ": dz},
        )
        for p, dz in ((1, -1e-3), (2, 1e-3))
    ]
    found = read_observation(make.pyoof(tables=tables))
    np.testing.assert_allclose(found.maps[0].u_rad, np.radians(u / 3600), rtol=1e-15)


def test_coordinates_in_a_unit_of_something_else_are_refused(make):
    u = np.linspace(-20, 20, 9)
    tables = [({"U": fits.Column("U", "D", unit="mJy", array=u), "V": u, "BEAM": u**2}, {"DZ": 1e-3})]
    with pytest.raises(InputError, match=r"TUNIT of U = mJy: .* no angle"):
        read_observation(make.pyoof(tables=tables))


@pytest.mark.parametrize("missing", ["U", "V", "BEAM"])
def test_missing_column_is_named(make, missing):
    columns = {name: np.arange(5.0) for name in ("U", "V", "BEAM") if name != missing}
    path = make.pyoof(tables=[(columns, {"DZ": 1e-3, "EXTNAME": "PLUS OOF"})])
    with pytest.raises(InputError, match=f"obs.fits: {missing}: the map PLUS OOF has no column {missing}"):
        read_observation(path)


def test_one_table_without_any_of_the_columns_is_not_passed_over(make):
    u = np.linspace(-1e-3, 1e-3, 9)
    good = ({"U": u, "V": u, "BEAM": u**2}, {"DZ": 1e-3})
    bad = ({"X": u, "Y": u, "Z": u**2}, {"DZ": -1e-3, "EXTNAME": "lost"})
    with pytest.raises(InputError, match="the map lost has no column U"):
        read_observation(make.pyoof(tables=[good, bad]))


def test_tables_of_something_else_are_noted(make):
    u = np.linspace(-1e-3, 1e-3, 9)
    tables = [({"U": u, "V": u, "BEAM": u**p + 1}, {"DZ": p * 1e-3}) for p in (1, 2)]
    other = ({"TIME": u}, {"EXTNAME": "LOG"})
    found = read_observation(make.pyoof(tables=[*tables, other]))
    assert len(found.maps) == 2
    assert codes(found) == ["extension-ignored"]
    assert "HDU 3 (LOG)" in found.flags[0].message


@pytest.mark.parametrize(
    ("column", "what"),
    [
        (fits.Column("BEAM", "5A", array=["a"] * 4), "5A"),
        (fits.Column("BEAM", "L", array=[True] * 4), "L"),
        (fits.Column("BEAM", "C", array=np.ones(4, complex)), "C"),
        (fits.Column("BEAM", "3D", array=np.ones((4, 3))), "3D"),
        (fits.Column("BEAM", "PD()", array=np.array([np.ones(2)] * 4, dtype=object)), "PD"),
    ],
)
def test_columns_that_are_not_one_number_a_row_are_refused(make, column, what):
    u = np.linspace(-1e-3, 1e-3, 4)
    path = make.pyoof(tables=[({"U": u, "V": u, "BEAM": column}, {"DZ": 1e-3})])
    with pytest.raises(InputError, match=rf"BEAM = {what}.*must hold one number a row"):
        read_observation(path)


def test_integer_columns_and_their_null_value(make):
    u = np.linspace(-1e-3, 1e-3, 4)
    tables = [
        ({"U": u, "V": u, "BEAM": fits.Column("BEAM", "J", null=-99, array=[1, -99, 3, k])}, {"DZ": k * 1e-3})
        for k in (4, 5)
    ]
    found = read_observation(make.pyoof(tables=tables))
    assert found.maps[0].power[found.maps[0].used].tolist() == [1, 3, 4]
    assert found.maps[0].masked == 1
    assert codes(found) == ["samples-unobserved"]


def test_no_rows(make):
    path = make.pyoof(tables=[({"U": [], "V": [], "BEAM": []}, {"DZ": 1e-3})])
    with pytest.raises(InputError, match=r"NAXIS2 = 0: the map HDU 1 has no samples"):
        read_observation(path)


@pytest.mark.parametrize("value", ["-3 mm", True])
def test_defocus_that_is_no_number(make, value):
    u = np.linspace(-1e-3, 1e-3, 4)
    path = make.pyoof(tables=[({"U": u, "V": u, "BEAM": u**p}, {"DZ": value}) for p in (1, 2)])
    with pytest.raises(InputError, match=rf"DZ = {value}: this must be a number in m"):
        read_observation(path)
    assert read_observation(path, defocus_m=[-1e-3, 1e-3]).defocus_m.tolist() == [-1e-3, 1e-3]


@pytest.mark.parametrize("elevation", [-3.0, 91, "high"])
def test_impossible_elevation_is_noted_as_unknown(make, elevation):
    found = read_observation(make.pyoof(primary={"FREQ": 32e9, "MEANEL": elevation}))
    assert found.elevation_rad is None
    assert codes(found) == ["elevation-implausible"]


def test_round_trip_is_exact(tmp_path, observation, assert_same):
    path = tmp_path / "out.fits"
    write_pyoof_fits(observation, path, header={"AUTHOR": "me", "SEED": 7, "NOISE": 1.2345678901234567e-7})
    found = read_observation(path)
    assert_same(found, observation)
    assert codes(found) == ["samples-unobserved"]
    with fits.open(path, checksum=True) as hdus:
        assert hdus[0].header["SEED"] == 7
        assert hdus[0].header["NOISE"] == 1.2345678901234567e-7
        assert hdus[1].columns["U"].unit == "rad"
        assert hdus[1].columns["U"].format == "D"
        assert all("CHECKSUM" in hdu.header and "DATASUM" in hdu.header for hdu in hdus)
        hdus.verify("exception")


def test_maps_without_names_get_those_of_pyoof(make, tmp_path):
    unnamed = [(columns, {"DZ": header["DZ"]}) for columns, header in _three_tables()]
    found = read_observation(make.pyoof(tables=unnamed))
    renamed = [type(m)(m.u_rad, m.v_rad, m.power, m.defocus_m) for m in found.maps]
    write_pyoof_fits(type(found)("x", tuple(renamed), 0.01), tmp_path / "named.fits")
    again = read_observation(tmp_path / "named.fits")
    assert [beam_map.label for beam_map in again.maps] == ["PLUS OOF", "MINUS OOF", "ZERO OOF"]
    assert again.flags == ()


def _three_tables():
    u = np.linspace(-1e-3, 1e-3, 7)
    return [({"U": u, "V": u, "BEAM": (u * 1e3 + 2) ** (k + 1)}, {"DZ": dz}) for k, dz in enumerate((1e-3, -1e-3, 0.0))]


def test_same_content_gives_same_bytes(tmp_path, observation):
    for name in ("a.fits", "b.fits"):
        write_pyoof_fits(observation, tmp_path / name)
    assert (tmp_path / "a.fits").read_bytes() == (tmp_path / "b.fits").read_bytes()


def test_existing_file_is_kept_unless_overwriting(tmp_path, observation):
    path = tmp_path / "out.fits"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already; give --overwrite"):
        write_pyoof_fits(observation, path)
    assert path.read_text() == "mine"
    write_pyoof_fits(observation, path, overwrite=True)
    assert read_observation(path).telescope == "iram30m"


@pytest.mark.parametrize(
    ("key", "value"),
    [("FREQ", 1.0), ("freq", 1.0), ("NAXIS", 2), ("WAYTOOLONG", 1), ("NAN", float("nan")), ("", 1)],
)
def test_unfit_header_cards_are_refused_and_nothing_is_written(tmp_path, observation, key, value):
    with pytest.raises(UsageError):
        write_pyoof_fits(observation, tmp_path / "out.fits", header={key: value})
    assert list(tmp_path.iterdir()) == []


def test_text_beyond_ascii_is_written_as_far_as_fits_can(tmp_path, observation):
    named = type(observation)("x", observation.maps, 0.01, telescope="Té" + "l" * 90, object_name="a\nb")
    write_pyoof_fits(named, tmp_path / "out.fits")
    found = read_observation(tmp_path / "out.fits")
    assert found.telescope == "T?" + "l" * 65
    assert found.object_name == "a?b"


@settings(max_examples=60, deadline=None)
@given(cut=st.sampled_from([0, 0, 0.02, 0.3]) | FRACTION, flips=FLIPS, deletion=st.none() | FRACTION)
def test_damaged_files_give_one_line_errors(scratch, damage, survives, cut, flips, deletion):
    data = scratch.pyoof("whole.fits").read_bytes()
    survives(scratch("damaged.fits", damage(data, cut, flips, deletion)))
