import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import InputError, UsageError
from oofpy.flag_kinds import Level
from oofpy.flags import Flag
from oofpy.io.results import read_result, result_folder, write_result
from oofpy.limits import Limits
from oofpy.observation import SourceFile
from oofpy.telescope import Conventions, Geometry, Illumination, Telescope, with_overrides

FILES = ["coefficients.ecsv", "log.txt", "result.fits", "summary.json"]


@pytest.fixture(scope="module")
def folder(made_result, tmp_path_factory):
    return write_result(made_result, tmp_path_factory.mktemp("out"), log="read 3 maps")


def assert_same(found, wanted, where="result"):
    """Same types and, to the last bit, the same values."""
    if isinstance(wanted, np.generic):
        wanted = wanted.item()
    assert type(found) is type(wanted), where
    if isinstance(wanted, np.ndarray):
        assert found.dtype == wanted.dtype, where
        assert found.shape == wanted.shape, where
        assert found.tobytes() == wanted.tobytes(), where
    elif is_dataclass(wanted):
        for entry in fields(wanted):
            assert_same(getattr(found, entry.name), getattr(wanted, entry.name), f"{where}.{entry.name}")
    elif isinstance(wanted, tuple | list):
        assert len(found) == len(wanted), where
        for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
            assert_same(one, other, f"{where}[{number}]")
    elif isinstance(wanted, dict):
        assert list(found) == list(wanted), where
        for key, value in wanted.items():
            assert_same(found[key], value, f"{where}[{key}]")
    else:
        assert repr(found) == repr(wanted), where


def test_result_comes_back_the_same_from_folder_and_file(made_result, folder):
    assert_same(read_result(folder), made_result)
    assert_same(read_result(str(folder / "result.fits")), made_result)


def test_telescope_that_comes_back_takes_overrides(made_result, folder):
    telescope = read_result(folder).telescope
    assert telescope == made_result.telescope
    assert with_overrides(telescope, {"blockage.disc_radius": "4 m"}).blockage.disc_radius_m == 4.0


def test_unknowns_and_a_telescope_made_in_python_come_back(named, tmp_path):
    telescope = Telescope(
        "déjà vu",
        Geometry("prime-focus", 7.5, 3.1),
        Illumination("tophat"),
        conventions=Conventions(-1, 1, -1),
    )
    result = named(
        telescope=telescope,
        elevation_rad=1 / 3,
        object_name=None,
        date=None,
        sources=(),
        flags=(),
        versions={},
    )
    assert_same(read_result(write_result(result, tmp_path)), result)


def test_awkward_text_comes_back(named, tmp_path):
    source = SourceFile(Path("long/" * 30) / "it's & \n \udcff.fits", "")
    result = named(object_name=" 'x' & \t", date="", sources=(source,), device="cpu " * 40)
    folder = write_result(result, tmp_path)
    assert_same(read_result(folder), result)
    assert Table.read(folder / "coefficients.ecsv").meta["observation"] == result.name
    assert json.loads((folder / "summary.json").read_text())["inputs"][0]["file"] == str(source.path)


def test_order_without_free_parameters_comes_back(made_result, named, tmp_path):
    bare = replace(made_result.fit, covariance_names=(), covariance=np.zeros((0, 0)), coefficients=(), parameters=())
    result = named(orders=(bare,))
    assert_same(read_result(write_result(result, tmp_path)), result)


def test_flags_and_limits_come_back(made_result, named, tmp_path):
    limits = Limits(most_surface_rms_m=2e-4 / 3, fewest_good_maps=3, most_rim_ratio=float("inf"))
    # A milder case of its kind, and one of a kind that this version does not know.
    flags = (Flag("low-signal", "faint", Level.NOTE), Flag("of-another-version", "odd", Level.REJECT))
    result = named(settings=replace(made_result.settings, limits=limits, leave_one_out=True), flags=flags)
    folder = write_result(result, tmp_path)
    assert_same(read_result(folder), result)
    assert read_result(folder).verdict == "reject"
    with fits.open(folder / "result.fits") as hdus:
        history = " ".join(str(hdus[0].header["HISTORY"]).split())
    assert "setting: limits.fewest_good_maps = 3" in history
    assert "setting: leave_one_out = True" in history
    assert "flag: of-another-version: odd" in history


def test_without_fits_of_fewer_maps(named, tmp_path):
    result = named(left_out_fits=())
    assert_same(read_result(write_result(result, tmp_path)), result)


def test_every_hdu_has_a_checksum_that_astropy_confirms(folder):
    with fits.open(folder / "result.fits", checksum=True) as hdus:
        assert all({"CHECKSUM", "DATASUM"} <= set(hdu.header) for hdu in hdus)
        assert all(hdu.verify_checksum() == 1 and hdu.verify_datasum() == 1 for hdu in hdus)
        hdus.verify("exception")


