import random
from dataclasses import replace
from pathlib import Path

import pytest

from oofpy.archive.grouping import group_fragments
from oofpy.archive.requests import Fragment
from oofpy.recipe.reading import Reading

NAN = float("nan")
DZ_MM = (-3, 0, 3)


@pytest.fixture
def fragment(recipe):
    def make(name, dz_mm=NAN, minute=None, **said):
        date = None if minute is None else f"2024-03-01T{10 + minute // 60:02d}:{minute % 60:02d}:00"
        plain = {
            "sha256": name,
            "recipe": recipe,
            "wavelength_m": 1.1e-3,
            "telescope": "JCMT",
            "object_name": "Mars",
            "date": date,
        }
        return Fragment(file=Path("archive") / name, defocus_m=dz_mm * 1e-3, **(plain | said))

    return make


def grouped(fragments, **rules):
    """Names of the files of each observation, and of those left over; whatever the order they come in."""
    outcomes = []
    for seed in range(3):
        shuffled = random.Random(seed).sample(fragments, len(fragments))
        requests, left = group_fragments(shuffled, **rules)
        assert all(request.complete for request in requests)
        outcomes.append(([[file.name for file in one.files] for one in requests], [one.file.name for one, _ in left]))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    return outcomes[0]


def test_maps_of_one_observation_in_order_of_their_dates(fragment):
    maps = [fragment(name, dz, minute) for name, dz, minute in zip("cab", DZ_MM, (0, 10, 20), strict=True)]
    assert grouped(maps) == ([["c", "a", "b"]], [])


def test_without_dates_numbers_in_names_count(fragment):
    names = [f"scan{number}.fits" for number in (8, 9, 10, 11, 12, 13)]
    maps = [fragment(name, dz) for name, dz in zip(names, DZ_MM + DZ_MM, strict=True)]
    assert grouped(maps) == ([names[:3], names[3:]], [])
    # One without a date: then no date counts.
    maps[3] = replace(maps[3], date="2024-03-01T10:00:00")
    assert grouped(maps) == ([names[:3], names[3:]], [])


def test_a_dz_that_comes_again_begins_a_new_one(fragment):
    read_back = (-3.01, 0.002, 2.99, 3.0, 0.0, -3.0)
    maps = [fragment(name, dz, 5 * place) for place, (name, dz) in enumerate(zip("abcdef", read_back, strict=True))]
    assert grouped(maps) == ([["a", "b", "c"], ["d", "e", "f"]], [])


def test_an_hour_without_a_map_begins_a_new_one(fragment):
    maps = [
        fragment(name, dz, minute) for name, dz, minute in zip("abcd", (-3, 3, -2, 2), (0, 59, 120, 130), strict=True)
    ]
    assert grouped(maps) == ([["a", "b"], ["c", "d"]], [])
    assert grouped(maps, longest_gap_s=7200) == ([["a", "b", "c", "d"]], [])
    assert grouped(maps, longest_gap_s=60) == ([], ["a", "b", "c", "d"])


def test_fewer_than_two_dz_are_left_over_with_the_reason(fragment):
    alone = fragment("a", 0, 0)
    again = fragment("b", 0, 5)
    requests, left = group_fragments([alone, again])
    assert requests == []
    assert [one.file.name for one, _ in left] == ["a", "b"]
    assert left[0][1] == (
        "no map with another dz belongs to it (same folder, telescope, object and wavelength, within 1 h of it); "
        "list the files of its observation in a manifest"
    )
    assert "beside it)" in group_fragments([fragment("a", 0)])[1][0][1]


@pytest.mark.parametrize(
    "other",
    [
        {"telescope": "SRT"},
        {"object_name": "Venus"},
        {"object_name": None},
        {"wavelength_m": 1.2e-3},
        {"wavelength_m": NAN},
        {"file": Path("elsewhere/c")},
    ],
)
def test_what_parts_observations(fragment, other):
    maps = [fragment("a", -3, 0), fragment("b", 0, 10), replace(fragment("c", 3, 20), **other)]
    assert grouped(maps) == ([["a", "b"]], ["c"])


