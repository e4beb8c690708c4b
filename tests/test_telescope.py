import hashlib
import math
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest

from oofpy.errors import ConfigurationError
from oofpy.telescope import available_telescopes, load_telescope, telescope_folder, with_overrides
from oofpy.telescope.entries import Coefficients, Sourced
from oofpy.telescope.schema import known_keys

REPOSITORY = Path(__file__).resolve().parent.parent
INCOMPLETE = {
    "kvn21": ("geometry.effective_focal_length", "geometry.residual_path"),
    "nobeyama45": ("geometry.primary_focal_length", "geometry.effective_focal_length"),
    "tianma65": (
        "geometry.primary_focal_length",
        "geometry.effective_focal_length",
        "blockage.disc_radius",
        "geometry.residual_path",
    ),
    "yebes40": ("geometry.primary_focal_length",),
}
COMPLETE = (
    "aca7m",
    "alma",
    "apex",
    "effelsberg",
    "fyst",
    "gbt",
    "gbt-mustang",
    "iram30m",
    "jcmt",
    "lmt",
    "smt",
    "srt",
)
SHIPPED = tuple(sorted((*INCOMPLETE, *COMPLETE)))
UNBLOCKED = ("fyst", "gbt", "gbt-mustang")

TELESCOPE = """
name = "test"
description = "A dish for tests"

[geometry]
kind = "cassegrain"
shaped = false
dish_radius = { value = "7.5 m", source = "a book" }
primary_focal_length = { value = "5.4 m", source = "a book" }
effective_focal_length = { value = "180 m", source = "a book" }

[illumination]
kind = "gaussian"
edge_taper = { value = "-12 dB", source = "unsourced", note = "a guess" }
edge_taper_min = { value = "-25 dB", source = "unsourced" }
edge_taper_max = { value = "-6 dB", source = "unsourced" }
edge_taper_free = true

[blockage]
disc_radius = { value = "375 mm", source = "a book" }

[blockage.legs]
used = true
position_angles = { value = ["0 deg", "90 deg"], source = "a book" }
half_width = { value = "5 cm", source = "a book" }
outer_radius = { value = "4 m", source = "a book" }
shade_angle = { value = "10 deg", source = "a book" }

[conventions]
defocus_sign = { value = -1, source = "a book" }
u_sign = { value = 1, source = "a book" }
v_sign = { value = 1, source = "a book" }
defocus = "dz > 0: towards the primary"
sky = "u right, v up"
surface = "positive below"
"""


@pytest.fixture
def write(tmp_path):
    def write(old="", new=""):
        assert old in TELESCOPE
        path = tmp_path / "test.toml"
        path.write_text(TELESCOPE.replace(old, new, 1) if old else TELESCOPE)
        return path

    return write


def refusal(function, *arguments):
    with pytest.raises(ConfigurationError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert caught.value.remedy
    return message


def test_shipped_names():
    assert available_telescopes() == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_telescope_is_that_of_its_file(name):
    telescope = load_telescope(name)
    assert telescope.name == name
    assert telescope.source_file == telescope_folder() / f"{name}.toml"
    assert telescope.sha256 == hashlib.sha256(telescope.source_file.read_bytes()).hexdigest()
    assert telescope.conventions.defocus_sign == 1
    assert telescope.conventions.image_offsets is None


@pytest.mark.parametrize("name", COMPLETE)
def test_shipped_telescope_is_complete(name):
    telescope = load_telescope(name)
    telescope.require_complete()
    geometry, illumination, blockage = telescope.geometry, telescope.illumination, telescope.blockage
    assert (blockage.disc_radius_m == 0) == (name in UNBLOCKED)
    assert blockage.disc_radius_m < geometry.dish_radius_m
    assert geometry.primary_focal_length_m > 0
    if geometry.kind == "prime-focus":
        assert geometry.effective_focal_length_m is None
    else:
        assert geometry.effective_focal_length_m > geometry.primary_focal_length_m
    low, high = illumination.edge_taper_min_db, illumination.edge_taper_max_db
    assert low <= illumination.edge_taper_db <= high
    assert (high < 0) == (illumination.kind != "tophat")


@pytest.mark.parametrize(("name", "missing"), INCOMPLETE.items())
def test_telescope_without_its_numbers_is_refused_and_says_which(name, missing):
    telescope = load_telescope(name)
    assert telescope.missing == missing
    message = refusal(telescope.require_complete)
    assert all(key in message for key in missing)
    assert str(telescope_folder() / f"{name}.toml") in message
    assert (" are unknown, and " in message) == (len(missing) > 1)
    remedy = message.partition("needs")[2]
    assert all(f"telescope.{key}" in remedy for key in missing)


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "iram30m"])
def test_no_shipped_geometry_or_blockage_rests_on_a_number_without_a_source(name):
    """IRAM's primary focal length, known since the first version, is the exception."""
    telescope = load_telescope(name)
    for row in telescope.table():
        if row.key.startswith(("geometry.", "blockage.")) and row.source.startswith("unsourced"):
            assert row.key in telescope.missing


