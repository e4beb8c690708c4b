import math

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from oofpy.conventions import in_model_convention
from oofpy.io import read_observation
from oofpy.observation import SkyOrientation
from oofpy.telescope import load_telescope, telescope_folder, with_overrides

DZ_M = (1.1e-3, 0.0, -3e-3)


def columns_text(seed, error=True):
    """Text of one map with values that no short decimal gives."""
    rng = np.random.default_rng(seed)
    axis = np.linspace(-4e-4, 4e-4, 15)
    u, v = (values.ravel() for values in np.meshgrid(axis, axis))
    columns = [u, v, np.exp(-(u**2 + v**2) / 2 / 8e-5**2) + rng.normal(0, 1e-3, u.size)]
    columns += [rng.uniform(0.5e-3, 2e-3, u.size)] if error else []
    columns[2][7] = np.nan
    return "".join(" ".join(repr(float(value)) for value in row) + "\n" for row in np.transpose(columns))


@pytest.fixture
def text_files(tmp_path):
    paths = [tmp_path / f"{name}.txt" for name in "abc"]
    for seed, path in enumerate(paths):
        path.write_text(columns_text(seed, error=seed != 1))
    return paths


WORDS = ("--dz", "1.1mm,0mm,-3mm", "--frequency", "271.3GHz")


def assert_same(converted, original):
    """Equal to the last bit in all that a fit sees."""
    assert converted.wavelength_m == original.wavelength_m
    assert converted.defocus_m.tolist() == original.defocus_m.tolist()
    assert [one.label for one in converted.maps] == [one.label for one in original.maps]
    assert converted.observing.as_dict() == original.observing.as_dict()
    for one, other in zip(converted.maps, original.maps, strict=True):
        np.testing.assert_array_equal(one.used, other.used)
        for name in ("u_rad", "v_rad", "power"):
            np.testing.assert_array_equal(getattr(one, name)[one.used], getattr(other, name)[other.used])
        assert (one.relative_error is None) == (other.relative_error is None)
        if one.relative_error is not None:
            np.testing.assert_array_equal(one.relative_error[one.used], other.relative_error[other.used])


def test_text_columns(run, text_files, tmp_path):
    out = tmp_path / "new" / "made.fits"
    outcome = run("convert", *text_files, *WORDS, "--out", out)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[:4] == [
        f"{out}: 3 maps, wavelength 1.10502 mm",
        "map 1 (a): dz = 1.1 mm, 224 samples, 1 masked",
        "map 2 (b): dz = 0 m, 224 samples, 1 masked",
        "map 3 (c): dz = -3 mm, 224 samples, 1 masked",
    ]
    assert all(line.startswith("note ") for line in lines[4:])
    wavelength_m = 299_792_458.0 / 271.3e9
    original = read_observation(*text_files, defocus_m=DZ_M, wavelength_m=wavelength_m)
    converted = read_observation(out)
    assert_same(converted, original)
    assert converted.maps[0].relative_error is not None
    assert converted.telescope is None


def test_what_is_left_out_becomes_nan(run, text_files, tmp_path):
    mask = tmp_path / "bad.csv"
    mask.write_text("map,sample\n1,3\n3,4\n")
    out = tmp_path / "made.fits"
    words = ("--mask", mask, "--maps", "1,3", "--telescope", "JCMT")
    assert run("convert", *text_files, *WORDS, *words, "--out", out).code == 0
    converted = read_observation(out)
    assert converted.telescope == "jcmt"
    assert [one.label for one in converted.maps] == ["a", "c"]
    assert [one.masked for one in converted.maps] == [2, 2]
    assert np.isnan(converted.maps[1].power[[4, 7]]).all()


def test_a_file_with_all_maps(run, maps_file, tmp_path):
    original = read_observation(maps_file())
    out = tmp_path / "made.fits"
    outcome = run("convert", maps_file(), "--telescope", "jcmt", "--out", out)
    assert outcome.code == 0
    assert "turned" not in outcome.out
    converted = read_observation(out)
    assert_same(converted, original)
    assert converted.object_name == "Mars"