def test_tables_hold_every_order_and_units(made_result, folder):
    with fits.open(folder / "result.fits") as hdus:
        coefficients = hdus["COEFFICIENTS"]
        names = ["ORDER", "LEFT_OUT", "N", "L", "NAME", "PHASE_RAD", "PHASE_RAD_ERROR", "FREE", "AT_BOUND"]
        assert coefficients.columns.names == names
        assert coefficients.data["ORDER"].tolist() == [2] * 3 + [3] * 7 * 3
        assert coefficients.data["LEFT_OUT"].tolist() == [0] * 10 + [1] * 7 + [3] * 7
        assert coefficients.columns["PHASE_RAD"].unit == "rad"
        assert hdus["PARAMETERS"].data["AT_BOUND"].tolist() == [True, False, False, False] * 4
        assert hdus["MAPFITS"].data["MAP"].tolist() == [1, 2, 3, 1, 2, 3, 1, 2, 1, 2]
        assert hdus["MAPFITS"].data["LEFT_OUT"].tolist() == [0] * 6 + [1] * 2 + [3] * 2
        fits_of_it = (*made_result.orders, *made_result.left_out_fits)
        assert hdus["ORDERS"].data["RMS_UM"].tolist() == [fit.surface.rms_um for fit in fits_of_it]
        assert hdus["COVARIANCE", 3].header["PAR8"] == "edge_taper_db"
        # A hundred times the map that was left out, and the order.
        assert [hdu.ver for hdu in hdus if hdu.name == "COVARIANCE"] == [2, 3, 103, 303]
        np.testing.assert_array_equal(hdus["COVARIANCE", 303].data, made_result.left_out_fits[1].covariance)
        maps = hdus["MAPS", 3]
        assert maps.columns.names == ["U", "V", "OBSERVED", "MODEL", "ERROR", "RESIDUAL", "WEIGHT"]
        np.testing.assert_array_equal(maps.data["RESIDUAL"], made_result.map_arrays[2].residual)
        assert maps.columns["U"].unit == "rad"


def test_images_lie_over_the_dish_in_metres(made_result, folder):
    axis = made_result.aperture.axis_m
    with fits.open(folder / "result.fits") as hdus:
        assert hdus["PHASE"].header["BUNIT"] == "rad"
        assert hdus["SURFACE"].header["BUNIT"] == "um"
        # Row is y, column is x: the corner of the image is at the smallest x and y.
        x, y = WCS(hdus["SURFACE_ERROR"].header).wcs_pix2world([0, 63, 5], [0, 0, 7], 0)
        np.testing.assert_allclose(x, axis[[0, 63, 5]], atol=1e-9)
        np.testing.assert_allclose(y, axis[[0, 0, 7]], atol=1e-9)


def test_header_tells_where_the_result_comes_from(made_result, folder):
    with fits.open(folder / "result.fits") as hdus:
        header = hdus[0].header
    assert header["WAVEL"] == made_result.wavelength_m
    assert header["TELESCOP"] == "srt"
    assert header["CONVERGD"] is True
    assert (header["STATUS"], header["VERDICT"]) == ("flagged", "check")
    assert header["HASH1"] == "ab" * 32
    assert header["HASH2"] == made_result.telescope.sha256
    history, comment = (" ".join(str(header[key]).split()) for key in ("HISTORY", "COMMENT"))
    assert "version: torch 2.9.0" in history
    assert "setting: likelihood = student-t" in history
    assert "setting: parameters.edge_taper_db: prior_sigma = 0.333" in history
    assert "setting: telescope.illumination.edge_taper = -11 dB" in history
    assert "flag: source-off-centre" in history
    assert "seen from behind the dish looking at the sky" in comment
    assert "metal below the ideal surface" in comment


def test_folder_holds_coefficients_summary_and_log(made_result, folder):
    assert folder.name == made_result.name
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert (folder / "log.txt").read_text() == "read 3 maps\n"
    table = Table.read(folder / "coefficients.ecsv")
    assert table["phase_rad"].tolist() == [entry.phase_rad for entry in made_result.fit.coefficients]
    assert table.meta["object"] == made_result.object_name
    found = json.loads((folder / "summary.json").read_text(), parse_constant=pytest.fail)
    assert found["fit"]["order"] == 3


def test_equal_results_make_equal_files(made_result, folder, tmp_path):
    again = write_result(made_result, tmp_path)
    assert (again / "result.fits").read_bytes() == (folder / "result.fits").read_bytes()


