"""Paths over the dish that a telescope's file gives as numbers or as a FITS file."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from oofpy.errors import ConfigurationError
from oofpy.telescope import PathMap, ResidualPath, load_telescope, with_overrides

RADIUS_M = 3.0
TELESCOPE = """
name = "test"
description = "A dish for tests"

[geometry]
kind = "tabulated"
shaped = true
dish_radius = { value = "3 m", source = "a book" }
STATIC

[geometry.residual_path]
PATH

[illumination]
kind = "tophat"

[blockage]
disc_radius = { value = "0 m", source = "a book" }

[conventions]
defocus_sign = { value = 1, source = "a book" }
u_sign = { value = 1, source = "a book" }
v_sign = { value = 1, source = "a book" }
defocus = "dz > 0: away from the primary"
sky = "u right, v up"
surface = "positive below"
"""
MAP = 'map = { value = "path.fits", source = "a model" }'
STATIC = 'static_path = { value = "static.fits", source = "a model" }'


@pytest.fixture
def write(tmp_path):
    def write(path=MAP, static=""):
        file = tmp_path / "test.toml"
        file.write_text(TELESCOPE.replace("PATH", path).replace("STATIC", static))
        return file

    return write


def linear_header(step=0.1, pixels=61, **cards):
    header = fits.Header()
    for axis in (1, 2):
        header[f"CRPIX{axis}"] = (pixels + 1) / 2
        header[f"CDELT{axis}"] = step
        header[f"CRVAL{axis}"] = 0.0
        header[f"CUNIT{axis}"] = "m"
    header["BUNIT"] = "1"
    header.update(cards)
    return header


def slope(pixels=61):
    """An image that rises by 1 a metre along x and by 10 a metre along y, from -3 to 3 m."""
    axis = np.linspace(-RADIUS_M, RADIUS_M, pixels)
    return axis + 10 * axis[:, None]


def save(folder, data, header=None, name="path.fits"):
    """Write an image over the dish, by default a path per metre of dz from -3 to 3 m."""
    if header is None:
        header = linear_header()
        for axis in (1, 2)[: data.ndim]:
            pixels = data.shape[-axis]
            header[f"CRPIX{axis}"], header[f"CDELT{axis}"] = (pixels + 1) / 2, 2 * RADIUS_M / (pixels - 1)
    fits.PrimaryHDU(data, header).writeto(folder / name, overwrite=True, checksum=True)
    return folder / name


def refusal(function, *arguments):
    with pytest.raises(ConfigurationError) as caught:
        function(*arguments)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.remedy
    return str(caught.value)


def residual_map(path):
    return load_telescope(path).geometry.residual_path.map


def test_map_is_found_beside_the_file_and_recorded(write, tmp_path, monkeypatch):
    file = save(tmp_path, slope(), linear_header())
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.chdir("/")
    telescope = load_telescope(write())
    telescope.require_complete()
    [found] = telescope.path_maps()
    assert found is telescope.geometry.residual_path.map
    assert (found.origin, found.sha256) == (str(file), sha256)
    row = next(row for row in telescope.table() if row.key == "geometry.residual_path.map")
    assert row == ("geometry.residual_path.map", f"path.fits (sha256 {sha256})", "a model")
    np.testing.assert_allclose(found.x_m, np.linspace(-3, 3, 61), atol=1e-12)
    np.testing.assert_array_equal(found.planes[0], slope())


@pytest.mark.parametrize("flipped", [(1,), (2,), (1, 2)])
def test_axes_that_fall_are_turned(write, tmp_path, flipped):
    header, data = linear_header(), slope()
    for axis in flipped:
        header[f"CDELT{axis}"] = -0.1
        data = np.flip(data, 2 - axis)
    save(tmp_path, data, header)
    found = residual_map(write())
    np.testing.assert_allclose(found.x_m, np.linspace(-3, 3, 61), atol=1e-12)
    np.testing.assert_allclose(found.y_m, np.linspace(-3, 3, 61), atol=1e-12)
    np.testing.assert_array_equal(found.planes[0], slope())


def test_axes_have_units_and_reference_pixels(write, tmp_path):
    millimetres = linear_header(CUNIT1="mm", CDELT1=100.0, CRPIX1=1.0, CRVAL1=-3000.0)
    save(tmp_path, slope(), millimetres)
    np.testing.assert_allclose(residual_map(write()).x_m, np.linspace(-3, 3, 61), atol=1e-12)


@pytest.mark.parametrize("unit", ["", "1", 1, "m/m"])
def test_a_path_per_move_has_no_unit(write, tmp_path, unit):
    save(tmp_path, slope(), linear_header(BUNIT=unit))
    np.testing.assert_array_equal(residual_map(write()).planes[0], slope())


def test_planes_are_powers_and_later_images_do_not_matter(write, tmp_path):
    cube = np.stack([slope(), 2 * slope(), 3 * slope()])
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(cube, linear_header()), fits.ImageHDU(slope())]
    fits.HDUList(hdus).writeto(tmp_path / "path.fits")
    residual = load_telescope(write()).geometry.residual_path
    assert residual.powers == 3
    np.testing.assert_array_equal(residual.map.planes, cube)


@pytest.mark.parametrize(("unit", "factor"), [("m", 1), ("mm", 1e-3), ("um", 1e-6)])
def test_static_path_is_in_metres(write, tmp_path, unit, factor):
    save(tmp_path, slope())
    save(tmp_path, slope(), linear_header(BUNIT=unit), "static.fits")
    telescope = load_telescope(write(static=STATIC))
    np.testing.assert_allclose(telescope.geometry.static_path.planes[0], factor * slope(), rtol=1e-15)
    assert len(telescope.path_maps()) == 2
    [row] = [row for row in telescope.table() if row.key == "geometry.static_path"]
    assert telescope.geometry.static_path.sha256 in row.value


@pytest.mark.parametrize(
    ("data", "cards", "said"),
    [
        (np.stack([slope()] * 4), {}, "has 4 planes"),
        (slope(), {"BUNIT": "mm"}, "unit 'mm' (BUNIT), and a path per metre of dz has none"),
        (slope(), {"CDELT1": 0.05}, "covers x from -1.5 to 1.5 m"),
        (slope(), {"CRVAL2": 1.0}, "covers y from -2 to 4 m"),
        (slope(), {"CDELT1": 0.0}, "no usable axis"),
        (slope(), {"CDELT1": "wide"}, "no numbers"),
        (slope(), {"CUNIT2": "deg"}, "unit of length in CRPIX2"),
        (slope(), {"CROTA2": 30.0}, "CROTA2"),
        (slope(), {"PC1_2": 0.1}, "PC1_2"),
        (np.full((61, 61), np.nan), {}, "no numbers on most of the dish"),
        (np.zeros(61), {}, "no image of two or three axes"),
    ],
)
def test_unusable_map_is_refused_by_file_and_key(write, tmp_path, data, cards, said):
    file = save(tmp_path, data, linear_header(**cards))
    path = write()
    message = refusal(load_telescope, path)
    assert message.startswith(f"{path}: geometry.residual_path.map = {file}: ")
    assert said in message


@pytest.mark.parametrize("gone", [("CUNIT2",), ("CRPIX1", "CRVAL1"), ("CDELT2",)])
def test_missing_cards_of_an_axis_are_named(write, tmp_path, gone):
    header = linear_header()
    for name in gone:
        del header[name]
    save(tmp_path, slope(), header)
    message = refusal(load_telescope, write())
    assert f"does not say where its pixels lie ({', '.join(gone)})" in message
    assert f"give CRPIX{gone[0][-1]}, " in message


def test_image_without_axes_is_refused(write, tmp_path):
    save(tmp_path, slope(), fits.Header({"BUNIT": "1"}))
    assert "(CRPIX1, CDELT1, CRVAL1, CUNIT1)" in refusal(load_telescope, write())


@pytest.mark.parametrize(
    ("static", "key", "remedy"),
    [
        ("", "geometry.residual_path.map", "set BUNIT to 1"),
        (STATIC, "geometry.static_path", "set BUNIT to m, mm or um"),
    ],
)
def test_image_without_a_unit_is_refused(write, tmp_path, static, key, remedy):
    header = linear_header()
    del header["BUNIT"]
    save(tmp_path, slope(), linear_header() if static else header)
    file = save(tmp_path, slope(), header, "static.fits" if static else "path.fits")
    path = write(static=static)
    message = refusal(load_telescope, path)
    assert message.startswith(f"{path}: {key} = {file}: does not say the unit of its values (BUNIT)")
    assert remedy in message


@pytest.mark.parametrize("unit", ["", "1", "rad", "K"])
def test_static_path_in_no_length_is_refused(write, tmp_path, unit):
    save(tmp_path, slope())
    save(tmp_path, slope(), linear_header(BUNIT=unit), "static.fits")
    message = refusal(load_telescope, write(static=STATIC))
    assert f"has the unit '{unit}' (BUNIT), which is no length" in message


@pytest.mark.parametrize("shape", [(5, 61), (61, 5)])
def test_tiny_map_is_refused(write, tmp_path, shape):
    save(tmp_path, np.zeros(shape))
    assert "8 or more" in refusal(load_telescope, write())


def test_missing_and_damaged_files_are_refused(write, tmp_path):
    path = write()
    assert "cannot be read (No such file or directory)" in refusal(load_telescope, path)
    file = save(tmp_path, slope())
    whole = file.read_bytes()
    for damaged in (b"", b"no FITS", whole[:-2880], whole[:3000], whole[:2880] + b"\1" + whole[2881:]):
        file.write_bytes(damaged)
        message = refusal(load_telescope, path)
        assert "not an undamaged FITS file" in message or "no image" in message
    file.unlink()
    file.mkdir()
    assert "cannot be read" in refusal(load_telescope, path)


def test_telescopes_with_maps_compare_and_hash_by_their_numbers(write, tmp_path):
    save(tmp_path, slope())
    telescope, again = load_telescope(write()), load_telescope(write())
    assert telescope == again
    assert hash(telescope) == hash(again)
    assert {telescope: 1}[again] == 1
    changed = slope()
    changed[30, 30] += 1e-9
    save(tmp_path, changed)
    other = load_telescope(write())
    assert other.geometry != telescope.geometry
    assert replace(other.geometry, residual_path=telescope.geometry.residual_path) == telescope.geometry


def test_unknown_map_is_named(write):
    telescope = load_telescope(write('map = { value = "unknown", source = "a memo to come" }'))
    assert telescope.missing == ("geometry.residual_path.map",)


@pytest.mark.parametrize("path", ["used = false\n" + MAP, None])
def test_tabulated_geometry_without_its_table_is_not_complete(write, path):
    file = write() if path is None else write(path)
    if path is None:
        file.write_text(file.read_text().replace("[geometry.residual_path]\n" + MAP, ""))
    telescope = load_telescope(file)
    message = refusal(telescope.require_complete)
    assert telescope.missing == ("geometry.residual_path",)
    assert "geometry.residual_path.map=FILE" in message
    assert "shaped" not in message


def test_empty_table_is_refused(write):
    assert "geometry.residual_path: gives no path" in refusal(load_telescope, write(""))


def test_map_by_a_setting_counts_from_the_working_folder(write, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    file = save(elsewhere, 2 * slope(), name="mine.fits")
    save(tmp_path, slope())
    telescope = load_telescope(write())
    monkeypatch.chdir(elsewhere)
    changed = with_overrides(telescope, {"geometry.residual_path.map": "mine.fits"})
    assert changed.geometry.residual_path.map.origin == str(file)
    monkeypatch.chdir("/")
    again = with_overrides(changed, {"blockage.disc_radius": "0.1 m"})
    assert again.geometry.residual_path == changed.geometry.residual_path
    message = refusal(with_overrides, telescope, {"geometry.residual_path.map": "none.fits"})
    assert message.startswith("telescope.geometry.residual_path.map")


def zernike(rows):
    return f'zernike = {{ value = [{rows}], unit = "m", source = "a fit" }}'


def test_zernike_terms_are_read(write):
    rows = "{ n = 4, l = -2, power = 2, value = 0.5 }, { n = 0, l = 0, power = 1, value = -1 }"
    telescope = load_telescope(write(zernike(rows)))
    assert telescope.geometry.residual_path == ResidualPath(zernike=((4, -2, 2, 0.5), (0, 0, 1, -1.0)))
    assert telescope.geometry.residual_path.powers == 2
    assert ("geometry.residual_path.zernike", "2 Zernike terms, m", "a fit") in telescope.table()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "not a list of terms"),
        ("{ n = 4, l = 0, value = 1.0 }", "not a list of terms"),
        ("{ n = 4, l = 0, power = 1, value = 1.0, unit = 3 }", "not a list of terms"),
        ("{ n = 4, l = 1, power = 1, value = 1.0 }", "n = 4, l = 1"),
        ("{ n = 13, l = 1, power = 1, value = 1.0 }", "n = 13"),
        ("{ n = 2, l = 0, power = 4, value = 1.0 }", "power = 4"),
        ("{ n = 2.0, l = 0, power = 1, value = 1.0 }", "n = 2.0"),
        ('{ n = 2, l = 0, power = 1, value = "1" }', "text where a number belongs"),
        ("{ n = 2, l = 0, power = 1, value = nan }", "finite"),
        (", ".join(["{ n = 2, l = 0, power = 1, value = 1.0 }"] * 2), "gives a term twice"),
    ],
)
def test_faulty_zernike_terms_are_refused(write, rows, said):
    path = write(zernike(rows))
    message = refusal(load_telescope, path)
    assert message.startswith(f"{path}: geometry.residual_path.zernike")
    assert said in message


def test_terms_without_their_unit_are_refused(write):
    entry = zernike("{ n = 4, l = 0, power = 1, value = 1.0 }")
    message = refusal(load_telescope, write(entry.replace('unit = "m", ', "")))
    assert 'geometry.residual_path.zernike.unit: is missing; write unit = "m" inside the entry' in message


def test_maps_made_in_python_are_checked():
    axis = np.linspace(-1, 1, 9)
    PathMap(axis, axis, np.zeros((1, 9, 9)))
    for x, planes in ((axis[::-1], np.zeros((1, 9, 9))), (axis**3, np.zeros((1, 9, 9))), (axis, np.zeros((9, 9)))):
        with pytest.raises(ConfigurationError):
            PathMap(x, axis, planes)
