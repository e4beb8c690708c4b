from dataclasses import replace

import pytest

from oofpy.cli.reading import description_of, groups_of
from oofpy.errors import UsageError
from oofpy.recipe.reading import Reading


def test_files_with_several_maps_stand_alone(maps_file, tmp_path):
    a, b = maps_file("a.fits"), maps_file("b.fits")
    assert groups_of([a]) == [(a,)]
    assert groups_of([a, b]) == [(a,), (b,)]
    assert groups_of([a, tmp_path / "absent.fits"]) == [(a,), (tmp_path / "absent.fits",)]
    with pytest.raises(UsageError, match="same name"):
        groups_of([a, a])


def test_files_with_one_map_stand_together(tmp_path):
    files = []
    for name in "cab":
        files.append(tmp_path / f"{name}.txt")
        files[-1].write_text("0 0 1\n1e-4 0 2\n0 1e-4 3\n")
    assert groups_of(files) == [tuple(files)]
    assert groups_of([*files, tmp_path / "absent.txt"]) == [(*files, tmp_path / "absent.txt")]


def test_description_is_safe_to_show(maps_file):
    observation = Reading().observation([maps_file()])
    maps = (replace(observation.maps[0], label="a\x1b[31m\nb"), *observation.maps[1:])
    lines = description_of(replace(observation, maps=maps, object_name="\x07", elevation_rad=0.5, date="now"))
    assert all(line.isprintable() for line in lines)
    assert "elevation 28.6 deg, ?, now" in lines[0]
    assert lines[1].startswith("map 1 (a?[31m b): dz = -3 mm")