def test_missing_path_of_a_shaped_dish_is_given_or_done_without():
    kvn = with_overrides(load_telescope("kvn21"), {"geometry.effective_focal_length": "100 m"})
    assert "geometry.shaped=false" in refusal(kvn.require_complete)
    with_overrides(kvn, {"geometry.shaped": "false"}).require_complete()
    message = refusal(with_overrides, kvn, {"geometry.residual_path.used": "false"})
    assert "geometry.residual_path: gives no path" in message
    assert message.endswith("set telescope.geometry.shaped=false to do without it")
    rows = [{"n": 4, "l": 0, "power": 1, "value": 0.01}]
    shaped = with_overrides(kvn, {"geometry.residual_path.zernike": rows})
    shaped.require_complete()
    assert shaped.geometry.residual_path.zernike == ((4, 0, 1, 0.01),)


def test_gbt_numbers():
    geometry = load_telescope("gbt").geometry
    assert (geometry.kind, geometry.dish_radius_m, geometry.axis_offset_m) == ("offset-gregorian", 50, 54)
    assert (geometry.primary_focal_length_m, geometry.effective_focal_length_m) == (60, 190)
    assert math.degrees(geometry.primary_tilt_rad) == pytest.approx(36.7)
    assert math.degrees(geometry.secondary_tilt_rad) == pytest.approx(36.7 - 12.33)
    mustang = load_telescope("gbt-mustang")
    assert mustang.illumination.kind == "tophat"
    assert mustang.geometry == replace(geometry, dish_radius_m=45.0)


def test_fyst_taper_is_that_of_its_sigma():
    fyst = load_telescope("fyst")
    assert (fyst.geometry.kind, fyst.geometry.primary_focal_length_m) == ("prime-focus", 14.4)
    expected = 20 * math.log10(math.exp(-1 / (2 * 0.72**2)))
    assert fyst.illumination.edge_taper_db == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_number_has_a_source(name):
    telescope = load_telescope(name)
    numbers = {key for key, kind in known_keys() if issubclass(kind, Sourced)}
    rows = telescope.table()
    assert len({row.key for row in rows}) == len(rows)
    for row in rows:
        assert (row.key in numbers) == bool(row.source)
    assert telescope.sources()["geometry.dish_radius"] != "unsourced"


def test_effelsberg_numbers():
    telescope = load_telescope("effelsberg")
    geometry, illumination, legs = telescope.geometry, telescope.illumination, telescope.blockage.legs
    assert (geometry.kind, geometry.shaped, geometry.residual_path) == ("gregorian", False, None)
    assert geometry.dish_radius_m == 50
    assert geometry.primary_focal_length_m == 30
    assert geometry.effective_focal_length_m == pytest.approx(387.394, abs=5e-4)
    assert (illumination.kind, illumination.pedestal_exponent, illumination.width) == ("pedestal", 2, None)
    assert (illumination.edge_taper_db, illumination.edge_taper_free) == (-14, True)
    assert (illumination.edge_taper_min_db, illumination.edge_taper_max_db) == (-25, -6)
    assert telescope.blockage.disc_radius_m == 3.25
    assert legs.position_angles_rad == pytest.approx([0, math.pi / 2, math.pi, 3 * math.pi / 2])
    assert (legs.half_width_m, legs.outer_radius_m) == (1, 23.25)
    assert legs.shade_angle_rad == pytest.approx(math.radians(10))


def test_srt_numbers():
    telescope = load_telescope("srt")
    geometry, illumination = telescope.geometry, telescope.illumination
    assert (geometry.kind, geometry.shaped) == ("gregorian", True)
    assert geometry.dish_radius_m == 32.004
    assert geometry.primary_focal_length_m == 21.0236
    assert geometry.effective_focal_length_m == 149.76
    assert (illumination.kind, illumination.edge_taper_free) == ("gaussian", True)
    assert (illumination.edge_taper_min_db, illumination.edge_taper_max_db) == (-25, -6)
    assert telescope.blockage.disc_radius_m == 3.953
    assert telescope.blockage.legs is None
    legs = with_overrides(telescope, {"blockage.legs.used": "true"}).blockage.legs
    assert legs.position_angles_rad == pytest.approx(np.radians([45, 135, 225, 315]))
    assert (legs.half_width_m, legs.outer_radius_m, legs.shade_angle_rad) == (0.25, 17.5, None)


