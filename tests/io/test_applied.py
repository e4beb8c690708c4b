import io

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import InputError, OofError
from oofpy.io import read_applied

WAVELENGTH_M = 299_792_458.0 / 90e9
UNSCALED = "a.fits: it does not say at which wavelength its phases are; they are taken to be at that of the observation"


def codes(flags):
    return [(flag.code, flag.serious) for flag in flags]


def content(*hdus):
    buffer = io.BytesIO()
    fits.HDUList([*hdus]).writeto(buffer)
    return buffer.getvalue()


def surface(pixels=9, unit="um", step=2.0, **cards):
    """Image whose value says where it is: x + 100 y, in pixels from the centre."""
    place = np.arange(pixels) - pixels // 2
    hdu = fits.PrimaryHDU(place + 100.0 * place[:, None])
    for number in (1, 2):
        hdu.header[f"CRPIX{number}"] = pixels // 2 + 1.0
        hdu.header[f"CRVAL{number}"] = 0.0
        hdu.header[f"CDELT{number}"] = step
        hdu.header[f"CUNIT{number}"] = "m"
    hdu.header["BUNIT"] = unit
    for key, value in cards.items():
        if value is None:
            del hdu.header[key]
        else:
            hdu.header[key] = value
    return hdu


def oof_table(names=("z0", "z3", "z7", "sigma"), values=(0.0, 0.5, -0.25, 0.3), **cards):
    """As ooffitconv.SaveFITS and bnmin1io.FSave of oof lay it out."""
    columns = [
        fits.Column("ParName", "30A", unit="unknown", array=np.array(names)),
        fits.Column("ParValue", "E", unit="unknown", array=np.array(values)),
    ]
    table = fits.BinTableHDU.from_columns(columns)
    table.header.update(cards)
    return table


@pytest.mark.parametrize(
    ("unit", "metres"),
    [("m", 1), ("mm", 1e-3), ("um", 1e-6), ("rad", WAVELENGTH_M / (4 * np.pi))],
)
def test_image_of_surface_or_phase(make, unit, metres):
    correction, source, flags = read_applied(make("offset.fits", content(surface(unit=unit))), WAVELENGTH_M)
    assert correction.axis_m.tolist() == [-8, -6, -4, -2, 0, 2, 4, 6, 8]
    # The rows of the image are y, as in the model's own images.
    assert correction.surface_m[5, 2] == pytest.approx((100 - 2) * metres)
    assert correction.coefficients == ()
    assert correction.origin == str(source.path)
    assert flags == ()


def test_falling_axes_are_turned_with_their_pixels(make):
    rising = read_applied(make("a.fits", content(surface())), WAVELENGTH_M)[0]
    falling = read_applied(make("b.fits", content(surface(CDELT1=-2.0))), WAVELENGTH_M)[0]
    assert falling.axis_m.tolist() == rising.axis_m.tolist()
    np.testing.assert_array_equal(falling.surface_m, rising.surface_m[:, ::-1])
    falling = read_applied(make("c.fits", content(surface(CDELT2=-2.0))), WAVELENGTH_M)[0]
    np.testing.assert_array_equal(falling.surface_m, rising.surface_m[::-1])


def test_other_units_of_the_axes_and_gaps(make):
    hdu = surface(CUNIT1="cm", CUNIT2="mm", CDELT1=200.0, CDELT2=2000.0)
    hdu.data[0, 0] = np.nan
    correction = read_applied(make("offset.fits", content(hdu)), WAVELENGTH_M)[0]
    np.testing.assert_allclose(correction.axis_m, np.arange(-8, 9, 2))
    assert np.isnan(correction.surface_m[0, 0])


@pytest.mark.parametrize(
    ("cards", "problem"),
    [
        ({"BUNIT": None}, "BUNIT: this key is missing; set BUNIT, e.g. to m or rad"),
        ({"BUNIT": "Jy"}, "BUNIT = Jy: must be a length for surface error or rad for phase"),
        ({"BUNIT": "no unit"}, "BUNIT = no unit: must be a length"),
        ({"CUNIT1": None}, "CUNIT1 = '': the axes must be in a unit of length"),
        ({"CUNIT2": "deg"}, "CUNIT2 = deg: the axes must be in a unit of length"),
        ({"CRPIX1": None}, "CRPIX1: this key of an axis is missing"),
        ({"CDELT2": "x"}, "CDELT2 = x: must be a number"),
        ({"CDELT2": 0.0}, "CDELT2 = 0.0: must not be zero"),
        ({"CDELT2": 1.0}, "CRVAL1, CRVAL2 = x from -8 to 8 m, y from -4 to 4 m: x and y of the image must be the same"),
        ({"CRVAL1": 5.0}, "CRVAL1, CRVAL2 = x from -3 to 13 m, .*: x and y of the image must be the same axis"),
        ({"PC1_2": 0.1}, "PC1_2 = 0.1: the axes must not be rotated"),
        ({"CROTA2": 20.0}, "CROTA2 = 20.0: the axes must not be rotated"),
    ],
)
def test_wrong_images(make, cards, problem):
    with pytest.raises(InputError, match=f"offset.fits: {problem}"):
        read_applied(make("offset.fits", content(surface(**cards))), WAVELENGTH_M)


