from pathlib import Path

import numpy as np
import pytest

from oofpy.errors import InputError, UsageError
from oofpy.io.defocus_values import resolve_defocus
from oofpy.io.reader import GivenNumber, RawFile, RawMap
from oofpy.observation import SourceFile

NOTHING = np.zeros(0)


def file(name, positions=(), defocus=(), in_focus=None, peaks=None, background=0.0):
    path = Path(name)

    def number(key, value):
        return None if value is None else GivenNumber(path, key, value, "m")

    pairs = [(place, None) for place in positions] + [(None, dz) for dz in defocus]
    powers = [np.array([np.nan, 0, 0, 0, peak]) + background for peak in peaks or [1.0] * len(pairs)]
    maps = tuple(
        RawMap(path, f"{name}-{k}", NOTHING, NOTHING, power, None, number("DZ", dz), number("M2Z", place))
        for k, ((place, dz), power) in enumerate(zip(pairs, powers, strict=True), start=1)
    )
    return RawFile(maps=maps, sources=(SourceFile(path, ""),), in_focus=in_focus)


def test_defocus_is_the_difference_to_the_map_in_focus():
    files = [file("a", [0.0021]), file("b", [0.0011]), file("c", [-0.0019])]
    for number, dz in ((1, [0, -1e-3, -4e-3]), (2, [1e-3, 0, -3e-3]), (3, [4e-3, 3e-3, 0])):
        found, flags = resolve_defocus(files, [0, 1, 2], in_focus=number)
        assert found == pytest.approx(dz, abs=1e-18)
        assert flags == ()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_middle_of_three_equally_spaced_positions_is_taken_and_said(order):
    places = np.array([-0.95e-3, 0.05e-3, 1.10e-3])[list(order)]  # gaps of 1.00 and 1.05 mm
    peaks = np.array([5.0, 9.0, 8.9])[list(order)]
    found, flags = resolve_defocus([file("a", places, peaks=peaks.tolist())], [0, 1, 2])
    assert found == pytest.approx(places - 0.05e-3, abs=1e-18)
    middle = order.index(1) + 1
    assert [(flag.code, flag.serious) for flag in flags] == [("in-focus-assumed", False)]
    assert flags[0].message == (
        f"map {middle} (a-{middle}) is taken as the one in focus, since it is the middle one of three equally spaced "
        "positions and has the highest peak; say which one it is with --in-focus"
    )


@pytest.mark.parametrize("peaks", [(9, 8, 1), (1, 8, 9), (8, 8, 1), (1, np.nan, 1)])
def test_middle_without_the_highest_peak_is_not_taken(peaks):
    files = [file("a", [0, 1e-3, 2e-3], peaks=peaks)]
    with pytest.raises(InputError) as caught:
        resolve_defocus(files, [0, 1, 2])
    assert str(caught.value) == (
        "a: positions = 0 m, 0.001 m, 0.002 m: the maps give positions of the subreflector, and it is not known which "
        "of them is in focus, since the middle one, map 2, does not have the highest peak; give its number, from 1, "
        "with --in-focus N, or in_focus = true for its file in an observation TOML"
    )
    assert resolve_defocus(files, [0, 1, 2], in_focus=1)[0] == pytest.approx([0, 1e-3, 2e-3])


def test_peaks_count_from_the_background():
    files = [file("a", [0], peaks=[5], background=100), file("b", [1e-3, 2e-3], peaks=[9, 7])]
    assert resolve_defocus(files, [0, 1, 2])[0] == pytest.approx([-1e-3, 0, 1e-3])


@pytest.mark.parametrize("places", [(0, 1e-3, 2.2e-3), (0, 1e-3), (0, 0, 0), (0, 1e-3, 2e-3, 3e-3)])
def test_focus_that_cannot_be_told(places):
    with pytest.raises(InputError) as caught:
        resolve_defocus([file("a", places)], range(len(places)))
    assert "it is not known which of them is in focus; give its number, from 1, with --in-focus N" in str(caught.value)


def test_focus_of_three_files_counts_although_one_is_left_out():
    files = [file("a", [1e-3]), file("b", [2e-3], peaks=[2]), file("c", [3e-3])]
    found, flags = resolve_defocus(files, [0, 2])
    assert found == pytest.approx([-1e-3, 1e-3])
    assert "map 2 (b-1)" in flags[0].message
    found, flags = resolve_defocus([*files, file("d", [7e-3])], [0, 2], in_focus=4)
    assert found == pytest.approx([-6e-3, -4e-3])