def test_srt_residual_path_is_mostly_even_in_dz():
    telescope = load_telescope("srt")
    rows = np.array(telescope.geometry.residual_path.coefficients)
    assert rows.shape == (8, 3)
    assert rows[7, 1] == 8.636208e-4
    r = np.linspace(telescope.blockage.disc_radius_m, telescope.geometry.dish_radius_m, 400)
    powers = r[:, None] ** np.arange(8, 0, -1)

    def path(dz):
        return powers @ (rows @ dz ** np.array([3, 2, 1]))

    even, odd = (path(0.027) + path(-0.027)) / 2, (path(0.027) - path(-0.027)) / 2
    assert np.abs(even).max() == pytest.approx(0.59e-3, abs=0.005e-3)
    assert np.abs(odd).max() < 0.25 * np.abs(even).max()


def test_lmt_shadow_of_the_legs_ends_where_its_source_has_it():
    telescope = load_telescope("lmt")
    legs = telescope.blockage.legs

    def source_half_width(r):
        return (1.0 / (2 * 3.3225)) * (r - 17.5 * 1.27495 + r**2 * 1.27495 / (4 * 17.5))

    assert source_half_width(legs.outer_radius_m) == pytest.approx(legs.half_width_m, abs=2e-3)
    # The edge meets the rim on the line from (0, half width) at the shade angle.
    along = np.linspace(20, 25, 50001)
    edge = legs.half_width_m + along * math.tan(legs.shade_angle_rad)
    at_rim = along[np.argmin(np.abs(np.hypot(along, edge) - telescope.geometry.dish_radius_m))]
    assert source_half_width(at_rim) == pytest.approx(
        legs.half_width_m + at_rim * math.tan(legs.shade_angle_rad), abs=5e-3
    )


def test_alma_edge_taper_follows_from_its_width():
    illumination = load_telescope("alma").illumination
    gaussian = math.exp(-1 / illumination.width**2)
    amplitude = math.sqrt(1 - (1 - gaussian) ** 2)
    assert 10 ** (illumination.edge_taper_db / 20) == pytest.approx(amplitude, rel=1e-12)
    assert not illumination.edge_taper_free


def test_top_hat_and_prime_focus_leave_numbers_out(write):
    telescope = load_telescope(write())
    changed = with_overrides(telescope, {"illumination.kind": "tophat", "geometry.kind": "prime-focus"})
    assert changed.illumination.edge_taper_db == 0
    assert not changed.illumination.edge_taper_free
    assert changed.geometry.effective_focal_length_m is None
    values = {row.key: row.value for row in changed.table()}
    assert values["illumination.edge_taper"] == "-12 dB (not used)"
    assert values["geometry.effective_focal_length"] == "180 m (not used)"


def test_telescope_is_frozen():
    telescope = load_telescope("jcmt")
    with pytest.raises(FrozenInstanceError):
        telescope.name = "other"
    with pytest.raises(FrozenInstanceError):
        telescope.geometry.dish_radius_m = 1.0


