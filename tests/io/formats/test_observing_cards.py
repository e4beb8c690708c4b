from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from oofpy.conventions import in_file_convention
from oofpy.errors import InputError, UsageError
from oofpy.io import apply_observing, read_observation, write_oof_fits, write_pyoof_fits
from oofpy.observing import AppliedCorrection, Chop, ExtendedSource, Observing, Smearing
from oofpy.telescope import load_telescope

AXIS = np.linspace(-1 / 3, 0.7, 9)
SURFACE = np.tile([[1 / 3, np.nan, 3e-17], [0.0, -2 / 7, 1e-4], [5.0, 6.0, 7.0]], (3, 3))
EVERYTHING = Observing(
    applied=AppliedCorrection(((2, 0, 1 / 3), (3, -1, -0.1)), AXIS, SURFACE, "a/" * 60),
    chop=Chop(2.8e-4 / 3, -1 / 3),
    source=ExtendedSource("limb-darkened", 1e-4 / 3, 0.3),
    smearing=Smearing(1e-5 / 3, 2 / 3, 1.1e-5, "round"),
    fractional_bandwidth=1 / 7,
    source_distance_m=1e4 / 3,
)
WRITERS = pytest.mark.parametrize("write", [write_oof_fits, write_pyoof_fits])


@WRITERS
@pytest.mark.parametrize(
    "observing",
    [
        Observing(),
        EVERYTHING,
        Observing(chop=EVERYTHING.chop),
        Observing(source=ExtendedSource("disc", 1e-4 / 3)),
        Observing(source=ExtendedSource("gaussian", 1e-4 / 3), smearing=Smearing(pixel_rad=1e-5)),
        Observing(smearing=Smearing(1e-5, 0.0)),
        Observing(applied=AppliedCorrection(((4, 4, 1e-300),), origin="x")),
    ],
)
def test_round_trip_is_exact(tmp_path, observation, assert_same, write, observing):
    made = replace(observation, observing=observing)
    write(made, tmp_path / "out.fits")
    found = read_observation(tmp_path / "out.fits")
    assert_same(found, made)
    assert found.observing.as_dict() == observing.as_dict()
    assert [flag.code for flag in found.flags] == ["samples-unobserved"]
    if observing.applied is not None and observing.applied.axis_m is not None:
        np.testing.assert_array_equal(found.observing.applied.axis_m, observing.applied.axis_m)
        np.testing.assert_array_equal(found.observing.applied.surface_m, SURFACE)


def test_oof_finds_what_it_knows_and_the_reader_does_not_take_it_twice(tmp_path, observation):
    observing = Observing(chop=Chop(np.pi / 648000 * 57.8, 0.5), source=ExtendedSource("disc", 9e-5))
    write_oof_fits(
        replace(observation, telescope="GBT", observing=observing), tmp_path / "a.fits", header={"RECV": "Ka"}
    )
    header = fits.getheader(tmp_path / "a.fits")
    assert header["CHOPTHR"] == pytest.approx(57.8)
    assert header["OBJRADS"] == 4.5e-5
    assert read_observation(tmp_path / "a.fits").observing.as_dict() == observing.as_dict()
    changed = read_observation(tmp_path / "a.fits", observing={"chop_angle": "0", "source_diameter": "none"})
    assert changed.observing.as_dict() == Observing(chop=Chop(observing.chop.throw_rad, 0.0)).as_dict()
    made = replace(observation, observing=Observing(fractional_bandwidth=0.1))
    for key in ("CHOPTHR", "OBJRADS"):
        with pytest.raises(UsageError, match=f"{key} = 3.0: this key is written by oofpy itself"):
            write_oof_fits(made, tmp_path / "b.fits", header={key: 3.0})
    write_oof_fits(observation, tmp_path / "c.fits", header={"OBJRADS": 4.5e-5})
    assert read_observation(tmp_path / "c.fits").observing.source.diameter_rad == 9e-5


def test_texts_survive_conversion(tmp_path, observation):
    texts = {"chop_throw": "57.8 arcsec", "chop_angle": "-30 deg", "bandwidth": "2 GHz", "applied": "Z(2,2)=-12deg"}
    observing = apply_observing(Observing(), texts, observation.wavelength_m)
    write_oof_fits(replace(observation, observing=observing), tmp_path / "a.fits")
    assert read_observation(tmp_path / "a.fits").observing.as_dict() == observing.as_dict()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"OOFPYOBS": 2}, "OOFPYOBS = 2: this version of oofpy reads layout 1"),
        ({"OOBTHROW": "x"}, "OOBTHROW = x: must be a number"),
        ({"OOBTHROW": -1.0}, "observing.chop_throw = -1 rad: must be an angle above zero"),
        ({"OOBANGLE": None}, "OOBANGLE: this card is missing"),
        ({"OOBSHAPE": None}, "OOBSHAPE: this card is missing"),
        ({"OOBNCOEF": 200}, "OOBNCOEF = 200: is no number of coefficients"),
        ({"OOBC2": None}, "OOBC2: this card is missing"),
        ({"OOBN1": 3}, r"observing.applied = Z\(3,0\)"),
    ],
)
def test_cards_that_do_not_fit(tmp_path, observation, change, problem):
    path = tmp_path / "a.fits"
    write_oof_fits(replace(observation, observing=EVERYTHING), path)
    with fits.open(path, mode="update") as hdus:
        header = hdus[0].header
        del header["CHECKSUM"], header["DATASUM"]
        for key, value in change.items():
            if value is None:
                del header[key]
            else:
                header[key] = value
    with pytest.raises(InputError, match=rf"a.fits: {problem}"):
        read_observation(path)


@WRITERS
@pytest.mark.parametrize("frame", ["sky-azel", "sky-radec", "model"])
def test_only_the_signs_of_the_data_can_be_written(tmp_path, observation, write, frame):
    with pytest.raises(UsageError) as caught:
        write(replace(observation, frame=frame), tmp_path / "a.fits")
    assert f"frame = {frame}: a table has the signs of the telescope's data, and the observation is " in str(
        caught.value
    )
    assert str(caught.value).endswith(
        "bring it there with oofpy.conventions.in_file_convention, which needs the telescope"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_observation_in_the_model_is_written_after_conversion(tmp_path, observation, assert_same):
    telescope = load_telescope("jcmt")
    write_oof_fits(in_file_convention(replace(observation, frame="model"), telescope), tmp_path / "a.fits")
    assert_same(read_observation(tmp_path / "a.fits"), observation)