def test_three_of_five_maps_are_judged_by_themselves():
    found, flags = resolve_defocus([file("a", [0, 0.3e-3, 1e-3, 5e-3, 2e-3], peaks=[1, 5, 2, 5, 1])], [0, 2, 4])
    assert found == pytest.approx([-1e-3, 0, 1e-3])
    assert "map 3" in flags[0].message


def test_files_say_which_is_in_focus():
    files = [file("a", [1e-3, 5e-3]), file("b", [2e-3, 9e-3], in_focus=2)]
    assert resolve_defocus(files, [0, 3]) == (pytest.approx([-8e-3, 0]), ())
    assert resolve_defocus(files, [0, 3], in_focus=1)[0] == pytest.approx([0, 8e-3])
    with pytest.raises(InputError, match=r"b: in_focus: it says that its map is in focus, and a says so as well"):
        resolve_defocus([file("a", [1e-3], in_focus=1), file("b", [2e-3], in_focus=1)], [0, 1])


def test_given_defocus_stands_above_positions():
    files = [file("a", [1e-3, 5e-3])]
    assert resolve_defocus(files, [0, 1], (7.0, 8.0)) == ([7.0, 8.0], ())
    with pytest.raises(UsageError, match=r"a: --in-focus = 1: the defocus is given as well; give one of --dz and"):
        resolve_defocus(files, [0, 1], (7.0, 8.0), in_focus=1)


def test_positions_and_defocus_mixed():
    files = [file("a", [1e-3]), file("b", defocus=[1e-3])]
    with pytest.raises(
        InputError, match=r"b: map 2 \(b-1\): some maps give the position of the subreflector, but this"
    ):
        resolve_defocus(files, [0, 1], in_focus=1)


@pytest.mark.parametrize("number", [0, 3, -1])
def test_no_such_map(number):
    with pytest.raises(UsageError, match=rf"--in-focus = {number}: there is no map {number}; .* from 1 to 2"):
        resolve_defocus([file("a", [1e-3, 5e-3])], [0, 1], in_focus=number)


def test_focus_means_nothing_for_maps_that_give_defocus():
    files = [file("a", defocus=[0, 5e-3])]
    assert resolve_defocus(files, [0, 1]) == ([0, 5e-3], ())
    with pytest.raises(UsageError, match="--in-focus = 1: the maps give their defocus themselves"):
        resolve_defocus(files, [0, 1], in_focus=1)


def test_nobody_says_anything():
    with pytest.raises(InputError) as caught:
        resolve_defocus([file("a", [None, None])], [0, 1])
    assert str(caught.value) == (
        "a: DZ: the defocus of map 1 (a-1) is not given; give the defocus of every map with --dz, or list the files "
        "with their dz in an observation TOML"
    )


def test_toml_without_dz_is_named_with_its_key():
    toml = Path("night/obs.toml")
    listed = file("a", [None, None]).maps[1]
    files = [file("b", defocus=[0.0]), RawFile(maps=(listed, listed), sources=(SourceFile(toml, ""),))]
    with pytest.raises(InputError) as caught:
        resolve_defocus(files, [0, 2])
    assert str(caught.value) == (
        f'{toml}: maps[2].dz: the defocus of map 3 (a-2) is not given; write dz, e.g. dz = "-3mm", into the table '
        "[[maps]] of a, or give --dz for every map"
    )


@pytest.mark.parametrize(
    ("given", "remedy"), [(None, "give the defocus of every map with --dz instead"), ((0.0, 1e-3), "leave it out")]
)
def test_focus_means_nothing_without_positions(given, remedy):
    with pytest.raises(UsageError) as caught:
        resolve_defocus([file("a", [None, None])], [0, 1], given, in_focus=2)
    assert str(caught.value) == (
        "a: --in-focus = 2: these files give no positions of the subreflector, so it means nothing here; " + remedy
    )


def test_focus_and_given_defocus_of_maps_that_give_it_themselves():
    with pytest.raises(UsageError, match=r"--in-focus = 1: the maps give their defocus themselves, .*; leave it out"):
        resolve_defocus([file("a", defocus=[0, 5e-3])], [0, 1], (0.0, 1e-3), in_focus=1)