def test_name_is_found_from_another_folder_in_any_case(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_telescope("JCMT") == load_telescope("jcmt")


def test_file_is_read_by_path_and_in_si(write, monkeypatch):
    path = write()
    telescope = load_telescope(path)
    assert load_telescope(str(path)) == telescope
    assert telescope.blockage.disc_radius_m == 0.375
    assert telescope.blockage.legs.half_width_m == 0.05
    assert telescope.conventions.defocus_sign == -1
    assert telescope.conventions.defocus == "dz > 0: towards the primary"
    assert telescope.sources()["illumination.edge_taper"] == "unsourced (a guess)"
    monkeypatch.chdir(path.parent)
    assert load_telescope("test.toml").geometry == telescope.geometry


def test_unknown_name_lists_the_known_ones():
    message = refusal(load_telescope, "efelsberg")
    assert "'efelsberg'" in message
    assert all(name in message for name in SHIPPED)
    assert ".toml" in message


def test_missing_file_is_named(tmp_path):
    message = refusal(load_telescope, tmp_path / "none.toml")
    assert str(tmp_path / "none.toml") in message
    assert "no such file" in message
    assert "no such file" in refusal(load_telescope, tmp_path)


def test_broken_toml_names_file_and_line(write):
    path = write("[geometry]", "[geometry")
    message = refusal(load_telescope, path)
    assert str(path) in message
    assert "not valid TOML" in message
    assert "line 5" in message


def test_binary_file_is_refused(tmp_path):
    path = tmp_path / "image.toml"
    path.write_bytes(bytes(range(256)))
    assert "UTF-8" in refusal(load_telescope, path)


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('"7.5 m"', '"7.5"', "geometry.dish_radius = 7.5: ", "has no unit"),
        ('"7.5 m"', "7.5", "geometry.dish_radius = 7.5: ", "has no unit"),
        ('"7.5 m"', "true", "geometry.dish_radius", "is not a number"),
        ('"7.5 m"', '"7.5 GHz"', "geometry.dish_radius", "unit of frequency"),
        ('"7.5 m"', '"-7.5 m"', "geometry.dish_radius = -7.5 m", "is not above zero"),
        ('"7.5 m"', '"nan m"', "geometry.dish_radius", "finite"),
        ('"7.5 m"', '"300 mm"', "blockage.disc_radius", "smaller than the dish"),
        ("dish_radius", "dish_raduis", "geometry.dish_raduis", "did you mean 'dish_radius'"),
        ('name = "test"', 'name = "test"\nnmae = "x"', "nmae", "did you mean 'name'"),
        (
            '"a guess" }',
            '"a guess", src = "b" }',
            "illumination.edge_taper.src",
            "known here: value, source, note",
        ),
        ('source = "a book" }', 'sauce = "a book" }', "geometry.dish_radius.sauce", "did you mean 'source'"),
        ('"7.5 m", source = "a book"', '"7.5 m"', "geometry.dish_radius.source", "unsourced"),
        ('"7.5 m", source = "a book"', '"7.5 m", source = ""', "geometry.dish_radius.source", "at least 1"),
        (
            '{ value = "7.5 m", source = "a book" }',
            '"7.5 m"',
            "geometry.dish_radius = 7.5 m",
            "has no source",
        ),
        ('dish_radius = { value = "7.5 m", source = "a book" }', "", "geometry.dish_radius", "is missing"),
        ('"cassegrain"', '"newton"', "geometry.kind = newton", "'offset-gregorian' or 'tabulated'"),
        ("primary_focal_length", "# ", "geometry.primary_focal_length", "kind = cassegrain needs it"),
        ('"cassegrain"', '"offset-gregorian"', "geometry.axis_offset", "kind = offset-gregorian needs it"),
        (
            'defocus = "dz',
            'image_offsets = { value = "sky", source = "a book" }\ndefocus = "dz',
            "conventions.image_offsets = sky",
            "'telescope' or 'source'",
        ),
        (
            'defocus = "dz',
            'image_offsets = { value = "unknown", source = "a book" }\ndefocus = "dz',
            "conventions.image_offsets = unknown",
            "'telescope' or 'source'",
        ),
        ("shaped = false", 'shaped = "no"', "geometry.shaped = no", "true or false"),
        ('"5.4 m"', '"200 m"', "geometry.effective_focal_length = 180 m", "exchanged"),
        ("effective_focal_length", "# ", "geometry.effective_focal_length", "is missing"),
        ('"-12 dB"', '"12 dB"', "illumination.edge_taper = 12 dB", "below 0 dB"),
        ('"-12 dB"', '"-30 dB"', "illumination.edge_taper = -30 dB", "outside its bounds"),
        ('"-25 dB"', '"-5 dB"', "illumination.edge_taper_min = -5 dB", "above edge_taper_max"),
        ("edge_taper_free = true", "", "illumination.edge_taper_free", "is missing"),
        ('"gaussian"', '"pedestal"', "illumination.pedestal_exponent", "kind = pedestal needs it"),
        ('"375 mm"', '"-375 mm"', "blockage.disc_radius = -375 mm", "negative"),
        ('["0 deg", "90 deg"]', '["0 deg", "90"]', "blockage.legs.position_angles", "has no unit"),
        ('["0 deg", "90 deg"]', "[]", "blockage.legs.position_angles", "not a list of angles"),
        ('"5 cm"', '"5 m"', "blockage.legs.half_width = 5 m", "not smaller than outer_radius"),
        ('"4 m"', '"8 m"', "blockage.legs.outer_radius = 8 m", "between the disc"),
        ('"10 deg"', '"95 deg"', "blockage.legs.shade_angle = 95 deg", "between 0 and 90 deg"),
        ("value = -1", "value = 2", "conventions.defocus_sign = 2", "neither 1 nor -1"),
        ("value = -1", 'value = "unknown"', "conventions.defocus_sign = unknown", "finite number"),
        ('sky = "u right, v up"', "", "conventions.sky", "is missing"),
        ('name = "test"', "name = 3", "name = 3", "between quotes"),
    ],
)
def test_faulty_file_is_refused_by_file_and_key(write, old, new, key, said):
    path = write(old, new)
    message = refusal(load_telescope, path)
    assert message.startswith(f"{path}: {key}")
    assert said in message