def test_existing_result_is_refused_and_replaced_only_when_asked(made_result, named, tmp_path):
    folder = write_result(made_result, tmp_path)
    before = (folder / "result.fits").read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        write_result(named(device="cuda"), tmp_path)
    assert (folder / "result.fits").read_bytes() == before
    write_result(named(device="cuda"), tmp_path, overwrite=True)
    assert read_result(folder).device == "cuda"
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_folder_of_something_else_is_never_replaced(made_result, tmp_path):
    mine = tmp_path / made_result.name / "thesis.tex"
    mine.parent.mkdir()
    mine.write_text("years of work")
    with pytest.raises(UsageError, match=r"holds no result\.fits"):
        write_result(made_result, tmp_path, overwrite=True)
    assert mine.read_text() == "years of work"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "/a", "a\0b"])
def test_name_cannot_lead_elsewhere(tmp_path, name):
    with pytest.raises(UsageError, match="cannot name a folder"):
        result_folder(name, tmp_path)


def test_figures_go_into_the_folder_and_their_failure_leaves_nothing(made_result, tmp_path):
    def draw(result, folder):
        (folder / "figure.png").write_bytes(result.name.encode())
        if result.device == "broken":
            raise RuntimeError("no ink")

    folder = write_result(made_result, tmp_path / "good", illustrate=draw)
    assert (folder / "figure.png").read_bytes() == made_result.name.encode()
    with pytest.raises(RuntimeError, match="no ink"):
        write_result(replace(made_result, device="broken"), tmp_path / "bad", illustrate=draw)
    assert not (tmp_path / "bad").exists()


def copied(folder, target, change):
    path = target / "result.fits"
    path.write_bytes(change((folder / "result.fits").read_bytes()))
    return path


def rewritten(folder, target, change):
    """Change the HDUs and make the checksums good again."""
    path = target / "result.fits"
    with fits.open(folder / "result.fits") as hdus:
        change(hdus)
        hdus.writeto(path, checksum=True)
    return path


def refusal(path):
    with pytest.raises(InputError) as caught:
        read_result(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_absent_and_foreign_files_are_refused(folder, tmp_path, make):
    assert "no such file" in refusal(tmp_path / "none")
    assert "no such file" in refusal(tmp_path)
    assert "no result of oofpy" in refusal(folder / "summary.json")
    assert "no result of oofpy" in refusal(make.pyoof())


def test_truncated_file_is_refused(folder, tmp_path):
    assert "truncated" in refusal(copied(folder, tmp_path, lambda data: data[:-2880]))


def test_file_cut_between_hdus_is_refused(folder, tmp_path):
    with fits.open(folder / "result.fits") as hdus:
        end = hdus["RECORD"].fileinfo()["hdrLoc"]
    assert "RECORD" in refusal(copied(folder, tmp_path, lambda data: data[:end]))


@settings(max_examples=40, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_flipped_bit_is_noticed(folder, scratch, place, bit):
    data = bytearray((folder / "result.fits").read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    refusal(scratch("flipped.fits", bytes(data)))


def change_version(hdus):
    hdus[0].header["OOFRES"] = 99


def drop_map(hdus):
    del hdus["MAPS", 2]


def shrink_image(hdus):
    hdus["PHASE"].data = hdus["PHASE"].data[:-1]


def spoil_record(hdus):
    lines = hdus["RECORD"].data["JSON"]
    lines[lines == ' "chosen_order": 3,'] = ' "chosen_order": 4,'


def spoil_setting(hdus):
    lines = hdus["RECORD"].data["JSON"]
    lines[lines == '  "likelihood": "student-t",'] = '  "likelihood": "lorentz",'


def spoil_json(hdus):
    hdus["RECORD"].data["JSON"][0] = "{{"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (change_version, "OOFRES = 99: this version of oofpy reads layout 3"),
        (drop_map, "MAPS, EXTVER 2: this HDU is missing"),
        (shrink_image, "the image PHASE has the shape"),
        (spoil_record, "chosen_order = 4: the order the result stands for is not in it"),
        (spoil_setting, "likelihood = lorentz"),
        (spoil_json, "the file is damaged"),
    ],
)
def test_changed_content_is_refused(folder, tmp_path, change, problem):
    assert problem in refusal(rewritten(folder, tmp_path, change))


def test_file_without_checksums_is_refused(folder, tmp_path):
    path = tmp_path / "result.fits"
    with fits.open(folder / "result.fits") as hdus:
        del hdus["AXIS"].header["CHECKSUM"]
        hdus.writeto(path)
    assert "lost its checksum" in refusal(path)


def test_path_of_the_input_is_kept_as_it_was(folder):
    assert read_result(folder).sources[0].path == Path("data") / "beobachtung ü.fits"
