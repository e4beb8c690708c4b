import numpy as np
import pytest

from oofpy.errors import InputError
from oofpy.io import read_observation

U = np.linspace(-1e-3, 1e-3, 8)


def tables(*powers, u=U, labels=None):
    return [
        (
            {"U": u, "V": u[::-1], "BEAM": power},
            {"DZ": (k - 1) * 1e-3, **({"EXTNAME": labels[k]} if labels else {})},
        )
        for k, power in enumerate(powers)
    ]


GOOD, OTHER, THIRD = 1.5 + U * 1e3, 2.5 + (U * 1e3) ** 2, 3.5 + (U * 1e3) ** 3


def codes(observation):
    return [(flag.code, flag.serious) for flag in observation.flags]


@pytest.mark.parametrize(
    ("power", "problem"),
    [
        (np.full(8, np.nan), "no sample is observed: every row has NaN"),
        (np.zeros(8), "all values are zero, so there is no beam in it"),
        (np.full(8, 7.0), "all values are 7,"),
        (np.where(np.arange(8) < 7, 7.0, np.nan), "all values are 7,"),
        (np.full(8, np.inf), "no sample is observed"),
    ],
)
def test_map_without_content_is_refused_unless_left_out(make, power, problem):
    path = make.pyoof(tables=tables(GOOD, OTHER, power))
    with pytest.raises(InputError, match=rf"obs.fits: map 3 \(HDU 3\): {problem}"):
        read_observation(path)
    assert len(read_observation(path, maps=[1, 2]).maps) == 2


def test_coordinates_that_are_no_radians(make):
    with pytest.raises(InputError, match=r"map 1 \(HDU 1\): the coordinates reach 206.* not in radians"):
        read_observation(make.pyoof(tables=tables(GOOD, OTHER, u=np.degrees(U) * 3600)))


def test_all_samples_at_one_position(make):
    with pytest.raises(InputError, match="all samples are at one position"):
        read_observation(make.pyoof(tables=tables(GOOD, OTHER, u=np.zeros(8))))


def test_same_data_twice(make):
    path = make.pyoof(tables=tables(GOOD, OTHER, GOOD))
    with pytest.raises(InputError, match=r"map 3 \(HDU 3\): it holds the same data as map 1 \(HDU 1\); give every"):
        read_observation(path)
    assert len(read_observation(path, maps=[1, 2]).maps) == 2


def test_same_data_with_the_same_gaps(make):
    gappy = np.where(np.arange(8) == 2, np.nan, GOOD)
    with pytest.raises(InputError, match="same data"):
        read_observation(make.pyoof(tables=tables(gappy, gappy)))


def test_gaps_are_masked_and_counted(make):
    power, u = GOOD.copy(), U.copy()
    power[[1, 4]] = np.nan, np.inf
    found = read_observation(make.pyoof(tables=tables(power, OTHER)))
    assert found.maps[0].used.tolist() == [True, False, True, True, False, True, True, True]
    assert codes(found) == [("samples-unobserved", False)]
    assert "2 of 8 in map 1" in found.flags[0].message
    u[0] = np.nan
    found = read_observation(make.pyoof(tables=tables(GOOD, OTHER, u=u)))
    assert [beam_map.masked for beam_map in found.maps] == [2, 2]


def test_absurdly_large_values_are_unobserved(make):
    text = "1e-4 0 5\n0 0 1e300\n-1e-4 0 7\n"
    found = read_observation(make("a.txt", text), make.columns("b.txt"), defocus_m=[0, 1e-3], wavelength_m=1e-3)
    assert found.maps[0].used.tolist() == [True, False, True]
    assert codes(found) == [("samples-unobserved", False)]


def test_exact_zeros(make):
    power = 1.5 + np.arange(200) ** 0.5
    power[3] = 0
    u = np.linspace(-1e-3, 1e-3, 200)
    found = read_observation(make.pyoof(tables=tables(power, power**2, u=u)))
    assert codes(found) == [("exact-zeros", False)]
    assert "1 of 200 in map 1, 1 of 200 in map 2" in found.flags[0].message
    power[:5] = 0
    found = read_observation(make.pyoof(tables=tables(power, power**2, u=u)))
    assert codes(found) == [("exact-zeros", True)]
    counts = np.arange(200) % 7
    found = read_observation(make.pyoof(tables=tables(counts, counts**2, u=u)))
    assert codes(found) == []


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_one_of_minus_zero_plus_missing(make, missing):
    labels = [name for k, name in enumerate(("MINUS OOF", "ZERO OOF", "PLUS OOF")) if k != missing]
    made = tables(GOOD, OTHER, labels=labels)
    for label, (_, header) in zip(labels, made, strict=True):
        header["DZ"] = {"M": -1e-3, "Z": 0.0, "P": 1e-3}[label[0]]
    found = read_observation(make.pyoof(tables=made))
    assert codes(found) == [("map-missing", True)]


def test_name_that_contradicts_the_sign(make):
    made = tables(GOOD, OTHER, THIRD, labels=["PLUS OOF", "ZERO OOF", "MINUS OOF"])
    path = make.pyoof(tables=made)
    found = read_observation(path)
    assert codes(found) == [("defocus-contradicts-name", True)]
    assert "PLUS OOF has dz = -0.001 m, MINUS OOF has dz = 0.001 m" in found.flags[0].message
    assert codes(read_observation(path, defocus_m=[1e-3, 0, -1e-3])) == [("defocus-replaced", False)]


def test_values_out_of_range_are_not_called_nan(make):
    with pytest.raises(InputError, match=r"no sample is observed: the values reach 6e\+301, and below 1e\+100 are"):
        read_observation(
            make("a.txt", "0 0 6e301\n1e-4 0 5e301\n"), make.columns("b.txt"), defocus_m=[0, 1], wavelength_m=1
        )


def test_a_copy_with_other_gaps_is_the_same_data(make):
    gappy = np.where(np.arange(8) == 2, np.nan, GOOD)
    with pytest.raises(InputError, match=r"map 3 \(HDU 3\): it holds the same data as map 1"):
        read_observation(make.pyoof(tables=tables(GOOD, OTHER, gappy)))
    # What two maps have in common must be most of them.
    left, right = (np.where(np.arange(8) < 4, one, other) for one, other in ((np.nan, GOOD), (GOOD, np.nan)))
    assert len(read_observation(make.pyoof(tables=tables(left, right, OTHER))).maps) == 3


def test_text_columns_with_and_without_errors_are_noted(make):
    paths = [make.columns("a.txt", 0, np.linspace(1, 2, 12)), make.columns("b.txt", 1)]
    found = read_observation(*paths, defocus_m=[0, 1e-3], wavelength_m=1e-3)
    assert codes(found) == [("weights-missing", False)]
    assert "map 2 (b)" in found.flags[0].message