def test_infinite_surface(make):
    hdu = surface()
    hdu.data[1, 2] = np.inf
    with pytest.raises(
        InputError, match=r"offset.fits: the image has infinite values; write NaN where nothing is known"
    ):
        read_applied(make("offset.fits", content(hdu)), WAVELENGTH_M)


def test_image_without_a_number(make):
    hdu = surface()
    hdu.data[:] = np.nan
    with pytest.raises(InputError, match=r"offset.fits: .*the image holds no number"):
        read_applied(make("offset.fits", content(hdu)), WAVELENGTH_M)


def test_image_that_is_not_square(make):
    hdu = surface()
    hdu.data = hdu.data[:8]
    with pytest.raises(InputError, match=r"NAXIS1, NAXIS2 = 9, 8: the image must be square"):
        read_applied(make("offset.fits", content(hdu)), WAVELENGTH_M)
    with pytest.raises(InputError, match=r"NAXIS1, NAXIS2 = 5, 5: the image must be square, with 8 to 4096 pixels"):
        read_applied(make("offset.fits", content(surface(pixels=5))), WAVELENGTH_M)


def test_parameter_table_of_oof(make):
    correction, source, flags = read_applied(make("a.fits", content(fits.PrimaryHDU(), oof_table())), WAVELENGTH_M)
    # oof counts (n(n+1)+n+l)/2: z3 is (2, -2), the sine term, and z7 is (3, -1).
    assert correction.coefficients == ((0, 0, 0.0), (2, -2, 0.5), (3, -1, -0.25))
    assert source.path.name == "a.fits"
    assert codes(flags) == [("correction-unscaled", False), ("correction-parameters-ignored", False)]
    assert flags[0].message == UNSCALED
    assert "not taken: sigma" in flags[1].message


