from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oofpy.errors import InputError, OofError, UsageError
from oofpy.flags import Flag
from oofpy.io import observations, read_observation
from oofpy.io.reader import GivenNumber, RawFile, RawMap
from oofpy.observation import SkyOrientation, SourceFile
from oofpy.observing import AppliedCorrection, Chop, Observing


@pytest.fixture
def read(monkeypatch):
    """Read made-up files of one map each: `read(changes of each RawFile, arguments)`."""

    def read(changes, **arguments):
        files = {}
        for number, change in enumerate(changes):
            name = Path(f"{number}.fits")
            u = np.linspace(-1e-3, 1e-3, 8)
            made = RawMap(name, f"map{number}", u, u[::-1], (u * 1e3 + 2) ** (number + 1))
            made = replace(made, defocus=GivenNumber(name, "DZ", number * 1e-3, "m"))
            base = RawFile((made,), (SourceFile(name, "00"),), wavelength=GivenNumber(name, "WAVEL", 1e-3, "m"))
            files[name] = replace(base, **change)
        monkeypatch.setattr(observations, "read_file", lambda path, _part: files[path])
        return read_observation(*files, **arguments)

    return read


def test_maps_of_different_kinds_are_refused(read):
    assert read([{}, {}]).frame == "file"
    assert read([{"frame": "sky-azel"}] * 2).frame == "sky-azel"
    with pytest.raises(InputError) as caught:
        read([{}, {"frame": "sky-radec"}])
    assert str(caught.value) == (
        "1.fits: it holds a map in right ascension and declination and 0.fits directions in radians; "
        "give maps of one kind together"
    )


def test_orientation_of_the_files_and_above_it_that_of_the_user(read):
    def image(offsets=None, *angles):
        return {"frame": "sky-radec", "orientation": SkyOrientation(offsets, angles or None)}

    files = [image("telescope", 0.1), image(None, 0.2), image("telescope", 0.3)]
    assert read(files).orientation == SkyOrientation("telescope", (0.1, 0.2, 0.3))
    assert read(files, maps=[1, 3]).orientation.parallactic_angle_rad == (0.1, 0.3)
    assert read(files, orientation=SkyOrientation("source")).orientation == SkyOrientation("source", (0.1, 0.2, 0.3))
    for angles, kept in (((0.5,), (0.5,)), ((0.5, 0.6, 0.7), (0.5, 0.7)), ((0.5, 0.6), (0.5, 0.6))):
        found = read(files, maps=[1, 3], orientation=SkyOrientation(None, angles))
        assert found.orientation == SkyOrientation("telescope", kept)
    assert read([image("telescope", 0.1), image()]).orientation == SkyOrientation("telescope", None)
    with pytest.raises(InputError, match=r"1.fits: offsets = source: 0.fits says telescope; say with --offsets"):
        read([image("telescope"), image("source")])
    both = read([image("telescope"), image("source")], orientation=SkyOrientation("source"))
    assert both.orientation.offsets == "source"


@pytest.mark.parametrize(
    ("frame", "orientation", "problem"),
    [
        ("file", SkyOrientation("source"), "--offsets: this means nothing for directions in radians; leave it out"),
        ("file", SkyOrientation(None, (0.1,)), "--parallactic-angle: this means nothing for directions in radians"),
        ("sky-azel", SkyOrientation(None, (0.1,)), "--parallactic-angle: this means nothing for a map in azimuth"),
        ("sky-radec", SkyOrientation(None, (0.1,) * 4), "= 5.7.*deg: 4 values are given for 2 maps; give one for all"),
    ],
)
def test_orientation_that_means_nothing(read, frame, orientation, problem):
    with pytest.raises(UsageError, match=problem):
        read([{"frame": frame}] * 2, orientation=orientation)


def test_observing_of_the_files(read):
    chopped = Observing(chop=Chop(3e-4, 0.5), fractional_bandwidth=0.1)
    found = read([{"observing": chopped}] * 2, observing={"chop_angle": "0"})
    assert found.observing.chop == Chop(3e-4, 0.0)
    assert found.observing.fractional_bandwidth == 0.1
    with pytest.raises(InputError) as caught:
        read([{"observing": chopped}, {}])
    assert str(caught.value) == (
        "1.fits: observing.chop_throw = nothing: 0.fits has 0.0003; are they one observation? "
        "otherwise set observing.chop_throw for all of them"
    )
    with pytest.raises(OofError, match=r"observing.bandwidth = nothing: 0.fits has 0.1"):
        read([{"observing": chopped}, {}], observing={"chop_throw": "none"})
    assert read([{"observing": chopped}, {}], observing={"chop_throw": "none", "bandwidth": "none"}).observing.is_plain


def test_texts_of_the_files_need_to_be_whole_only_with_those_of_the_user(read):
    half = {"observing_texts": {"chop_angle": "90 deg"}}
    with pytest.raises(OofError, match=r"0.fits: observing.chop_throw: this is missing"):
        read([half, half])
    assert read([half, half], observing={"chop_throw": "1 mrad"}).observing.chop.throw_rad == 1e-3
    assert read([half, half], observing={"chop_throw": "none"}).observing.is_plain
    with pytest.raises(OofError, match=r"1.fits: observing.chop_angle = nothing: 0.fits has 90 deg"):
        read([half, {}])


def test_corrections_of_the_files_are_compared_by_content(read):
    def corrected(*pixels):
        surface = np.tile(np.array(pixels, float).reshape(2, 2), (4, 4))
        return {"observing": Observing(AppliedCorrection(axis_m=np.arange(8.0), surface_m=surface, origin="x"))}

    assert read([corrected(1, 2, 3, np.nan), corrected(1, 2, 3, np.nan)]).observing.applied.origin == "x"
    with pytest.raises(OofError, match=r"1.fits: observing.applied = x: 0.fits has x"):
        read([corrected(1, 2, 3, 4), corrected(1, 2, 3, 5)])


def test_note_about_the_header_goes_when_the_user_decides(read):
    texts = {"observing_texts": {"chop_throw": "1 mrad", "chop_angle": "0"}}
    files = [{"flags": (Flag("chop-from-header", "a note"),), **texts}, texts]
    assert [flag.code for flag in read(files).flags] == ["chop-from-header"]
    assert read(files, observing={"chop_throw": "none"}).flags == ()
    assert [flag.code for flag in read(files, observing={"bandwidth": "1 GHz"}).flags] == ["chop-from-header"]


def test_user_texts_are_judged_before_files_are_read(monkeypatch):
    def never(path, _part):
        raise AssertionError(path)

    monkeypatch.setattr(observations, "read_file", never)
    with pytest.raises(OofError, match=r"^observing.bandwith: is no key of the observing; did you mean observing.band"):
        read_observation("a.fits", observing={"bandwith": "1 GHz"})
