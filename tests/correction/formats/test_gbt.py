import numpy as np
import pytest
from astropy.io import fits

from oofpy.correction.formats import gbt
from oofpy.correction.making import correct
from oofpy.correction.values import CorrectionSettings
from oofpy.errors import InputError, UsageError
from oofpy.observing import AppliedCorrection
from oofpy.optics.zernike import ZernikeTerm, zernike_terms
from tests.correction.made_surfaces import WAVELENGTH_M, grid_of_points, rough, source_of, surface_of

UM_PER_RAD = WAVELENGTH_M / (4 * np.pi) * 1e6


def corrected(surface, points=None, **settings):
    return correct(source_of(surface), CorrectionSettings(**settings), points)


def test_numbers_and_signs_are_those_of_the_conversion_in_oof():
    # (oof's sequence number, GBT's number, sign), worked out by hand from OOFktoSchwabk and ConvertOOFtoGBT.
    known = [(0, 1, 1), (3, 6, -1), (4, 5, 1), (5, 4, 1), (6, 10, -1), (7, 9, -1), (8, 8, 1), (9, 7, 1), (14, 11, 1)]
    terms = {term.osa_index: term for term in zernike_terms(5, 0)}
    for oof, number, sign in known:
        listed = gbt.gbt_list({terms[oof]: 10.0}, 5)
        assert len(listed) == 21
        assert {name: value for name, value in listed.items() if value} == {f"z{number}": sign * 10.0}
    assert all(value == 0 for value in gbt.gbt_list({ZernikeTerm(1, 1): 3.0, ZernikeTerm(1, -1): 2.0}, 5).values())


def test_the_list_is_in_order_and_read_back(tmp_path):
    surface = rough(telescope="gbt")
    correction = corrected(surface)
    gbt.check(correction)
    (path,) = gbt.write(correction, tmp_path)
    with fits.open(path, checksum=True) as hdus:
        table = hdus[1]
        assert [name.strip() for name in table.data["PARNAME"]] == [f"z{number}" for number in range(1, 22)]
        assert table.columns["PARVALUE"].unit == "um"
        assert table.header["FREQ"] == pytest.approx(299792458 / WAVELENGTH_M)
    back = gbt.read_gbt_list(path)
    for term, value in zip(surface.terms, surface.values_um, strict=True):
        assert back[term] == pytest.approx(value, rel=1e-12)
    assert all(back[term] == 0 for term in zernike_terms(1, 0))


def test_it_is_the_total(tmp_path):
    applied = AppliedCorrection(((2, 2, 40.0 / UM_PER_RAD), (4, 0, 25.0 / UM_PER_RAD)))
    surface = surface_of({(2, 0): 100.0, (2, 2): 70.0}, telescope="gbt", applied=applied)
    (path,) = gbt.write(corrected(surface), tmp_path)
    back = {tuple(term): value for term, value in gbt.read_gbt_list(path).items() if abs(value) > 1e-9}
    assert back == pytest.approx({(2, 0): 100.0, (2, 2): 70.0, (4, 0): 25.0})


def test_higher_orders_make_the_longer_list(tmp_path):
    (path,) = gbt.write(corrected(surface_of({(2, 0): 1.0, (7, -7): 5.0}, telescope="gbt")), tmp_path)
    back = gbt.read_gbt_list(path)
    assert len(back) == 36
    assert back[ZernikeTerm(7, -7)] == pytest.approx(5.0)


def test_every_elevation_has_a_file_of_its_own(tmp_path):
    surfaces = [rough(seed=number, telescope="gbt", elevation_rad=np.radians(el)) for number, el in ((1, 30), (2, 45))]
    paths = gbt.write(correct(source_of(*surfaces), CorrectionSettings()), tmp_path)
    assert [path.name for path in paths] == ["zernikes_gbt-el30.fits", "zernikes_gbt-el45.fits"]
    for path, surface in zip(paths, surfaces, strict=True):
        assert gbt.read_gbt_list(path)[ZernikeTerm(2, -2)] == pytest.approx(surface.values_um[0])


def test_the_sign_can_be_turned(tmp_path):
    (path,) = gbt.write(corrected(surface_of({(2, 0): 10.0}, telescope="gbt"), positive="lower"), tmp_path)
    assert gbt.read_gbt_list(path)[ZernikeTerm(2, 0)] == pytest.approx(-10.0)


def test_what_the_list_cannot_hold_is_refused():
    axis = np.linspace(-50, 50, 21)
    image = AppliedCorrection(axis_m=axis, surface_m=np.zeros((21, 21)))
    for surface, said in (
        (surface_of({(2, 0): 1.0}, telescope="gbt", applied=image), "on the dish is an image"),
        (surface_of({(8, 0): 1.0}, telescope="gbt"), r"--format gbt = Z\(8,0\)"),
        (surface_of({(2, 0): 1.0}, telescope="jcmt"), "fit with the telescope gbt"),
    ):
        correction = corrected(surface)
        with pytest.raises(UsageError, match=said):
            gbt.check(correction)


def test_points_do_not_change_the_list(tmp_path):
    surface = rough(telescope="gbt")
    (path,) = gbt.write(corrected(surface, grid_of_points(across=9), limits_um=(-10.0, 10.0)), tmp_path)
    assert gbt.read_gbt_list(path)[surface.terms[0]] == pytest.approx(surface.values_um[0])


def test_another_unit_is_refused(tmp_path):
    columns = [
        fits.Column("PARNAME", "30A", array=np.array(["z4"])),
        fits.Column("PARVALUE", "1D", unit="mm", array=np.array([1.0])),
    ]
    path = tmp_path / "list.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(path, checksum=True)
    with pytest.raises(InputError, match="TUNIT of PARVALUE = mm"):
        gbt.read_gbt_list(path)