def test_flags_and_exit_code(run, maps_file, tmp_path):
    """A table for another telescope than it names: done, but flagged."""
    first, second = tmp_path / "a.fits", tmp_path / "b.fits"
    assert run("convert", maps_file(), "--telescope", "jcmt", "--out", first).code == 0
    outcome = run("convert", first, "--telescope", "srt", "--out", second)
    assert outcome.code == 4
    assert [line.split(":")[0] for line in outcome.out.splitlines()[-2:]] == [
        "check telescope-replaced",
        "note sign-unsourced",
    ]
    assert read_observation(second).telescope == "srt"
    with fits.open(second) as hdus:
        history = " ".join(str(hdus[0].header["HISTORY"]).split())
    assert "flag: telescope-replaced: the file names the telescope jcmt, but srt is used" in history


def test_existing_files_are_refused_and_replaced_when_asked(run, refused, text_files, tmp_path):
    out = tmp_path / "made.fits"
    out.write_text("precious")
    message = refused("convert", *text_files, *WORDS, "--out", out)
    assert f"{out}: this exists already; give --overwrite to replace it" in message
    assert out.read_text() == "precious"
    assert run("convert", *text_files, *WORDS, "--out", out, "--overwrite").code == 0
    assert len(read_observation(out).maps) == 3
    before = out.read_bytes()
    words = ("convert", out, "--out", tmp_path / "." / "made.fits", "--overwrite")
    assert "made.fits: --out: this is one of the files that are read; choose another name" in refused(*words)
    assert out.read_bytes() == before


def test_no_file_that_was_read_is_replaced(refused, text_files, tmp_path):
    """Nor one that the command line does not name, or names otherwise."""
    (tmp_path / "dish.toml").write_text((telescope_folder() / "jcmt.toml").read_text())
    (tmp_path / "settings.toml").write_text("[observing]\nsource_diameter = '3 arcsec'\nsource_shape = 'disc'\n")
    (tmp_path / "bad.csv").write_text("map,sample\n1,3\n")
    Table({"n": [3], "l": [1], "phase_rad": [0.2]}).write(tmp_path / "tilt.ecsv")
    maps = "".join(
        f"[[maps]]\nfile = '{file.name}'\ndz = '{dz} m'\n" for file, dz in zip(text_files, DZ_M, strict=True)
    )
    (tmp_path / "all.toml").write_text(f"frequency = '271.3 GHz'\nobserving.applied = 'tilt.ecsv'\n{maps}")
    (tmp_path / "link.fits").symlink_to(text_files[2])
    words = ["convert", tmp_path / "all.toml", "--telescope", tmp_path / "dish.toml", "--mask", tmp_path / "bad.csv"]
    words += ["--settings", tmp_path / "settings.toml", "--overwrite", "--out"]
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(files) == 9
    for path, content in files.items():
        assert "this is one of the files that are read" in refused(*words, path)
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "neither frequency nor wavelength is given; give it with --frequency or --wavelength"),
        (["--frequency", "271GHz"], "the defocus of map 1 (a) is not given; give the defocus of every map with --dz"),
        ([*WORDS, "--telescope", "nowhere"], "is not a known telescope"),
        ([*WORDS, "--set", "order=3"], "--set order: is no entry of the telescope and nothing about the observing"),
        ([*WORDS, "--set", "telescope.illumination.edge_taper=-9dB"], "the file names no telescope"),
        ([*WORDS, "--offsets", "sky"], "--offsets = sky: is not known; choose telescope"),
        ([*WORDS, "--parallactic-angle", "10deg,35rad"], "--parallactic-angle = 10deg,35rad: is beyond 360 deg"),
        ([*WORDS, "--out", ""], "--out = '': is empty; give a name"),
        ([*WORDS, "--in-focus", "0"], "--in-focus = 0: is no number of a map"),
    ],
)
def test_bad_options_are_one_line(refused, text_files, tmp_path, words, said):
    out = tmp_path / "new" / "made.fits"
    assert said in refused("convert", *text_files, "--out", out, *words)
    assert not out.parent.exists()


def test_several_observations_are_refused(refused, maps_file, tmp_path):
    words = ("convert", maps_file("a.fits"), maps_file("b.fits"), "--out", tmp_path / "made.fits")
    assert "these files are 2 observations" in refused(*words)