OFFSET = """kind = "offset-gregorian"
axis_offset = { value = "54 m", source = "a book" }
primary_tilt = { value = "36.7 deg", source = "a book" }
secondary_tilt = { value = "24.37 deg", source = "a book" }
"""


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"54 m"', '"-54 m"', "geometry.axis_offset = -54 m: is negative"),
        ('"54 m"', '"300 m"', "geometry.axis_offset = 300 m: is more than 10 dish radii"),
        ('"36.7 deg"', '"90 deg"', "geometry.primary_tilt = 90 deg: is not between"),
        ('"24.37 deg"', '"-2 rad"', "geometry.secondary_tilt = -2 rad: is not between"),
        ("secondary_tilt", "# ", "geometry.secondary_tilt: is missing, and kind = offset-gregorian"),
    ],
)
def test_faulty_offset_dish_is_refused(write, old, new, key):
    path = write('kind = "cassegrain"\n', OFFSET.replace(old, new))
    assert f"{path}: {key}" in refusal(load_telescope, path)


def test_offset_numbers_of_another_kind_are_refused(write):
    path = write('kind = "cassegrain"\n', OFFSET.replace("offset-gregorian", "gregorian"))
    message = refusal(load_telescope, path)
    assert message.startswith(f"{path}: geometry.axis_offset = 54 m: means nothing for kind = gregorian; leave it out")
    assert "geometry.kind = offset-gregorian" in message
    plain = load_telescope(write())
    assert "secondary_tilt = 1 deg: means nothing" in refusal(
        with_overrides, plain, {"geometry.secondary_tilt": "1 deg"}
    )
    offset = load_telescope(write('kind = "cassegrain"\n', OFFSET))
    without = {f"geometry.{name}": "none" for name in ("axis_offset", "primary_tilt", "secondary_tilt")}
    changed = with_overrides(offset, {"geometry.kind": "cassegrain", **without})
    assert changed.geometry == plain.geometry


def test_image_offsets_are_read_and_listed(write):
    line = 'image_offsets = { value = "source", source = "a memo" }\ndefocus = "dz'
    telescope = load_telescope(write('defocus = "dz', line))
    assert telescope.conventions.image_offsets == "source"
    assert ("conventions.image_offsets", "source", "a memo") in telescope.table()
    changed = with_overrides(telescope, {"conventions.image_offsets": "telescope"})
    assert changed.conventions.image_offsets == "telescope"
    assert with_overrides(telescope, {"conventions.image_offsets": None}).conventions.image_offsets is None


def test_missing_table_is_named(write):
    text = write().read_text()
    path = write()
    path.write_text(text[: text.index("[conventions]")])
    message = refusal(load_telescope, path)
    assert message.startswith(f"{path}: conventions: is missing")
    path.write_text("geometry = 3\n" + text.replace("[geometry]", "[unused]"))
    assert str(path) in refusal(load_telescope, path)


@pytest.mark.parametrize("rows", ["[]", "[[1.0, 2.0]]", '[["a", 1.0, 2.0]]', "[[nan, 1.0, 2.0]]", "3"])
def test_malformed_residual_path_is_refused(write, rows):
    table = (
        "[geometry.residual_path]\nused = true\n"
        f'coefficients = {{ value = {rows}, unit = "m", source = "a book" }}\n\n[illumination]'
    )
    path = write("[illumination]", table)
    assert f"{path}: geometry.residual_path.coefficients" in refusal(load_telescope, path)


def test_unknown_number_loads_but_is_not_complete(write):
    path = write('"5.4 m"', '"unknown"')
    telescope = load_telescope(path)
    assert math.isnan(telescope.geometry.primary_focal_length_m)
    assert ("geometry.primary_focal_length", "unknown", "a book") in telescope.table()
    message = refusal(telescope.require_complete)
    assert str(path) in message
    assert "geometry.primary_focal_length" in message
    with_overrides(telescope, {"geometry.primary_focal_length": "5.4 m"}).require_complete()


