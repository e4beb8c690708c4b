import numpy as np
import pytest

from oofpy.errors import InputError, UsageError
from oofpy.io import read_observation, read_observations


def codes(observation):
    return [(flag.code, flag.serious) for flag in observation.flags]


@pytest.fixture
def single(make):
    """Three text files of one map each, and what they lack."""
    return [make.columns(f"{name}.txt", seed) for seed, name in enumerate("abc")]


def test_files_of_one_map_form_one_observation_in_the_order_given(single):
    a, b, c = single
    found = read_observation(c, a, b, defocus_m=[3e-3, 1e-3, 2e-3], wavelength_m=1e-3)
    assert found.name == "c"
    assert [(m.label, m.defocus_m) for m in found.maps] == [("c", 3e-3), ("a", 1e-3), ("b", 2e-3)]
    assert read_observations([c, a, b], defocus_m=[3e-3, 1e-3, 2e-3], wavelength_m=1e-3)[0].name == "c"


def test_files_of_several_maps_are_observations_of_their_own(make):
    paths = [make.pyoof("one.fits"), make.pyoof("two.fits", primary={"FREQ": 90e9})]
    found = read_observations(paths)
    assert [observation.name for observation in found] == ["one", "two"]
    assert found[1].wavelength_m == 299792458 / 90e9
    with pytest.raises(UsageError, match=r"these files are 2 observations.*one at a time"):
        read_observation(*paths)


def test_mixture_is_refused(make, single):
    with pytest.raises(UsageError, match=r"a.txt: it holds one map and .*obs.fits holds 3; give"):
        read_observations([make.pyoof(), single[0]])


def test_no_file_and_the_same_file_twice(make):
    with pytest.raises(UsageError, match="no file is given"):
        read_observation()
    path = make.pyoof()
    with pytest.raises(UsageError, match=r"obs.fits: this file is given twice"):
        read_observations([path, path.parent / "." / path.name])


def test_one_file_of_one_map(single):
    with pytest.raises(InputError, match=r"a.txt: maps = 1: an observation needs two or more maps"):
        read_observation(single[0], defocus_m=[1e-3], wavelength_m=1e-3)


def test_given_defocus_replaces_that_of_the_file(make):
    found = read_observation(make.pyoof(), defocus_m=[-1e-3, 0, 1e-3])
    assert found.defocus_m.tolist() == [-1e-3, 0.0, 1e-3]
    assert codes(found) == [("defocus-replaced", False)]
    assert "MINUS OOF: -0.001 m for -0.003 m" in found.flags[0].message
    assert codes(read_observation(make.pyoof(), defocus_m=[-3e-3, 0, 3e-3])) == []


@pytest.mark.parametrize("count", [1, 2, 4])
def test_wrong_number_of_defocus_values(make, count):
    with pytest.raises(UsageError, match=rf"--dz = .*: {count} values are given for 3 maps"):
        read_observation(make.pyoof(), defocus_m=np.linspace(-1e-3, 1e-3, count).tolist())


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_defocus_must_be_finite(make, wrong):
    with pytest.raises(UsageError, match="--dz"):
        read_observation(make.pyoof(), defocus_m=[0, 1e-3, wrong])


def test_equal_defocus_is_refused(make):
    with pytest.raises(InputError, match="all maps have the same defocus"):
        read_observation(make.pyoof(), defocus_m=[1e-3] * 3)


def test_selection_of_maps(make):
    path = make.pyoof()
    found = read_observation(path, maps=[3, 1])
    assert [beam_map.label for beam_map in found.maps] == ["MINUS OOF", "PLUS OOF"]
    assert codes(found) == []
    for defocus in ([-1e-3, 7.0, 2e-3], [-1e-3, 2e-3]):
        found = read_observation(path, maps=[1, 3], defocus_m=defocus)
        assert found.defocus_m.tolist() == [-1e-3, 2e-3]


@pytest.mark.parametrize("maps", [[], [1, 1], [0, 1], [1, 4], [-1, 2]])
def test_wrong_selection_of_maps(make, maps):
    with pytest.raises(UsageError, match="--maps"):
        read_observation(make.pyoof(), maps=maps)


def test_radius_keeps_the_samples_near_the_centre(make):
    whole = read_observation(make.pyoof())
    found = read_observation(make.pyoof(), radius_rad=8e-4)
    for one, other in zip(found.maps, whole.maps, strict=True):
        np.testing.assert_array_equal(one.used, np.hypot(other.u_rad, other.v_rad) <= 8e-4)
        assert 0 < one.samples < other.samples
        np.testing.assert_array_equal(one.power, other.power)


@pytest.mark.parametrize("radius", [0.0, -1e-3, np.nan, np.inf])
def test_wrong_radius(make, radius):
    with pytest.raises(UsageError, match="--radius"):
        read_observation(make.pyoof(), radius_rad=radius)


def test_radius_without_samples(make):
    with pytest.raises(UsageError, match="--radius: no sample of the map MINUS OOF is left"):
        read_observation(make.pyoof(), radius_rad=1e-9)


def test_mask_is_a_source_and_refers_to_all_maps(make):
    path, mask = make.pyoof(), make("mask.csv", "map,sample\n3,0\n3,11\n2,5\n")
    found = read_observation(path, mask=mask, maps=[1, 3])
    assert [beam_map.masked for beam_map in found.maps] == [0, 2]
    assert not found.maps[1].used[[0, 11]].any()
    assert [source.path for source in found.sources] == [path, mask]


def test_mask_and_radius_together(make):
    mask = make("mask.csv", "map sample\n" + "".join(f"1 {k}\n" for k in range(6)))
    found = read_observation(make.pyoof(), mask=mask, radius_rad=8e-4)
    assert not found.maps[0].used[:6].any()
    near = np.hypot(found.maps[0].u_rad, found.maps[0].v_rad) <= 8e-4
    np.testing.assert_array_equal(found.maps[0].used[6:], near[6:])


def test_wavelength_of_the_user(make):
    found = read_observation(make.pyoof(), wavelength_m=0.01)
    assert found.wavelength_m == 0.01
    assert codes(found) == [("wavelength-replaced", False)]


def test_files_that_contradict_each_other_are_flagged(make):
    u = np.linspace(-1e-3, 1e-3, 5)
    paths = [
        make.oof(
            f"{telescope}.fits",
            tables=[({"DX": u, "DY": u, "FNU": (u + 0.01) ** k}, {"DZ": k * 1e-3})],
            primary={"FREQ": 9e10, "TELESC": telescope, "OBJECT": "Mars"},
        )
        for k, telescope in enumerate(("GBT", "JCMT"), start=1)
    ]
    found = read_observation(*paths)
    assert found.telescope == "GBT"
    assert codes(found) == [("chop-unknown", True), ("telescope-differs", True)]


def test_elevation_is_the_mean(make):
    u = np.linspace(-1e-3, 1e-3, 5)
    paths = [
        make.pyoof(
            f"{k}.fits",
            tables=[({"U": u, "V": u, "BEAM": (u + 0.01) ** k}, {"DZ": k * 1e-3})],
            primary={"FREQ": 9e10, "MEANEL": elevation},
        )
        for k, elevation in enumerate((30.0, 0, 40.0), start=1)
    ]
    assert read_observation(*paths).elevation_rad == pytest.approx(np.radians(35))