def sky_image(path, number, header):
    """Write an image with azimuth or right ascension, its variance, and a pixel not observed."""
    rng = np.random.default_rng(number)
    v, u = np.mgrid[-7:8, -7:8] / 2.0
    values = np.exp(-((u - 0.3) ** 2 + (v + 0.7) ** 2) / 2) + rng.normal(0, 1e-3, u.shape)
    values[number, 2] = np.nan
    cards = {"CDELT1": -2e-3, "CDELT2": 2e-3, "CRPIX1": 8.0, "CRPIX2": 8.0, "CRVAL1": 83.8, "CRVAL2": -5.4, **header}
    card = fits.Header(cards | {"CUNIT1": "deg", "CUNIT2": "deg", "FREQ": 271.3e9})
    variance = fits.ImageHDU(rng.uniform(1e-6, 4e-6, u.shape), name="VARIANCE")
    fits.HDUList([fits.PrimaryHDU(values, card), variance]).writeto(path)
    return path


@pytest.mark.parametrize(
    ("axes", "words", "orientation"),
    [
        ({"CTYPE1": "AZ---TAN", "CTYPE2": "EL---TAN"}, (), SkyOrientation("telescope")),
        (
            {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"},
            ("--parallactic-angle", "35deg,-12.5deg,0deg"),
            SkyOrientation("telescope", (math.radians(35), math.radians(-12.5), 0.0)),
        ),
    ],
    ids=["azel", "radec"],
)
def test_images_of_the_sky(run, refused, tmp_path, axes, words, orientation):
    """What is fitted is the same to the last bit, whatever the signs of the telescope's tables."""
    files = [sky_image(tmp_path / f"{number}.fits", number, axes) for number in range(3)]
    out = tmp_path / "made.fits"
    command = ["convert", *files, "--dz", "1.1mm,0mm,-3mm", *words, "--out", out]
    assert "the file names no telescope" in refused(*command)
    signs = {"conventions.u_sign": "-1", "conventions.defocus_sign": "-1"}
    for key, sign in signs.items():
        command += ["--set", f"telescope.{key}={sign}"]
    assert "give --offsets telescope" in refused(*command, "--telescope", "jcmt")
    if words:
        alone = [word for word in command if word not in words]
        for name in ("convert", "fit", "inspect"):
            rest = alone[1:] if name == "convert" else alone[1:-6] + alone[-4:]
            asked = run(name, *rest, "--telescope", "jcmt")
            message = asked.err.splitlines()[-1]
            assert asked.code == 2
            assert "--offsets telescope" in message
            assert "--parallactic-angle" in message
            asked = run(name, *rest, "--telescope", "jcmt", "--offsets", "telescope")
            assert "give the position angle of the zenith" in asked.err
    outcome = run(*command, "--telescope", "jcmt", "--offsets", "telescope")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[2].startswith("map 2 (")
    assert "): dz = 0 m, 224 samples, 1 masked" in lines[2]
    assert lines[4].startswith("turned: offsets are telescope minus source, turned by half a turn (as given)")
    assert lines[5] == "u, v and dz as in the tables of jcmt"

    telescope = with_overrides(load_telescope("jcmt"), signs)
    original = read_observation(*files, defocus_m=DZ_M, orientation=orientation)
    converted = read_observation(out)
    assert (converted.frame, converted.telescope) == ("file", "jcmt")
    assert_same(in_model_convention(converted, telescope), in_model_convention(original, telescope))
    assert original.frame != "file"
    assert converted.maps[0].relative_error is not None


def test_how_it_was_taken_is_kept(run, text_files, tmp_path):
    """All that is said about the observing is in the file, and reading it needs nothing said again."""
    said = {
        "chop_throw": "57.8arcsec",
        "chop_angle": "30deg",
        "source_shape": "limb-darkened",
        "source_diameter": "3.5arcsec",
        "limb_darkening": "0.3",
        "bandwidth": "8GHz",
        "scan_smearing": "1arcsec",
        "scan_angle": "-10deg",
        "pixel_size": "4arcsec",
        "pixel_shape": "round",
        "source_distance": "1.5km",
        "applied": "Z(2,0)=0.3rad, Z(3,1)=-12deg",
    }
    out = tmp_path / "made.fits"
    words = [word for key, text in said.items() for word in ("--set", f"observing.{key}={text}")]
    outcome = run("convert", *text_files, *WORDS, *words, "--out", out)
    assert outcome.code == 0
    assert "how it was taken: chopped by 57.8 arcsec towards 30 deg; disc of 3.5 arcsec" in outcome.out
    original = read_observation(*text_files, defocus_m=DZ_M, wavelength_m=299_792_458.0 / 271.3e9, observing=said)
    assert not original.observing.is_plain
    assert_same(read_observation(out), original)
