from pathlib import Path

import pytest

from oofpy.errors import InputError, UsageError
from oofpy.io.reader import GivenNumber, RawFile
from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S as C
from oofpy.io.wavelength import resolve_wavelength
from oofpy.observation import SourceFile


def raw(frequency=None, wavelength=None, name="obs.fits"):
    path = Path(name)
    return RawFile(
        maps=(),
        sources=(SourceFile(path, ""),),
        frequency=None if frequency is None else GivenNumber(path, "FREQ", frequency, "Hz"),
        wavelength=None if wavelength is None else GivenNumber(path, "WAVEL", wavelength, "m"),
    )


def codes(flags):
    return [(flag.code, flag.serious) for flag in flags]


def test_from_frequency_or_wavelength_or_both():
    assert resolve_wavelength([raw(C / 0.01)]) == (pytest.approx(0.01, rel=1e-15), ())
    assert resolve_wavelength([raw(wavelength=0.01)]) == (0.01, ())
    assert resolve_wavelength([raw(3e8 / 0.01, 0.01)]) == (0.01, ())  # as oof has c


def test_frequency_and_wavelength_that_disagree():
    value, flags = resolve_wavelength([raw(C / 0.01, 0.01005)])
    assert value == 0.01005
    assert codes(flags) == [("wavelength-inconsistent", True)]
    with pytest.raises(InputError, match=r"WAVEL = 0.0102: with FREQ = .*, frequency times wavelength is 1.02 c; "):
        resolve_wavelength([raw(C / 0.01, 0.0102)])


@pytest.mark.parametrize(("frequency", "wavelength"), [(22.23, None), (22.23e3, None), (None, 13.49), (32.0, 9.4e-3)])
def test_gigahertz_and_millimetres_are_refused(frequency, wavelength):
    with pytest.raises(InputError, match=r"obs.fits: (FREQ|WAVEL) = .*GHz or mm instead of .*--frequency"):
        resolve_wavelength([raw(frequency, wavelength)])


@pytest.mark.parametrize(
    ("wavelength", "flagged"),
    [(0.2e-3, False), (0.199e-3, True), (0.0101e-3, True), (0.3, False), (0.301, True), (5.99, True)],
)
def test_range(wavelength, flagged):
    value, flags = resolve_wavelength([raw(wavelength=wavelength)])
    assert value == wavelength
    assert codes(flags) == ([("wavelength-implausible", True)] if flagged else [])


@pytest.mark.parametrize("wavelength", [0.0099e-3, 6.01])
def test_far_out_of_range(wavelength):
    with pytest.raises(InputError, match=r"is outside 0.2 mm to 0.3 m"):
        resolve_wavelength([raw(wavelength=wavelength)])
    with pytest.raises(UsageError, match=r"--wavelength = .* is outside 0.2 mm to 0.3 m"):
        resolve_wavelength([raw()], wavelength)


@pytest.mark.parametrize("value", [0.0, -1.0, "32 GHz", True])
def test_no_positive_number(value):
    with pytest.raises(InputError, match=f"obs.fits: FREQ = {value}: this must be a"):
        resolve_wavelength([raw(value)])


def test_nothing_given():
    with pytest.raises(InputError, match=r"obs.fits: FREQ: neither .*; give it with --frequency or --wavelength"):
        resolve_wavelength([raw(), raw()])


def test_the_user_stands_above_the_file():
    assert resolve_wavelength([raw()], 0.01) == (0.01, ())
    assert resolve_wavelength([raw(wavelength=0.01)], 0.01) == (0.01, ())
    assert resolve_wavelength([raw("nonsense")], 0.01) == (0.01, ())
    value, flags = resolve_wavelength([raw(wavelength=0.02)], 0.01)
    assert value == 0.01
    assert codes(flags) == [("wavelength-replaced", False)]
    for wrong in (0.0, -0.01, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="--wavelength"):
            resolve_wavelength([raw()], wrong)


def test_files_of_one_observation_agree():
    one, two, other = raw(wavelength=0.01), raw(C / 0.01), raw(wavelength=0.011, name="other.fits")
    assert resolve_wavelength([raw(), one, two])[0] == 0.01
    with pytest.raises(InputError, match=r"other.fits: its wavelength of 0.011 m differs from the 0.01 m of obs.fits"):
        resolve_wavelength([one, two, other])