def test_what_does_not_part_them(fragment):
    spelt = [
        fragment("a", -3, 0),
        fragment("b", 0, 10, telescope="jcmt ", object_name="MARS"),
        fragment("c", 3, 20, wavelength_m=1.1e-3 * (1 + 2e-4)),
    ]
    assert grouped(spelt) == ([["a", "b", "c"]], [])
    unknown = [replace(one, telescope=None, object_name=None, wavelength_m=NAN) for one in spelt]
    assert grouped(unknown) == ([["a", "b", "c"]], [])


def test_a_copy_begins_nothing(fragment):
    maps = [fragment("a", -3, 0), fragment("b", 0, 10), fragment("b2", 0, 10, sha256="b"), fragment("c", 3, 20)]
    assert grouped(maps) == ([["a", "b", "c"]], ["b2"])
    assert group_fragments(maps)[1][0][1] == "it has the same content as b"


def test_positions_make_observations_by_number(fragment):
    maps = [fragment(name, minute=10 * place) for place, name in enumerate("abcdefg")]
    assert grouped(maps) == ([["a", "b", "c"], ["d", "e", "f"]], ["g"])
    assert grouped(maps, maps_per_observation=2)[0] == [["a", "b"], ["c", "d"], ["e", "f"]]
    late = [*maps[:2], *(replace(one, date=f"2024-03-02T{place:02d}:00:00") for place, one in enumerate(maps[2:5]))]
    assert grouped(late) == ([["c", "d", "e"]], ["a", "b"])
    reason = group_fragments(maps)[1][0][1]
    assert reason.startswith("1 map of one observation found, of which an observation has 3;")


def test_dz_of_the_command_line_stands_above_the_files(fragment, recipe):
    said = replace(recipe, reading=Reading(defocus_m=(-3e-3, 0.0, 3e-3, 5e-3)))
    maps = [fragment(name, 0, 10 * place, recipe=said) for place, name in enumerate("abcdefgh")]
    assert grouped(maps) == ([["a", "b", "c", "d"], ["e", "f", "g", "h"]], [])
    assert grouped(maps[:-1])[1] == ["e", "f", "g"]
    assert group_fragments(maps[:-1])[1][0][1].startswith("3 maps of one observation found, of which --dz has 4;")
    chosen = replace(recipe, reading=Reading(defocus_m=(-3e-3, 3e-3), maps=(1, 3)))
    assert grouped([replace(one, recipe=chosen) for one in maps[:6]]) == ([["a", "b", "c"], ["d", "e", "f"]], [])


def test_one_dz_said_of_each_file_is_that_of_its_map(fragment, recipe):
    said = [replace(recipe, reading=Reading(defocus_m=(dz * 1e-3,))) for dz in (3, 0, -3, 3, 0)]
    maps = [fragment(name, recipe=one) for name, one in zip("abcde", said, strict=True)]
    requests, left = group_fragments(maps)
    assert left == []
    assert [request.recipe.reading.defocus_m for request in requests] == [(3e-3, 0.0, -3e-3), (3e-3, 0.0)]
    assert requests[0].recipe == replace(recipe, reading=Reading(defocus_m=(3e-3, 0.0, -3e-3)))
    # Another setting makes another observation.
    other = replace(said[1], overrides={"conventions.u_sign": "-1"})
    assert grouped([maps[0], replace(maps[1], recipe=other), maps[2]]) == ([["a", "c"]], ["b"])


def test_a_map_without_dz_among_others_is_told_by_its_reading(fragment):
    maps = [fragment("a", -3, 0), fragment("b", NAN, 10), fragment("c", 3, 20)]
    assert grouped(maps) == ([["a", "b", "c"]], [])


def test_days_without_a_time_part_observations(fragment):
    maps = [replace(fragment(name, dz), date=day) for name, dz, day in zip("abcd", (-3, 3, -2, 2), "1122", strict=True)]
    maps = [replace(one, date=f"2024-03-0{one.date}") for one in maps]
    assert grouped(maps) == ([["a", "b"], ["c", "d"]], [])