def test_sequence_numbers_of_oof_are_those_of_osa(make):
    numbers = range(91)
    table = oof_table([f"z{i}" for i in numbers], [0.25] * 91)
    correction = read_applied(make("a.fits", content(fits.PrimaryHDU(), table)), WAVELENGTH_M)[0]
    assert [(n * (n + 1) + n + l) // 2 for n, l, _ in correction.coefficients] == list(numbers)
    message = r"a.fits: PARNAME = z92: this is Z\(13,-11\), and terms above order 12 \(z90\) are not supported; give "
    higher = oof_table(["z3", "z91", "z92", "z93"], [0.5, 0, 1, 1])
    with pytest.raises(InputError, match=message):
        read_applied(make("a.fits", content(fits.PrimaryHDU(), higher)), WAVELENGTH_M)
    without = oof_table(["z3", "z91"], [0.5, 0])
    assert read_applied(make("a.fits", content(fits.PrimaryHDU(), without)), WAVELENGTH_M)[0].coefficients == (
        (2, -2, 0.5),
    )


def test_frequency_of_the_table_must_be_that_of_the_observation(make):
    # oof writes 3e8 over a wavelength that it computed as 3e8 over the frequency.
    path = make("a.fits", content(fits.PrimaryHDU(), oof_table(FREQ=90e9)))
    correction, _, flags = read_applied(path, WAVELENGTH_M)
    assert correction.coefficients[1] == (2, -2, 0.5)
    assert codes(flags) == [("correction-parameters-ignored", False)]
    with pytest.raises(InputError, match=r"a.fits: FREQ = 90000000000.0: the phases are for another frequency"):
        read_applied(path, 2 * WAVELENGTH_M)


def test_table_without_coefficients(make):
    with pytest.raises(InputError, match=r"a.fits: PARNAME: there are no coefficients z0, z1"):
        read_applied(make("a.fits", content(fits.PrimaryHDU(), oof_table(["sigma"], [0.3]))), WAVELENGTH_M)


def plain_table(primary=(), **cards):
    columns = [
        fits.Column("n", "J", array=[2, 3]),
        fits.Column("l", "J", array=[0, -1]),
        fits.Column("phase_rad", "D", array=[0.25, 1 / 3]),
    ]
    table = fits.BinTableHDU.from_columns(columns)
    table.header.update(cards)
    first = fits.PrimaryHDU()
    first.header.update(primary)
    return content(first, table)


def test_plain_table_of_coefficients(make):
    correction, source, flags = read_applied(make("a.fits", plain_table()), WAVELENGTH_M)
    assert correction.coefficients == ((2, 0, 0.25), (3, -1, 1 / 3))
    assert correction.origin == str(source.path)
    assert codes(flags) == [("correction-unscaled", False)]
    assert flags[0].message == UNSCALED


@pytest.mark.parametrize("cards", [{"WAVEL": 2 * WAVELENGTH_M}, {"FREQ": 45e9}, {"WAVEL": 2 * WAVELENGTH_M, "FREQ": 1}])
@pytest.mark.parametrize("place", ["table", "primary"])
def test_plain_table_is_scaled_from_its_wavelength(make, cards, place):
    data = plain_table(**cards) if place == "table" else plain_table(primary=cards)
    correction, _, flags = read_applied(make("a.fits", data), WAVELENGTH_M)
    # The same surface is twice the phase at half the wavelength.
    assert [phase for *_, phase in correction.coefficients] == pytest.approx([0.5, 2 / 3])
    assert flags == ()


@pytest.mark.parametrize(("key", "value"), [("WAVEL", "short"), ("FREQ", 0.0), ("WAVEL", -1.0)])
def test_wavelength_of_a_plain_table_that_is_none(make, key, value):
    with pytest.raises(InputError, match=rf"a.fits: {key} = {value}: this must be a "):
        read_applied(make("a.fits", plain_table(**{key: value})), WAVELENGTH_M)


def test_telescope_of_the_file_is_in_the_origin(make):
    for data in (
        plain_table(TELESC="GBT"),
        plain_table(primary={"TELESCOP": "GBT"}),
        content(fits.PrimaryHDU(), oof_table(TELESC="GBT")),
        content(surface(TELESCOP="GBT")),
        ECSV.format(meta="telescope: GBT").encode(),
    ):
        correction, source, _ = read_applied(make("a", data), WAVELENGTH_M)
        assert correction.origin == f"{source.path} of the telescope GBT"


ECSV = """# %ECSV 1.0
# ---
# datatype:
# - {{name: n, datatype: int64}}
# - {{name: l, datatype: int64}}
# - {{name: phase_rad, datatype: float64}}
# meta: {{{meta}}}
n l phase_rad
2 0 0.25
"""


def test_ecsv_without_a_wavelength_is_taken_as_it_is(make):
    correction, source, flags = read_applied(make("a.fits", ECSV.format(meta="x: 1")), WAVELENGTH_M)
    assert correction.coefficients == ((2, 0, 0.25),)
    assert correction.origin == str(source.path)
    assert [flag.message for flag in flags] == [UNSCALED]


def test_coefficients_of_a_result_keep_their_surface_at_another_wavelength(made_result, tmp_path):
    from oofpy.io.results import write_result

    path = write_result(made_result, tmp_path) / "coefficients.ecsv"
    same, _, flags = read_applied(path, made_result.wavelength_m)
    assert same.origin == f"{path} of the telescope {made_result.telescope.name}"
    assert flags == ()
    wanted = [(c.n, c.l, c.phase_rad) for c in made_result.fit.coefficients]
    assert list(same.coefficients) == wanted
    twice = read_applied(path, made_result.wavelength_m / 2)[0]
    assert [phase for *_, phase in twice.coefficients] == pytest.approx([2 * phase for *_, phase in wanted])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"hello", "offset: this is no correction of the surface; give a FITS image"),
        (content(fits.PrimaryHDU()), "this is no correction of the surface"),
        (content(surface(), oof_table()), "it holds 1 images and 1 tables, and which is the correction is not said"),
        (
            b"# %ECSV 1.0\n# ---\n# datatype:\n# - {name: n, datatype: int64}\nn\n2\n",
            "l: the table has no column l, ph",
        ),
        (b"# %ECSV 1.0\n# ---\n# datatype: [\nn\n2\n", "the file is damaged"),
    ],
)
def test_files_that_are_none(make, data, problem):
    with pytest.raises(InputError, match=problem):
        read_applied(make("offset", data), WAVELENGTH_M)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["image", "oof"]),
    cut=st.sampled_from([0, 0, 0.1]),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=4),
    deletion=st.none() | st.floats(0, 0.5),
)
def test_damaged_files_give_one_line_errors(scratch, damage, kind, cut, flips, deletion):
    whole = content(surface()) if kind == "image" else content(fits.PrimaryHDU(), oof_table())
    path = scratch("damaged-offset.fits", damage(whole, cut, flips, deletion))
    refused = ""
    try:
        correction, _, _ = read_applied(path, WAVELENGTH_M)
    except OofError as error:
        refused = str(error)
    else:
        assert all(np.isfinite(phase) for *_, phase in correction.coefficients)
    assert "\n" not in refused
    assert not refused or "damaged-offset.fits" in refused