def test_shaped_dish_without_its_path_is_not_complete(write):
    telescope = load_telescope(write("shaped = false", "shaped = true"))
    assert "geometry.residual_path" in refusal(telescope.require_complete)


def test_unknown_number_that_is_not_used_does_not_matter(write):
    path = write('"5 cm"', '"unknown"')
    assert load_telescope(path).missing == ("blockage.legs.half_width",)
    with_overrides(load_telescope(path), {"blockage.legs.used": False}).require_complete()


def test_overrides_replace_numbers_and_say_so(write):
    telescope = load_telescope(write())
    settings = {
        "illumination.edge_taper": "-10 dB",
        "illumination.edge_taper_free": "false",
        "blockage.legs.position_angles": "45deg, 135deg",
        "blockage.legs.shade_angle": "none",
        "conventions.defocus_sign": "1",
    }
    changed = with_overrides(telescope, settings)
    assert changed.illumination.edge_taper_db == -10
    assert changed.illumination.edge_taper_free is False
    assert changed.blockage.legs.position_angles_rad == pytest.approx([math.pi / 4, 3 * math.pi / 4])
    assert changed.blockage.legs.shade_angle_rad is None
    assert changed.conventions.defocus_sign == 1
    assert changed.sources()["illumination.edge_taper"] == "set by the user"
    assert changed.sha256 == telescope.sha256
    assert dict(changed.overrides) == settings
    assert telescope.illumination.edge_taper_db == -12
    again = with_overrides(changed, {"illumination.edge_taper": "-11 dB"})
    assert again.illumination.edge_taper_db == -11
    assert again.illumination.edge_taper_free is False
    assert len(again.overrides) == len(settings)


def test_overrides_of_rows_from_python():
    srt = load_telescope("srt")
    changed = with_overrides(srt, {"geometry.residual_path.coefficients": [[0.0, 1e-6, 0.0]]})
    assert changed.geometry.residual_path.coefficients == ((0.0, 1e-6, 0.0),)
    assert with_overrides(srt, {"geometry.residual_path.used": "false"}).geometry.residual_path is None


@pytest.mark.parametrize(
    ("settings", "key", "said"),
    [
        ({"illumination.edge_taper": "-10"}, "telescope.illumination.edge_taper = -10: ", "has no unit"),
        ({"illumination.edge_taper": "-2 dB"}, "telescope.illumination.edge_taper = -2 dB", "bounds"),
        ({"illumination.edge_taper_max": "-20 dB"}, "illumination.edge_taper = -12 dB", "edge_taper_max set"),
        ({"illumination.kind": "flat"}, "telescope.illumination.kind = flat", "'tophat'"),
        (
            {"illumination.edge_taper_free": "maybe"},
            "telescope.illumination.edge_taper_free",
            "true or false",
        ),
        ({"edge_taper": "-10 dB"}, "telescope.edge_taper", "illumination.edge_taper"),
        ({"geometry": "3"}, "telescope.geometry", "geometry.dish_radius"),
        ({"geometry.dish_radius.value": "3 m"}, "telescope.geometry.dish_radius.value", "not a setting"),
        ({"geometry.dish_radius": None}, "telescope.geometry.dish_radius", "is missing"),
        ({"illumination.pedestal_exponent": "2"}, "telescope.illumination.pedestal_exponent", "no effect"),
        ({"illumination.kind": "alma"}, "illumination.width", "kind = alma needs it"),
    ],
)
def test_faulty_override_names_the_setting(write, settings, key, said):
    path = write()
    message = refusal(with_overrides, load_telescope(path), settings)
    assert key in message
    assert said in message


def test_coefficients_without_unit_are_refused(write):
    table = "[geometry.residual_path]\nused = true\ncoefficients = { value = [[0, 0, 0]], source = 's' }\n"
    message = refusal(load_telescope, write("[illumination]", f"{table}\n[illumination]"))
    assert "geometry.residual_path.coefficients.unit" in message
    assert "unit" in Coefficients.model_fields


def test_import_stays_light(tmp_path):
    code = (
        "import sys, oofpy.telescope;"
        "heavy = {'torch', 'astropy', 'matplotlib', 'scipy', 'pydantic'} & set(sys.modules);"
        "oofpy.telescope.load_telescope('jcmt');"
        "heavy |= {'torch', 'astropy', 'matplotlib', 'scipy'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
